import type { Order } from '../orders/order.model.ts';
import type { Write } from '../shared/dynamo.ts';

/** The record of what was handed over: the units and their ticket codes. Goes with the transition to `FULFILLED`, whose version fences it. */
export const fulfilmentWrite = (order: Order, tableName: string): Write => ({
  Put: {
    TableName: tableName,
    Item: {
      orderId: order.orderId,
      saleId: order.saleId,
      buyerId: order.buyerId,
      tickets: order.tickets ?? [],
      fulfilledAtMs: order.updatedAtMs,
    },
  },
});
