import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saleRepository } from '../../../functions/sales/sale.repository.ts';
import { saleSubject } from '../../../functions/sales/sale-outbox.model.ts';
import { seatRepository } from '../../../functions/sales/seat.repository.ts';
import { readAll } from '../../../functions/shared/reads.ts';
import { type Api, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const patch = (saleId: string, body: unknown) => api.call('PATCH', `/v1/sales/${saleId}`, { as: operator, body });
const restock = (saleId: string, body: object, key: string = randomUUID()) =>
  api.call('POST', `/v1/sales/${saleId}/restock`, { as: operator, key, body: { reason: 'more came', ...body } });
const cancel = (saleId: string, key: string = randomUUID()) =>
  api.call('POST', `/v1/sales/${saleId}/cancel`, { as: operator, key, body: { reason: 'rain' } });
const seatsOf = (saleId: string, sku: string, query = '') => api.call('GET', `/v1/sales/${saleId}/seats?sku=${sku}${query}`);
const forgetInRedis = (saleId: string) => api.redis.del(`{${saleId}}:sale`);

async function newSale(items: readonly object[] = [{ units: 5 }], changes: object = {}): Promise<{ saleId: string; skus: string[] }> {
  const skus = items.map(() => randomUUID());
  for (const sku of skus) {
    const product = { sku, name: 'A tee', priceMinor: 2_500, currency: 'EUR' };
    expect(await api.call('POST', '/v1/products', { as: operator, body: product })).toMatchObject({ status: 201 });
  }
  const body = {
    name: 'A sale',
    opensAt: inMs(-60_000),
    closesAt: inMs(3_600_000),
    items: items.map((item, index) => ({ sku: skus[index], ...item })),
    ...changes,
  };
  const created = await api.call('POST', '/v1/sales', { as: operator, key: randomUUID(), body });
  expect(created).toMatchObject({ status: 201 });
  return { saleId: created.body.saleId, skus };
}

const outboxOf = (saleId: string) =>
  readAll(api.database, {
    TableName: 'outbox',
    KeyConditionExpression: 'subject = :subject',
    ExpressionAttributeValues: { ':subject': saleSubject(saleId) },
  });

describe('a sale of seats', () => {
  it('is loaded with all of them, also when they take several rows', async () => {
    const hall = Array.from({ length: 20_000 }, (_, index) => `row-${Math.floor(index / 100)}.seat-${index % 100}.block-A`);
    const stand = Array.from({ length: 300 }, (_, index) => `${index + 1}`);
    const { saleId, skus } = await newSale([{ seats: hall }, { units: 7 }, { seats: stand }]);
    const [hallSku = '', tee = '', standSku = ''] = skus;
    const sale = await saleRepository(api.database, 'sales').get(saleId, { consistent: true });
    expect(sale?.seatChunks).toBeGreaterThan(1);
    const listed = await seatRepository(api.database, 'seats').list(sale ?? expect.fail());
    expect(listed.get(hallSku)).toEqual(hall);
    expect(listed.get(standSku)).toEqual(stand);
    expect((await api.call('GET', `/v1/sales/${saleId}`)).body.items).toMatchObject([
      { sku: hallSku, total: 20_000, available: 20_000, seated: true },
      { sku: tee, total: 7, available: 7, seated: false },
      { sku: standSku, total: 300, available: 300, seated: true },
    ]);
    const last = await seatsOf(saleId, hallSku, `&limit=2&cursor=${Buffer.from('["seats","19999"]').toString('base64url')}`);
    expect(last).toMatchObject({ status: 200, body: { items: [{ seat: hall.at(-1), state: 'free' }], nextCursor: null } });
  });

  it('is a sale like any other when it has no more rows than it says', async () => {
    const { saleId } = await newSale([{ seats: ['A-1'] }]);
    const seats = seatRepository(api.database, 'seats');
    await expect(seats.list({ saleId, seatChunks: 2 })).rejects.toThrow('1 of 2 rows');
    expect(await seats.list({ saleId })).toEqual(new Map());
  });

  it('that Redis has lost shows no seat as free', async () => {
    const { saleId, skus } = await newSale([{ seats: ['A-1'] }]);
    await forgetInRedis(saleId);
    expect(await seatsOf(saleId, skus[0] ?? '')).toMatchObject({ status: 503, body: { code: 'STOCK_NOT_READY' } });
  });
});

describe('what operators do', () => {
  it('is kept with who did it, and told in events only where buyers see a difference', async () => {
    const { saleId, skus } = await newSale([{ units: 5 }, { seats: ['A-1'] }], { perBuyerLimit: 4 });
    const [tee, hall] = skus;
    await patch(saleId, { state: 'paused' });
    await patch(saleId, { state: 'paused' });
    await patch(saleId, { perBuyerLimit: 2 });
    await restock(saleId, { sku: tee, units: 3 });
    await restock(saleId, { sku: hall, seats: ['A-2', 'A-3'] });
    await patch(saleId, { state: 'open' });
    await cancel(saleId);
    await patch(saleId, { state: 'closed' });
    const by = operator.sub;
    const reason = 'more came';
    const items = [
      { sku: tee, total: 5, seated: false },
      { sku: hall, total: 1, seated: true },
    ];
    expect(await outboxOf(saleId)).toMatchObject([
      { version: 1, by, changes: {}, events: [{ name: 'SaleCreated', data: { by, items } }] },
      { version: 2, by, changes: { control: 'paused' }, events: [{ name: 'SalePaused', data: { by } }] },
      { version: 3, by, changes: { perBuyerLimit: 2 }, events: [] },
      { version: 4, by, events: [{ name: 'StockAdjusted', data: { by, reason, sku: tee, delta: 3, total: 8, seated: false } }] },
      {
        version: 5,
        by,
        changes: { sku: hall, delta: 2, seatChunks: [2] },
        events: [{ name: 'StockAdjusted', data: { by, reason, sku: hall, delta: 2, total: 3, seated: true } }],
      },
      { version: 6, by, changes: { control: 'open' }, events: [{ name: 'SaleOpened', data: { by } }] },
      { version: 7, by, events: [{ name: 'SaleClosed', data: { by, reason: 'rain', cancelled: true } }] },
    ]);
  });

  it('is answered though Redis has lost the sale, where nothing depends on it', async () => {
    const { saleId, skus } = await newSale();
    await forgetInRedis(saleId);
    expect(await patch(saleId, { state: 'paused' })).toMatchObject({ status: 200, body: { state: 'paused', items: [{ available: 0 }] } });
    const key = randomUUID();
    expect(await restock(saleId, { sku: skus[0], units: 1 }, key)).toMatchObject({ status: 503, body: { code: 'STOCK_NOT_READY' } });
    expect(await cancel(saleId)).toMatchObject({ status: 202, body: { state: 'closed' } });
  });

  it('adds no more to an item than it may have', async () => {
    const seats = Array.from({ length: 19_999 }, (_, index) => `s${index}`);
    const { saleId, skus } = await newSale([{ units: 999_999 }, { seats }]);
    const [tee, hall] = skus;
    for (const [sku, one, two] of [
      [tee, { units: 1 }, { units: 2 }],
      [hall, { seats: ['x'] }, { seats: ['x', 'y'] }],
    ] as const) {
      expect(await restock(saleId, { sku, ...two })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
      expect(await restock(saleId, { sku, ...one })).toMatchObject({ status: 200 });
      expect(await restock(saleId, { sku, ...one })).toMatchObject({ status: 400 });
    }
  });
});

// The last of the file: Redis does not come back.
describe('a Redis that is away', () => {
  it('keeps a change from being answered and not from being written, and a fresh restock from both', async () => {
    const { saleId, skus } = await newSale();
    await api.stopRedis();
    const sale = async () => saleRepository(api.database, 'sales').get(saleId, { consistent: true });
    expect(await patch(saleId, { state: 'paused' })).toMatchObject({ status: 503, body: { code: 'TRY_AGAIN', retryable: true } });
    expect(await restock(saleId, { sku: skus[0], units: 1 })).toMatchObject({ status: 503, body: { code: 'TRY_AGAIN' } });
    expect(await sale()).toMatchObject({ control: 'paused', version: 2, items: [{ total: 5 }] });
    expect(await cancel(saleId)).toMatchObject({ status: 503, body: { code: 'TRY_AGAIN' } });
    expect(await sale()).toMatchObject({ control: 'closed', cancellation: { reason: 'rain' } });
  });
});
