import { rfc3339 } from '../shared/clock.ts';
import type { SaleEventName } from './sale.events.ts';
import { hasClosed, type Sale, type SaleControl, type SaleItem, saleStateAt } from './sale.model.ts';
import type { SaleOutboxRow } from './sale-outbox.model.ts';
import { seatsPerItemMax } from './seat.model.ts';

export const unitsPerItemMax = 1_000_000;

/** What an operator may change of a sale that has not closed. */
export interface SaleWish {
  readonly state?: SaleControl | undefined;
  readonly opensAtMs?: number | undefined;
  readonly closesAtMs?: number | undefined;
  readonly perBuyerLimit?: number | undefined;
}

/** The part of a sale that operators change; a change writes these attributes alone, and leaves to others what is theirs. */
export type SaleChanges = Partial<
  Pick<Sale, 'control' | 'opensAtMs' | 'closesAtMs' | 'perBuyerLimit' | 'items' | 'seatChunks' | 'cancellation'>
>;

export type ChangeDecision =
  | { outcome: 'change'; changes: SaleChanges }
  | { outcome: 'unchanged' }
  | { outcome: 'closed' | 'window-ends-before-it-opens' | 'has-no-limit' };

/**
 * What a wish comes to. `closed` is final, so a closed sale takes no change; to wish what it is already, or to close it again, is none.
 * `nowMs` is the time by the clock that closes sales.
 */
export function decideChange(sale: Sale, { state, opensAtMs, closesAtMs, perBuyerLimit }: SaleWish, nowMs: number): ChangeDecision {
  const changes: SaleChanges = {
    ...(differs(state, sale.control) ? { control: state } : {}),
    ...(differs(opensAtMs, sale.opensAtMs) ? { opensAtMs } : {}),
    ...(differs(closesAtMs, sale.closesAtMs) ? { closesAtMs } : {}),
    ...(differs(perBuyerLimit, sale.perBuyerLimit) ? { perBuyerLimit } : {}),
  };
  const changesNothing = Object.keys(changes).length === 0;
  if (hasClosed(sale, nowMs)) {
    const { control: _, ...others } = changes;
    const wishesItAlive = state !== undefined && state !== 'closed';
    return { outcome: wishesItAlive || Object.keys(others).length > 0 ? 'closed' : 'unchanged' };
  }
  if (perBuyerLimit !== undefined && sale.perBuyerLimit === undefined) return { outcome: 'has-no-limit' };
  const next = { ...sale, ...changes };
  if (next.opensAtMs >= next.closesAtMs) return { outcome: 'window-ends-before-it-opens' };
  return changesNothing ? { outcome: 'unchanged' } : { outcome: 'change', changes };
}

const differs = <T>(wished: T | undefined, is: T | undefined): wished is T => wished !== undefined && wished !== is;

/** What is put on sale besides: so many units of a counted item, or these seats of a seated one. */
export interface Delivery {
  readonly sku: string;
  readonly units?: number | undefined;
  readonly seats?: readonly string[] | undefined;
}

export type RestockDecision =
  | { outcome: 'restock'; items: readonly SaleItem[]; delta: number }
  | { outcome: 'unknown-sku' | 'closed' }
  | { outcome: 'wrong-kind'; seated: boolean }
  | { outcome: 'too-many'; totalMax: number };

/** The items with the delivery added. Whether seats are there already is for who knows their names. */
export function decideRestock(sale: Sale, { sku, units, seats }: Delivery, nowMs: number): RestockDecision {
  const item = sale.items.find((each) => each.sku === sku);
  if (!item) return { outcome: 'unknown-sku' };
  if (item.seated !== (seats !== undefined)) return { outcome: 'wrong-kind', seated: item.seated };
  if (hasClosed(sale, nowMs)) return { outcome: 'closed' };
  const delta = seats?.length ?? units ?? 0;
  const totalMax = item.seated ? seatsPerItemMax : unitsPerItemMax;
  if (item.total + delta > totalMax) return { outcome: 'too-many', totalMax };
  return { outcome: 'restock', delta, items: sale.items.map((each) => (each === item ? { ...each, total: each.total + delta } : each)) };
}

const eventOfState: Readonly<Record<string, SaleEventName>> = { open: 'SaleOpened', paused: 'SalePaused', closed: 'SaleClosed' };

/** What a change did to the state that buyers see, in the name of an event; undefined when they see the same, or one that is yet to open. */
export function eventOfChange(before: Sale, after: Sale, nowMs: number): SaleEventName | undefined {
  // Whether any stock is left is not the operator's doing.
  const [was, is] = [before, after].map((sale) => saleStateAt(sale, 1, nowMs));
  return was === is ? undefined : eventOfState[is ?? ''];
}

/** The events of a change: what buyers see of it, and its new window, which they may see later. `by` is who wished it. */
export function eventsOfChange(before: Sale, after: Sale, by: string, nowMs: number): SaleOutboxRow['events'] {
  const seen = eventOfChange(before, after, nowMs);
  const isMoved = before.opensAtMs !== after.opensAtMs || before.closesAtMs !== after.closesAtMs;
  const window = { opensAt: rfc3339(after.opensAtMs), closesAt: rfc3339(after.closesAtMs) };
  return [
    ...(seen ? [{ name: seen, data: { by } }] : []),
    ...(isMoved ? [{ name: 'SaleRescheduled' as const, data: { by, ...window } }] : []),
  ];
}
