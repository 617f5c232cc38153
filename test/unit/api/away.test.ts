import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, operator, startApi } from '../../support/api.ts';
import { isDoneWithin } from '../../support/timing.ts';

let api: Api;
const saleId = randomUUID();
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const sale = (id: string) => ({ saleId: id, name: 'A sale', opensAt: inMs(0), closesAt: inMs(60_000), items: [{ sku: 'tee', units: 5 }] });

beforeAll(async () => {
  api = await startApi();
  const product = { sku: 'tee', name: 'A tee', priceMinor: 100, currency: 'EUR' };
  expect(await api.call('POST', '/v1/products', { as: operator, body: product })).toMatchObject({ status: 201 });
  expect(await api.call('POST', '/v1/sales', { as: operator, key: 'k', body: sale(saleId) })).toMatchObject({ status: 201 });
  await api.stopRedis();
});
afterAll(() => api.stop());

describe('without Redis', () => {
  it('the service says within a second or so which dependency is away', async () => {
    const health = api.call('GET', '/v1/health');
    expect(await isDoneWithin(3_000, health)).toBe(true);
    expect(await health).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { code: 'TRY_AGAIN', checks: { redis: 'away', dynamodb: 'ok' } },
    });
  });

  it('the catalogue is there, and a list of sales shows them as paused', async () => {
    expect(await api.call('GET', '/v1/products/tee')).toMatchObject({ status: 200 });
    const list = await api.call('GET', '/v1/sales');
    expect(list).toMatchObject({ status: 200, body: { items: [{ saleId, state: 'paused', items: [{ available: 0 }] }] } });
  });

  it('a sale is not shown as full or sold out, and none is called created', async () => {
    expect(await api.call('GET', `/v1/sales/${saleId}`)).toMatchObject({ status: 503, body: { retryable: true } });
    const created = await api.call('POST', '/v1/sales', { as: operator, key: 'another', body: sale(randomUUID()) });
    expect(created).toMatchObject({ status: 503, body: { code: 'TRY_AGAIN', retryable: true } });
  });

  it('an audit counts by rows, and says that Redis could not be read', async () => {
    const audit = await api.call('GET', `/v1/sales/${saleId}/audit`, { as: operator });
    expect(audit).toMatchObject({
      status: 200,
      body: { items: [{ total: 5, available: 5, conserved: false }], redis: { agrees: false, drift: ['Redis could not be read'] } },
    });
  });
});
