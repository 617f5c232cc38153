import { type Idempotency, type KeyedRequest, onceByKey, type StoredAnswer } from '../shared/idempotency.ts';
import { again } from '../shared/retry.ts';
import { log } from '../shared/telemetry.ts';
import { type ControlPorts, changeRow, changeWrites } from './change-sale.ts';
import type { SaleChanges } from './control.model.ts';
import { answerNow, pushSale, saleNowMs } from './push-sale.ts';
import { nothing, saleAnswer } from './sale.answer.ts';
import type { Sale } from './sale.model.ts';
import type { SaleAnswer } from './sale.schemas.ts';

export type CancelSalePorts = ControlPorts & {
  readonly idempotency: Idempotency;
  /** Ends orders of a sale that was called off, for a few seconds: a small sale is done with it, the sweeper ends the rest of a large one. */
  readonly endOrders: (sale: Sale) => Promise<void>;
};

export type CancelSaleOutcome = { outcome: 'cancelled' | 'replayed'; answer: StoredAnswer } | { outcome: 'key-reused' | 'not-found' };

/**
 * Calls a sale off, once: it closes for good, and every order that lives is ended in bounded steps, the first of them before the answer. Who
 * calls off a sale that is called off already is answered with the sale, and changes nothing. Repeating it heals what an attempt left out.
 */
export async function cancelSale(
  saleId: string,
  wish: { readonly reason: string; readonly by: string },
  request: KeyedRequest,
  ports: CancelSalePorts,
): Promise<CancelSaleOutcome> {
  const outcome = await onceByKey<CancelSaleOutcome>(request, ports, {
    replay: (answer) => ({ outcome: 'replayed', answer }),
    attempt: () => tryToCancel(saleId, wish, request, ports),
  });
  if (!('answer' in outcome)) return outcome;
  const sale = await ports.sales.get(saleId, { consistent: true });
  if (!sale) return outcome;
  // The stock before the orders: an order that is made after the last one was looked at would live on.
  await pushSale(sale, ports.stock);
  try {
    await ports.endOrders(sale);
  } catch (error) {
    log.warn('the orders of a sale that was called off are left to the sweeper', { saleId, error });
  }
  return outcome;
}

async function tryToCancel(
  saleId: string,
  { reason, by }: { readonly reason: string; readonly by: string },
  request: KeyedRequest,
  ports: CancelSalePorts,
): Promise<CancelSaleOutcome | typeof again> {
  const sale = await ports.sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' };
  const atMs = await saleNowMs(ports);
  const changes: SaleChanges = { control: 'closed', cancellation: { reason, atMs } };
  const next: Sale = sale.cancellation ? sale : { ...sale, ...changes, version: sale.version + 1 };
  const answer: StoredAnswer = { status: 202, body: JSON.stringify(await answerOf(next, ports)) };
  const event = { name: 'SaleClosed' as const, data: { by, reason, cancelled: true } };
  const settled = await ports.transact([
    ports.idempotency.remember(request, answer, ports.clock.nowMs()),
    ...(sale.cancellation ? [] : changeWrites(sale, changes, changeRow(next, by, changes, [event], atMs), ports.tables)),
  ]);
  return settled.outcome === 'committed' ? { outcome: 'cancelled', answer } : again;
}

/** A stock that does not answer must not keep a sale from being called off. */
async function answerOf(sale: Sale, ports: CancelSalePorts): Promise<SaleAnswer> {
  try {
    const answer = await answerNow(sale, ports);
    if (answer) return answer;
  } catch (error) {
    log.warn('the stock of a sale that is called off could not be read', { saleId: sale.saleId, error });
  }
  return saleAnswer(sale, nothing, ports.clock.nowMs());
}
