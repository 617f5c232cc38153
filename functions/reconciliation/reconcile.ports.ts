import type { Order } from '../orders/order.model.ts';
import type { Sale, SeatList } from '../sales/sale.model.ts';
import type { Clock } from '../shared/clock.ts';
import type { Lease } from '../shared/lease.ts';
import type { MendStock } from '../stock/mend.ports.ts';
import type { Stock } from '../stock/stock.ports.ts';
import type { Evidence } from './evidence.repository.ts';
import type { Memories } from './state.repository.ts';
import type { ViewChecks } from './views.model.ts';

/** What a reconciliation works with. */
export interface ReconcilePorts {
  readonly sales: { get(saleId: string, options: { consistent: true }): Promise<Sale | undefined> };
  readonly seats: { list(sale: Sale): Promise<SeatList> };
  /** Orders, read with strong consistency. */
  readonly orders: { get(orderId: string): Promise<Order | undefined>; getMany(orderIds: readonly string[]): Promise<Order[]> };
  readonly evidence: Evidence;
  readonly stock: Stock;
  readonly mend: MendStock;
  readonly memories: Memories;
  readonly views: ViewChecks;
  /** Which Redis has the sale. */
  readonly identityOf: (saleId: string, shards?: number) => Promise<string>;
  /** Undefined when somebody else is reconciling the sale. */
  readonly lease: (saleId: string) => Promise<Lease | undefined>;
  /** Waits so long: between a look and the next one. */
  readonly pause: (ms: number) => Promise<unknown>;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly timing: Timing;
}

export interface Timing {
  /** Between two looks that must agree. */
  readonly pauseMs: number;
  /** What changed in this time is left alone: it may be half done. */
  readonly recentMs: number;
  /** A write that was under way when Redis forgot may commit so much later: a function's longest time. */
  readonly inFlightMs: number;
  /** Everything is compared when it was not for so long. */
  readonly fullEveryMs: number;
}

/** As it is deployed. */
export const deployedTiming: Timing = { pauseMs: 3_000, recentMs: 10_000, inFlightMs: 20_000, fullEveryMs: 3_600_000 };

/** The run of a sale must end: its time is up, its lease lost, or the sale was loaded anew. What was mended stays mended. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}
