import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import { until } from '../../lib/client/bounded.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';

let runtime: Runtime;
let redis: RedisClient;
beforeAll(async () => {
  runtime = await startRuntime({ port: 0 });
  redis = connectRedis({ url: runtime.redisUrl, mode: 'single' });
});
afterAll(async () => {
  redis?.disconnect();
  await runtime?.stop();
});

type Body = Record<string, unknown>;

async function call(token: string, method: string, path: string, { body, key = randomUUID() }: { body?: object; key?: string } = {}) {
  const answer = await fetch(`${runtime.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': key },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text ? JSON.parse(text) : {}) as Body };
}
const token = async (sub: string, scope: string) =>
  String((await call('', 'POST', '/local/token', { body: { sub, scope } })).body.access_token);

describe('the whole system', () => {
  it('sells on within seconds after Redis has lost everything: replays answer, no unit is sold twice, all are sold', {
    timeout: 240_000,
  }, async () => {
    const operator = await token('operator', 'sale:operate');
    await call(operator, 'POST', '/v1/products', { body: { sku: 'tee', name: 'Tee', priceMinor: 100, currency: 'EUR' } });
    const window = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
    const sale = { saleId: 'drop', name: 'Drop', ...window, items: [{ sku: 'tee', units: 30 }] };
    expect(await call(operator, 'POST', '/v1/sales', { body: sale })).toMatchObject({ status: 201 });
    const tokenOfLate = await token('late-0', 'sale:buy');
    const buy = async (buyer: string, bearer?: string) =>
      call(bearer ?? (await token(buyer, 'sale:buy')), 'POST', '/v1/sales/drop/orders', {
        key: `key-of-${buyer}`,
        body: { items: [{ sku: 'tee', quantity: 2 }], payment: { method: 'external' } },
      });
    const before = await Promise.all(Array.from({ length: 10 }, (_, n) => buy(`early-${n}`)));
    expect(before.map(({ status }) => status)).toEqual(before.map(() => 201));

    await redis.flushall();
    // With a token from before: nothing comes between the loss and whoever meets it first.
    expect(await buy('late-0', tokenOfLate)).toMatchObject({ status: 503, body: { code: 'STOCK_NOT_READY', retryable: true } });
    // Who has an order is told of it meanwhile.
    expect((await buy('early-0')).body.orderId).toBe(before[0]?.body.orderId);
    const served = await until(
      'the sale sells again',
      async () => {
        const answer = await buy('late-0');
        return answer.body.code === 'STOCK_NOT_READY' ? undefined : answer;
      },
      { withinMs: 120_000, everyMs: 50 },
    );
    expect(served).toMatchObject({ status: 201 });

    const late = await Promise.all(Array.from({ length: 9 }, (_, n) => buy(`late-${n + 1}`)));
    expect(late.map(({ status }) => status).sort()).toEqual([...Array(4).fill(201), ...Array(5).fill(409)]);
    const again = await Promise.all(Array.from({ length: 10 }, (_, n) => buy(`early-${n}`)));
    expect(again.map(({ body }) => body.orderId)).toEqual(before.map(({ body }) => body.orderId));
    const audit = await call(operator, 'GET', '/v1/sales/drop/audit');
    expect(audit.body).toMatchObject({
      items: [{ total: 30, available: 0, held: 30, conserved: true }],
      redis: { agrees: true, drift: [] },
    });
  });

  it('shows what was counted of a sale that Redis has lost and that nobody loads again', { timeout: 180_000 }, async () => {
    const operator = await token('operator', 'sale:operate');
    await call(operator, 'POST', '/v1/products', { body: { sku: 'mug', name: 'Mug', priceMinor: 100, currency: 'EUR' } });
    const window = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
    const sale = { saleId: 'over', name: 'Over', ...window, items: [{ sku: 'mug', units: 10 }] };
    expect(await call(operator, 'POST', '/v1/sales', { body: sale })).toMatchObject({ status: 201 });
    const body = { items: [{ sku: 'mug', quantity: 3 }], payment: { method: 'external' } };
    expect(await call(await token('eve', 'sale:buy'), 'POST', '/v1/sales/over/orders', { body })).toMatchObject({ status: 201 });
    expect(await call(operator, 'PATCH', '/v1/sales/over', { body: { state: 'closed' } })).toMatchObject({ status: 200 });

    await redis.flushall();
    const shown = await until(
      'the events are counted',
      async () => {
        const answer = await call('', 'GET', '/v1/sales/over');
        const [item] = answer.body.items as { available: number }[];
        return item?.available === 7 ? answer : undefined;
      },
      { withinMs: 120_000 },
    );
    expect(shown).toMatchObject({ status: 200, body: { state: 'closed', items: [{ total: 10, available: 7 }] } });
    const { body: list } = await call('', 'GET', '/v1/sales?limit=100');
    expect(list.items).toContainEqual(
      expect.objectContaining({ saleId: 'over', state: 'closed', items: [expect.objectContaining({ available: 7 })] }),
    );
  });

  it('reconciles by its schedule every sale that lives, and lists the run', async () => {
    const operator = await token('operator', 'sale:operate');
    await call(operator, 'POST', '/v1/products', { body: { sku: 'cap', name: 'Cap', priceMinor: 100, currency: 'EUR' } });
    const window = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
    const sale = { saleId: 'alive', name: 'Alive', ...window, items: [{ sku: 'cap', units: 5 }] };
    expect(await call(operator, 'POST', '/v1/sales', { body: sale })).toMatchObject({ status: 201 });
    expect(await call('', 'POST', '/local/run/reconciler')).toMatchObject({ status: 200 });
    const { items } = (await call(operator, 'GET', '/v1/reconciliations?limit=100')).body as { items: ScheduledRun[] };
    const runs = items.filter(({ trigger }) => trigger === 'schedule');
    expect(runs.flatMap(({ sales }) => sales).map(({ saleId }) => saleId)).toContain('alive');
  });
});

interface ScheduledRun {
  readonly trigger: string;
  readonly sales: readonly { readonly saleId: string }[];
}
