import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import { type Redis, startRedis } from '../../lib/local/redis.ts';
import { applied, type Bug, PatchDoesNotApply, planted } from './bug.ts';
import { bugs } from './bugs/index.ts';
import { expectBuilds, scriptMaker } from './build.ts';
import { copyTree, readSource } from './copy.ts';
import { groupsOf, hunt } from './hunt.ts';
import { judged, unfitness } from './judge.ts';

const huntMsMax = 120_000;
/** So many are really planted, each time others. */
const samples = 2;
/** Whose tests take a second or two. */
const isQuick = ({ caughtBy }: Bug) => 'test' in caughtBy && /^(unit|scripts)\//.test(caughtBy.test);

describe('the bugs that are planted', () => {
  let server: Redis;
  let redis: RedisClient;
  beforeAll(async () => {
    server = await startRedis();
    redis = connectRedis({ url: server.url, mode: 'single' });
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });

  it('are many, each under a name of its own', () => {
    expect(bugs.length).toBeGreaterThanOrEqual(25);
    expect(new Set(bugs.map(({ name }) => name)).size).toBe(bugs.length);
  });

  it('still fit the tree: what they look for is there exactly once', () => {
    for (const bug of bugs) expect(() => planted(bug, readSource), bug.name).not.toThrow();
  });

  it('are faults of what runs, and not of its tests or tools', () => {
    for (const { name, edits } of bugs) for (const { file } of edits) expect(file, name).toMatch(/^(functions|lua)\//);
  });

  it('each have a catcher that there is', () => {
    for (const { name, caughtBy } of bugs)
      if ('test' in caughtBy) expect(existsSync(join('test', `${caughtBy.test}.test.ts`)), name).toBe(true);
  });

  it('are no mistakes of a patch: sources build, and Redis takes the scripts', { timeout: 180_000 }, async () => {
    const scriptsOf = await scriptMaker();
    for (const bug of bugs) {
      const texts = planted(bug, readSource);
      await expect(expectBuilds(texts), bug.name).resolves.toBeUndefined();
      const scripts = await scriptsOf(texts);
      const hasLua = [...texts.keys()].some((file) => file.endsWith('.lua'));
      expect(scripts.size > 0, bug.name).toBe(hasLua);
      for (const [name, text] of scripts)
        await expect(redis.script('LOAD', text), `${bug.name}: ${name}`).resolves.toMatch(/^[0-9a-f]{40}$/);
    }
  });

  it('are caught, some of them now and all of them by npm run planted', { timeout: huntMsMax * samples }, async () => {
    const seed = randomInt(2 ** 31);
    const [chosen = []] = fc.sample(fc.shuffledSubarray(bugs.filter(isQuick), { minLength: samples, maxLength: samples }), {
      seed,
      numRuns: 1,
    });
    console.log(`planted with seed ${seed}: ${chosen.map(({ name }) => name).join(', ')}`);
    const copy = copyTree();
    try {
      for (const group of groupsOf(chosen)) {
        for await (const { bug, judgement } of hunt(copy, group, { msMax: huntMsMax }))
          expect(judgement, bug.name).toMatchObject({ outcome: 'caught' });
      }
    } finally {
      copy.remove();
    }
  });
});

describe('a patch', () => {
  const edit = { file: 'a.ts', search: 'one', replace: 'two' };

  it('does not apply to a text that has not what it looks for, or has it twice, or stays as it is', () => {
    expect(applied('one and three', edit)).toBe('two and three');
    for (const [text, change] of [
      ['three', edit],
      ['one and one', edit],
      ['one', { ...edit, replace: 'one' }],
      ['one', { ...edit, search: '' }],
    ] as const)
      expect(() => applied(text, change)).toThrow(PatchDoesNotApply);
  });
});

describe('a bug', () => {
  const name = 'sells each unit once';
  const failing = (message: string) => ({ passed: [], failed: [{ name: `a sale ${name}`, message }], tookMs: 1 });

  it('is caught by a test that fails for what it says, and by nothing else', () => {
    expect(judged(failing('AssertionError: expected 2 to be 1'), name)).toEqual({ outcome: 'caught', by: `a sale ${name}` });
    expect(judged({ passed: [`a sale ${name}`], failed: [], tookMs: 1 }, name).outcome).toBe('missed');
    expect(judged(failing('AssertionError: expected 2 to be 1'), 'another test').outcome).toBe('missed');
  });

  it.each([
    'SyntaxError: Unexpected token',
    'ReferenceError: nextStep is not defined',
    'ReplyError: ERR Error compiling script (new function): user_script:12',
    'ValidationException: Value provided in ExpressionAttributeValues unused',
    'Error: connect ECONNREFUSED 127.0.0.1:1',
    'Error: Test timed out in 60000ms.',
  ])('is not caught by %j, which any mistake of its patch would bring', (message) => {
    expect(judged(failing(message), name).outcome).toBe('unfit');
  });

  it('is not caught by a test that fails without it, does not run, or could not be loaded', () => {
    expect(unfitness({ passed: [`a sale ${name}`], failed: [], tookMs: 1 }, name)).toBeUndefined();
    expect(unfitness(failing('AssertionError'), name)).toMatch('fails without the bug');
    expect(unfitness({ passed: ['another'], failed: [], tookMs: 1 }, name)).toMatch('no such test');
    expect(unfitness({ passed: [`a sale ${name}`], failed: [], tookMs: 1, broken: 'no report' }, name)).toMatch('no report');
    expect(judged({ passed: [], failed: [], broken: 'it took more than 1 s', tookMs: 1 }, name).outcome).toBe('unfit');
  });
});
