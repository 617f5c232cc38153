import type { Stock } from '../stock/stock.ports.ts';
import { tellRedis } from './confirm.ts';
import { hasEnded, type Order } from './order.model.ts';
import type { Step } from './order.ports.ts';

export interface FollowPorts {
  readonly stock: Pick<Stock, 'confirm' | 'acknowledge'>;
  readonly compensate: Step;
  readonly reclaim: Step;
}

/**
 * What a payment from outside brings about at once, and the sweeper otherwise: Redis hears that units are paid for; an ended order lets its units go,
 * and its late money looks for others. What waits for an event is left to it.
 */
export const followPayment =
  ({ stock, compensate, reclaim }: FollowPorts) =>
  async (order: Order): Promise<void> => {
    if (order.status === 'CONFIRMED') return tellRedis(order, stock);
    if (!hasEnded(order)) return;
    const { order: ended } = await compensate(order);
    if (ended.late) await reclaim(ended);
  };
