import type { Clock } from '../shared/clock.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { hasEnded, refund, release } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { holdOf } from './placement.model.ts';

/** Redis has lost the sale: the release is owed until it is there again. */
export class StockAway extends Error {
  override readonly name = 'StockAway';
}

/**
 * The undo of a sale: money and units return in one transaction (a refund; the other ends brought theirs), then Redis lets the hold go,
 * and only when it has answered does the order leave the sweeper's list. Runs any number of times, each effect happens once.
 */
export const compensate =
  ({ orders, stock, clock }: { orders: OrderRepository; stock: Pick<Stock, 'release' | 'acknowledge'>; clock: Clock }): Step =>
  async (order) => {
    const { order: ended } = await takeStep(order, orders, (current) => refund(current, clock.nowMs()));
    if (!hasEnded(ended) || ended.stock !== 'releasing') return { outcome: 'stayed', order: ended };
    // Release after the transaction: a lost event is replayed, a lost unit is not.
    const released = await stock.release(ended.saleId, { holdId: ended.holdId, cause: 'order', bornUs: ended.bornUs });
    // A hold that Redis has forgotten leaves no mark, and a late attempt of the same key would be taken for a live one: leave the mark.
    const { outcome } = released.outcome === 'UNKNOWN_HOLD' ? await stock.acknowledge(ended.saleId, holdOf(ended), 'ended') : released;
    if (outcome === 'NOT_LOADED') throw new StockAway(`${ended.saleId} is not loaded`);
    return takeStep(ended, orders, (current) => release(current, clock.nowMs()));
  };
