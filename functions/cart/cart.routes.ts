import { SalePath } from '../sales/sale-path.schemas.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { CartAnswer, CartItem, CartItemPath } from './cart.schemas.ts';

const tag = 'Carts';

export const setCartItemRoute = defineRoute({
  operationId: 'setCartItem',
  method: 'PUT',
  path: '/v1/sales/{saleId}/cart/items/{sku}',
  access: 'buy',
  tag,
  summary: 'Put an item into the cart',
  description:
    'Afterwards the cart has exactly this of the item, held for the buyer until `expiresAt`, or it is as it was and the answer is a refusal. ' +
    'So the same request may be sent again: it takes nothing more. `available` of `SOLD_OUT` is the most that could be set, with what the cart has ' +
    'already. A cart has 20 units at most, counting all items; its units count towards the buyer’s limit. Each change holds the whole cart for the ' +
    'sale’s `holdSeconds` from then on, and for three times that from the first item on at most. Then all of it is for sale again.',
  params: CartItemPath,
  body: CartItem,
  status: 200,
  answer: CartAnswer,
  problems: ['NOT_FOUND', 'SOLD_OUT', 'SEAT_TAKEN', 'BUYER_LIMIT', 'SALE_NOT_OPEN', 'SALE_PAUSED', 'STOCK_NOT_READY'],
  servedBy: 'cart',
});

export const dropCartItemRoute = defineRoute({
  operationId: 'dropCartItem',
  method: 'DELETE',
  path: '/v1/sales/{saleId}/cart/items/{sku}',
  access: 'buy',
  tag,
  summary: 'Take an item out of the cart',
  description: 'Its units are for sale again. An item that the cart does not have is no matter. `expiresAt` stays as it was.',
  params: CartItemPath,
  status: 200,
  answer: CartAnswer,
  problems: ['NOT_FOUND', 'STOCK_NOT_READY'],
  servedBy: 'cart',
});

export const readCartRoute = defineRoute({
  operationId: 'readCart',
  method: 'GET',
  path: '/v1/sales/{saleId}/cart',
  access: 'buy',
  tag,
  summary: 'Read the cart',
  description: 'The buyer’s own cart of this sale. One that nothing was put into, or that has expired, is empty.',
  params: SalePath,
  status: 200,
  answer: CartAnswer,
  problems: ['NOT_FOUND', 'STOCK_NOT_READY'],
  servedBy: 'cart',
});

export const clearCartRoute = defineRoute({
  operationId: 'clearCart',
  method: 'DELETE',
  path: '/v1/sales/{saleId}/cart',
  access: 'buy',
  tag,
  summary: 'Empty the cart',
  description: 'All its units are for sale again.',
  params: SalePath,
  status: 200,
  answer: CartAnswer,
  problems: ['NOT_FOUND', 'STOCK_NOT_READY'],
  servedBy: 'cart',
});

export const cartRoutes: readonly Route[] = [setCartItemRoute, dropCartItemRoute, readCartRoute, clearCartRoute];
