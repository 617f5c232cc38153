import type { Clock } from '../shared/clock.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { hasEnded, type Order, refund, release, retiresUnits } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { holdOf, standingOf } from './placement.model.ts';

/** Redis has lost the sale: the release is owed until it is there again. */
export class StockAway extends Error {
  override readonly name = 'StockAway';
}

/**
 * The undo of a sale: money and units are settled in one transaction (a refund; the other ends brought theirs), then Redis lets the hold go,
 * and only when it has answered does the order leave the sweeper's list. Runs any number of times, each effect happens once.
 */
export const compensate =
  ({ orders, stock, clock }: { orders: OrderRepository; stock: EndingStock; clock: Clock }): Step =>
  async (order) => {
    const { order: ended } = await takeStep(order, orders, (current) => refund(current, clock.nowMs()));
    if (!hasEnded(ended) || ended.stock !== 'releasing') return { outcome: 'stayed', order: ended };
    // Release after the transaction: a lost event is replayed, a lost unit is not.
    const outcome = await letGo(ended, stock);
    if (outcome === 'NOT_LOADED') throw new StockAway(`${ended.saleId} is not loaded`);
    return takeStep(ended, orders, (current) => release(current, clock.nowMs()));
  };

type EndingStock = Pick<Stock, 'release' | 'acknowledge'>;

/** Redis ends the hold of an ended order: its units are for sale again, or out of it for good. */
async function letGo(order: Order, stock: EndingStock) {
  // Retired are the order's units, wherever Redis has them: the hold may be forgotten, or be another than the order's.
  if (retiresUnits(order)) return (await stock.acknowledge(order.saleId, holdOf(order), standingOf(order))).outcome;
  const { outcome } = await stock.release(order.saleId, { holdId: order.holdId, cause: 'order', bornUs: order.bornUs });
  // A hold that Redis has forgotten leaves no mark, and a late attempt of the same key would be taken for a live one: leave the mark.
  return outcome === 'UNKNOWN_HOLD' ? (await stock.acknowledge(order.saleId, holdOf(order), standingOf(order))).outcome : outcome;
}
