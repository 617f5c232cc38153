import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const product = (changes: Record<string, unknown> = {}) => ({
  sku: randomUUID(),
  name: 'A tee',
  priceMinor: 2_500,
  currency: 'EUR',
  ...changes,
});

describe('importing products', () => {
  it('takes 500 at once, each of which can be read, sold and imported again without a change', async () => {
    const items = Array.from({ length: 500 }, () => product());
    const created = granted(await shop.operator.importProducts(items));
    expect(created.items).toEqual(items.map(({ sku }) => ({ sku, outcome: 'created', status: 201 })));
    const read = granted(await shop.client.product(items[499]?.sku ?? ''));
    expect(read).toMatchObject(items[499] ?? {});

    const again = granted(await shop.operator.importProducts(items));
    expect(again.items).toEqual(items.map(({ sku }) => ({ sku, outcome: 'unchanged', status: 200 })));
    expect(granted(await shop.client.product(items[499]?.sku ?? ''))).toEqual(read);
  });

  it('replaces a product that is in a live sale, whose price stays what it was', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const { items } = granted(await shop.operator.importProducts([product({ sku: sale.sku, priceMinor: 9_900 })]));
    expect(items).toEqual([{ sku: sale.sku, outcome: 'replaced', status: 200 }]);
    expect(granted(await shop.client.product(sale.sku)).priceMinor).toBe(9_900);
    expect(granted(await (await shop.shopper()).buy(sale), 201).totalMinor).toBe(700);
    refused(await shop.operator.deleteProduct(sale.sku), 'PRODUCT_IN_USE');
  });

  it('refuses each item that is wrong, says where, and does the others', async () => {
    const [first, last] = [product(), product()];
    const wrong = [
      product({ priceMinor: -1 }),
      product({ currency: 'ZZZ' }),
      product({ stock: 5 }),
      product({ sku: 'a b' }),
      { sku: first.sku },
      null,
      'tee',
      [],
      product({ sku: first.sku, name: 'Not this one' }),
    ];
    const { items } = granted(await shop.operator.importProducts([first, ...wrong, last]));
    expect(items).toHaveLength(11);
    expect([items[0], items[10]]).toMatchObject([
      { sku: first.sku, outcome: 'created' },
      { sku: last.sku, outcome: 'created' },
    ]);
    for (const [index, item] of items.entries()) {
      if (index === 0 || index === 10) continue;
      expect(item).toMatchObject({
        outcome: 'refused',
        status: 400,
        problem: { type: '/problems/invalid-request', code: 'INVALID_REQUEST', retryable: false, instance: '/v1/products/bulk' },
      });
    }
    expect(items[1]?.problem?.detail).toMatch(/^body\.items\.1\.priceMinor: /);
    expect(items[4]).not.toHaveProperty('sku');
    expect(granted(await shop.client.product(first.sku))).toMatchObject(first);
    for (const item of [wrong[0], wrong[1], wrong[2]] as { sku: string }[]) refused(await shop.client.product(item.sku), 'NOT_FOUND');
  });

  it.each([
    ['no items', []],
    ['501 items', Array.from({ length: 501 }, () => product())],
  ])('with %s is refused as a whole', async (_, items) => {
    refused(await shop.operator.importProducts(items), 'INVALID_REQUEST');
  });

  it('with another body than items is refused, and so is one over a mebibyte', async () => {
    const post = (body: unknown) =>
      shop.operator.raw({
        method: 'POST',
        path: '/v1/products/bulk',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    for (const body of [{}, [product()], { items: [product()], more: 1 }, { items: 'tee' }, null])
      refused(await post(body), 'INVALID_REQUEST');
    const large = Array.from({ length: 300 }, () => product({ description: 'x'.repeat(3_900) }));
    refused(await post({ items: large }), 'BODY_TOO_LARGE');
    granted(await post({ items: large.slice(0, 200) }));
  });

  it('is for operators alone', async () => {
    refused(await shop.client.importProducts([product()]), 'UNAUTHENTICATED');
    refused(await (await shop.shopper('no account')).client.importProducts([product()]), 'FORBIDDEN');
  });

  it('by two operators at one moment creates each product once', async () => {
    const items = Array.from({ length: 30 }, () => product());
    const both = await Promise.all([shop.operator.importProducts(items), shop.operator.importProducts(items)]);
    const [one, other] = both.map((answer) => granted(answer).items);
    for (const [index, { sku }] of items.entries()) {
      const outcomes = [one?.[index]?.outcome, other?.[index]?.outcome].toSorted();
      expect(outcomes, sku).toEqual(['created', 'unchanged']);
    }
  });
});
