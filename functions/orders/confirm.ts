import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import { stockIdOf } from '../stock/shards.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import type { Order } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { confirm } from './order.transitions.model.ts';
import { holdOf } from './placement.model.ts';

type ConfirmStock = Pick<Stock, 'confirm' | 'acknowledge'>;

/** Paid for: the units become the buyer's, in the rows and then in Redis. */
export const confirmOrder =
  ({ orders, stock, clock }: { orders: OrderRepository; stock: ConfirmStock; clock: Clock }): Step =>
  async (order) => {
    const step = await takeStep(order, orders, (current) => confirm(current, clock.nowMs()));
    if (step.outcome === 'moved') {
      // The rows have decided and Redis follows: a hold that it takes for unpaid a while longer is the order's all the same.
      await tellRedis(step.order, stock).catch((error: unknown) =>
        log.warn('Redis missed a confirmation', { orderId: order.orderId, error }),
      );
    }
    return step;
  };

/** Redis is told that an order's units are paid for. */
export async function tellRedis(order: Order, stock: ConfirmStock): Promise<void> {
  const stockId = stockIdOf(order);
  const { outcome } = await stock.confirm(stockId, order.holdId);
  // Redis does not know which units the order has: its hold is another than the order's, or it has forgotten it.
  if (outcome === 'NOT_ACKNOWLEDGED' || outcome === 'UNKNOWN_HOLD') await stock.acknowledge(stockId, holdOf(order), 'confirmed');
}
