import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  BadCall,
  bare,
  defineScript,
  type Replies,
  ScriptFailed,
  ScriptUnanswered,
  UnexpectedReply,
} from '../../../functions/shared/script.ts';
import { answering, type Command } from './answering-redis.ts';

describe('a script', () => {
  const script = defineScript({
    name: 'test.script',
    lua: ['a', 'b'],
    keys: ['key'],
    args: ['arg'],
    replies: { DONE: z.tuple([z.string()]).transform(([word]) => ({ word })), NONE: bare } satisfies Replies,
  });
  const call = { keys: { key: 'k' }, args: { arg: 1 } };
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' });
  const lost = () => new Error('Connection is closed.');
  const run = async (replies: Partial<Record<Command, readonly unknown[]>>) => {
    const { redis, sent } = answering({ evalsha: [], eval: [], ...replies });
    const outcome = await script(redis, call).catch((error: unknown) => error);
    return { outcome, calls: sent.map(([command]) => command), sent };
  };

  it('is sent by its digest, and by its text where Redis does not know it', async () => {
    expect(await run({ evalsha: [['DONE', 'x']] })).toStrictEqual({
      outcome: { outcome: 'DONE', word: 'x' },
      calls: ['evalsha'],
      sent: [['evalsha', 1, 'k', 1]],
    });
    const unknown = await run({ evalsha: [reply('NOSCRIPT No matching script.')], eval: [['NONE']] });
    expect([unknown.outcome, unknown.calls]).toStrictEqual([{ outcome: 'NONE' }, ['evalsha', 'eval']]);
    // Whatever else says so is no reply of Redis.
    const other = await run({ evalsha: [new Error('NOSCRIPT'), ['NONE']], eval: [['NONE']] });
    expect(other.calls).toStrictEqual(['evalsha', 'evalsha']);
  });

  it('is sent once more where the connection was lost, and never after a reply or a time that was used up', async () => {
    expect((await run({ evalsha: [lost(), ['NONE']] })).outcome).toStrictEqual({ outcome: 'NONE' });
    const twice = await run({ evalsha: [lost(), lost(), ['NONE']] });
    expect(twice.outcome).toBeInstanceOf(ScriptUnanswered);
    expect(twice.calls).toHaveLength(2);
    for (const error of [reply('LOADING Redis is loading'), new Error('Command timed out'), 'a word']) {
      const { outcome, calls } = await run({ evalsha: [Object.assign(error instanceof Error ? error : new Error('x'), {}), ['NONE']] });
      if (error instanceof Error) {
        expect(outcome).toBeInstanceOf(ScriptUnanswered);
        expect(calls).toHaveLength(1);
      }
    }
  });

  it('tells wrong calls, failures of its own, and a Redis that serves nobody apart, with what caused them', async () => {
    const kinds = [
      ['BAD_CALL test arity', BadCall, 'BAD_CALL test arity'],
      ['ERR user_script:12: broken', ScriptFailed, 'test.script: ERR user_script:12: broken'],
      ['WRONGTYPE Operation\nscript: user_script:3', ScriptFailed, 'test.script: WRONGTYPE Operation\nscript: user_script:3'],
      ['OOM command not allowed user_script:1', ScriptUnanswered, 'test.script: OOM command not allowed user_script:1'],
      ['xERR user_script:12', ScriptUnanswered, 'test.script: xERR user_script:12'],
      ['ERR unknown command', ScriptUnanswered, 'test.script: ERR unknown command'],
    ] as const;
    for (const [message, kind, said] of kinds) {
      const cause = reply(message);
      const { outcome } = await run({ evalsha: [cause] });
      expect(outcome).toBeInstanceOf(kind);
      expect(outcome).toMatchObject({ message: said, cause });
    }
    const notOfRedis = await run({ evalsha: [lost(), new Error('BAD_CALL test')] });
    expect(notOfRedis.outcome).toBeInstanceOf(ScriptUnanswered);
  });

  it('answers by its contract or not at all', async () => {
    for (const wrong of [['DONE'], ['DONE', 1], ['NONE', 1], ['ELSE'], [], 'DONE', null, [1], ['toString'], [['NONE']]])
      expect((await run({ evalsha: [wrong] })).outcome, JSON.stringify(wrong)).toBeInstanceOf(UnexpectedReply);
    const { outcome } = await run({ evalsha: [['DONE', 1]] });
    expect(outcome).toMatchObject({ message: 'test.script: ["DONE",1]', cause: expect.any(Error) });
  });
});
