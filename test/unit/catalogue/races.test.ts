import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteProduct } from '../../../functions/catalogue/delete-product.ts';
import type { Product } from '../../../functions/catalogue/product.model.ts';
import { type ProductRepository, productRepository } from '../../../functions/catalogue/product.repository.ts';
import { type CreateSalePorts, createSale } from '../../../functions/sales/create-sale.ts';
import { type SaleRepository, saleRepository } from '../../../functions/sales/sale.repository.ts';
import { NewSale } from '../../../functions/sales/sale.schemas.ts';
import { seatRepository } from '../../../functions/sales/seat.repository.ts';
import { systemClock as clock } from '../../../functions/shared/clock.ts';
import { transact } from '../../../functions/shared/dynamo.ts';
import { idempotencyRepository } from '../../../functions/shared/idempotency.ts';
import { startTables } from '../../support/database.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let products: ProductRepository;
let sales: SaleRepository;
let ports: CreateSalePorts;
beforeAll(async () => {
  tables = await startTables();
  products = productRepository(tables.database, 'products');
  sales = saleRepository(tables.database, 'sales');
  ports = {
    products,
    sales,
    clock,
    seats: seatRepository(tables.database, 'seats'),
    stock: { load: async () => ({ outcome: 'LOADED' }) },
    noteRedis: async () => {},
    idempotency: idempotencyRepository(tables.database, 'idempotency'),
    transact: (writes) => transact(tables.database, writes),
    tables: { products: 'products', sales: 'sales', seats: 'seats', outbox: { table: 'outbox', mode: 'stream' } },
    newId: randomUUID,
  };
});
afterAll(() => tables.stop());

async function newProduct(): Promise<Product> {
  const details = { name: 'A tee', priceMinor: 2_500, currency: 'EUR', createdAtMs: 0, updatedAtMs: 0 };
  const product: Product = { sku: randomUUID(), ...details, revision: randomUUID(), saleIds: [] };
  await products.create(product);
  return product;
}

const sell = (sku: string, changed: Partial<CreateSalePorts> = {}) => {
  const [opensAt, closesAt] = [0, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const body = NewSale.parse({ name: 'A sale', opensAt, closesAt, items: [{ sku, units: 1 }] });
  return createSale(body, { scope: randomUUID(), payloadHash: 'p', by: 'olga' }, { ...ports, ...changed });
};

/** A step that is followed, the first time, by what somebody else does at that very moment. */
function followedBy<In, Out>(step: (input: In) => Promise<Out>, meanwhile: () => Promise<unknown>) {
  let happened = false;
  return async (input: In): Promise<Out> => {
    const outcome = await step(input);
    if (!happened) await meanwhile();
    happened = true;
    return outcome;
  };
}

describe('between reading a product and writing', () => {
  it('a sale that is created keeps the product from being deleted', async () => {
    const { sku } = await newProduct();
    const getMany = followedBy(sales.getMany, () => sell(sku));
    expect(await deleteProduct(sku, { products, sales: { getMany }, clock })).toMatchObject({ outcome: 'in-use' });
    expect(await products.get(sku)).toBeDefined();
  });

  it('a product that is deleted is not sold', async () => {
    const { sku } = await newProduct();
    const getMany = followedBy(products.getMany, () => deleteProduct(sku, { products, sales, clock }));
    expect(await sell(sku, { products: { getMany } })).toEqual({ outcome: 'unknown-products', skus: [sku] });
  });

  it('a product that changes is sold at its new price', async () => {
    const { sku } = await newProduct();
    const dearer = { name: 'A tee', priceMinor: 9_900, currency: 'EUR' };
    const getMany = followedBy(products.getMany, () => products.replace(sku, dearer, { revision: randomUUID(), nowMs: 1 }));
    const created = await sell(sku, { products: { getMany } });
    if (created.outcome !== 'created') throw new Error(created.outcome);
    expect((await sales.get(created.saleId, { consistent: true }))?.items).toMatchObject([{ sku, priceMinor: 9_900 }]);
  });

  it('a product that is deleted and made anew is another product', async () => {
    const old = await newProduct();
    const renewed = { ...old, priceMinor: 1, revision: randomUUID() };
    const getMany = followedBy(products.getMany, async () => {
      await deleteProduct(old.sku, { products, sales, clock });
      await products.create(renewed);
    });
    const created = await sell(old.sku, { products: { getMany } });
    if (created.outcome !== 'created') throw new Error(created.outcome);
    expect((await sales.get(created.saleId, { consistent: true }))?.items).toMatchObject([{ priceMinor: 1 }]);
  });
});
