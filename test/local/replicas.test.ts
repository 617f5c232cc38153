import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Client } from '../../lib/client/client.ts';
import { type Answer, Connection } from '../../lib/client/connection.ts';
import type { OrderBody } from '../../lib/client/contract.ts';
import { type Callers, localCallers } from '../../lib/client/tokens.ts';
import { closeServer, listenLocally } from '../../lib/local/aws-json.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { synthesisedApp } from './lives.ts';
import { childrenOf, twoFreePorts } from './processes.ts';
import { route, startSmallApp, writeAssembly } from './small-app.ts';

const app = synthesisedApp();

describe('three front ends on one set of data', () => {
  let runtime: Runtime | undefined;
  /** The same caller, at each front end. */
  let fronts: Client[] = [];
  let callers: Callers;

  beforeAll(async () => {
    runtime = await startRuntime({ port: 0, replicas: 3, cdkOut: app.cdkOut() });
    const connections = runtime.urls.map((url) => new Connection(url, { connections: 20, timeoutMs: 20_000 }));
    fronts = connections.map((connection) => new Client(connection));
    callers = localCallers(front(0), `buyer-${randomUUID().slice(0, 8)}`);
    return async () => {
      await Promise.all(connections.map((connection) => connection.close()));
      await runtime?.stop();
    };
  });

  function front(number: number): Client {
    const client = fronts[number % 3];
    if (!client) throw new Error('three front ends were asked for');
    return client;
  }

  /** A sale, made at the first front end, and buyers with accounts, made all over. */
  async function openSale({ units, buyers }: { units: number; buyers: number }) {
    const operator = await callers.operator();
    const crowd = await callers.buyers(buyers);
    const saleId = `sale-${randomUUID()}`;
    const sku = `${saleId}-tee`;
    const times = { opensAt: new Date(Date.now() - 60_000).toISOString(), closesAt: new Date(Date.now() + 3_600_000).toISOString() };
    const answers: Answer<unknown>[] = [
      await front(0).as(operator).createProduct({ sku, name: 'Tee', priceMinor: 100, currency: 'EUR' }),
      await front(0)
        .as(operator)
        .createSale({ saleId, name: saleId, ...times, items: [{ sku, units }] }, saleId),
      ...(await Promise.all(
        crowd.map(({ userId }, index) => front(index).as(operator).createUser({ userId, balanceMinor: 1_000, currency: 'EUR' })),
      )),
    ];
    for (const answer of answers) expect(answer.status, answer.text).toBe(201);
    return { saleId, order: { items: [{ sku, quantity: 1 }] }, crowd };
  }

  it('sell 10 units to exactly 10 of 40 buyers, and each front end tells the same of it', async () => {
    const { saleId, order, crowd } = await openSale({ units: 10, buyers: 40 });
    const answers = await Promise.all(crowd.map(({ token }, index) => front(index).as(token).placeOrder(saleId, order, 'key')));
    const won = answers.flatMap((answer) => (answer.ok ? [answer.body] : []));
    expect(won.flatMap(({ items }) => items.flatMap(({ units }) => units)).sort()).toEqual(
      ['1', '2', '3', '4', '5', '6', '7', '8', '9', '10'].sort(),
    );
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(30);
    for (const client of fronts) {
      await expect.poll(async () => (await client.sale(saleId)).body, { timeout: 50_000 }).toMatchObject({ items: [{ available: 0 }] });
    }
  });

  it('give one order to one key, whichever of them is asked, also at the same time', async () => {
    const { saleId, order, crowd } = await openSale({ units: 10, buyers: 1 });
    const [buyer] = crowd;
    const place = (client: Client): Promise<Answer<OrderBody>> => client.as(buyer?.token ?? '').placeOrder(saleId, order, 'key');
    const atOnce = await Promise.all(fronts.map(place));
    const later = await Promise.all(fronts.map(place));
    const bodies = [...atOnce, ...later].flatMap((answer) => (answer.ok ? [answer.body] : []));
    expect(bodies.length).toBeGreaterThanOrEqual(4);
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    for (const answer of atOnce) if (!answer.ok) expect(answer.body?.code).toBe('REQUEST_IN_FLIGHT');
    for (const answer of later) expect(answer).toMatchObject({ status: 201, headers: { 'idempotency-replayed': 'true' } });
  });

  it('take each other’s tokens, which name the first as their issuer', async () => {
    const { access_token } = (await front(2).localToken({ sub: 'ada', scope: 'sale:operate' })).body as { access_token: string };
    const claims = JSON.parse(Buffer.from(access_token.split('.')[1] ?? '', 'base64url').toString()) as { iss: string };
    expect(claims.iss).toBe(`${runtime?.url}/local`);
    for (const client of fronts) expect((await client.as(access_token).user('nobody')).status).toBe(404);
  });
});

const count = { Count: { code: 'let calls = 0; export const handler = async () => ({ statusCode: 200, body: String(++calls) });' } };
const bodyOf = async (url: string) => (await fetch(url)).text();

it('gives each front end containers of its own, and each a port', async () => {
  const { urls, url } = await startSmallApp(count, route('GET /', 'Count'), { replicas: 3 });
  expect([urls.length, new Set(urls).size, urls[0]]).toEqual([3, 3, url]);
  expect([await bodyOf(urls[0] ?? ''), await bodyOf(urls[0] ?? ''), await bodyOf(urls[1] ?? ''), await bodyOf(urls[2] ?? '')]).toEqual([
    '1',
    '2',
    '1',
    '1',
  ]);
});

it('takes the ports that follow the first, and starts with nothing when one of them is in use', async () => {
  const before = childrenOf(process.pid).length;
  const cdkOut = await writeAssembly(count, route('GET /', 'Count'));
  const server = createServer();
  const inUse = (await twoFreePorts()) + 1;
  await listenLocally(server, inUse);
  onTestFinished(() => closeServer(server));
  await expect(startRuntime({ port: inUse - 1, replicas: 2, cdkOut })).rejects.toMatchObject({ code: 'EADDRINUSE', port: inUse });
  await expect.poll(() => childrenOf(process.pid).length, { timeout: 50_000 }).toBeLessThanOrEqual(before);
  await expect(fetch(`http://127.0.0.1:${inUse - 1}`)).rejects.toThrow();

  const port = await twoFreePorts();
  const { urls } = await startSmallApp(count, route('GET /', 'Count'), { port, replicas: 2 });
  expect(urls).toEqual([port, port + 1].map((each) => `http://127.0.0.1:${each}`));
});
