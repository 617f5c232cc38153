import { viewRowOf } from '../orders/order-view.model.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import type { Projection, ReadsOrders } from './view.ports.ts';
import type { ViewRepository } from './view.repository.ts';

const lanes = 5;

/** An event speaks of an order that the table does not have. It is written before its events, so somebody else's message came in. */
export class UnknownOrder extends Error {
  override readonly name = 'UnknownOrder';
}

/**
 * Brings the views of a batch's orders up to date. Messages only say which orders to look at: each of those is read once, however many speak of it,
 * and put as it is now. So duplicates, reordering and lateness change nothing.
 */
export const projectOrders =
  ({ orders, views }: { orders: ReadsOrders; views: Pick<ViewRepository, 'put'> }): Projection<{ readonly orderId: string }> =>
  async (messages) => {
    const orderIds = [...new Set(messages.map(({ detail }) => detail.orderId))];
    const found = new Map((await orders.getMany(orderIds)).map((order) => [order.orderId, order]));
    const failed = new Map<string, unknown>();
    await inParallel(orderIds, lanes, async (orderId) => {
      try {
        const order = found.get(orderId);
        if (!order) throw new UnknownOrder(orderId);
        await views.put(viewRowOf(order), 'older');
      } catch (error) {
        // The view of one order is no reason to hold up another's.
        log.warn('a view could not be brought up to date', { orderId, error });
        failed.set(orderId, error);
      }
    });
    const ofFailed = messages.filter(({ detail }) => failed.has(detail.orderId));
    return new Map(ofFailed.map(({ messageId, detail }) => [messageId, failed.get(detail.orderId)]));
  };
