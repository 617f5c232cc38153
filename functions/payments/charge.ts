import type { OrderRepository, Step } from '../orders/order.ports.ts';
import { takeStep } from '../orders/order.step.ts';
import { authorise, capture, decline } from '../orders/order.transitions.model.ts';

import type { Clock } from '../shared/clock.ts';

/**
 * The buyer's account pays: an order that awaits its payment is authorised, or ends declined; a confirmed one is captured. Each is one transaction of
 * money and order, so there is never a charge without its order, nor two of one.
 */
export const charge =
  ({ orders, clock }: { orders: OrderRepository; clock: Clock }): Step =>
  (order) =>
    order.status === 'CONFIRMED'
      ? takeStep(order, orders, (current) => capture(current, clock.nowMs()))
      : takeStep(order, orders, (current) => authorise(current, clock.nowMs()), {
          refused: (current) => decline(current, clock.nowMs()),
        });
