import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Api, operator, startApi } from '../../support/api.ts';

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

describe('the answers about accounts', () => {
  it('say where a new account is, and that there is no other', async () => {
    const opened = await api.call('POST', '/v1/users', { as: operator, body: { userId: 'eve', balanceMinor: 5, currency: 'EUR' } });
    expect(opened).toMatchObject({ status: 201, headers: { location: '/v1/users/eve' } });
    expect(await api.call('GET', '/v1/users/nobody', { as: operator })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const credit = (userId: string, key: string, amountMinor: number) =>
      api.call('POST', `/v1/users/${userId}/credits`, { as: operator, key, body: { amountMinor } });
    expect(await credit('nobody', 'a', 1)).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    const first = await credit('eve', 'b', 1);
    expect(first.status).toBe(200);
    expect(first.headers).not.toHaveProperty('idempotency-replayed');
    expect(await credit('eve', 'b', 1)).toMatchObject({ status: 200, headers: { 'idempotency-replayed': 'true' }, text: first.text });
    expect(await credit('eve', 'b', 2)).toMatchObject({ status: 422, body: { code: 'IDEMPOTENCY_KEY_REUSED' } });
  });
});
