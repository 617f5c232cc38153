import type { Sale } from '../sales/sale.model.ts';
import { orderIdOf } from '../shared/ids.ts';
import type { Hold, HoldState, UnitRange } from '../stock/stock.model.ts';
import type { UnitRow } from './unit-audit.model.ts';

/** All that Redis says about a sale's units. */
export interface StockPicture {
  readonly version: number;
  readonly items: readonly { readonly sku: string; readonly total: number; readonly available: number; readonly given: number }[];
  readonly holds: readonly (Hold & { readonly state: HoldState })[];
  /** Came back, and are for sale. */
  readonly free: readonly UnitRange[];
  /** Others were said to own them. */
  readonly suspects: readonly UnitRange[];
}

export interface ItemDrift {
  /** What Redis and the rows say differently. */
  readonly drift: readonly string[];
  /** Whether what Redis has free, on hold without a row, and under suspicion without a row is exactly what the rows leave. */
  readonly addsUp: boolean;
}

type HeldBy = { readonly orderId: string; readonly hasOrder: boolean };

/** Where Redis has the units of one item. */
class ItemPicture {
  readonly holders = new Map<string, HeldBy[]>();
  readonly #free: readonly UnitRange[];
  readonly #suspects: readonly UnitRange[];
  /** Serials above this were never given out. */
  readonly lastGiven: number;

  constructor(sku: string, given: number, picture: StockPicture) {
    const ofItem = (range: UnitRange) => range.sku === sku;
    this.#free = picture.free.filter(ofItem);
    this.#suspects = picture.suspects.filter(ofItem);
    this.lastGiven = given + this.#free.reduce((sum, { first, last }) => sum + last - first + 1, 0);
    for (const hold of picture.holds) {
      if (hold.state === 'ended') continue;
      const holder = { orderId: orderIdOf(hold.holdId), hasOrder: hold.state !== 'held' };
      for (const unit of hold.lines.filter((line) => line.sku === sku).flatMap((line) => line.units)) {
        this.holders.set(unit, [...(this.holders.get(unit) ?? []), holder]);
      }
    }
  }

  isFree(unit: string): boolean {
    return Number(unit) > this.lastGiven || isIn(this.#free, Number(unit));
  }

  isSuspect(unit: string): boolean {
    return isIn(this.#suspects, Number(unit));
  }

  suspects(): string[] {
    return this.#suspects.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => String(first + index)));
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

/** Holds one item's picture in Redis against its rows. While orders are under way both differ by what is under way; once quiet, by nothing. */
export function driftOfItem(item: Sale['items'][number], rows: readonly UnitRow[], picture: StockPicture): ItemDrift {
  const { sku, total } = item;
  const counted = picture.items.find((each) => each.sku === sku);
  if (!counted) return { drift: [`${sku} is not in Redis`], addsUp: false };
  const stock = new ItemPicture(sku, counted.given, picture);
  const owners = new Map(rows.filter((row) => row.sku === sku).map((row) => [row.unit, row.orderId]));
  const heldWithoutRow = [...stock.holders.keys()].filter((unit) => !owners.has(unit));
  const suspects = stock.suspects();
  const suspectsWithoutRow = suspects.filter((unit) => !owners.has(unit) && !stock.holders.has(unit));
  const left = counted.available + heldWithoutRow.length + suspectsWithoutRow.length;
  const named = (unit: string) => `${sku} ${unit}`;
  return {
    addsUp: left === total - owners.size,
    drift: [
      ...(counted.total === total ? [] : [`${sku} has a total of ${counted.total} in Redis, of ${total} in the sale`]),
      ...[...owners].flatMap(([unit, orderId]) => driftOfOwned(named(unit), unit, orderId, stock)),
      ...heldWithoutRow.flatMap((unit) => driftOfHeld(named(unit), unit, stock)),
      ...suspects.map(
        (unit) =>
          `${named(unit)} is under suspicion in Redis, and ${owners.has(unit) ? `belongs to ${owners.get(unit)}` : 'nobody has it'}`,
      ),
      ...(left < total - owners.size ? [`of ${sku}, ${total - owners.size - left} units are neither for sale in Redis nor anybody's`] : []),
      ...(left > total - owners.size ? [`of ${sku}, Redis has ${left - (total - owners.size)} units more to sell than there are`] : []),
    ],
  };
}

function driftOfOwned(name: string, unit: string, owner: string, stock: ItemPicture): string[] {
  const holders = stock.holders.get(unit) ?? [];
  const others = holders.filter(({ orderId }) => orderId !== owner).map(({ orderId }) => orderId);
  const held = others.length > 0 ? [`${name} belongs to ${owner}, and Redis holds it for ${others.join(', ')}`] : [];
  const free = stock.isFree(unit) ? [`${name} belongs to ${owner}, and is for sale in Redis`] : [];
  const unknown =
    holders.length === 0 && !stock.isFree(unit) && !stock.isSuspect(unit)
      ? [`${name} belongs to ${owner}, of which Redis does not know`]
      : [];
  return [...held, ...free, ...unknown];
}

/** A hold that has no order yet is no drift: its order is being written, or it will expire. */
function driftOfHeld(name: string, unit: string, stock: ItemPicture): string[] {
  const holders = stock.holders.get(unit) ?? [];
  const acknowledged = holders.find(({ hasOrder }) => hasOrder);
  const twice = holders.length > 1 ? [`${name} is held ${holders.length} times in Redis`] : [];
  const free = stock.isFree(unit) ? [`${name} is held and for sale in Redis`] : [];
  const orphan = acknowledged ? [`${name} is held in Redis for ${acknowledged.orderId}, which has no row of it`] : [];
  return [...twice, ...free, ...orphan];
}
