import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { RedisClient } from '../../../functions/shared/redis.ts';
import { UnexpectedReply } from '../../../functions/shared/script.ts';
import * as cart from '../../../functions/stock/cart.definitions.ts';
import * as load from '../../../functions/stock/load.definitions.ts';
import * as mend from '../../../functions/stock/mend.definitions.ts';
import * as shards from '../../../functions/stock/shards.definitions.ts';
import * as stock from '../../../functions/stock/stock.definitions.ts';
import { contracts } from './scripts.contracts.ts';

type Values = Readonly<Record<string, string>>;
type Run = (
  redis: RedisClient,
  call: { keys: Values; args: Values; each?: readonly Values[] },
) => Promise<{ readonly outcome: string } & Readonly<Record<string, unknown>>>;

const { read: readCart, ...ofCarts } = cart;
const definitions: Readonly<Record<string, unknown>> = { ...stock, ...load, ...mend, ...shards, ...ofCarts, readCart };
const words = (names: string) => names.split(' ').filter((name) => name !== '');
const valuesOf = (names: string, after: string | number = ''): Values =>
  Object.fromEntries(words(names).map((name) => [name, `<${name}${after}>`]));

/** A Redis that answers every script with this, and what it was sent. */
function answering(reply: unknown) {
  const sent: unknown[][] = [];
  const evalsha = async (...values: unknown[]) => {
    sent.push(values.slice(1));
    return reply;
  };
  return { redis: { evalsha } as unknown as RedisClient, sent };
}

it('has a contract of each script, and a script for each contract', () => {
  expect(Object.keys(definitions).toSorted()).toStrictEqual([...contracts.keys()].toSorted());
});

describe.each([...contracts])('the script %s', (name, { file, keys, args, each, replies, wrong = [] }) => {
  const definition = definitions[name] as Run & { text: string; arity: object };
  const call = {
    keys: valuesOf(`${keys} more`),
    args: valuesOf(`${args} more`),
    ...(each ? { each: [valuesOf(each, 1), valuesOf(each, 2)] } : {}),
  };

  it('is sent its keys and arguments in the order of its header, and nothing else', async () => {
    const [[reply] = [['NONE']]] = replies;
    const { redis, sent } = answering(reply);
    await definition(redis, call);
    const groups = each ? [1, 2].flatMap((group) => words(each).map((key) => `<${key}${group}>`)) : [];
    const plain = [...words(keys), ...words(args)].map((key) => `<${key}>`);
    expect(sent).toStrictEqual([[words(keys).length, ...plain, ...groups]]);
    expect(definition.arity).toStrictEqual({ keys: words(keys).length, args: words(args).length, each: words(each ?? '').length });
  });

  it('ends with the text of its file, after the pieces that it shares', () => {
    const own = readFileSync(`lua/stock/${file}.lua`, 'utf8');
    expect(definition.text.endsWith(`\n${own}`)).toBe(true);
    expect(definition.text.length).toBeGreaterThan(own.length + readFileSync('lua/stock/lib/records.lua', 'utf8').length);
  });

  it('decodes each answer of its contract, and refuses what is longer or shorter', async () => {
    for (const [reply, decoded = {}] of replies) {
      await expect(definition(answering(reply).redis, call), String(reply)).resolves.toStrictEqual({ outcome: reply[0], ...decoded });
      const isList = reply[0] === 'SEEN' || reply[0] === 'STATES';
      if (!isList) await expect(definition(answering([...reply, 1]).redis, call), String(reply)).rejects.toThrow(UnexpectedReply);
      if (reply.length > 1 && !isList)
        await expect(definition(answering(reply.slice(0, -1)).redis, call), String(reply)).rejects.toThrow(UnexpectedReply);
    }
    for (const reply of [...wrong, ['ELSE'], [], ['toString']])
      await expect(definition(answering(reply).redis, call), String(reply)).rejects.toThrow(UnexpectedReply);
  });
});
