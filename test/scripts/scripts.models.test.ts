import { randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { outcomesOf, scriptFiles } from './any-call.ts';
import { unmet } from './model/main.ts';
import { rules } from './model/rules.ts';
import { covered, noFigures, told, trySequences } from './model/run.ts';
import { redisBench } from './stock.harness.ts';

const bench = redisBench();
/** The long form of this is `npm run fuzz:scripts`. */
const msMax = 5_000;

describe('the models of the scripts', () => {
  it('are one for each script there is, and no other', () => {
    expect(Object.keys(rules).sort()).toEqual(scriptFiles());
  });

  it('say what every script answers and all that Redis has afterwards, in sequences that meet every script', {
    timeout: 120_000,
  }, async () => {
    const figures = noFigures();
    const failure = await trySequences(bench.redis, { seed: 1, count: 120 }, figures);
    expect(failure && told(failure)).toBeUndefined();
    const { files, met } = covered(figures);
    expect(met).toEqual(files);
    // Of so few sequences the seed decides what they meet; rarer outcomes are met by more of them.
    const outcomes = files.reduce((sum, file) => sum + outcomesOf(file).size, 0);
    expect(unmet(figures).length).toBeLessThan(outcomes / 10);
  });

  it('say so too in sequences that nobody has tried before', { timeout: 120_000 }, async () => {
    const [seed, endMs] = [randomInt(2 ** 31), Date.now() + msMax];
    const failure = await trySequences(bench.redis, { seed, count: 400, goesOn: () => Date.now() < endMs }, noFigures());
    expect(failure && told(failure), `seed ${seed}`).toBeUndefined();
  });
});
