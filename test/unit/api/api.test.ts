import { randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issueTickets } from '../../../functions/fulfilment/ticket.model.ts';
import { type Api, buyer, operator, startApi, ticketSecret } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const order = {
  orderId: `ord_${'a'.repeat(21)}A`,
  holdId: `${'a'.repeat(21)}A`,
  saleId: 'launch',
  buyerId: 'ada',
  status: 'FULFILLED',
  items: [{ sku: 'tee', quantity: 1, units: ['7'], priceMinor: 100 }],
};
const putOrder = (changes: object = {}) => api.database.send(new PutCommand({ TableName: 'orders', Item: { ...order, ...changes } }));

describe('the service', () => {
  it('says that it is well, with both dependencies', async () => {
    const answer = await api.call('GET', '/v1/health');
    expect(answer).toMatchObject({ status: 200, body: { status: 'ok', checks: { redis: 'ok', dynamodb: 'ok' } } });
    expect(answer.headers['x-request-id']).toBe('request-of-a-test');
  });

  it('publishes its OpenAPI document, and the same one again', async () => {
    const first = await api.call('GET', '/v1/openapi.json');
    expect(first).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' }, body: { openapi: '3.1.0' } });
    expect((await api.call('GET', '/v1/openapi.json')).text).toBe(first.text);
  });

  it('answers what it does not serve in the problem form', async () => {
    const nowhere = await api.call('GET', '/v1/nowhere');
    expect(nowhere).toMatchObject({ status: 404, body: { code: 'NOT_FOUND', instance: '/v1/nowhere' } });
    expect(nowhere.headers).toMatchObject({ 'content-type': 'application/problem+json', 'x-request-id': 'request-of-a-test' });
    const wrong = await api.call('DELETE', '/v1/sales/x/orders');
    expect(wrong).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' }, headers: { allow: 'OPTIONS, POST' } });
    expect(await api.call('HEAD', '/v1/health')).toMatchObject({ status: 200, text: '' });
  });
});

describe('a ticket', () => {
  it('is checked by its code alone, and a forged one is not found', async () => {
    await putOrder();
    const code = issueTickets(order, ticketSecret)[0]?.code ?? '';
    const checked = await api.call('GET', `/v1/tickets/${code}`);
    expect(checked).toMatchObject({ status: 200, body: { valid: true, saleId: 'launch', sku: 'tee', unit: '7' } });
    const forged = issueTickets(order, 'another secret than that of the service')[0]?.code;
    for (const wrong of [forged, code.slice(1), `${code}A`, 'x', '%20']) {
      expect(await api.call('GET', `/v1/tickets/${wrong}`)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
    await putOrder({ status: 'REFUNDED' });
    expect((await api.call('GET', `/v1/tickets/${code}`)).body).toMatchObject({ valid: false, unit: '7' });
  });
});

describe('an audit', () => {
  it('is for operators, of a sale that exists', async () => {
    const sku = randomUUID();
    const product = { sku, name: 'A tee', priceMinor: 100, currency: 'EUR' };
    expect(await api.call('POST', '/v1/products', { as: operator, body: product })).toMatchObject({ status: 201 });
    const [opensAt, closesAt] = [0, 60_000].map((ms) => new Date(Date.now() + ms).toISOString());
    const sale = { saleId: sku, name: 'A sale', opensAt, closesAt, items: [{ sku, units: 70 }] };
    expect(await api.call('POST', '/v1/sales', { as: operator, key: 'k', body: sale })).toMatchObject({ status: 201 });
    expect(await api.call('GET', `/v1/sales/${sku}/audit`, { as: operator })).toMatchObject({
      status: 200,
      body: {
        items: [{ sku, total: 70, available: 70, held: 0, sold: 0, retired: 0, conserved: true }],
        money: { authorisedMinor: 0, capturedMinor: 0, fulfilledMinor: 0, refundedMinor: 0, balanced: true },
        redis: { agrees: true, drift: [] },
      },
    });
    expect(await api.call('GET', '/v1/sales/nobody-made/audit', { as: operator })).toMatchObject({ status: 404 });
    expect(await api.call('GET', `/v1/sales/${sku}/audit`, { as: buyer('ada') })).toMatchObject({ status: 403 });
  });
});
