import type { Clock } from '../shared/clock.ts';
import { stockIdOf } from '../stock/shards.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { hasEnded } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { refund, release } from './order.transitions.model.ts';
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
  ({ orders, stock, clock }: { orders: OrderRepository; stock: Pick<Stock, 'acknowledge'>; clock: Clock }): Step =>
  async (order) => {
    const { order: ended } = await takeStep(order, orders, (current) => refund(current, clock.nowMs()));
    if (!hasEnded(ended) || ended.stock !== 'releasing') return { outcome: 'stayed', order: ended };
    // Release after the transaction: a lost event is replayed, a lost unit is not. By the order's units and not only by its hold: Redis may have
    // forgotten the hold, or have another. A mark stays in each case, so that no late attempt of the same key is taken for a live one.
    const { outcome } = await stock.acknowledge(stockIdOf(ended), holdOf(ended), standingOf(ended));
    if (outcome === 'NOT_LOADED') throw new StockAway(`${ended.saleId} is not loaded`);
    return takeStep(ended, orders, (current) => release(current, clock.nowMs()));
  };
