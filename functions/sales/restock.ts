import { type Idempotency, type KeyedRequest, onceByKey, type StoredAnswer } from '../shared/idempotency.ts';
import { again } from '../shared/retry.ts';
import { type ControlPorts, changeRow, changeWrites } from './change-sale.ts';
import { type Delivery, decideRestock, type RestockDecision, type SaleChanges } from './control.model.ts';
import { pushSale, saleNowMs } from './push-sale.ts';
import { availableFrom, saleAnswer } from './sale.answer.ts';
import type { Sale } from './sale.model.ts';
import { putSeatsWrite } from './sale.writes.ts';
import { packSeats, type SeatChunk } from './seat.model.ts';
import type { SeatRepository } from './seat.repository.ts';

export type RestockPorts = ControlPorts & { readonly seats: Pick<SeatRepository, 'list'>; readonly idempotency: Idempotency };

export type RestockOutcome =
  | { outcome: 'restocked' | 'replayed'; answer: StoredAnswer }
  | { outcome: 'key-reused' | 'not-found' | 'stock-not-ready' }
  | { outcome: 'already-there'; seats: string[] }
  | Exclude<RestockDecision, { outcome: 'restock' }>;

/** Who restocks, and why. */
export interface RestockRequest extends Delivery {
  readonly reason: string;
  readonly by: string;
}

/**
 * Puts more of an item on sale, once per key: the sale by its version, its rows of seats and the key's first answer are one transaction; the
 * stock follows before the answer. A repeat gives the first answer, and brings the sale to the stock if the first attempt did not come to it.
 */
export async function restock(saleId: string, wish: RestockRequest, request: KeyedRequest, ports: RestockPorts): Promise<RestockOutcome> {
  const outcome = await onceByKey<RestockOutcome>(request, ports, {
    replay: (answer) => ({ outcome: 'replayed', answer }),
    attempt: () => tryToRestock(saleId, wish, request, ports),
  });
  if (!('answer' in outcome)) return outcome;
  const sale = await ports.sales.get(saleId, { consistent: true });
  // Totals are absolute and seats have names, so it does not matter how often the stock is told.
  if (sale) await pushSale(sale, ports.stock, wish);
  return outcome;
}

async function tryToRestock(
  saleId: string,
  wish: RestockRequest,
  request: KeyedRequest,
  ports: RestockPorts,
): Promise<RestockOutcome | typeof again> {
  const sale = await ports.sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' };
  const nowMs = await saleNowMs(ports);
  const decision = decideRestock(sale, wish, nowMs);
  if (decision.outcome !== 'restock') return decision;
  const thereAlready = await seatsThereAlready(sale, wish, ports);
  if (thereAlready.length > 0) return { outcome: 'already-there', seats: thereAlready };
  const levels = await ports.stock.read(saleId, sale.shards);
  // Nothing is done yet: what a stock that is being rebuilt would make of it is not for the first answer to say.
  if (levels.outcome === 'NOT_LOADED') return { outcome: 'stock-not-ready' };

  const { items, delta } = decision;
  const chunks = packSeats(saleId, new Map(wish.seats ? [[wish.sku, wish.seats]] : []), sale.seatChunks);
  const changes: SaleChanges = { items, ...(chunks.length > 0 ? { seatChunks: (sale.seatChunks ?? 0) + chunks.length } : {}) };
  const next: Sale = { ...sale, ...changes, version: sale.version + 1 };
  const available = new Map(availableFrom(levels));
  available.set(wish.sku, (available.get(wish.sku) ?? 0) + delta);
  const answer: StoredAnswer = { status: 200, body: JSON.stringify(saleAnswer(next, available, levels.nowMs)) };
  const settled = await ports.transact([
    ports.idempotency.remember(request, answer, ports.clock.nowMs()),
    ...changeWrites(sale, changes, restockRow(next, wish, delta, chunks, nowMs), ports.tables),
    ...chunks.map((chunk) => putSeatsWrite(chunk, ports.tables.seats)),
  ]);
  return settled.outcome === 'committed' ? { outcome: 'restocked', answer } : again;
}

async function seatsThereAlready(sale: Sale, { sku, seats }: Delivery, ports: RestockPorts): Promise<string[]> {
  if (!seats) return [];
  const known = new Set((await ports.seats.list(sale)).get(sku));
  return seats.filter((seat) => known.has(seat));
}

/** The names of the seats stand in their rows, which the outbox row names. */
function restockRow(next: Sale, { sku, reason, by }: RestockRequest, delta: number, chunks: readonly SeatChunk[], nowMs: number) {
  const item = next.items.find((each) => each.sku === sku);
  const data = { by, reason, sku, delta, total: item?.total, seated: chunks.length > 0 };
  const rows = chunks.length > 0 ? { seatChunks: chunks.map(({ chunk }) => chunk) } : {};
  return changeRow(next, by, { sku, delta, reason, ...rows }, [{ name: 'StockAdjusted', data }], nowMs);
}
