import type { Caller } from '../shared/caller.ts';
import type { Clock } from '../shared/clock.ts';
import { type Endpoint, endpoint, keyedRequest } from '../shared/http.ts';
import type { Idempotency } from '../shared/idempotency.ts';
import { Problem } from '../shared/problems.ts';
import { cancelOrder } from './cancel.ts';
import { orderAnswer } from './order.answer.ts';
import type { Order } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { cancelOrderRoute, listOrdersRoute, readOrderRoute, refundOrderRoute } from './order.routes.ts';
import type { OrderList } from './order-list.repository.ts';
import { orderList as orderListName } from './order-list.schemas.ts';
import { refundOrder } from './refund.ts';

export interface OrderEndpointPorts {
  readonly orders: OrderRepository;
  readonly list: OrderList;
  readonly compensate: Step;
  readonly idempotency: Idempotency;
  readonly clock: Clock;
}

/** What a buyer does with orders that there are: reading, listing and cancelling. Somebody else's order is not there. */
export function ownOrderEndpoints({ orders, list, compensate, clock }: Omit<OrderEndpointPorts, 'idempotency'>): Endpoint[] {
  async function visibleOrder(orderId: string, caller: Caller): Promise<Order> {
    const order = await orders.get(orderId);
    if (!order || !(caller.mayOperate || order.buyerId === caller.userId)) throw new Problem('NOT_FOUND', 'There is no such order.');
    return order;
  }

  return [
    endpoint(readOrderRoute, async ({ params, caller }) => ({ body: orderAnswer(await visibleOrder(params.orderId, caller)) })),

    endpoint(listOrdersRoute, async ({ query, caller }) => {
      const { limit, cursor, ...filter } = query;
      if (!caller.mayOperate && filter.buyerId !== undefined) throw new Problem('FORBIDDEN', 'The filter buyerId is for operators.');
      const visible = caller.mayOperate ? filter : { ...filter, buyerId: caller.userId };
      const listed = await list.page(orderListName, visible, limit, cursor);
      if (listed.outcome === 'bad-position') throw new Problem('INVALID_REQUEST', 'query.cursor: is not a cursor of this list');
      return { body: listed.page };
    }),

    endpoint(cancelOrderRoute, async ({ params, caller }) => {
      const order = await visibleOrder(params.orderId, caller);
      const cancelled = await cancelOrder(order, { orders, compensate, clock });
      if (cancelled.outcome === 'not-cancellable') {
        throw new Problem('NOT_CANCELLABLE', `The order is ${cancelled.order.status} and can no longer be cancelled.`, {
          orderStatus: cancelled.order.status,
        });
      }
      return { body: orderAnswer(cancelled.order) };
    }),
  ];
}

/** All that is done with orders that there are. */
export function orderEndpoints(ports: OrderEndpointPorts): Endpoint[] {
  const { orders, idempotency, clock } = ports;
  return [
    ...ownOrderEndpoints(ports),

    endpoint(refundOrderRoute, async (request) => {
      const refunded = await refundOrder(request.params.orderId, request.body, keyedRequest(request), { orders, idempotency, clock });
      switch (refunded.outcome) {
        case 'refunding':
        case 'replayed':
          return { text: refunded.answer.body, status: refunded.answer.status, replayed: refunded.outcome === 'replayed' };
        case 'not-found':
          throw new Problem('NOT_FOUND', 'There is no such order.');
        case 'key-reused':
          throw new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; another refund needs another key.');
        case 'not-refundable':
          throw new Problem('NOT_REFUNDABLE', `The order is ${refunded.status}; only a confirmed or fulfilled one can be refunded.`, {
            orderStatus: refunded.status,
          });
      }
    }),
  ];
}
