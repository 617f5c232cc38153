import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { Connection } from '../../lib/client/connection.ts';
import { isAtRest } from '../../lib/client/contract.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { granted } from '../support/acceptance.ts';

/** The template as it is deployed with `OUTBOX_MODE=polling`: no stream is listened to, so whatever happens by events happens by the poller. */
const patient = { withinMs: 120_000 };

let runtime: Runtime;
let connection: Connection;
let operator: Client;
let buyer: Client;
const names = { sku: `sku-${randomUUID()}`, saleId: `sale-${randomUUID()}`, userId: `ada-${randomUUID()}` };

beforeAll(async () => {
  runtime = await startRuntime({ port: 0, outboxMode: 'polling' });
  connection = new Connection(runtime.url, { connections: 4, timeoutMs: 20_000 });
  const client = new Client(connection);
  const as = async (sub: string, scope: string) => client.as(granted(await client.localToken({ sub, scope })).access_token);
  [operator, buyer] = await Promise.all([as('operator', 'sale:operate'), as(names.userId, 'sale:buy')]);
  const { sku, saleId, userId } = names;
  granted(await operator.createProduct({ sku, name: 'Tee', priceMinor: 2_500, currency: 'EUR' }), 201);
  granted(await operator.createUser({ userId, balanceMinor: 10_000, currency: 'EUR' }), 201);
  const [opensAt, closesAt] = [-60_000, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString()) as [string, string];
  granted(await operator.createSale({ saleId, name: 'Drop', opensAt, closesAt, items: [{ sku, units: 5 }] }, randomUUID()), 201);
}, 360_000);
afterAll(async () => {
  await connection?.close();
  await runtime?.stop();
});

describe('a runtime whose outbox is polled', () => {
  it('brings an order to its end, with its tickets, and shows it in lists', { timeout: 240_000 }, async () => {
    const { orderId } = granted(await buyer.placeOrder(names.saleId, { items: [{ sku: names.sku, quantity: 2 }] }, randomUUID()), 201);
    const order = await until(
      'the order is at rest',
      async () => {
        const seen = granted(await buyer.order(orderId));
        return isAtRest(seen) ? seen : undefined;
      },
      patient,
    );
    expect(order).toMatchObject({ status: 'FULFILLED' });
    expect(order.tickets).toHaveLength(2);
    await until(
      'it is listed as it is',
      async () => {
        const { items } = granted(await buyer.orders({ saleId: names.saleId }));
        return items[0]?.status === 'FULFILLED' || undefined;
      },
      patient,
    );
  });

  it('publishes what is left over when it is told to, and answers when that is done', async () => {
    expect(granted(await operator.localRun('outbox'))).toMatchObject({ schedule: 'outbox', outcome: 'done' });
    expect(granted(await operator.deadLetters({ queue: 'outbox' }))).toMatchObject({ items: [] });
  });
});
