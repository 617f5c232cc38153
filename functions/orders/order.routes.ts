import { SalePath } from '../sales/sale.schemas.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { OrderAnswer, OrderListQuery, OrderPage, OrderPath, PlaceOrder, RefundOrder } from './order.schemas.ts';

const tag = 'Orders';

export const placeOrderRoute = defineRoute({
  operationId: 'placeOrder',
  method: 'POST',
  path: '/v1/sales/{saleId}/orders',
  access: 'buy',
  tag,
  summary: 'Place an order',
  description:
    'Holds the units at once, all of them, or refuses. Asking for more than is left is `SOLD_OUT`, with what is left as `available` in the ' +
    'problem; a seat that somebody else has is `SEAT_TAKEN`, with those taken as `seats`. ' +
    'With `fromCart` the order is what the buyer’s cart has, which is empty afterwards; if a seat of it turns out to be taken, the rest is in the ' +
    'cart again. Payment, confirmation and tickets follow: read the order until its status rests.',
  keyed: true,
  params: SalePath,
  body: PlaceOrder,
  status: 201,
  answer: OrderAnswer,
  problems: [
    ...(['NOT_FOUND', 'SOLD_OUT', 'SEAT_TAKEN', 'BUYER_LIMIT', 'SALE_NOT_OPEN', 'SALE_PAUSED', 'CART_EMPTY', 'CART_EXPIRED'] as const),
    'STOCK_NOT_READY',
  ],
  servedBy: 'reserve',
});

export const readOrderRoute = defineRoute({
  operationId: 'readOrder',
  method: 'GET',
  path: '/v1/orders/{orderId}',
  access: 'buy-or-operate',
  tag,
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
  tag,
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
  tag,
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
  tag,
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
