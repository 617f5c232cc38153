import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, buyer, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe('the service', () => {
  it('says that it is well, with both dependencies', async () => {
    const answer = await api.call('GET', '/v1/health');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', checks: { redis: 'ok', dynamodb: 'ok' } } });
    expect(answer.headers['x-request-id']).toBe('request-of-a-test');
  });
});

const at = (ms: number) => new Date(Date.now() + ms).toISOString();

async function product(changes: Record<string, unknown> = {}) {
  const sku = randomUUID();
  const answer = await api.call('POST', '/v1/products', {
    as: operator,
    body: { sku, name: 'A tee', priceMinor: 2_500, currency: 'EUR', ...changes },
  });
  expect(answer.status, answer.text).toBe(201);
  return sku;
}
const saleOf = (sku: string, changes: Record<string, unknown> = {}) => ({
  name: 'Launch',
  opensAt: at(-1_000),
  closesAt: at(3_600_000),
  items: [{ sku, units: 5 }],
  ...changes,
});

describe('a sale', () => {
  it('freezes names and prices, and has its stock loaded when it is answered', async () => {
    const sku = await product();
    const created = await api.call('POST', '/v1/sales', { as: operator, key: 'k1', body: saleOf(sku) });
    expect(created.status, created.text).toBe(201);
    expect(await api.stock.read(created.body.saleId)).toMatchObject({ outcome: 'READ', items: [{ sku, total: 5, available: 5 }] });
  });
});

describe('me', () => {
  it('is not there without an account', async () => {
    expect(await api.call('GET', '/v1/me', { as: buyer('nobody') })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
  });
});
