import { salesPerProductMax } from '../catalogue/product.model.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import {
  NewSale,
  Restock,
  SaleAnswer,
  SaleCancellationRequest,
  SaleListQuery,
  SalePage,
  SaleWishes,
  SeatListQuery,
  SeatPage,
} from './sale.schemas.ts';
import { SalePath } from './sale-path.schemas.ts';

const tag = 'Sales';

export const listSalesRoute = defineRoute({
  operationId: 'listSales',
  method: 'GET',
  path: '/v1/sales',
  access: 'public',
  tag,
  summary: 'List the sales',
  description:
    'In no particular order. May be cached for a second; send the `ETag` as `If-None-Match` to be told 304 when nothing changed. ' +
    'A sale whose stock is not ready is listed as `paused` with nothing available.',
  query: SaleListQuery,
  status: 200,
  cacheable: true,
  answer: SalePage,
  servedBy: 'api',
});

export const readSaleRoute = defineRoute({
  operationId: 'readSale',
  method: 'GET',
  path: '/v1/sales/{saleId}',
  access: 'public',
  tag,
  summary: 'Read a sale with its state and what is left',
  description:
    'May be cached for a second; send the `ETag` as `If-None-Match` to be told 304 when nothing changed. While the stock of a sale is not ' +
    'ready, or can’t be read, it shows as `paused` instead of `open` or `sold-out`, with what is left by the orders that were counted; where ' +
    'nobody has counted, the answer is `STOCK_NOT_READY`, and a closed sale shows nothing available.',
  params: SalePath,
  status: 200,
  cacheable: true,
  answer: SaleAnswer,
  problems: ['NOT_FOUND', 'STOCK_NOT_READY'],
  servedBy: 'api',
});

export const createSaleRoute = defineRoute({
  operationId: 'createSale',
  method: 'POST',
  path: '/v1/sales',
  access: 'operate',
  tag,
  summary: 'Create a sale and load its stock',
  description:
    'Every sku must be a product, and all of them in one currency. A product may be in ' +
    `${salesPerProductMax} sales that have not closed; one more is \`INVALID_REQUEST\`. When this has answered 201, the stock is loaded.`,
  keyed: true,
  body: NewSale,
  status: 201,
  answer: SaleAnswer,
  problems: ['ALREADY_EXISTS'],
  servedBy: 'api',
});

export const listSeatsRoute = defineRoute({
  operationId: 'listSeats',
  method: 'GET',
  path: '/v1/sales/{saleId}/seats',
  access: 'public',
  tag,
  summary: 'List the seats of an item with their states',
  description:
    'In the order in which they were put on sale. May be cached for a second; send the `ETag` as `If-None-Match` to be told 304 when nothing ' +
    'changed. An item that the sale does not sell, or sells by number, is `INVALID_REQUEST`.',
  params: SalePath,
  query: SeatListQuery,
  status: 200,
  cacheable: true,
  answer: SeatPage,
  problems: ['NOT_FOUND', 'STOCK_NOT_READY'],
  servedBy: 'api',
});

export const changeSaleRoute = defineRoute({
  operationId: 'changeSale',
  method: 'PATCH',
  path: '/v1/sales/{saleId}',
  access: 'operate',
  tag,
  summary: 'Pause, resume or close a sale, or change its window or limit',
  description:
    'When this has answered 200, nothing is sold any more that the change forbids. May be repeated. A closed sale takes no change ' +
    '(`SALE_NOT_OPEN`), but may be closed again. A window that would end before it opens, and a limit for a sale that began without one, are ' +
    '`INVALID_REQUEST`. Holds made before live on and may be paid.',
  params: SalePath,
  body: SaleWishes,
  status: 200,
  answer: SaleAnswer,
  problems: ['NOT_FOUND', 'SALE_NOT_OPEN', 'STOCK_NOT_READY'],
  servedBy: 'api',
});

export const restockRoute = defineRoute({
  operationId: 'restock',
  method: 'POST',
  path: '/v1/sales/{saleId}/restock',
  access: 'operate',
  tag,
  summary: 'Put more units or seats of an item on sale',
  description:
    'Adds to what there is, once per key. A seat that is there already is `ALREADY_EXISTS` and then none is added. An item that the sale does ' +
    'not sell, or not in this way, and more than an item may have, are `INVALID_REQUEST`.',
  keyed: true,
  params: SalePath,
  body: Restock,
  status: 200,
  answer: SaleAnswer,
  problems: ['NOT_FOUND', 'ALREADY_EXISTS', 'SALE_NOT_OPEN', 'STOCK_NOT_READY'],
  servedBy: 'api',
});

export const cancelSaleRoute = defineRoute({
  operationId: 'cancelSale',
  method: 'POST',
  path: '/v1/sales/{saleId}/cancel',
  access: 'operate',
  tag,
  summary: 'Call a sale off',
  description:
    'Closes it for good, cancels or refunds every order that lives, and takes their units out of sale. When this has answered 202 nothing is ' +
    'sold any more; the orders end in the minutes after. A sale that is over can be called off too. Calling off a second time changes nothing.',
  keyed: true,
  params: SalePath,
  body: SaleCancellationRequest,
  status: 202,
  answer: SaleAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const saleRoutes: readonly Route[] = [
  listSalesRoute,
  readSaleRoute,
  createSaleRoute,
  listSeatsRoute,
  changeSaleRoute,
  restockRoute,
  cancelSaleRoute,
];
