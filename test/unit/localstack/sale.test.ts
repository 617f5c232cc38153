import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../../lib/client/bounded.ts';
import { Client } from '../../../lib/client/client.ts';
import { Connection } from '../../../lib/client/connection.ts';
import { type EmulatorGateway, startEmulatorGateway } from '../../../lib/localstack/gateway.ts';
import { startEmulator } from './emulator.ts';

let emulator: Awaited<ReturnType<typeof startEmulator>>;
let gateway: EmulatorGateway;
let connection: Connection;
beforeAll(async () => {
  emulator = await startEmulator();
  // As `npm run localstack:gateway` starts it: with the routes of the app that AWS gets.
  gateway = await startEmulatorGateway({ port: 0, endpoint: emulator.url });
  connection = new Connection(gateway.url, { connections: 10 });
});
afterAll(async () => {
  await connection?.close();
  await gateway?.stop();
  await emulator?.stop();
});

it('sells through gateway, Invoke API and the functions that are deployed for an emulator, from a sale’s creation to the tickets', async () => {
  const anyone = new Client(connection);
  const as = async (sub: string, scope: string) => {
    const answer = await anyone.localToken({ sub, scope });
    if (!answer.ok) throw new Error(answer.text);
    return anyone.as(answer.body.access_token);
  };
  const operator = await as('olga', 'sale:operate');
  expect((await anyone.health()).status).toBe(200);
  expect((await operator.createProduct({ sku: 'tee', name: 'Tee', priceMinor: 100, currency: 'EUR' })).status).toBe(201);
  expect((await operator.createUser({ userId: 'ada', balanceMinor: 1_000, currency: 'EUR' })).status).toBe(201);
  const times = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 600_000).toISOString() };
  const sale = { saleId: 'drop', name: 'Drop', ...times, items: [{ sku: 'tee', units: 1 }] };
  expect((await operator.createSale(sale, randomUUID())).status).toBe(201);

  const ada = await as('ada', 'sale:buy');
  const key = randomUUID();
  const placed = await ada.placeOrder('drop', { items: [{ sku: 'tee', quantity: 1 }] }, key);
  if (!placed.ok) throw new Error(placed.text);
  expect((await ada.placeOrder('drop', { items: [{ sku: 'tee', quantity: 1 }] }, key)).text).toBe(placed.text);
  expect((await ada.placeOrder('drop', { items: [{ sku: 'tee', quantity: 1 }] }, randomUUID())).status).toBe(409);
  // By stream, bus and queues, none of which passes the gateway.
  const order = await until(
    'the order is fulfilled',
    async () => {
      const seen = await ada.order(placed.body.orderId);
      return seen.ok && seen.body.status === 'FULFILLED' ? seen.body : undefined;
    },
    { withinMs: 120_000 },
  );
  expect(order.tickets).toHaveLength(1);
});

it('runs the sweeper where the emulator does not, and serves the page', async () => {
  const swept = await fetch(`${gateway.url}/local/run/sweeper`, { method: 'POST' });
  expect([swept.status, await swept.json()]).toMatchObject([200, { outcome: 'done' }]);
  const page = await fetch(`${gateway.url}/docs`);
  const html = await page.text();
  const [, script = ''] = /src="(docs\/swagger-ui[^"]+)"/.exec(html) ?? [];
  expect((await (await fetch(`${gateway.url}/${script}`)).text()).length).toBeGreaterThan(1_000_000);
});
