import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { confirm } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';

/** Paid for: the units become the buyer's, in the rows and then in Redis. */
export const confirmOrder =
  ({ orders, stock, clock }: { orders: OrderRepository; stock: Pick<Stock, 'confirm'>; clock: Clock }): Step =>
  async (order) => {
    const step = await takeStep(order, orders, (current) => confirm(current, clock.nowMs()));
    if (step.outcome === 'moved') {
      // The rows decide; Redis only needs to know that the hold is not for the expiry list, and that it knows since the order was placed.
      await stock
        .confirm(order.saleId, order.holdId)
        .catch((error: unknown) => log.warn('Redis missed a confirmation', { orderId: order.orderId, error }));
    }
    return step;
  };
