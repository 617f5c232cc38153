import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Client } from '../../lib/client/client.ts';
import { type Answer, Connection } from '../../lib/client/connection.ts';
import { isAtRest } from '../../lib/client/contract.ts';
import { localCallers } from '../../lib/client/tokens.ts';
import { startChild } from '../../lib/local/child.ts';
import { openDataDirectory } from '../../lib/local/data-directory.ts';
import { startRuntime } from '../../lib/local/index.ts';
import { findProgram } from '../../lib/local/redis.ts';
import { synthesisedApp } from './lives.ts';
import { childrenOf, twoFreePorts } from './processes.ts';
import { ref, route, writeAssembly } from './small-app.ts';

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

const app = synthesisedApp();

it('finds orders, keys, balances and tokens again after a restart on the same port', async () => {
  const options = { port: await twoFreePorts(), dataDirectory: join(await emptyDirectory(), 'made', 'when-missing'), cdkOut: app.cdkOut() };
  let runtime = await startRuntime(options);
  onTestFinished(() => runtime.stop());
  const connection = new Connection(runtime.url, { connections: 4, timeoutMs: 20_000 });
  onTestFinished(() => connection.close());
  const anyone = new Client(connection);
  const callers = localCallers(anyone, 'kept');
  const operator = anyone.as(await callers.operator());
  const [ada] = await callers.buyers(1);
  const buyer = anyone.as(ada?.token ?? '');
  const saleId = `sale-${randomUUID()}`;
  const times = { opensAt: new Date(Date.now() - 60_000).toISOString(), closesAt: new Date(Date.now() + 3_600_000).toISOString() };
  const made: Answer<unknown>[] = [
    await operator.createProduct({ sku: 'tee', name: 'Tee', priceMinor: 300, currency: 'EUR' }),
    await operator.createUser({ userId: ada?.userId ?? '', balanceMinor: 1_000, currency: 'EUR' }),
    await operator.createSale({ saleId, name: 'Kept', ...times, perBuyerLimit: 3, items: [{ sku: 'tee', units: 10 }] }, 'key'),
  ];
  for (const answer of made) expect(answer.status, answer.text).toBe(201);
  const place = (quantity: number, key: string) => buyer.placeOrder(saleId, { items: [{ sku: 'tee', quantity }] }, key);
  const first = await place(2, 'first');
  expect(first.status, first.text).toBe(201);
  if (!first.ok) return;
  const order = async () => (await buyer.order(first.body.orderId)).body;
  await expect.poll(async () => isAtRest((await order()) as { status: 'RESERVED' }), { timeout: 60_000 }).toBe(true);
  const before = { order: await order(), me: (await buyer.me()).body, sale: (await anyone.sale(saleId)).body };

  await runtime.stop();
  runtime = await startRuntime(options);

  const { serverTime: _, ...sale } = before.sale as unknown as Record<string, unknown>;
  expect({ order: await order(), me: (await buyer.me()).body }).toEqual({ order: before.order, me: before.me });
  expect((await anyone.sale(saleId)).body).toMatchObject(sale);
  const replay = await place(2, 'first');
  expect([replay.status, replay.headers['idempotency-replayed'], replay.body]).toEqual([201, 'true', first.body]);
  expect((await place(1, 'first')).body).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
  // What Redis alone counts is there too: the limit, and where the serials go on.
  expect((await place(2, 'second')).body).toMatchObject({ code: 'BUYER_LIMIT' });
  expect((await place(1, 'third')).body).toMatchObject({ items: [{ units: ['3'] }] });
}, 300_000);

const hello = { Hello: { code: 'export const handler = async () => ({ statusCode: 200, body: "hello" });' } };
const table = (sortKey: string) => ({
  Rows: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      KeySchema: [
        { AttributeName: 'id', KeyType: 'HASH' },
        { AttributeName: sortKey, KeyType: 'RANGE' },
      ],
      AttributeDefinitions: ['id', sortKey].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      BillingMode: 'PAY_PER_REQUEST',
    },
  },
});

