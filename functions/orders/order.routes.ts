import { defineRoute, type Route } from '../shared/route.ts';
import { OrderAnswer, OrderPath, RefundOrder } from './order.schemas.ts';
import { OrderListQuery, OrderPage } from './order-list.schemas.ts';
import { placeOrderRoute } from './place.routes.ts';

export const readOrderRoute = defineRoute({
  operationId: 'readOrder',
  method: 'GET',
  path: '/v1/orders/{orderId}',
  access: 'buy-or-operate',
  tag: 'Orders',
  summary: 'Read an order',
  description: 'A buyer reads their own orders; somebody else’s is `NOT_FOUND`. An operator reads any.',
  params: OrderPath,
  status: 200,
  answer: OrderAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const listOrdersRoute = defineRoute({
  operationId: 'listOrders',
  method: 'GET',
  path: '/v1/orders',
  access: 'buy-or-operate',
  tag: 'Orders',
  summary: 'List orders',
  description:
    'A buyer sees their own orders, newest first; an operator sees all. Lists lag behind by 2 s at most; the order itself is always read as it is. ' +
    'A page looks at no more than 25 × (`limit` + 1) orders: with a filter that few orders match it may be short, or empty, and still have a `nextCursor`.',
  query: OrderListQuery,
  status: 200,
  answer: OrderPage,
  servedBy: 'api',
});

export const cancelOrderRoute = defineRoute({
  operationId: 'cancelOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/cancel',
  access: 'buy-or-operate',
  tag: 'Orders',
  summary: 'Cancel an order',
  description: 'Releases the hold, or refunds what was paid before fulfilment. May be repeated: the answer is the order as it is then.',
  params: OrderPath,
  status: 200,
  answer: OrderAnswer,
  problems: ['NOT_FOUND', 'NOT_CANCELLABLE'],
  servedBy: 'api',
});

export const refundOrderRoute = defineRoute({
  operationId: 'refundOrder',
  method: 'POST',
  path: '/v1/orders/{orderId}/refund',
  access: 'operate',
  tag: 'Orders',
  summary: 'Refund an order',
  description:
    'Takes a confirmed or fulfilled order back. Its tickets are invalid when this has answered; money and units follow: read the order until ' +
    'it is `REFUNDED`. A confirmed order’s units are for sale again, a fulfilled one’s only with `returnUnits`. The buyer’s allowance comes ' +
    'back with the units.',
  keyed: true,
  params: OrderPath,
  body: RefundOrder,
  status: 202,
  answer: OrderAnswer,
  problems: ['NOT_FOUND', 'NOT_REFUNDABLE'],
  servedBy: 'api',
});

export const orderRoutes: readonly Route[] = [placeOrderRoute, readOrderRoute, listOrdersRoute, cancelOrderRoute, refundOrderRoute];
