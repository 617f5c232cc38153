import { firstHoldIdOf } from '../shared/ids.ts';
import type { ItemCounters } from '../stock/mend.ports.ts';
import { SerialSet, serialMax } from '../stock/serial-set.model.ts';
import type { SeatPlace, UnitRange, UnitState } from '../stock/stock.model.ts';
import type { Drift, HoldSeen } from './drift.model.ts';
import { HoldTable, nobody } from './holds.model.ts';

/** A unit's row, as far as a comparison needs it. */
export interface ComparedRow {
  readonly sku: string;
  readonly unit: string;
  readonly orderId: string;
  /** Where it is not the hold that the order's id is derived from. */
  readonly holdId?: string;
  readonly buyerId: string;
  readonly state: UnitState;
  readonly slot?: number;
  readonly atMs: number;
  readonly seated?: true;
}

/** What one pass looks into further is bounded; the next pass finds the rest. */
export const boundsOfPass = { orders: 200_000, holds: 10_000, serials: 5_000, buyers: 10_000, seats: 20_000 } as const;

interface CountedPicture {
  readonly counters: ItemCounters;
  readonly free: SerialSet;
  /** Serials that are somewhere: free, held, under suspicion, or a row's. */
  readonly somewhere: SerialSet;
  /** The number of the hold that has each serial; another that has it too is in `more`. */
  readonly holders: Int32Array;
  freeUnits: number;
}

interface SeatedPicture {
  readonly counters: ItemCounters;
  readonly places: Map<string, SeatPlace>;
  readonly rowed: Set<string>;
  /** `seat holdId`, of each hold that lives and names the seat. */
  readonly named: Set<string>;
  /** Seats that are listed as being under suspicion. */
  readonly suspects: Set<string>;
}

const maskOf = (slots: readonly number[]) => slots.reduce((mask, slot) => mask | (1 << (slot - 1)), 0);
const slotsMax = 20;
const slotsOf = (mask: number) => Array.from({ length: slotsMax }, (_, index) => index + 1).filter((slot) => mask & (1 << (slot - 1)));

/**
 * A sale as Redis has it, read first, and then held against the rows that stream by. No row is kept: of a counted unit a few bits and the number of its hold
 * remain, so that a sale of a million units takes some ten megabytes beside its holds' names. Everything is moving meanwhile: what it finds is only where to
 * look closely.
 */
export class SalePicture {
  readonly #counted = new Map<string, CountedPicture>();
  readonly #seated = new Map<string, SeatedPicture>();
  readonly #holds = new HoldTable();
  readonly #overdue = new Map<string, HoldSeen>();
  readonly #carts = new Map<string, number>();
  readonly #used = new Map<string, number>();
  readonly #known = new Map<string, number>();
  readonly #orders = new Map<string, string>();
  readonly #nowMs: number;
  readonly #recentMs: number;
  readonly #moved = new Set<string>();
  #rows = 0;

  /** `nowMs`: Redis' time when the reading began. What happened less than `recentMs` before may be half done. */
  constructor(items: readonly ItemCounters[], nowMs: number, recentMs: number) {
    this.#nowMs = nowMs;
    this.#recentMs = recentMs;
    for (const counters of items) {
      const size = Math.min(serialMax, Math.max(counters.total, counters.next));
      if (counters.seated)
        this.#seated.set(counters.sku, { counters, places: new Map(), rowed: new Set(), named: new Set(), suspects: new Set() });
      else {
        const [free, somewhere] = [new SerialSet(size), new SerialSet(size)];
        this.#counted.set(counters.sku, { counters, free, somewhere, holders: new Int32Array(size + 2), freeUnits: 0 });
      }
    }
  }

