import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { expire } from './order.transitions.model.ts';

/** Nobody paid in time: DynamoDB ends the order, and whoever confirms at this moment wins or loses there. `nowMs` is Redis' time. */
export const expireOrder =
  ({ orders, nowMs }: { orders: OrderRepository; nowMs: () => number }): Step =>
  (order) =>
    takeStep(order, orders, (current) => expire(current, nowMs()));
