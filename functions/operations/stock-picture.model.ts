import { orderIdOf } from '../shared/ids.ts';
import type { Hold, HoldState, SeatPlace, UnitRange } from '../stock/stock.model.ts';

/** What Redis counts of an item. */
export interface ItemRead {
  readonly sku: string;
  readonly total: number;
  readonly available: number;
  readonly given: number;
}

/** Whose a unit is by a hold that lives. */
export interface Holder {
  readonly orderId: string;
  /** An order has acknowledged the hold. */
  readonly hasOrder: boolean;
}

/** Where Redis has the units of one item. */
export class ItemPicture {
  readonly read: ItemRead;
  readonly holders = new Map<string, Holder[]>();
  /** By seat, of a seated item. */
  readonly places = new Map<string, SeatPlace>();
  readonly #free: UnitRange[] = [];
  readonly #suspects: UnitRange[] = [];
  #freeUnits = 0;

  constructor(read: ItemRead) {
    this.read = read;
  }

  seeHeld(unit: string, holder: Holder): void {
    const holders = this.holders.get(unit);
    if (holders) holders.push(holder);
    else this.holders.set(unit, [holder]);
  }

  /** Ranges of each kind come in ascending order. */
  seeFree(range: UnitRange): void {
    this.#free.push(range);
    this.#freeUnits += range.last - range.first + 1;
  }

  seeSuspects(range: UnitRange): void {
    this.#suspects.push(range);
  }

  /** Whether a counted unit is for sale: it came back, or its serial was never given out. */
  isFree(unit: string): boolean {
    return Number(unit) > this.read.given + this.#freeUnits || isIn(this.#free, Number(unit));
  }

  isSuspect(unit: string): boolean {
    return isIn(this.#suspects, Number(unit));
  }

  /** The counted units that others were said to own. */
  *suspects(): Generator<string> {
    for (const { first, last } of this.#suspects) for (let serial = first; serial <= last; serial++) yield String(serial);
  }
}

/** Whether a serial is in one of the ranges, which are ascending and do not overlap. */
function isIn(ranges: readonly UnitRange[], serial: number): boolean {
  let [low, high] = [0, ranges.length - 1];
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = ranges[middle];
    if (!range) return false;
    if (serial < range.first) high = middle - 1;
    else if (serial > range.last) low = middle + 1;
    else return true;
  }
  return false;
}

/** All that Redis says about a sale's units, by item. */
export class StockPicture {
  readonly version: number;
  readonly items: ReadonlyMap<string, ItemPicture>;

  constructor(read: { readonly version: number; readonly items: readonly ItemRead[] }) {
    this.version = read.version;
    this.items = new Map(read.items.map((item) => [item.sku, new ItemPicture(item)]));
  }

  seeHold({ holdId, state, lines }: Pick<Hold, 'holdId' | 'lines'> & { readonly state: HoldState }): void {
    if (state === 'ended') return;
    const holder = { orderId: orderIdOf(holdId), hasOrder: state === 'acknowledged' || state === 'confirmed' };
    for (const { sku, units } of lines) for (const unit of units) this.items.get(sku)?.seeHeld(unit, holder);
  }

  seeFree(range: UnitRange): void {
    this.items.get(range.sku)?.seeFree(range);
  }

  seeSuspects(range: UnitRange): void {
    this.items.get(range.sku)?.seeSuspects(range);
  }

  seeSeat(place: SeatPlace): void {
    this.items.get(place.sku)?.places.set(place.seat, place);
  }
}
