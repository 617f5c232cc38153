import { createServer, type Server, type Socket, connect as tcp } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import {
  BadCall,
  bare,
  defineScript,
  type Replies,
  ScriptFailed,
  ScriptUnanswered,
  UnexpectedReply,
  whole,
} from '../../functions/shared/script.ts';
import { stockScripts } from '../../functions/stock/stock.scripts.ts';
import { isDoneWithin } from '../support/timing.ts';
import { aRequest, expectConserved, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();
const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A server of the test's own on a free port; the test's end closes it and what it accepted. */
async function listen(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `redis://127.0.0.1:${address.port}`;
}

/** Redis behind a wire that can be cut between a call (of a script, or of the clock) and its answer. */
async function cuttableRedis(): Promise<{ redis: RedisClient; cutReplies: (count: number) => void; callsSeen: () => number }> {
  let cuts = 0;
  let seen = 0;
  const { port, hostname } = new URL(bench.url);
  const url = await listen((client) => {
    const server = tcp(Number(port), hostname).on('error', () => {});
    let lose = false;
    client.on('data', (data) => {
      const isCall = ['evalsha', 'EVALSHA', 'eval', '*1\r\n$4\r\ntime\r\n'].some((command) => data.includes(command));
      if (isCall) seen += 1;
      if (isCall && cuts > 0) {
        cuts -= 1;
        lose = true;
      }
      server.write(data);
    });
    server.on('data', (data) => (lose ? client.destroy() : client.write(data)));
    client.on('close', () => server.destroy());
  });
  return { redis: open(url), cutReplies: (count) => (cuts = count), callsSeen: () => seen };
}

function open(url: string, commandTimeoutMs?: number): RedisClient {
  const redis = connectRedis({ url, mode: 'single', ...(commandTimeoutMs ? { commandTimeoutMs } : {}) });
  closers.push(() => redis.disconnect());
  return redis;
}

const scriptOf = (lua: string) =>
  defineScript({
    name: 'test.script',
    lua: [lua],
    keys: ['key'],
    args: ['arg'],
    replies: { DONE: z.tuple([whole]).transform(([count]) => ({ count })), NONE: bare } satisfies Replies,
  });
const call = { keys: { key: '{t}:key' }, args: { arg: 7 } };

describe('a script', () => {
  it('runs whether Redis knows it or not', async () => {
    const script = scriptOf(`return { 'DONE', tonumber(ARGV[1]) }`);
    await bench.redis.script('FLUSH');
    expect(await script(bench.redis, call)).toEqual({ outcome: 'DONE', count: 7 });
    expect(await script(bench.redis, call)).toEqual({ outcome: 'DONE', count: 7 });
    await bench.redis.script('FLUSH');
    expect(await Promise.all([script(bench.redis, call), script(bench.redis, call)])).toEqual(Array(2).fill({ outcome: 'DONE', count: 7 }));
  });

  it.each([
    `return { 'ELSE' }`,
    `return { 'DONE' }`,
    `return { 'DONE', 'many' }`,
    `return { 'NONE', 1 }`,
    `return 1`,
    `return nil`,
    `return {}`,
    `return { 'toString' }`,
  ])('that answers outside its contract is an error: %s', async (lua) => {
    await expect(scriptOf(lua)(bench.redis, call)).rejects.toThrow(UnexpectedReply);
  });

  it('tells a wrong call from a failure of its own, and that from a Redis that serves nobody', async () => {
    await expect(scriptOf(`return redis.error_reply('BAD_CALL test')`)(bench.redis, call)).rejects.toThrow(BadCall);
    await expect(scriptOf(`error('BROKEN test')`)(bench.redis, call)).rejects.toThrow(ScriptFailed);
    await expect(scriptOf(`return redis.call('LPUSH', KEYS[1], 1), redis.call('GET', KEYS[1])`)(bench.redis, call)).rejects.toThrow(
      ScriptFailed,
    );
    const write = scriptOf(`redis.call('SET', KEYS[1], 1) return { 'NONE' }`);
    await bench.redis.config('SET', 'maxmemory', '1');
    try {
      await expect(write(bench.redis, call)).rejects.toThrow(ScriptUnanswered);
    } finally {
      await bench.redis.config('SET', 'maxmemory', '0');
    }
  });
});

describe('a broken connection', () => {
  it('between script and answer costs one more try, which finds the hold that was made', async () => {
    const sale = await openSale(bench);
    const { redis, cutReplies, callsSeen } = await cuttableRedis();
    const stock = stockScripts(redis);
    // So that Redis knows the script, and one try is one message.
    await stock.reserve(aRequest(sale.saleId));
    const before = callsSeen();
    cutReplies(1);
    const request = aRequest(sale.saleId);
    expect(await stock.reserve(request)).toMatchObject({ outcome: 'RESERVED', replayed: true });
    expect(callsSeen() - before).toBe(2);
    expect((await expectConserved(bench, sale.saleId)).holds).toHaveLength(2);
  });

  it('that breaks again is told to the caller, and nothing is sent behind its back', async () => {
    const sale = await openSale(bench);
    const { redis, cutReplies, callsSeen } = await cuttableRedis();
    const stock = stockScripts(redis);
    await stock.read(sale.saleId);
    const before = callsSeen();
    cutReplies(2);
    await expect(stock.reserve(aRequest(sale.saleId))).rejects.toThrow(ScriptUnanswered);
    expect(callsSeen() - before).toBe(2);
    // The client is back by itself, and what it does next is only what is asked next.
    expect(await stock.read(sale.saleId)).toMatchObject({ outcome: 'READ' });
    expect(callsSeen() - before).toBe(3);
  });

  it('costs the clock of Redis one more try, and is told to the caller when it breaks again', async () => {
    const { redis, cutReplies, callsSeen } = await cuttableRedis();
    const stock = stockScripts(redis);
    const beforeMs = await bench.stock.nowMs();
    cutReplies(1);
    const nowMs = await stock.nowMs();
    expect(callsSeen()).toBe(2);
    expect(nowMs).toBeGreaterThanOrEqual(beforeMs);
    expect(nowMs).toBeLessThanOrEqual(await bench.stock.nowMs());
    cutReplies(2);
    await expect(stock.nowMs()).rejects.toThrow(ScriptUnanswered);
    expect(callsSeen()).toBe(4);
    expect(await stock.nowMs()).toBeGreaterThanOrEqual(nowMs);
    expect(callsSeen()).toBe(5);
  });

  it('ends in an error within its time when nobody answers', async () => {
    const silent = open(await listen(() => {}), 700);
    const unanswered = expect(stockScripts(silent).read('sale')).rejects.toThrow(ScriptUnanswered);
    expect(await isDoneWithin(5_000, unanswered)).toBe(true);
  });

  it('ends in an error at once when nobody is there', async () => {
    const url = await listen(() => {});
    for (const close of closers.splice(0)) close();
    const unanswered = expect(stockScripts(open(url)).read('sale')).rejects.toThrow(ScriptUnanswered);
    expect(await isDoneWithin(2_000, unanswered)).toBe(true);
  });
});
