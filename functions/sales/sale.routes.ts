import { salesPerProductMax } from '../catalogue/product.model.ts';
import { defineRoute, type Route } from '../shared/route.ts';
import { NewSale, SaleAnswer, SaleListQuery, SalePage, SalePath } from './sale.schemas.ts';

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
    'May be cached for a second; send the `ETag` as `If-None-Match` to be told 304 when nothing changed. While the stock of a sale that ' +
    'has not closed is not ready, the answer is `STOCK_NOT_READY`; a closed sale without stock shows nothing available.',
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

export const saleRoutes: readonly Route[] = [listSalesRoute, readSaleRoute, createSaleRoute];
