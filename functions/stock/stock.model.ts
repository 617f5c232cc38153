import { shardOf } from '../shared/ids.ts';

/** A request for units of one item. Lines of one request are merged, so an item appears once. */
export interface StockLine {
  readonly sku: string;
  readonly quantity: number;
}

/** The very units of one item: serial numbers as decimal strings, counted from 1. (Seats will be named here too.) */
export interface LineUnits {
  readonly sku: string;
  readonly units: readonly string[];
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

/** The most units in one order, and so the most allowance slots of a buyer. */
export const unitsPerOrderMax = 20;

const bucketsPerItem = 64;

/** Partition key of a unit's row: ascending serials spread over 64 partitions of an item, so that no partition runs hot. */
export function unitBucket(saleId: string, sku: string, unit: string): string {
  const serial = Number(unit);
  return `${saleId}#${sku}#${Number.isInteger(serial) ? serial % bucketsPerItem : shardOf(unit, bucketsPerItem)}`;
}

/** All partitions of an item, for whoever reads all its units. */
export const unitBuckets = (saleId: string, sku: string): string[] =>
  Array.from({ length: bucketsPerItem }, (_, bucket) => `${saleId}#${sku}#${bucket}`);

/** Lines with the same item become one, in order of first mention. */
export function mergeLines(lines: readonly StockLine[]): StockLine[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}

/** `held`: no order yet. `acknowledged`: an order has it. `confirmed`: that order is paid. `ended`: its units are gone, and an order explains why. */
export type HoldState = 'held' | 'acknowledged' | 'confirmed' | 'ended';

/** Neighbouring serials of one item, both ends included. */
export interface UnitRange {
  readonly sku: string;
  readonly first: number;
  readonly last: number;
}
