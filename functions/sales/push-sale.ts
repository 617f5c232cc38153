import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import type { Delivery } from './control.model.ts';
import { availableFrom, nothing, saleAnswer } from './sale.answer.ts';
import { type Sale, saleStateAt } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';
import type { SaleAnswer } from './sale.schemas.ts';

/** The stock forgot a sale as often as it was brought. Whether it will sell what the sale forbids is not known: bring it again. */
export class SaleForgotten extends Error {
  override readonly name = 'SaleForgotten';
}

/** Failovers are seconds apart at the least: more of them within one call are no accident. */
const attemptsMax = 4;

/**
 * Brings a changed sale to its stock. When this returns, nothing is sold any more that the sale forbids, also after a failover. May be
 * repeated: whoever cannot tell whether it was done does it again. Throws `SaleForgotten` when the stock forgets it again and again.
 */
export async function pushSale(
  sale: Sale,
  stock: Pick<SaleStock, 'update' | 'addSeats' | 'settled'>,
  delivery: Partial<Delivery> = {},
): Promise<void> {
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const found = await bring(sale, stock, delivery);
    // Also where it was found there: somebody else may have brought it since, and have waited for nobody yet.
    await stock.settled(sale.saleId, sale.shards);
    // A node that took over before the wait, and had never heard of this, had nothing to wait for. Only one that had it before is believed, or one
    // that is not loaded and does not say whether it had the note of the version: now it has, and was waited for.
    const isBelieved = attempt > 1 && found !== 'behind';
    if (isBelieved) return;
  }
  throw new SaleForgotten(`${sale.saleId} was brought to its stock ${attemptsMax} times, and was not there`);
}

/** -> how the stock was found. `there`: it had all of this already. `not-loaded`: it, or a shard of it, is not loaded. */
async function bring(
  sale: Sale,
  stock: Pick<SaleStock, 'update' | 'addSeats'>,
  { sku, seats }: Partial<Delivery>,
): Promise<'there' | 'behind' | 'not-loaded'> {
  // The copy first: where the stock is not loaded, this keeps a load of the sale as it was, without these seats, from being published.
  const copy = await stock.update(sale);
  const added = sku !== undefined && seats ? await stock.addSeats(sale.saleId, sku, seats) : undefined;
  if (copy.outcome === 'NOT_LOADED') return 'not-loaded';
  const hadSeats = !added || (added.outcome === 'ADDED' && added.count === 0);
  return copy.outcome === 'UP_TO_DATE' && hadSeats ? 'there' : 'behind';
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
