import { shardOf } from '../shared/ids.ts';

/** A request for units of one item: so many of a counted one, or these seats. Lines of one request are merged, so an item appears once. */
export interface StockLine {
  readonly sku: string;
  /** The number of units; for seats, how many are named. */
  readonly quantity: number;
  readonly seats?: readonly string[];
}

/** The very units of one item: serial numbers as decimal strings, counted from 1, or the names of seats. */
export interface LineUnits {
  readonly sku: string;
  readonly units: readonly string[];
  /** The units are seats. (A seat may be named `17`, so the name alone does not tell.) */
  readonly seated?: true;
}

/** What Redis holds for one order-to-be, and what an order adopts. */
export interface Hold {
  readonly holdId: string;
  readonly buyerId: string;
  readonly payloadHash: string;
  /** Redis microseconds at which the hold was made: the order's condition compares births. */
  readonly bornUs: number;
  readonly expiresAtMs: number;
  readonly lines: readonly LineUnits[];
  /** The buyer's allowance slots that the hold uses, 1 to 20; empty in a sale without a limit. */
  readonly slots: readonly number[];
}

/** What a unit's row says of it. `RETIRED`: taken back from its order, and not for sale again. */
export const unitStates = ['HELD', 'SOLD', 'RETIRED'] as const;
export type UnitState = (typeof unitStates)[number];

/** The most units in one order, and so the most allowance slots of a buyer. */
export const unitsPerOrderMax = 20;

const bucketsPerItem = 64;

/** Partition key of a unit's row: ascending serials spread over 64 partitions of an item, so that no partition runs hot. */
export function unitBucket(saleId: string, sku: string, unit: string): string {
  // A seat may be named `-5` or `1e3`: only what looks like a serial counts as one.
  const bucket = /^\d{1,7}$/.test(unit) ? Number(unit) % bucketsPerItem : shardOf(unit, bucketsPerItem);
  return `${saleId}#${sku}#${bucket}`;
}

/** All partitions of an item, for whoever reads all its units. */
export const unitBuckets = (saleId: string, sku: string): string[] =>
  Array.from({ length: bucketsPerItem }, (_, bucket) => `${saleId}#${sku}#${bucket}`);

/** The partitions of serials up to `total`, for whoever reads all units of an item that may have few. */
export const serialBuckets = (saleId: string, sku: string, total: number): string[] =>
  total >= bucketsPerItem
    ? unitBuckets(saleId, sku)
    : Array.from({ length: total }, (_, index) => unitBucket(saleId, sku, String(index + 1)));

/** Lines with the same item become one, in order of first mention. Throws on an item that is asked for by number and by name. */
export function mergeLines(lines: readonly StockLine[]): StockLine[] {
  const merged = new Map<string, StockLine>();
  for (const line of lines) {
    const { sku, quantity, seats } = line;
    const before = merged.get(sku);
    if (before && (before.seats === undefined) !== (seats === undefined)) throw new RangeError(`${sku} is asked for by number and by seat`);
    merged.set(
      sku,
      before
        ? { sku, quantity: before.quantity + quantity, ...(before.seats && seats ? { seats: [...before.seats, ...seats] } : {}) }
        : line,
    );
  }
  return [...merged.values()];
}

/**
 * `held`: no order yet. `acknowledged`: an order has it. `confirmed`: that order is paid. `ended`: its units are gone, and an order explains why.
 * `cart`: no hold of an order, but what a buyer has in the cart; one without lines has expired.
 */
export type HoldState = 'held' | 'acknowledged' | 'confirmed' | 'ended' | 'cart';

/** Neighbouring serials of one item, both ends included. */
export interface UnitRange {
  readonly sku: string;
  readonly first: number;
  readonly last: number;
}

/** Where a seat is, by Redis: nobody's, a hold's, under suspicion because DynamoDB has another owner, or out of sale for good. */
export type SeatPlace = { readonly sku: string; readonly seat: string } & (
  | { readonly state: 'free' | 'suspect' | 'retired' }
  | { readonly state: 'held'; readonly holdId: string }
);

/** What buyers see of a seat. A seat under suspicion counts as held. */
export type SeatState = 'free' | 'held' | 'sold' | 'unknown';
