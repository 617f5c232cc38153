import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Product } from '../../../functions/catalogue/product.model.ts';
import { productRepository } from '../../../functions/catalogue/product.repository.ts';
import { enterSaleWrite } from '../../../functions/catalogue/product.writes.ts';
import { transact } from '../../../functions/shared/dynamo.ts';
import { startTables } from '../../support/database.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => vi.clearAllMocks());

const products = () => productRepository(tables.database, 'products');
const broken = () => productRepository(tables.database, 'no-such-table');
let count = 0;
const aProduct = (changes: Partial<Product> = {}): Product => ({
  sku: `p-${String(++count).padStart(3, '0')}`,
  name: 'Tee',
  description: 'A tee',
  priceMinor: 100,
  currency: 'EUR',
  imageUrl: 'https://example.com/tee.png',
  createdAtMs: 1,
  updatedAtMs: 1,
  revision: `r-${count}`,
  saleIds: [],
  ...changes,
});
async function created(changes: Partial<Product> = {}): Promise<Product> {
  const product = aProduct(changes);
  expect(await products().create(product)).toStrictEqual({ outcome: 'created' });
  return product;
}

describe('a product', () => {
  it('is made once, and read as it was made', async () => {
    const product = await created();
    expect(await products().get(product.sku)).toStrictEqual(product);
    expect(await products().get('nothing')).toBeUndefined();
    expect(await products().create({ ...product, revision: 'other', name: 'Other' })).toStrictEqual({ outcome: 'already-exists' });
    expect(await products().get(product.sku)).toStrictEqual(product);
    expect(reads.weak()).toStrictEqual([]);
  });

  it('was made by whoever asks again with its own revision, because the answer was lost', async () => {
    const product = await created();
    expect(await products().create(product)).toStrictEqual({ outcome: 'created' });
  });

  it('is said to be there already where the database does not show what stands in the way', async () => {
    const product = await created();
    for (const Item of [undefined, {}]) {
      vi.spyOn(tables.database, 'send').mockImplementationOnce(() => {
        throw new ConditionalCheckFailedException({ message: 'refused', $metadata: {}, ...(Item ? { Item } : {}) });
      });
      expect(await products().create(product)).toStrictEqual({ outcome: 'already-exists' });
    }
  });

  it('is read among others, those that there are', async () => {
    const [one, other] = [await created(), await created()];
    const found = await products().getMany([other.sku, one.sku, 'nothing']);
    expect(found.toSorted((a, b) => (a.sku < b.sku ? -1 : 1))).toStrictEqual([one, other]);
    expect(reads.weak()).toStrictEqual([]);
  });

  it('gets all its details anew, and loses those that are no longer said', async () => {
    const product = await created();
    const { imageUrl: _i, description: _d, ...bare } = product;
    const stamp = { revision: 'next', nowMs: 9 };
    const said = { name: 'Cap', priceMinor: 200, currency: 'USD' };
    const changed = { ...bare, ...said, revision: 'next', updatedAtMs: 9 };
    expect(await products().replace(product.sku, said, stamp)).toStrictEqual(changed);
    expect(await products().get(product.sku)).toStrictEqual(changed);
    const more = { ...said, description: 'A cap', imageUrl: 'https://example.com/cap.png' };
    expect(await products().replace(product.sku, more, stamp)).toStrictEqual({ ...changed, ...more });
    await products().replace(product.sku, { ...said, imageUrl: more.imageUrl }, stamp);
    expect(await products().get(product.sku)).toStrictEqual({ ...changed, imageUrl: more.imageUrl });
    expect(await products().replace(product.sku, { ...said, description: 'Only this' }, stamp)).toStrictEqual({
      ...changed,
      description: 'Only this',
    });
    expect(await products().replace('nothing', said, stamp)).toBeUndefined();
    expect(await products().get('nothing')).toBeUndefined();
  });

  it('is deleted as it was read, and not when it has changed since', async () => {
    const product = await created();
    expect(await products().deleteUnchanged({ ...product, revision: 'older' })).toStrictEqual({ outcome: 'changed' });
    expect(await products().get(product.sku)).toStrictEqual(product);
    expect(await products().deleteUnchanged(product)).toStrictEqual({ outcome: 'deleted' });
    expect(await products().get(product.sku)).toBeUndefined();
    expect(await products().deleteUnchanged(product)).toStrictEqual({ outcome: 'changed' });
  });

  it('enters a sale as it was read, and not when it has changed since', async () => {
    const product = await created();
    expect(await transact(tables.database, [enterSaleWrite(product, ['sale'], 'next', 'products')])).toStrictEqual({
      outcome: 'committed',
    });
    expect(await products().get(product.sku)).toStrictEqual({ ...product, saleIds: ['sale'], revision: 'next' });
    const again = await transact(tables.database, [enterSaleWrite(product, ['other'], 'last', 'products')]);
    expect(again.outcome).toBe('refused');
  });

  it('is not said to be there or gone by a database that fails', async () => {
    const product = aProduct();
    await expect(broken().create(product)).rejects.toThrow();
    await expect(broken().replace(product.sku, product, { revision: 'r', nowMs: 1 })).rejects.toThrow();
    await expect(broken().deleteUnchanged(product)).rejects.toThrow();
  });
});

describe('the list of products', () => {
  it('shows each once over its pages, and ends', async () => {
    const made = [];
    for (let number = 0; number < 5; number++) made.push((await created()).sku);
    const skus: string[] = [];
    let after: string | undefined;
    do {
      const { products: page, next } = await products().list({ limit: 2, after });
      expect(page.length).toBeLessThanOrEqual(2);
      for (const product of page) expect(await products().get(product.sku)).toStrictEqual(product);
      skus.push(...page.map(({ sku }) => sku));
      after = next;
    } while (after !== undefined);
    expect(new Set(skus).size).toBe(skus.length);
    expect(made.filter((sku) => !skus.includes(sku))).toStrictEqual([]);
  });
});
