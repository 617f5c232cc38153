import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const details = { name: 'A tee', description: 'Black', priceMinor: 2_500, currency: 'EUR', imageUrl: 'https://shop.example/tee.jpg' };
const create = (body: unknown) => api.call('POST', '/v1/products', { as: operator, body });
const read = (sku: string) => api.call('GET', `/v1/products/${sku}`);
const replace = (sku: string, body: unknown) => api.call('PUT', `/v1/products/${sku}`, { as: operator, body });
const remove = (sku: string) => api.call('DELETE', `/v1/products/${sku}`, { as: operator });

async function newProduct(changes: Record<string, unknown> = {}): Promise<string> {
  const sku = randomUUID();
  expect(await create({ sku, ...details, ...changes })).toMatchObject({ status: 201 });
  return sku;
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
async function sell(skus: readonly string[], closesInMs = 3_600_000): Promise<string> {
  const created = await api.call('POST', '/v1/sales', {
    as: operator,
    key: randomUUID(),
    body: { name: 'A sale', opensAt: inMs(-60_000), closesAt: inMs(closesInMs), items: skus.map((sku) => ({ sku, units: 3 })) },
  });
  expect(created.status, created.text).toBe(201);
  return created.body.saleId;
}

describe('a product', () => {
  it('is read as it was created', async () => {
    const sku = randomUUID();
    const created = await create({ sku, ...details });
    expect(created).toMatchObject({ status: 201, body: { sku, ...details }, headers: { location: `/v1/products/${sku}` } });
    expect(await read(sku)).toMatchObject({ status: 200, body: created.body });
  });

  it('shows nothing of how it is stored', async () => {
    const { body } = await read(await newProduct());
    expect(Object.keys(body).sort()).toEqual([
      'createdAt',
      'currency',
      'description',
      'imageUrl',
      'name',
      'priceMinor',
      'sku',
      'updatedAt',
    ]);
  });

  it('is created once', async () => {
    const sku = randomUUID();
    const racers = await Promise.all(Array.from({ length: 8 }, (_, index) => create({ sku, ...details, priceMinor: index })));
    expect(racers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(racers.filter(({ body }) => body.code === 'ALREADY_EXISTS')).toHaveLength(7);
  });

  it('is replaced wholly: what is left out is gone', async () => {
    const sku = await newProduct();
    expect(await replace(sku, { name: 'Plain', priceMinor: 1, currency: 'USD' })).toMatchObject({ status: 200 });
    const { body } = await read(sku);
    expect(body).toMatchObject({ sku, name: 'Plain', priceMinor: 1, currency: 'USD' });
    expect(body).not.toHaveProperty('description');
    expect(body).not.toHaveProperty('imageUrl');
  });

  it('is not made by replacing it', async () => {
    const sku = randomUUID();
    expect(await replace(sku, details)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    expect(await read(sku)).toMatchObject({ status: 404 });
  });

  it('keeps its sku', async () => {
    const sku = await newProduct();
    expect(await replace(sku, { sku, ...details })).toMatchObject({ status: 200 });
    expect(await replace(sku, { sku: 'another', ...details })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it.each([
    ['a negative price', { priceMinor: -1 }],
    ['a fractional price', { priceMinor: 0.5 }],
    ['an enormous price', { priceMinor: 1e15 }],
    ['a price as text', { priceMinor: '100' }],
    ['a currency that is none', { currency: 'euro' }],
    ['an empty name', { name: '   ' }],
    ['an image that a browser would run', { imageUrl: 'javascript:alert(1)' }],
    ['an impossible sku', { sku: 'a b' }],
    ['a sku of 65 characters', { sku: 'x'.repeat(65) }],
    ['an unknown field', { stock: 5 }],
    ['a currency that nobody has', { currency: 'ZZZ' }],
    ['half a character in its name', { name: 'a\ud800' }],
    ['half a character in its description', { description: '\ud800' }],
    ['half a character in its image’s address', { imageUrl: 'https://shop.example/\ud800' }],
    ['a control character in its name', { name: 'a\u0000b' }],
  ])('with %s is refused', async (_, changes) => {
    expect(await create({ sku: randomUUID(), ...details, ...changes })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('is deleted once', async () => {
    const sku = await newProduct();
    expect(await remove(sku)).toMatchObject({ status: 204, text: '' });
    expect(await remove(sku)).toMatchObject({ status: 404 });
  });
});

describe('a product of a sale', () => {
  it('is not deleted before the sale has closed', async () => {
    const sku = await newProduct();
    const saleId = await sell([sku]);
    expect(await remove(sku)).toMatchObject({ status: 409, body: { code: 'PRODUCT_IN_USE', saleId, retryable: false } });
    expect(await read(sku)).toMatchObject({ status: 200 });
  });

  it('is deleted once the sale has closed', async () => {
    const sku = await newProduct();
    await sell([sku], -1_000);
    expect(await remove(sku)).toMatchObject({ status: 204 });
  });

  it('stays in use when it is replaced', async () => {
    const sku = await newProduct();
    await sell([sku]);
    await replace(sku, details);
    expect(await remove(sku)).toMatchObject({ body: { code: 'PRODUCT_IN_USE' } });
  });

  it('is either sold or deleted, whichever comes first', async () => {
    for (let round = 0; round < 10; round++) {
      const sku = await newProduct();
      const body = { name: 'A race', opensAt: inMs(0), closesAt: inMs(60_000), items: [{ sku, units: 1 }] };
      const [sold, deleted] = await Promise.all([api.call('POST', '/v1/sales', { as: operator, key: sku, body }), remove(sku)]);
      expect([sold.status, deleted.status].join(), sold.text + deleted.text).toBeOneOf(['201,409', '400,204']);
    }
  });

  it('forgets closed sales once there are many', async () => {
    const sku = await newProduct();
    for (let count = 0; count < 22; count++) await sell([sku], -1_000);
    const { GetCommand } = await import('@aws-sdk/lib-dynamodb');
    const stored = await api.database.send(new GetCommand({ TableName: 'products', Key: { sku } }));
    expect(stored.Item?.saleIds.length).toBeLessThan(5);
  });
});

describe('the list of products', () => {
  const page = (query: string) => api.call('GET', `/v1/products${query}`);

  it('gives each product once over all its pages, and ends', async () => {
    const skus = await Promise.all(Array.from({ length: 7 }, () => newProduct()));
    const seen: string[] = [];
    let query = '?limit=3';
    for (let pages = 0; pages < 100; pages++) {
      const { status, body } = await page(query);
      expect(status).toBe(200);
      expect(body.items.length).toBeGreaterThan(0);
      seen.push(...body.items.map(({ sku }: { sku: string }) => sku));
      if (body.nextCursor === null) break;
      query = `?limit=3&cursor=${body.nextCursor}`;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(expect.arrayContaining(skus));
  });

  it('goes on where it was when the product at the cursor has been deleted', async () => {
    // Two, of which one at least is not the last of the list; in no sale, so that it can be deleted.
    const fresh = [await newProduct(), await newProduct()];
    let before = 0;
    let at = await page('?limit=1');
    while (!(fresh.includes(String(at.body.items[0]?.sku)) && at.body.nextCursor)) {
      before += 1;
      at = await page(`?limit=1&cursor=${at.body.nextCursor}`);
    }
    expect((await remove(String(at.body.items[0]?.sku))).status).toBe(204);
    const rest = await page(`?limit=100&cursor=${at.body.nextCursor}`);
    expect(rest.status).toBe(200);
    const all = await page('?limit=100');
    expect(rest.body.items).toEqual(all.body.items.slice(before));
  });

  it.each(['?limit=0', '?limit=101', '?limit=1.5', '?limit=', '?limit=%20', '?cursor=x', '?cursor=', '?colour=red', '?limit=1&limit=2'])(
    'is refused with %s',
    async (query) => {
      expect(await page(query)).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
    },
  );

  it('takes no cursor of another list', async () => {
    const { encodeCursor } = await import('../../../functions/shared/page.ts');
    expect(await page(`?cursor=${encodeCursor('sales', 'x')}`)).toMatchObject({ status: 400 });
    expect(await page(`?cursor=${encodeCursor('products', 'x')}`)).toMatchObject({ status: 200 });
  });
});