describe('the directory for data', () => {
  it('is refused to a second runtime, and free again once the first has stopped', async () => {
    const dataDirectory = await emptyDirectory();
    const cdkOut = await writeAssembly(hello, route('GET /', 'Hello'));
    const first = await startRuntime({ port: 0, cdkOut, dataDirectory });
    onTestFinished(() => first.stop());
    const before = childrenOf(process.pid).length;
    await expect(startRuntime({ port: 0, cdkOut, dataDirectory })).rejects.toThrow(
      `DATA_DIR ${dataDirectory} is in use by another runtime: stop that one, or give another directory.`,
    );
    await expect.poll(() => childrenOf(process.pid).length, { timeout: 50_000 }).toBeLessThanOrEqual(before);
    expect(await (await fetch(first.url)).text()).toBe('hello');
    await first.stop();
    const second = await startRuntime({ port: 0, cdkOut, dataDirectory });
    await second.stop();
  });

  it('is refused in one sentence when it can’t be written', async () => {
    const file = join(await emptyDirectory(), 'a-file');
    await writeFile(file, '');
    await expect(openDataDirectory(join(file, 'below'))).rejects.toThrow(
      /^DATA_DIR .*below can't be written \(.*\): give a directory that can\.$/,
    );
    await expect(openDataDirectory(file)).rejects.toThrow(/^DATA_DIR .*a-file can't be written/);
    // Where making a directory finds everything above it and fails all the same.
    await expect(openDataDirectory('/proc/below/nothing')).rejects.toThrow(/^DATA_DIR .*nothing can't be written/);
  });

  it('holds secrets and keys that only their owner can read', async () => {
    const dataDirectory = join(await emptyDirectory(), 'data');
    const secret = { Type: 'AWS::SecretsManager::Secret', Properties: { GenerateSecretString: { PasswordLength: 40 } } };
    const cdkOut = await writeAssembly(hello, { ...route('GET /', 'Hello'), Secret: secret });
    const secretOf = async () =>
      JSON.parse(await readFile(join(dataDirectory, 'secrets.json'), 'utf8')) as Record<string, { text: string }>;
    const start = async () => (await startRuntime({ port: 0, cdkOut, dataDirectory })).stop();
    await start();
    const before = await secretOf();
    expect(Object.values(before)).toMatchObject([{ text: expect.stringMatching(/^\w{40}$/) }]);
    expect(statSync(dataDirectory).mode & 0o077).toBe(0);
    for (const name of ['secrets.json', 'issuer.json']) expect(statSync(join(dataDirectory, name)).mode & 0o777).toBe(0o600);
    await start();
    expect(await secretOf()).toEqual(before);
  });

  it('of another version is refused, naming what is other', async () => {
    const dataDirectory = await emptyDirectory();
    const start = async (sortKey: string) => {
      const cdkOut = await writeAssembly({ Hello: { ...hello.Hello, environment: { TABLE: ref('Rows') } } }, table(sortKey));
      return (await startRuntime({ port: 0, cdkOut, dataDirectory })).stop();
    };
    await start('n');
    await start('n');
    await expect(start('m')).rejects.toThrow(/^DATA_DIR .* was made by another version of Stampede: its table Small-Rows has other keys\./);
  });

  it('waits for what a killed runtime left behind, and says which process it is when that does not end', async () => {
    const path = await emptyDirectory();
    const leftover = await startChild({ command: 'sleep', args: ['60'] });
    onTestFinished(() => leftover.stop());
    const first = await openDataDirectory(path);
    await first.noteProcess(leftover.pid);
    // As if it had been killed: nothing was taken back but the lock.
    first.release();
    const began = performance.now();
    const second = openDataDirectory(path);
    setTimeout(() => void leftover.stop(), 500);
    (await second).release();
    expect(performance.now() - began).toBeGreaterThan(400);

    const stays = await startChild({ command: 'sleep', args: ['60'] });
    onTestFinished(() => stays.stop());
    const third = await openDataDirectory(path);
    await third.noteProcess(stays.pid);
    third.release();
    await expect(openDataDirectory(path)).rejects.toThrow(`end the process ${stays.pid}.`);
  }, 120_000);

  it.runIf(findProgram())(
    'copes with an append-only file whose last command is torn',
    async () => {
      const dataDirectory = await emptyDirectory();
      const cdkOut = await writeAssembly(hello, route('GET /', 'Hello'));
      const start = async () => (await startRuntime({ port: 0, cdkOut, dataDirectory })).stop();
      await start();
      const parts = join(dataDirectory, 'redis', 'appendonlydir');
      const appended = existsSync(parts)
        ? join(parts, readdirSync(parts).find((name) => name.endsWith('.incr.aof')) ?? '')
        : join(dataDirectory, 'redis', 'appendonly.aof');
      await writeFile(appended, '*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n*3\r\n$3\r\nSET\r\n$1');
      await start();
      await writeFile(appended, 'nothing that Redis ever wrote');
      await expect(start()).rejects.toThrow(/^No Redis came up .* keeps its copy of sales in .*redis: without that directory it starts/);
    },
    180_000,
  );
});
