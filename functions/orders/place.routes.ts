import { SalePath } from '../sales/sale-path.schemas.ts';
import { defineRoute } from '../shared/route.ts';
import { OrderAnswer, PlaceOrder } from './order.schemas.ts';

/** By itself, as the function that serves it. */
export const placeOrderRoute = defineRoute({
  operationId: 'placeOrder',
  method: 'POST',
  path: '/v1/sales/{saleId}/orders',
  access: 'buy',
  tag: 'Orders',
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
