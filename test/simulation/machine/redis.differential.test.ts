import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../functions/shared/redis.ts';
import { stockScripts } from '../../../functions/stock/stock.scripts.ts';
import { type Bench, census, openSale, redisBench } from '../../scripts/stock.harness.ts';
import { callFor, history, items, limit, nothingTold, seats } from '../../scripts/stock.histories.ts';
import { randomOf } from '../random.ts';
import { startRedisServer } from './redis.ts';
import { ReplyError } from './resp.ts';

const native = redisBench();
const server = startRedisServer();

/** The script with a clock of ours in place of the server's, on one line, so that errors name the lines that they always name. */
const withClock = (script: string, nowUs: number): string => {
  const time = `{ '${Math.floor(nowUs / 1e6)}', '${nowUs % 1e6}' }`;
  const call = `function(name, ...) if name == 'TIME' then return ${time} end return server.call(name, ...) end`;
  return `local server = redis; local redis = setmetatable({ call = ${call} }, { __index = server }); ${script}`;
};

/** A client that asks both servers, and fails where they answer differently. */
function bothServers() {
  let nowUs = Date.now() * 1_000;
  let compared = 0;
  const wasm = server.begin(() => nowUs, randomOf(1));
  const texts = new Map<string, string>();
  const answerOf = async (ask: () => unknown) => {
    try {
      return { reply: await ask() };
    } catch (error) {
      return { error: String(error) };
    }
  };
  const ask = async (words: readonly (string | number)[]): Promise<unknown> => {
    const [name = '', ...rest] = words;
    const [theirs, ours] = [await answerOf(() => native.redis.call(String(name), ...rest)), await answerOf(() => wasm.command(...words))];
    const isScan = name === 'HSCAN';
    expect(isScan ? sorted(ours) : ours, String(name)).toEqual(isScan ? sorted(theirs) : theirs);
    compared += 1;
    if ('error' in ours) throw new ReplyError(ours.error?.replace(/^ReplyError: /, ''));
    return ours.reply;
  };
  const evaluate = (text: string, ...rest: (string | number)[]) => {
    texts.set(createHash('sha1').update(text).digest('hex'), text);
    nowUs += 1_100;
    return ask(['EVAL', withClock(text, nowUs), ...rest]);
  };
  const client = {
    isCluster: false,
    eval: evaluate,
    async evalsha(digest: string, ...rest: (string | number)[]) {
      const text = texts.get(digest);
      if (text === undefined) throw new ReplyError('NOSCRIPT No matching script.');
      return evaluate(text, ...rest);
    },
    time: async () => wasm.command('TIME'),
    hscan: (...words: (string | number)[]) => ask(['HSCAN', ...words]),
    zrangebylex: (...words: (string | number)[]) => ask(['ZRANGEBYLEX', ...words]),
  } as unknown as RedisClient;
  const bench: Bench = { redis: client, stock: stockScripts(client), url: '' };
  return { bench, compared: () => compared };
}

/** Each server scans a hash in an order of its own; all of it fits one page here. */
function sorted({ reply }: { readonly reply?: unknown }): unknown {
  const [cursor, entries] = reply as [string, string[]];
  const pairs = Array.from({ length: entries.length / 2 }, (_, index) => `${entries[2 * index]} ${entries[2 * index + 1]}`);
  return [cursor, pairs.sort()];
}

describe('the Redis of the simulation', () => {
  it('answers every script as the server of this machine does, in random histories', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(history(20), async (steps) => {
        const both = bothServers();
        const { saleId } = await openSale(both.bench, { items, perBuyerLimit: limit, holdSeconds: 0.001 }, new Map([['hall', seats]]));
        const told = nothingTold();
        for (const [index, step] of steps.entries()) {
          await callFor(both.bench, saleId, await census(both.bench, saleId), told, step, `hold-${index}`)?.();
        }
        compared += both.compared();
      }),
      { numRuns: 4 },
    );
    expect(compared).toBeGreaterThan(200);
  });
});
