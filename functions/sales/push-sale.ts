import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import type { Delivery } from './control.model.ts';
import { availableFrom, nothing, saleAnswer } from './sale.answer.ts';
import { type Sale, saleStateAt } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';
import type { SaleAnswer } from './sale.schemas.ts';

/**
 * Brings a changed sale to its stock. When this returns, nothing is sold any more that the sale forbids, also after a failover. May be
 * repeated: whoever cannot tell whether it was done does it again.
 */
export async function pushSale(
  sale: Sale,
  stock: Pick<SaleStock, 'update' | 'addSeats' | 'settled'>,
  { sku, seats }: Partial<Delivery> = {},
): Promise<void> {
  // The copy first: where the stock is not loaded, this keeps a load of the sale as it was, without these seats, from being published.
  await stock.update(sale);
  if (sku !== undefined && seats) await stock.addSeats(sale.saleId, sku, seats);
  await stock.settled(sale.saleId, sale.shards);
}

/**
 * The sale as it is answered at this moment. One without stock shows nothing available; undefined where it would sell, because whether it
 * is open or sold out is not known then.
 */
export async function answerNow(
  sale: Sale,
  { stock, clock }: { stock: Pick<SaleStock, 'read'>; clock: Clock },
): Promise<SaleAnswer | undefined> {
  const levels = await stock.read(sale.saleId, sale.shards);
  if (levels.outcome === 'READ') return saleAnswer(sale, availableFrom(levels), levels.nowMs);
  const nowMs = clock.nowMs();
  const wouldSell = saleStateAt(sale, 1, nowMs) === 'open';
  return wouldSell ? undefined : saleAnswer(sale, nothing, nowMs);
}

/** The time by the clock that opens and closes sales; by our own where that one does not answer, because the change is to be written down. */
export async function saleNowMs({ stock, clock }: { stock: Pick<SaleStock, 'nowMs'>; clock: Clock }): Promise<number> {
  try {
    return await stock.nowMs();
  } catch (error) {
    log.warn('the clock of the stock did not answer', { error });
    return clock.nowMs();
  }
}
