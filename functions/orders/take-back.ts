import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import { hasEnded, type Order, type TakingBack } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { takeBack } from './order.transitions.model.ts';

/**
 * Ends an order whose sale was called off: an unpaid one is cancelled, a paid one refunded, fulfilled or not. One that has ended stays as it
 * is; one that is on its way back goes on. Runs any number of times; whoever moves the order at the same moment wins or loses by its version.
 * When it returns, the order's end is decided; what is still owed then is the sweeper's.
 */
export const endForGood =
  ({ orders, compensate, clock }: { orders: OrderRepository; compensate: Step; clock: Clock }) =>
  async (order: Order, takenBack: TakingBack): Promise<void> => {
    const { order: ending } = await takeStep(order, orders, (current) => takeBack(current, takenBack, clock.nowMs()));
    const isSettled = hasEnded(ending) && ending.stock === 'released';
    if (isSettled) return;
    try {
      await compensate(ending);
    } catch (error) {
      // Its end is written down and it is due: one order that waits for Redis must not hold up the others of its sale.
      log.warn('an order that was taken back is left to the sweeper', { orderId: order.orderId, error });
    }
  };
