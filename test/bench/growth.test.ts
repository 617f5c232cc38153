import { expect, it } from 'vitest';
import { section } from '../../bench/growth/section.ts';
import { runSection } from '../../bench/lib/run.ts';

/** It synthesises the app and starts what it measures, on a machine that is busy with other tests. */
const sectionMsMax = 400_000;
const silent = { signal: new AbortController().signal, log: () => {} };

it(
  'measures a reserve by units, holds, buyers and sales, and a claim by orders, at two sizes each',
  async () => {
    const { rows, panels } = await runSection(section, { quick: true, rounds: 1, seed: 1 }, silent);
    for (const axis of ['units', 'holds', 'buyers', 'sales']) {
      const of = rows.filter(({ group }) => group === `a reserve by ${axis}`);
      const [first, last] = of.filter(({ what }) => what.endsWith(', exec'));
      const growth = of.find(({ unit }) => unit === '%');
      expect(growth?.value).toBeCloseTo(100 * ((last?.value ?? 0) / (first?.value ?? 0) - 1), 5);
      // CPU of the server is what its commands took, and more.
      for (const { what, value } of of.filter(({ what }) => what.endsWith(', CPU'))) expect(value, what).toBeGreaterThan(0);
      for (const figure of [', throughput', ', p50', ', p99']) expect(of.filter(({ what }) => what.endsWith(figure))).toHaveLength(2);
    }
    expect(rows.filter(({ goal }) => goal).map(({ group }) => group)).toEqual(['a reserve by units', 'a reserve by holds']);
    const bytesOf = (what: string) => rows.find((row) => row.group === 'memory of Redis' && row.what === what)?.value;
    // Stock is a number: a million units take as much memory as ten, but for its digits.
    expect(Math.abs(bytesOf('a unit for sale') ?? 1)).toBeLessThan(0.001);
    expect(bytesOf('a hold')).toBeGreaterThan(100);
    expect(bytesOf('a buyer in a sale with a limit')).toBeGreaterThan(20);
    expect(rows.some(({ what }) => what === '100 orders')).toBe(true);
    expect(panels).toHaveLength(1);
  },
  sectionMsMax,
);
