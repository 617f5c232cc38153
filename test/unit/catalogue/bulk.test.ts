import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ImportProductsPorts, importProducts } from '../../../functions/catalogue/import-products.ts';
import type { Product } from '../../../functions/catalogue/product.model.ts';
import { type ProductRepository, productRepository } from '../../../functions/catalogue/product.repository.ts';
import type { NewProduct } from '../../../functions/catalogue/product.schemas.ts';
import { systemClock as clock } from '../../../functions/shared/clock.ts';
import { startTables } from '../../support/database.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let products: ProductRepository;
let ports: ImportProductsPorts;
beforeAll(async () => {
  tables = await startTables();
  products = productRepository(tables.database, 'products');
  ports = { products, newId: randomUUID, clock };
});
afterAll(() => tables.stop());

const product = (changes: Partial<NewProduct> = {}): NewProduct => ({
  sku: randomUUID(),
  name: 'A tee',
  priceMinor: 2_500,
  currency: 'EUR',
  ...changes,
});
const stored = async (sku: string): Promise<Product> => (await products.get(sku)) ?? expect.fail(`${sku} is not there`);

describe('importing products', () => {
  it('creates what is not there, replaces what is different, and leaves the rest alone', async () => {
    const [kept, changed, fresh] = [product(), product({ description: 'Black' }), product({ imageUrl: 'https://shop.example/tee.jpg' })];
    await importProducts([kept, changed], ports);
    const before = await stored(kept.sku);
    const renewed = { ...product({ sku: changed.sku, name: 'Another tee' }) };
    expect(await importProducts([kept, renewed, fresh], ports)).toEqual(['unchanged', 'replaced', 'created']);
    expect(await stored(kept.sku)).toEqual(before);
    expect(await stored(changed.sku)).toMatchObject({ ...renewed, createdAtMs: expect.any(Number) });
    expect(await stored(changed.sku)).not.toHaveProperty('description');
    expect(await stored(fresh.sku)).toMatchObject({ ...fresh, saleIds: [] });
  });

  it('changes nothing the second time', async () => {
    const items = Array.from({ length: 40 }, () => product());
    expect(new Set(await importProducts(items, ports))).toEqual(new Set(['created']));
    const before = await Promise.all(items.map(({ sku }) => stored(sku)));
    expect(new Set(await importProducts(items, ports))).toEqual(new Set(['unchanged']));
    expect(await Promise.all(items.map(({ sku }) => stored(sku)))).toEqual(before);
  });

  it('takes the first of several items with one sku', async () => {
    const first = product();
    const second = product({ sku: first.sku, name: 'Not this one' });
    expect(await importProducts([first, second, product(), second], ports)).toEqual(['created', 'repeated', 'created', 'repeated']);
    expect(await stored(first.sku)).toMatchObject(first);
  });

  it('keeps the sales of a product that it replaces', async () => {
    const item = product();
    await products.create({ ...item, createdAtMs: 0, updatedAtMs: 0, revision: randomUUID(), saleIds: ['launch-day'] });
    expect(await importProducts([product({ sku: item.sku, priceMinor: 1 })], ports)).toEqual(['replaced']);
    expect(await stored(item.sku)).toMatchObject({ priceMinor: 1, saleIds: ['launch-day'], createdAtMs: 0 });
  });

  it('by several at one moment leaves each product as one of them has it, and creates it once', async () => {
    const skus = Array.from({ length: 10 }, () => randomUUID());
    const imports = ['one', 'two', 'three'].map((name) => skus.map((sku) => product({ sku, name })));
    const outcomes = await Promise.all(imports.map((items) => importProducts(items, ports)));
    for (const [index, sku] of skus.entries()) {
      const of = outcomes.map((each) => each[index]);
      expect(of.filter((each) => each === 'created')).toHaveLength(1);
      expect(of.filter((each) => each === 'replaced')).toHaveLength(2);
      expect((await stored(sku)).name).toBeOneOf(['one', 'two', 'three']);
    }
  });

  it('creates a product anew that was deleted between reading and replacing it', async () => {
    const item = product();
    await importProducts([item], ports);
    const renewed = product({ sku: item.sku, name: 'Anew' });
    const deleting: ImportProductsPorts['products'] = {
      ...products,
      async getMany(skus) {
        const found = await products.getMany(skus);
        for (const each of found) await products.deleteUnchanged(each);
        return found;
      },
    };
    expect(await importProducts([renewed], { ...ports, products: deleting })).toEqual(['created']);
    expect(await stored(item.sku)).toMatchObject(renewed);
  });

  it('tells of one that failed, and does the others', async () => {
    const items = Array.from({ length: 5 }, () => product());
    const broken = items[2]?.sku;
    const failing: ImportProductsPorts['products'] = {
      ...products,
      create: (each) => (each.sku === broken ? Promise.reject(new Error('too many requests')) : products.create(each)),
    };
    const outcomes = await importProducts(items, { ...ports, products: failing });
    expect(outcomes).toEqual(['created', 'created', 'unfinished', 'created', 'created']);
    expect(await importProducts(items, ports)).toEqual(['unchanged', 'unchanged', 'created', 'unchanged', 'unchanged']);
  });

  it('ends in time: what could not begin is told to come again', async () => {
    let nowMs = 0;
    const slow = { nowMs: () => (nowMs += 1_500) };
    const items = Array.from({ length: 40 }, () => product());
    const outcomes = await importProducts(items, { ...ports, clock: slow });
    expect(outcomes[0]).toBe('created');
    expect(outcomes.at(-1)).toBe('unfinished');
    expect(new Set(await importProducts(items, ports))).toEqual(new Set(['created', 'unchanged']));
  });

  it('never has more than 16 writes under way', async () => {
    let open = 0;
    let most = 0;
    const counting: ImportProductsPorts['products'] = {
      ...products,
      async create(each) {
        most = Math.max(most, ++open);
        const outcome = await products.create(each);
        open--;
        return outcome;
      },
    };
    await importProducts(
      Array.from({ length: 60 }, () => product()),
      { ...ports, products: counting },
    );
    expect(most).toBe(16);
  });

  it('of any items, in any number of requests, ends where the last request has each product', async () => {
    const details = fc.record({ name: fc.constantFrom('a', 'b'), priceMinor: fc.constantFrom(1, 2), currency: fc.constant('EUR') });
    const requests = fc.array(fc.array(fc.tuple(fc.constantFrom('x', 'y', 'z'), details), { maxLength: 5 }), {
      minLength: 1,
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(requests, async (runs) => {
        const run = randomUUID();
        const expected = new Map<string, NewProduct>();
        for (const items of runs) {
          const named = items.map(([sku, rest]) => ({ sku: `${run}.${sku}`, ...rest }));
          const outcomes = await importProducts(named, ports);
          for (const [index, item] of named.entries()) {
            const isRepeated = named.findIndex(({ sku }) => sku === item.sku) < index;
            const before = expected.get(item.sku);
            const isSame = before && before.name === item.name && before.priceMinor === item.priceMinor;
            expect(outcomes[index]).toBe(isRepeated ? 'repeated' : before ? (isSame ? 'unchanged' : 'replaced') : 'created');
            if (!isRepeated) expected.set(item.sku, item);
          }
        }
        for (const [sku, item] of expected) expect(await stored(sku)).toMatchObject(item);
      }),
      { numRuns: 15 },
    );
  });
});
