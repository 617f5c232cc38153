import { rfc3339 } from '../shared/clock.ts';
import { type Endpoint, endpoint } from '../shared/http.ts';
import { encodeCursor } from '../shared/page.ts';
import { Problem } from '../shared/problems.ts';
import { type DeleteProductPorts, deleteProduct } from './delete-product.ts';
import { importedProduct, readItem } from './import.answer.ts';
import { importProducts } from './import-products.ts';
import type { Product, ProductDetails } from './product.model.ts';
import type { ProductRepository } from './product.repository.ts';
import {
  createProductRoute,
  deleteProductRoute,
  importProductsRoute,
  listProductsRoute,
  readProductRoute,
  replaceProductRoute,
} from './product.routes.ts';
import { type ProductAnswer, productList } from './product.schemas.ts';

export interface ProductPorts extends DeleteProductPorts {
  readonly products: ProductRepository;
  readonly newId: () => string;
}

export const productAnswer = (product: Product): ProductAnswer => ({
  sku: product.sku,
  name: product.name,
  ...(product.description === undefined ? {} : { description: product.description }),
  priceMinor: product.priceMinor,
  currency: product.currency,
  ...(product.imageUrl === undefined ? {} : { imageUrl: product.imageUrl }),
  createdAt: rfc3339(product.createdAtMs),
  updatedAt: rfc3339(product.updatedAtMs),
});

const unknownProduct = () => new Problem('NOT_FOUND', 'There is no such product.');

/** The catalogue as anybody reads it. */
export function productReadingEndpoints({ products }: { readonly products: Pick<ProductRepository, 'get' | 'list'> }): Endpoint[] {
  return [
    endpoint(listProductsRoute, async ({ query }) => {
      const page = await products.list({ limit: query.limit, after: query.cursor });
      return {
        body: {
          items: page.products.map(productAnswer),
          nextCursor: page.next === undefined ? null : encodeCursor(productList, page.next),
        },
      };
    }),

    endpoint(readProductRoute, async ({ params }) => {
      const product = await products.get(params.sku);
      if (!product) throw unknownProduct();
      return { body: productAnswer(product) };
    }),
  ];
}

export function productEndpoints(ports: ProductPorts): Endpoint[] {
  const { products, clock, newId } = ports;
  return [
    ...productReadingEndpoints(ports),

    endpoint(createProductRoute, async ({ body }) => {
      const nowMs = clock.nowMs();
      const product: Product = { ...body, createdAtMs: nowMs, updatedAtMs: nowMs, revision: newId(), saleIds: [] };
      const created = await products.create(product);
      if (created.outcome === 'already-exists') throw new Problem('ALREADY_EXISTS', `There is a product ${body.sku} already.`);
      return { body: productAnswer(product), headers: { location: `/v1/products/${body.sku}` } };
    }),

    endpoint(importProductsRoute, async ({ body, path }) => {
      const read = body.items.map(readItem);
      const fit = read.flatMap((item) => ('product' in item ? [item.product] : []));
      const outcomes = (await importProducts(fit, ports)).values();
      return { body: { items: read.map((item) => importedProduct(item, 'product' in item ? outcomes.next().value : undefined, path)) } };
    }),

    endpoint(replaceProductRoute, async ({ params, body }) => {
      const { sku, ...details } = body;
      if (sku !== undefined && sku !== params.sku) {
        throw new Problem('INVALID_REQUEST', 'body.sku: must be the sku of the path, or be left out');
      }
      const product = await products.replace(params.sku, details satisfies ProductDetails, { revision: newId(), nowMs: clock.nowMs() });
      if (!product) throw unknownProduct();
      return { body: productAnswer(product) };
    }),

    endpoint(deleteProductRoute, async ({ params }) => {
      const deleted = await deleteProduct(params.sku, ports);
      switch (deleted.outcome) {
        case 'deleted':
          return {};
        case 'not-found':
          throw unknownProduct();
        case 'in-use':
          throw new Problem('PRODUCT_IN_USE', `The sale ${deleted.saleId} sells it and has not closed.`, { saleId: deleted.saleId });
      }
    }),
  ];
}
