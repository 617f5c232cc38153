import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import type { Answer } from '../../lib/client/connection.ts';
import type { OrderBody, Page, PageQuery } from '../../lib/client/contract.ts';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

/** All pages of a list, two items a page. */
async function everyPage<Item>(list: (query: PageQuery) => Promise<Answer<Page<Item>>>, pagesMax = 50): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const answer = granted(await list({ limit: 2, ...(cursor && { cursor }) }));
    expect(answer.items.length).toBeLessThanOrEqual(2);
    items.push(...answer.items);
    if (!answer.nextCursor) return items;
    cursor = answer.nextCursor;
  }
  return expect.fail(`more than ${pagesMax} pages`);
}

describe('a list of orders', () => {
  it('pages through all of them, each once and newest first, for buyer and operator', async () => {
    const sale = await shop.sale({ units: 20 });
    const [shopper, other] = [await shop.shopper(), await shop.shopper()];
    const placed: OrderBody[] = [];
    for (let count = 0; count < 5; count++) placed.push(granted(await shopper.buy(sale, 1, { method: 'external' }), 201));
    const foreign = granted(await other.buy(sale, 1, { method: 'external' }), 201);
    const newestFirst = placed.map(({ orderId }) => orderId).toReversed();

    const own = await until('the list shows all orders', async () => {
      const orders = await everyPage((query) => shopper.client.orders({ saleId: sale.saleId, ...query }));
      return orders.length >= placed.length ? orders : undefined;
    });
    expect(own.map(({ orderId }) => orderId)).toEqual(newestFirst);
    const all = await until("the operator's list shows all orders", async () => {
      const orders = await everyPage((query) => shop.operator.orders({ saleId: sale.saleId, ...query }));
      return orders.length >= placed.length + 1 ? orders : undefined;
    });
    expect(all.map(({ orderId }) => orderId).toSorted()).toEqual([...newestFirst, foreign.orderId].toSorted());

    const ofOne = await everyPage((query) => shop.operator.orders({ saleId: sale.saleId, buyerId: other.userId, ...query }));
    expect(ofOne.map(({ orderId }) => orderId)).toEqual([foreign.orderId]);
  });

  it('filters by status', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const kept = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    const dropped = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    granted(await shopper.client.cancelOrder(dropped.orderId));
    const idsWith = async (status: string) =>
      (await everyPage((query) => shopper.client.orders({ saleId: sale.saleId, status, ...query }))).map(({ orderId }) => orderId);
    await until('the list shows the cancelled order', async () => ((await idsWith('CANCELLED')).length > 0 ? true : undefined));
    expect(await idsWith('CANCELLED')).toEqual([dropped.orderId]);
    expect(await idsWith('RESERVED')).toEqual([kept.orderId]);
    expect(await idsWith('FULFILLED')).toEqual([]);
  });
});

describe('a sale', () => {
  it('shows its items with what is left, and tells a cache when nothing has changed', async () => {
    const sale = await shop.sale({ units: 3, perBuyerLimit: 2, holdSeconds: 60 });
    const view = await shop.view(sale);
    expect(view).toMatchObject({ saleId: sale.saleId, state: 'open', perBuyerLimit: 2, holdSeconds: 60, strategy: 'reserve-first' });
    expect(view.items).toEqual([
      expect.objectContaining({ sku: sale.sku, priceMinor: 1_000, currency: 'EUR', total: 3, available: 3, seated: false }),
    ]);
    expect(Math.abs(Date.parse(view.serverTime) - Date.now())).toBeLessThan(60_000);

    granted(await (await shop.shopper()).buy(sale, 2, { method: 'external' }), 201);
    await until('the sale shows what is left', async () => ((await shop.view(sale)).items[0]?.available === 1 ? true : undefined));
    granted(await (await shop.shopper()).buy(sale, 1, { method: 'external' }), 201);
    await until('the sale shows that it is sold out', async () => ((await shop.view(sale)).state === 'sold-out' ? true : undefined));
  });

  it('has an ETag', async () => {
    const sale = await shop.sale({ opensInMs: 3_600_000, closesInMs: 7_200_000 });
    const answer = await shop.client.sale(sale.saleId);
    granted(answer);
    expect(answer.headers.etag).toMatch(/^(W\/)?".+"$/);
    expect(answer.headers['cache-control']).toContain('max-age=1');
  });

  it('is refused with a window that ends before it begins, mixed currencies, no units, or a product nobody knows', async () => {
    const sku = randomUUID();
    const foreign = randomUUID();
    granted(await shop.operator.createProduct({ sku, name: 'Here', priceMinor: 1, currency: 'EUR' }), 201);
    granted(await shop.operator.createProduct({ sku: foreign, name: 'There', priceMinor: 1, currency: 'USD' }), 201);
    const nowMs = Date.now();
    const at = (ms: number) => new Date(nowMs + ms).toISOString();
    const good = { name: 'Good', opensAt: at(0), closesAt: at(60_000), items: [{ sku, units: 1 }] };
    const bad = [
      { ...good, closesAt: at(-1) },
      { ...good, opensAt: 'tomorrow' },
      { ...good, items: [] },
      { ...good, items: [{ sku, units: 0 }] },
      { ...good, items: [{ sku, units: 1_000_001 }] },
      { ...good, items: [{ sku: 'nobody-knows', units: 1 }] },
      { ...good, items: [sku, foreign].map((each) => ({ sku: each, units: 1 })) },
      { ...good, items: [sku, sku].map((each) => ({ sku: each, units: 1 })) },
      { ...good, holdSeconds: 4 },
      { ...good, holdSeconds: 3_601 },
      { ...good, perBuyerLimit: 0 },
      { ...good, perBuyerLimit: 21 },
      { ...good, saleId: 'not an id' },
    ];
    for (const request of bad) refused(await shop.operator.createSale(request, randomUUID()), 'INVALID_REQUEST');
    const saleId = randomUUID();
    granted(await shop.operator.createSale({ ...good, saleId }, randomUUID()), 201);
    refused(await shop.operator.createSale({ ...good, saleId }, randomUUID()), 'ALREADY_EXISTS');
  });
});

