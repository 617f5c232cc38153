import { defineRoute, type Route } from '../shared/route.ts';
import {
  NewProduct,
  ProductAnswer,
  ProductImport,
  ProductImportAnswer,
  ProductListQuery,
  ProductPage,
  ProductPath,
  ProductUpdate,
  productsPerImportMax,
} from './product.schemas.ts';

const tag = 'Catalogue';

export const listProductsRoute = defineRoute({
  operationId: 'listProducts',
  method: 'GET',
  path: '/v1/products',
  access: 'public',
  tag,
  summary: 'List the products',
  description: 'In no particular order, but each product once as long as the pages are followed.',
  query: ProductListQuery,
  status: 200,
  answer: ProductPage,
  servedBy: 'api',
});

export const readProductRoute = defineRoute({
  operationId: 'readProduct',
  method: 'GET',
  path: '/v1/products/{sku}',
  access: 'public',
  tag,
  summary: 'Read a product',
  params: ProductPath,
  status: 200,
  answer: ProductAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const createProductRoute = defineRoute({
  operationId: 'createProduct',
  method: 'POST',
  path: '/v1/products',
  access: 'operate',
  tag,
  summary: 'Add a product',
  body: NewProduct,
  status: 201,
  answer: ProductAnswer,
  problems: ['ALREADY_EXISTS'],
  servedBy: 'api',
});

export const importProductsRoute = defineRoute({
  operationId: 'importProducts',
  method: 'POST',
  path: '/v1/products/bulk',
  access: 'operate',
  tag,
  summary: 'Add or replace many products at once',
  description:
    `Up to ${productsPerImportMax} products, in a body of a mebibyte at most. A product that is not there is \`created\`; one that is there is ` +
    '`replaced` wholly, or `unchanged` where it is so already. Each item stands for itself: one that is wrong is `refused` with the problem that ' +
    'it would have had alone, and the others are done. Of several items with one sku the first counts, and the others are refused. May be ' +
    'repeated: what was done is `unchanged` then, and what was `TRY_AGAIN` is tried again. Sales keep the names and prices that they were created with.',
  body: ProductImport,
  status: 200,
  answer: ProductImportAnswer,
  servedBy: 'api',
});

export const replaceProductRoute = defineRoute({
  operationId: 'replaceProduct',
  method: 'PUT',
  path: '/v1/products/{sku}',
  access: 'operate',
  tag,
  summary: 'Replace a product',
  description: 'Replaces a product that exists, and makes none. Sales keep the name and price that they were created with.',
  params: ProductPath,
  body: ProductUpdate,
  status: 200,
  answer: ProductAnswer,
  problems: ['NOT_FOUND'],
  servedBy: 'api',
});

export const deleteProductRoute = defineRoute({
  operationId: 'deleteProduct',
  method: 'DELETE',
  path: '/v1/products/{sku}',
  access: 'operate',
  tag,
  summary: 'Delete a product',
  description: 'A product of a sale that has not closed is refused with `PRODUCT_IN_USE`.',
  params: ProductPath,
  status: 204,
  problems: ['NOT_FOUND', 'PRODUCT_IN_USE'],
  servedBy: 'api',
});

export const productRoutes: readonly Route[] = [
  listProductsRoute,
  readProductRoute,
  createProductRoute,
  importProductsRoute,
  replaceProductRoute,
  deleteProductRoute,
];
