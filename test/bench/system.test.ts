import type { Profiler } from 'node:inspector';
import { expect, it } from 'vitest';
import { runSection } from '../../bench/lib/run.ts';
import type { Row } from '../../bench/lib/section.ts';
import { ofContainer, ofFrontEnd } from '../../bench/system/buckets.ts';
import { garbageCollection, other, percentages, sharesOf, together } from '../../bench/system/profile.ts';
import { section } from '../../bench/system/section.ts';

/** It synthesises the app and starts what it measures, on a machine that is busy with other tests. */
const sectionMsMax = 400_000;
const silent = { signal: new AbortController().signal, log: () => {} };

/** A profile of frames `[name, source, self time, children]`, numbered from 1. */
function profileOf(frames: readonly (readonly [name: string, source: string, us: number, children?: number[]])[]): Profiler.Profile {
  return {
    startTime: 0,
    endTime: 1,
    nodes: frames.map(([functionName, url, , children], index) => ({
      id: index + 1,
      callFrame: { functionName, url, scriptId: '0', lineNumber: 0, columnNumber: 0 },
      ...(children ? { children } : {}),
    })),
    samples: frames.map((_, index) => index + 1),
    timeDeltas: frames.map(([, , us]) => us),
  };
}

const asIs = (url: string) => url;

it('counts a frame for its nearest caller that tells, and one without such a caller for what it led to', () => {
  const profile = profileOf([
    ['(root)', '', 0, [2, 4, 7, 8]],
    ['send', 'node_modules/@smithy/core/client.js', 10, [3]],
    ['stringify', '', 5],
    ['onStreamRead', 'node:internal/stream_base_commons', 40, [5, 6]],
    ['parse', 'node_modules/ioredis/parser.js', 30],
    ['onHeaders', 'node:_http_client', 10],
    ['(garbage collector)', '', 4],
    ['(idle)', '', 1_000],
  ]);
  expect(Object.fromEntries(sharesOf(profile, ofContainer, asIs))).toEqual({
    SDK: 15,
    'Redis client': 60,
    'DynamoDB requests': 20,
    [garbageCollection]: 4,
    // The root's own time, which is none.
    [other]: 0,
  });
});

it('takes Node’s HTTP for the gateway’s where it listens, and for the way to DynamoDB in a container', () => {
  const profile = profileOf([['onRequest', 'node:_http_server', 3]]);
  expect([...sharesOf(profile, ofFrontEnd, asIs).keys()]).toEqual(['HTTP']);
  expect([...sharesOf(profile, ofContainer, asIs).keys()]).toEqual(['DynamoDB requests']);
});

it('gives shares that add up to a hundred, with what nothing is known of last', () => {
  const known = sharesOf(profileOf([['check', 'node_modules/zod/v4/core.js', 3]]), ofContainer, asIs);
  const unknown = sharesOf(profileOf([['(program)', '', 5]]), ofContainer, asIs);
  const shares = percentages(together([known, unknown]));
  expect(shares).toEqual([
    ['schema', 37.5],
    [other, 62.5],
  ]);
});

it(
  'measures the way of an order through the runtime, in process, and to the database, with figures that agree with each other',
  async () => {
    const { rows, faults } = await runSection(section, { quick: true, rounds: 1, seed: 1 }, silent);
    expect(faults).toEqual([]);
    const figureOf = (what: string) => rows.find((row) => row.what === what)?.value ?? Number.NaN;
    expect(figureOf('refused ÷ constant')).toBeCloseTo(figureOf('refused') / figureOf('constant'), 5);
    const goals = rows.filter(({ goal }) => goal).map(({ unit }) => unit);
    expect(goals).toEqual(['×', '×']);
    const shareGroups = Map.groupBy(
      rows.filter(({ unit }) => unit === '%'),
      ({ group }: Row) => group,
    );
    // Refused and placed, through the runtime and in process.
    expect(shareGroups.size).toBe(4);
    for (const shares of shareGroups.values()) expect(shares.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(100, 6);
    for (const { what, value, unit } of rows) expect(value, `${what} ${unit}`).toBeGreaterThanOrEqual(0);
  },
  sectionMsMax,
);
