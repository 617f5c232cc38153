import { describe, expect, it } from 'vitest';
import { SecretUnavailable, secretReader } from '../../../functions/shared/secrets.ts';

const long = (letter: string) => letter.repeat(32);

/** A client that gives these texts one after the other, the last one for ever. */
function secretsOf(...texts: (string | Error)[]) {
  let reads = 0;
  const client = async () => {
    const text = texts[Math.min(reads++, texts.length - 1)];
    if (text instanceof Error) throw text;
    return text;
  };
  return { client, reads: () => reads };
}

describe('a secret', () => {
  it('is given newest first', async () => {
    const both = secretsOf(JSON.stringify({ current: long('a'), previous: long('b') }));
    expect(await secretReader(both.client, 'arn', () => 0)()).toEqual([long('a'), long('b')]);
    const one = secretsOf(JSON.stringify({ current: long('a') }));
    expect(await secretReader(one.client, 'arn', () => 0)()).toEqual([long('a')]);
    const list = secretsOf(JSON.stringify({ current: long('a'), previous: [long('b'), long('c')] }));
    expect(await secretReader(list.client, 'arn', () => 0)()).toEqual([long('a'), long('b'), long('c')]);
  });

  it('is read once for many, and again later so that a rotation is seen', async () => {
    let nowMs = 0;
    const rotated = secretsOf(JSON.stringify({ current: long('a') }), JSON.stringify({ current: long('b'), previous: long('a') }));
    const read = secretReader(rotated.client, 'arn', () => nowMs);
    await Promise.all([read(), read(), read()]);
    nowMs = 299_000;
    expect(await read()).toEqual([long('a')]);
    expect(rotated.reads()).toBe(1);
    nowMs = 300_000;
    expect(await read()).toEqual([long('b'), long('a')]);
  });

  it('stays usable when reading it again fails, and a first failure is not remembered', async () => {
    let nowMs = 0;
    const flaky = secretsOf(new Error('throttled'), JSON.stringify({ current: long('a') }), new Error('throttled'));
    const read = secretReader(flaky.client, 'arn', () => nowMs);
    await expect(read()).rejects.toThrow(SecretUnavailable);
    expect(await read()).toEqual([long('a')]);
    nowMs = 400_000;
    expect(await read()).toEqual([long('a')]);
  });

  it.each(['', 'plain', '{}', '{"current":"short"}', '["a"]'])('in the form %j is refused without being quoted', async (text) => {
    const error = await secretReader(secretsOf(text).client, 'arn', () => 0)().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SecretUnavailable);
    if (text.includes('short')) expect(String(error)).not.toContain('short');
  });
});