describe('the catalogue', () => {
  it('keeps a product until it is deleted, but not while a live sale sells it', async () => {
    const sku = randomUUID();
    const product = { sku, name: 'A tee', description: 'Black', priceMinor: 2_500, currency: 'EUR' };
    granted(await shop.operator.createProduct(product), 201);
    refused(await shop.operator.createProduct(product), 'ALREADY_EXISTS');
    expect(granted(await shop.client.product(sku))).toMatchObject(product);
    granted(await shop.operator.putProduct({ ...product, priceMinor: 2_600 }));
    expect(granted(await shop.client.product(sku)).priceMinor).toBe(2_600);
    granted(await shop.operator.deleteProduct(sku), 204);
    refused(await shop.client.product(sku), 'NOT_FOUND');

    const sale = await shop.sale();
    refused(await shop.operator.deleteProduct(sale.sku), 'PRODUCT_IN_USE');
  });

  it('does not change the price of a sale that has begun', async () => {
    const sale = await shop.sale({ priceMinor: 1_000 });
    granted(await shop.operator.putProduct({ sku: sale.sku, name: 'Dearer', priceMinor: 9_000, currency: 'EUR' }));
    expect(granted(await (await shop.shopper()).buy(sale), 201).totalMinor).toBe(1_000);
  });
});

describe('an account', () => {
  it('shows its balance to its owner and to operators', async () => {
    const shopper = await shop.shopper(1_234);
    expect(granted(await shopper.client.me())).toEqual({ userId: shopper.userId, balanceMinor: 1_234, currency: 'EUR' });
    granted(await shop.operator.credit(shopper.userId, 66, randomUUID()));
    expect(granted(await shop.operator.user(shopper.userId))).toMatchObject({ userId: shopper.userId, balanceMinor: 1_300 });
    refused(await shop.operator.createUser({ userId: shopper.userId, currency: 'EUR' }), 'ALREADY_EXISTS');
    refused(await shop.operator.user('nobody-of-that-name'), 'NOT_FOUND');
    for (const amountMinor of [0, -5, 1.5])
      refused(await shop.operator.credit(shopper.userId, amountMinor, randomUUID()), 'INVALID_REQUEST');
    refused(await shop.operator.credit('nobody-of-that-name', 5, randomUUID()), 'NOT_FOUND');
  });
});

describe('the service', () => {
  it('says that it is well', async () => {
    expect(granted(await shop.client.health())).toMatchObject({
      status: 'ok',
      checks: { redis: expect.anything(), dynamodb: expect.anything() },
    });
  });

  it('describes every route of the contract', async () => {
    const { openapi, paths } = granted(await shop.client.openApi());
    expect(openapi).toMatch(/^3\.1\./);
    const described = Object.entries(paths).flatMap(([path, item]) => Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`));
    expect(described).toEqual(
      expect.arrayContaining([
        'GET /v1/health',
        'GET /v1/openapi.json',
        'GET /v1/products',
        'GET /v1/products/{sku}',
        'POST /v1/products',
        'PUT /v1/products/{sku}',
        'DELETE /v1/products/{sku}',
        'GET /v1/sales',
        'GET /v1/sales/{saleId}',
        'POST /v1/sales',
        'GET /v1/sales/{saleId}/audit',
        'POST /v1/sales/{saleId}/orders',
        'GET /v1/orders',
        'GET /v1/orders/{orderId}',
        'GET /v1/orders/{orderId}/timeline',
        'POST /v1/orders/{orderId}/cancel',
        'GET /v1/tickets/{code}',
        'GET /v1/me',
        'POST /v1/users',
        'GET /v1/users/{userId}',
        'POST /v1/users/{userId}/credits',
      ]),
    );
    expect(described.filter((route) => route.includes('/local/'))).toEqual([]);
  });
});