  /** Each hold and cart, once. */
  seeHold(hold: HoldSeen): void {
    const number = this.#holds.add(hold);
    if (hold.state === 'ended') return;
    if (hold.slots.length > 0) this.#known.set(hold.buyerId, (this.#known.get(hold.buyerId) ?? 0) | maskOf(hold.slots));
    if (hold.state === 'cart' && hold.lines.length > 0) this.#carts.set(hold.holdId, hold.expiresAtMs);
    const isOverdue = hold.state === 'held' && hold.expiresAtMs + this.#recentMs < this.#nowMs;
    if (isOverdue && this.#overdue.size < boundsOfPass.holds) this.#overdue.set(hold.holdId, hold);
    for (const { sku, units } of hold.lines) {
      for (const unit of units) this.#seated.get(sku)?.named.add(`${unit} ${hold.holdId}`);
      const item = this.#counted.get(sku);
      if (!item) continue;
      for (const unit of units) {
        const serial = Number(unit);
        item.somewhere.add(serial);
        // Where two holds name a unit, the one that an order has comes before the other, and its row says whether it is the right one.
        if (item.holders[serial] === nobody || hold.state !== 'held') item.holders[serial] = number;
      }
    }
  }

  seeFree({ sku, first, last }: UnitRange): void {
    const item = this.#counted.get(sku);
    if (!item) return;
    item.freeUnits += last - first + 1;
    for (let serial = first; serial <= last; serial++) {
      item.free.add(serial);
      item.somewhere.add(serial);
    }
  }

  seeSuspects({ sku, first, last }: UnitRange): void {
    for (let serial = first; serial <= last; serial++) this.#counted.get(sku)?.somewhere.add(serial);
  }

  seeSeat(place: SeatPlace): void {
    this.#seated.get(place.sku)?.places.set(place.seat, place);
  }

  seeSuspectSeat(sku: string, seat: string): void {
    this.#seated.get(sku)?.suspects.add(seat);
  }

  /** Counters as they are after all of their items' free units or seats were seen: with those that moved meanwhile nothing can be compared. */
  seeCountersAgain(items: readonly ItemCounters[]): void {
    for (const { sku, free, total } of items) {
      const before = (this.#counted.get(sku) ?? this.#seated.get(sku))?.counters;
      if (before?.free !== free || before.total !== total) this.#moved.add(sku);
    }
  }

  /** Slots that a buyer uses, by Redis. */
  seeUsed(buyerId: string, slots: readonly number[]): void {
    this.#used.set(buyerId, maskOf(slots));
  }

  /** Something leads to this hold when its time is up. */
  seeListed(holdId: string): void {
    this.#overdue.delete(holdId);
  }

  /** Something leads to this cart at that time. */
  seeCartListed(cartId: string, dueMs: number): void {
    if (this.#carts.get(cartId) === dueMs) this.#carts.delete(cartId);
  }

  /** From here on the rows come, and then the orders. */
  seeRow(row: ComparedRow): void {
    this.#rows++;
    const { sku, unit, orderId, state, seated, slot, buyerId } = row;
    const holdId = row.holdId ?? firstHoldIdOf(orderId);
    if (slot !== undefined) this.#known.set(buyerId, (this.#known.get(buyerId) ?? 0) | maskOf([slot]));
    const isRight = seated ? this.#seatIsRight(row, holdId) : this.#serialIsRight(sku, Number(unit), state, holdId);
    const isUsed = slot === undefined || ((this.#used.get(buyerId) ?? 0) & maskOf([slot])) !== 0;
    if (!(isRight && isUsed) && !this.#isRecent(row.atMs)) this.#lookInto(orderId, holdId);
  }

  #serialIsRight(sku: string, serial: number, state: UnitState, holdId: string): boolean {
    const item = this.#counted.get(sku);
    if (!item) return false;
    item.somewhere.add(serial);
    const isForSale = item.free.has(serial) || serial >= item.counters.next;
    const number = item.holders[serial] ?? nobody;
    if (state === 'RETIRED') return !isForSale && number === nobody;
    const isOwn = number !== nobody && number === this.#holds.numberOf(holdId);
    if (isOwn) this.#holds.match(number);
    return isOwn && !isForSale;
  }

  #seatIsRight({ sku, unit, state }: ComparedRow, holdId: string): boolean {
    const item = this.#seated.get(sku);
    item?.rowed.add(unit);
    const place = item?.places.get(unit);
    if (state === 'RETIRED') return place?.state === 'retired';
    const number = this.#holds.numberOf(holdId);
    if (number !== nobody) this.#holds.match(number);
    return place?.state === 'held' && place.holdId === holdId && number !== nobody;
  }

  /** An order of the sale: one of which Redis has neither a hold nor a mark is to be looked into. */
  seeOrder(orderId: string, createdAtMs: number): void {
    const holdId = firstHoldIdOf(orderId);
    if (this.#holds.numberOf(holdId) === nobody && !this.#isRecent(createdAtMs)) this.#lookInto(orderId, holdId);
  }

  #isRecent = (atMs: number) => atMs > this.#nowMs - this.#recentMs;

  #lookInto(orderId: string, holdId: string): void {
    if (this.#orders.size < boundsOfPass.orders) this.#orders.set(`${orderId} ${holdId}`, orderId);
  }

  get counted(): { readonly rows: number; readonly holds: number } {
    return { rows: this.#rows, holds: this.#holds.size };
  }

  /** The orders whose holds are to be looked into, and the hold in question. */
  *orders(): Generator<{ readonly orderId: string; readonly holdId: string }> {
    for (const [key, orderId] of this.#orders) yield { orderId, holdId: key.slice(orderId.length + 1) };
    for (const found of this.#holds.unmatched()) if (!this.#orders.has(`${found.orderId} ${found.holdId}`)) yield found;
  }

  /** What else seems wrong, beside orders. */
  *drift(): Generator<Drift> {
    yield* this.#leakedUnits();
    yield* this.#leakedSlots();
    yield* this.#wrongSeats();
    for (const [sku, { counters, freeUnits }] of this.#counted) {
      if (counters.free !== freeUnits && !this.#moved.has(sku)) {
        const detail = `${counters.free} by the counter, ${freeUnits} in the pool`;
        yield { kind: 'counter-wrong', subject: sku, detail, about: 'item', sku, off: { total: 0, free: counters.free - freeUnits } };
      }
    }
    for (const hold of this.#overdue.values()) {
      yield { kind: 'hold-not-listed', subject: hold.holdId, detail: 'its time is up', about: 'hold', hold };
    }
    for (const holdId of this.#carts.keys())
      yield { kind: 'cart-not-listed', subject: holdId, detail: 'it would not end', about: 'cart', holdId };
  }

  *#leakedUnits(): Generator<Drift> {
    for (const [sku, { counters, somewhere }] of this.#counted) {
      const serials: number[] = [];
      for (const { first, last } of somewhere.gapsUpTo(Math.min(counters.next - 1, counters.total))) {
        for (let serial = first; serial <= last && serials.length < boundsOfPass.serials; serial++) serials.push(serial);
      }
      if (serials.length > 0) yield { kind: 'unit-leaked', subject: sku, detail: `${serials.length} units`, about: 'units', sku, serials };
    }
  }

  *#leakedSlots(): Generator<Drift> {
    let buyers = 0;
    for (const [buyerId, used] of this.#used) {
      const slots = slotsOf(used & ~(this.#known.get(buyerId) ?? 0));
      if (slots.length === 0) continue;
      if (++buyers > boundsOfPass.buyers) return;
      const detail = `slots ${slots.join(', ')} are used by nothing`;
      yield { kind: 'allowance-too-high', subject: buyerId, detail, about: 'slots', buyerId, slots };
    }
  }

  /** Seats without a row that are neither free, nor of a hold that names them, nor under suspicion and listed. */
  *#wrongSeats(): Generator<Drift> {
    for (const [sku, { counters, places, rowed, named, suspects }] of this.#seated) {
      let free = 0;
      for (const place of places.values()) {
        const { seat, state } = place;
        if (state === 'free') free++;
        if (state === 'free' || rowed.has(seat)) continue;
        const owner = state === 'held' ? place.holdId : state === 'retired' ? '-' : '?';
        const isRight = state === 'held' ? named.has(`${seat} ${owner}`) : state === 'suspect' && suspects.has(seat);
        const detail = `its field has ${owner}`;
        if (!isRight) yield { kind: 'seat-wrong', subject: `${sku} ${seat}`, detail, about: 'seat', sku, seat, owner };
      }
      const off = { total: counters.total - places.size, free: counters.free - free };
      if ((off.free !== 0 || off.total !== 0) && !this.#moved.has(sku)) {
        const detail = `${counters.free} free of ${counters.total} by the counters, ${free} of ${places.size} by the seats`;
        yield { kind: 'counter-wrong', subject: sku, detail, about: 'item', sku, off };
      }
    }
  }
}
