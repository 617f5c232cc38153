import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saleRepository } from '../../../functions/sales/sale.repository.ts';
import { type Api, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();

async function newProduct(changes: Record<string, unknown> = {}): Promise<string> {
  const sku = randomUUID();
  const body = { sku, name: 'A tee', priceMinor: 2_500, currency: 'EUR', ...changes };
  expect(await api.call('POST', '/v1/products', { as: operator, body })).toMatchObject({ status: 201 });
  return sku;
}

const wish = (sku: string, changes: Record<string, unknown> = {}) => ({
  name: 'A sale',
  opensAt: inMs(-60_000),
  closesAt: inMs(3_600_000),
  items: [{ sku, units: 5 }],
  ...changes,
});
const create = (body: unknown, key: string = randomUUID()) => api.call('POST', '/v1/sales', { as: operator, key, body });
const read = (saleId: string, headers: Record<string, string> = {}) => api.call('GET', `/v1/sales/${saleId}`, { headers });
const forgetInRedis = (saleId: string) => api.redis.del(`{${saleId}}:sale`);

describe('creating a sale', () => {
  it('freezes the products’ names and prices and loads the stock', async () => {
    const sku = await newProduct();
    const saleId = randomUUID();
    const created = await create(wish(sku, { saleId, perBuyerLimit: 2 }));
    expect(created).toMatchObject({
      status: 201,
      headers: { location: `/v1/sales/${saleId}` },
      body: {
        saleId,
        state: 'open',
        holdSeconds: 300,
        strategy: 'reserve-first',
        perBuyerLimit: 2,
        items: [{ sku, name: 'A tee', priceMinor: 2_500, currency: 'EUR', total: 5, available: 5, seated: false }],
      },
    });
    expect(await api.stock.read(saleId)).toMatchObject({ outcome: 'READ', items: [{ sku, total: 5, available: 5, given: 0 }] });
    const replaced = { name: 'Dearer', priceMinor: 9_900, currency: 'USD' };
    expect(await api.call('PUT', `/v1/products/${sku}`, { as: operator, body: replaced })).toMatchObject({ status: 200 });
    expect((await read(saleId)).body.items).toEqual(created.body.items);
  });

  it('makes up an id when none is given', async () => {
    const { body } = await create(wish(await newProduct()));
    expect(await read(body.saleId)).toMatchObject({ status: 200, body: { saleId: body.saleId } });
  });

  it('does not touch a sale that exists', async () => {
    const [sku, other] = [await newProduct(), await newProduct()];
    const saleId = randomUUID();
    await create(wish(sku, { saleId }));
    const again = await create(wish(other, { saleId }));
    expect(again).toMatchObject({ status: 409, body: { code: 'ALREADY_EXISTS', retryable: false } });
    expect((await read(saleId)).body.items).toMatchObject([{ sku }]);
  });

  it('is refused when a product is unknown, or the currencies are mixed', async () => {
    const euro = await newProduct();
    const dollar = await newProduct({ currency: 'USD' });
    const unknown = await create(wish(euro, { items: [{ sku: 'nobody-knows', units: 1 }] }));
    expect(unknown).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST', detail: expect.stringContaining('nobody-knows') } });
    const mixed = await create(wish(euro, { items: [euro, dollar].map((sku) => ({ sku, units: 1 })) }));
    expect(mixed).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST', detail: expect.stringContaining('USD') } });
  });

  it.each([
    ['a window that ends as it begins', { opensAt: '2026-01-01T00:00:00Z', closesAt: '2026-01-01T00:00:00Z' }],
    ['a time without a zone', { opensAt: '2026-01-01T00:00:00' }],
    ['a date that does not exist', { opensAt: '2026-02-30T00:00:00Z' }],
    ['a time beyond what scripts take', { closesAt: '9999-01-01T00:00:00Z' }],
    ['a time as a number', { opensAt: 1_700_000_000_000 }],
    ['half a character in its name', { name: '\ud800' }],
    ['a control character in its name', { name: 'a\u0000b' }],
    ['a strategy that there is none of', { strategy: 'pay-later' }],
    ['units and seats of one item', { items: [{ sku: 'x', units: 1, seats: ['A-1'] }] }],
    ['an item without units and seats', { items: [{ sku: 'x' }] }],
    ['no seats', { items: [{ sku: 'x', seats: [] }] }],
    ['20,001 seats', { items: [{ sku: 'x', seats: Array.from({ length: 20_001 }, (_, index) => `s${index}`) }] }],
    ['a seat of 33 letters', { items: [{ sku: 'x', seats: ['s'.repeat(33)] }] }],
    ['a seat with a comma in its name', { items: [{ sku: 'x', seats: ['A,1'] }] }],
    ['no items', { items: [] }],
    ['51 items', { items: Array.from({ length: 51 }, (_, index) => ({ sku: `s${index}`, units: 1 })) }],
    ['a price', { items: [{ sku: 'x', units: 1, priceMinor: 1 }] }],
    ['a hold of 4 seconds', { holdSeconds: 4 }],
    ['a hold of 3,601 seconds', { holdSeconds: 3_601 }],
    ['a limit of 21', { perBuyerLimit: 21 }],
    ['an unknown field', { state: 'open' }],
  ])('is refused with %s', async (_, changes) => {
    expect(await create(wish('x', changes))).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('is created with either strategy', async () => {
    expect(await create(wish(await newProduct(), { strategy: 'charge-first' }))).toMatchObject({
      status: 201,
      body: { strategy: 'charge-first' },
    });
  });

  it('needs a key', async () => {
    const answer = await api.call('POST', '/v1/sales', { as: operator, body: wish('x') });
    expect(answer).toMatchObject({ status: 400, body: { code: 'IDEMPOTENCY_KEY_REQUIRED' } });
  });

  it('takes a time with an offset as the moment it names', async () => {
    const sku = await newProduct();
    const { body } = await create(wish(sku, { opensAt: '2026-01-01T02:00:00+02:00', closesAt: '2030-01-01T00:00:00Z' }));
    expect(body.opensAt).toBe('2026-01-01T00:00:00.000Z');
  });
});

describe('the key of a new sale', () => {
  it('gives the first answer again, also when the sale has changed since', async () => {
    const body = wish(await newProduct());
    const key = randomUUID();
    const first = await create(body, key);
    await api.stock.reserve({
      saleId: first.body.saleId,
      holdId: 'h',
      buyerId: 'ada',
      payloadHash: 'p',
      lines: [{ sku: String(first.body.items[0]?.sku), quantity: 2 }],
    });
    const again = await create(body, key);
    expect(again).toMatchObject({
      status: 201,
      text: first.text,
      headers: { 'idempotency-replayed': 'true', location: first.headers.location },
    });
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
  });

  it('is refused for another payload, whatever is changed', async () => {
    const body = wish(await newProduct());
    const key = randomUUID();
    await create(body, key);
    const changed = { ...body, name: 'Another' };
    expect(await create(changed, key)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    // Defaults are part of the payload: spelled out they say the same.
    expect(await create({ ...body, holdSeconds: 300, strategy: 'reserve-first' }, key)).toMatchObject({ status: 201 });
  });

  it('is another one for another caller', async () => {
    const sku = await newProduct();
    const key = randomUUID();
    const first = await create(wish(sku), key);
    const other = await api.call('POST', '/v1/sales', { as: { ...operator, sub: 'otto' }, key, body: wish(sku) });
    expect(other.status).toBe(201);
    expect(other.body.saleId).not.toBe(first.body.saleId);
  });

  it('makes one sale of any number of racers', async () => {
    const body = wish(await newProduct());
    const key = randomUUID();
    const racers = await Promise.all(Array.from({ length: 12 }, () => create(body, key)));
    expect(racers.map(({ status }) => status)).toEqual(racers.map(() => 201));
    expect(new Set(racers.map(({ text }) => text)).size).toBe(1);
    expect(racers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1);
  });

  it('is fresh again after a refusal', async () => {
    const sku = randomUUID();
    const key = randomUUID();
    expect(await create(wish(sku), key)).toMatchObject({ status: 400 });
    await api.call('POST', '/v1/products', { as: operator, body: { sku, name: 'Late', priceMinor: 1, currency: 'EUR' } });
    expect(await create(wish(sku), key)).toMatchObject({ status: 201 });
  });

  it('loads the stock that a crash after the transaction left out', async () => {
    const body = wish(await newProduct());
    const key = randomUUID();
    const { saleId } = (await create(body, key)).body;
    // As the crash leaves it: the sale and the key's answer are written, Redis knows nothing.
    await forgetInRedis(saleId);
    const neverLoaded = { TableName: 'sales', Key: { saleId }, UpdateExpression: 'SET stockLoaded = :no' };
    await api.database.send(new UpdateCommand({ ...neverLoaded, ExpressionAttributeValues: { ':no': false } }));
    expect(await read(saleId)).toMatchObject({ status: 503, body: { code: 'STOCK_NOT_READY' } });
    expect(await create(body, key)).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(await read(saleId)).toMatchObject({ status: 200, body: { state: 'open' } });
  });

  it('never loads full stock into a Redis that lost it', async () => {
    const body = wish(await newProduct());
    const key = randomUUID();
    const { saleId } = (await create(body, key)).body;
    await forgetInRedis(saleId);
    expect(await create(body, key)).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
    expect(await api.stock.read(saleId)).toEqual({ outcome: 'NOT_LOADED' });
  });
});

describe('reading a sale', () => {
  it('shows what is left, and the state that follows', async () => {
    const sku = await newProduct();
    const { saleId } = (await create(wish(sku))).body;
    const take = (holdId: string, quantity: number) =>
      api.stock.reserve({ saleId, holdId, buyerId: holdId, payloadHash: 'p', lines: [{ sku, quantity }] });
    await take('one', 4);
    expect((await read(saleId)).body).toMatchObject({ state: 'open', items: [{ available: 1, total: 5 }] });
    await take('two', 1);
    expect((await read(saleId)).body).toMatchObject({ state: 'sold-out', items: [{ available: 0, total: 5 }] });
  });

  it('shows when it is not open', async () => {
    const sku = await newProduct();
    const scheduled = await create(wish(sku, { opensAt: inMs(3_000_000) }));
    const closed = await create(wish(sku, { closesAt: inMs(-1_000) }));
    expect((await read(scheduled.body.saleId)).body).toMatchObject({ state: 'scheduled', items: [{ available: 5 }] });
    expect((await read(closed.body.saleId)).body).toMatchObject({ state: 'closed' });
  });

  it('tells a cache what it may keep, and that nothing has changed', async () => {
    const { saleId, items } = (await create(wish(await newProduct()))).body;
    const first = await read(saleId);
    expect(first.headers).toMatchObject({ 'cache-control': 'public, max-age=1', etag: expect.stringMatching(/^W\/".+"$/) });
    const etag = String(first.headers.etag);
    for (const known of [etag, `"other", ${etag}`, '*', etag.slice(2)]) {
      expect(await read(saleId, { 'if-none-match': known })).toMatchObject({ status: 304, text: '', headers: { etag } });
    }
    await api.stock.reserve({
      saleId,
      holdId: 'h',
      buyerId: 'ada',
      payloadHash: 'p',
      lines: [{ sku: String(items[0]?.sku), quantity: 1 }],
    });
    expect(await read(saleId, { 'if-none-match': etag })).toMatchObject({ status: 200 });
  });

  it('fails closed when Redis has lost the sale, unless it is over', async () => {
    const sku = await newProduct();
    const { saleId } = (await create(wish(sku))).body;
    const over = (await create(wish(sku, { closesAt: inMs(-1_000) }))).body;
    await forgetInRedis(saleId);
    await forgetInRedis(over.saleId);
    const lost = await read(saleId);
    expect(lost).toMatchObject({ status: 503, body: { code: 'STOCK_NOT_READY', retryable: true }, headers: { 'retry-after': '1' } });
    expect((await read(over.saleId)).body).toMatchObject({ state: 'closed', items: [{ available: 0 }] });
  });

  it('that nobody made, or that could not be, is not found', async () => {
    for (const saleId of ['nobody-made', 'a%20b', 'x'.repeat(65), '%00']) {
      expect(await read(saleId)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
  });
});

describe('the list of sales', () => {
  it('shows each sale once over its pages; one without stock is paused with nothing left, and spoils nothing', async () => {
    const sku = await newProduct();
    const saleIds: string[] = [];
    for (let count = 0; count < 3; count++) saleIds.push((await create(wish(sku))).body.saleId);
    const [lost = ''] = saleIds;
    await forgetInRedis(lost);
    const seen = new Map<string, { state: string; items: { available: number }[] }>();
    let query = '?limit=2';
    for (let pages = 0; pages < 100 && query; pages++) {
      const { status, body, headers } = await api.call('GET', `/v1/sales${query}`);
      expect(status).toBe(200);
      expect(headers.etag).toBeTruthy();
      for (const sale of body.items) seen.set(sale.saleId, sale);
      query = body.nextCursor === null ? '' : `?limit=2&cursor=${body.nextCursor}`;
    }
    expect(saleIds.filter((saleId) => seen.has(saleId))).toEqual(saleIds);
    expect(seen.get(lost)).toMatchObject({ state: 'paused', items: [{ available: 0 }] });
    expect(seen.get(saleIds[1] ?? '')).toMatchObject({ state: 'open', items: [{ available: 5 }] });
  });
});

describe('the sales that the sweeper looks after', () => {
  it('are those that are not over for two days', async () => {
    const sku = await newProduct();
    const dayMs = 86_400_000;
    const saleClosing = async (closesInMs: number) =>
      (await create(wish(sku, { opensAt: inMs(-9 * dayMs), closesAt: inMs(closesInMs) }))).body.saleId as string;
    const [open, closed, gone] = [await saleClosing(dayMs), await saleClosing(-dayMs), await saleClosing(-3 * dayMs)];
    const live = (await saleRepository(api.database, 'sales').liveSales(Date.now())).map(({ saleId }) => saleId);
    expect(live).toEqual(expect.arrayContaining([open, closed]));
    expect(live).not.toContain(gone);
  });
});
