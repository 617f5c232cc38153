import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import type { Order } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { cancel } from './order.transitions.model.ts';

export type CancelOutcome = { outcome: 'cancelled'; order: Order } | { outcome: 'not-cancellable'; order: Order };

/** Ends the order, or starts its refund if it is paid. Repeating it changes nothing and answers the same. */
export async function cancelOrder(
  order: Order,
  { orders, compensate, clock }: { orders: OrderRepository; compensate: Step; clock: Clock },
): Promise<CancelOutcome> {
  const step = await takeStep(order, orders, (current) => cancel(current, clock.nowMs()));
  if (step.outcome === 'stayed') {
    const decision = cancel(step.order, clock.nowMs());
    const refused = decision.outcome === 'stay' && decision.reason === 'not-cancellable';
    return { outcome: refused ? 'not-cancellable' : 'cancelled', order: step.order };
  }
  try {
    // The next buyer need not wait for the event to come round.
    return { outcome: 'cancelled', order: (await compensate(step.order)).order };
  } catch (error) {
    log.warn('a cancelled order is left to the events', { orderId: order.orderId, error });
    return { outcome: 'cancelled', order: step.order };
  }
}
