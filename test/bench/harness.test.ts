import { describe, expect, it } from 'vitest';
import { interleave } from '../../bench/lib/interleave.ts';
import { readOptions } from '../../bench/lib/options.ts';
import { picture } from '../../bench/lib/picture.ts';
import { listed } from '../../bench/lib/pinning.ts';
import { executedIn } from '../../bench/lib/redis-server.ts';
import { figure, goalRows, type Report, reached, sectionText } from '../../bench/lib/report.ts';
import { encode, endOfReply } from '../../bench/lib/resp.ts';
import { logScale } from '../../bench/lib/scale.ts';
import type { SectionResult } from '../../bench/lib/section.ts';
import { medianOf, ratioOf, summaryOf } from '../../bench/lib/statistics.ts';
import { buyerIdOf, holdIdOf, reserveEncoder } from '../../bench/lib/stock-calls.ts';
import { reserve } from '../../functions/stock/stock.definitions.ts';
import { randomOf } from '../simulation/random.ts';

const reportOf = (result: Partial<SectionResult>): Report => ({
  seed: 1,
  rounds: 3,
  quick: false,
  measuredAt: '2026-01-01T00:00:00.000Z',
  seconds: 1,
  machine: { cpu: 'a <cpu>', cores: 2, memoryGiB: 4, kernel: 'Linux', node: 'v24', revision: 'abc', packages: {} },
  sections: [{ name: 'a', title: 'A', seconds: 1, rows: [], notes: [], faults: [], ...result }],
});

describe('figures', () => {
  it('are the median of the rounds, with quartiles and extremes', () => {
    expect(summaryOf([5, 1, 3, 2, 4])).toEqual({
      median: 3,
      spread: { min: 1, lowerQuartile: 2, upperQuartile: 4, max: 5, samples: 5 },
    });
    expect(medianOf([1, 2])).toBe(1.5);
    expect(() => medianOf([])).toThrow('no values');
  });

  it('are compared round by round', () => {
    // The second round was slow for both.
    expect(ratioOf([2, 20, 2], [1, 10, 1]).median).toBe(2);
    expect(ratioOf([2, 20, 2], [1, 10, 1]).spread.max).toBe(2);
    expect(() => ratioOf([1], [1, 2])).toThrow();
  });

  it('are written with three digits that mean something', () => {
    expect([0.0123456, 1.2345, 999.4, 12_345.6, 0].map(figure)).toEqual(['0.0123', '1.23', '999', '12,346', '0']);
  });
});

it('measures every candidate once a round', async () => {
  const order: string[] = [];
  const context = { rounds: 3, random: randomOf(1), signal: new AbortController().signal, log: () => {} };
  const results = await interleave(context, ['a', 'b', 'c'], async (candidate, round) => {
    order.push(`${round}`);
    return `${candidate}${round}`;
  });
  expect(Object.fromEntries(results)).toEqual({ a: ['a0', 'a1', 'a2'], b: ['b0', 'b1', 'b2'], c: ['c0', 'c1', 'c2'] });
  expect(order.join('')).toBe('000111222');
});

describe('a goal', () => {
  it('is reached from its own side', () => {
    const higher = { name: '', atLeast: 0.8, stretch: 0.9, direction: 'higher' } as const;
    expect([0.79, 0.8, 0.9].map((value) => reached(higher, value))).toEqual(['NO', 'yes', 'stretch']);
    const lower = { name: '', atLeast: 3, stretch: 2, direction: 'lower' } as const;
    expect([3.1, 3, 2].map((value) => reached(lower, value))).toEqual(['NO', 'yes', 'stretch']);
  });

  it('stands in the table of goals, with what was measured', () => {
    const goal = { name: 'speed', atLeast: 2, stretch: 3, direction: 'higher' } as const;
    const report = reportOf({ rows: [{ group: 'Goals', what: 'speed', value: 2.5, unit: '×', goal }] });
    expect(goalRows(report)).toEqual([['speed', '2.5', '', '≥ 2', '≥ 3', 'yes']]);
  });
});

it('shows several figures of one thing as one line', () => {
  const rows = (what: string, one: number, two: number) => [
    { group: 'g', what, figure: 'one', value: one, unit: 'µs', ratioTo: { what: 'a', value: one / 2 } },
    { group: 'g', what, figure: 'two', value: two, unit: 'ms' },
  ];
  const [report] = reportOf({ rows: [...rows('a', 2, 10), ...rows('b', 4, 30)] }).sections;
  const lines = (report ? sectionText(report) : '').split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(lines.slice(1)).toEqual([
    ['g', 'one µs', '×', 'two ms'],
    ['a', '2', '1', '10'],
    ['b', '4', '2', '30'],
  ]);
});

describe('the picture', () => {
  it('draws what is above zero, and names the rest', () => {
    const svg = picture(
      reportOf({
        panels: [
          {
            kind: 'bars',
            title: 'Bars',
            unit: 'µs',
            better: 'lower',
            bars: [
              { label: 'a & b', value: 12, ours: true, remark: '3 < 4' },
              { label: 'nothing', value: 0 },
            ],
          },
          { kind: 'lines', title: 'Lines', xLabel: 'units', unit: 'µs', series: [{ label: 'one', points: [{ x: 1, y: 5 }] }] },
          { kind: 'bars', title: 'Left out', unit: 'µs', better: 'lower', bars: [{ label: 'none', value: 0 }] },
        ],
      }),
    );
    expect(svg).toContain('a &amp; b');
    expect(svg).toContain('3 &lt; 4');
    expect(svg).toContain('>nothing<');
    expect(svg).not.toContain('Left out');
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('has a decade at each end of its scale', () => {
    const scale = logScale([3, 250], 0, 300);
    expect(scale.decades).toEqual([1, 10, 100, 1_000]);
    expect(scale.at(10)).toBeCloseTo(100);
  });
});

describe('the light client', () => {
  const replies = ['+OK\r\n', ':12\r\n', '-ERR no\r\n', '$3\r\na\r\n\r\n', '$-1\r\n', '*-1\r\n', '*2\r\n$1\r\na\r\n*1\r\n:1\r\n', '*0\r\n'];

  it.each(replies)('knows the end of %j', (reply) => {
    const bytes = Buffer.from(`${reply}+next\r\n`);
    expect(endOfReply(bytes, 0)).toBe(reply.length);
  });

  it.each(replies)('waits for the rest of %j', (reply) => {
    for (let length = 0; length < reply.length; length++) expect(endOfReply(Buffer.from(reply.slice(0, length)), 0)).toBe(-1);
  });

  it('sends the very bytes that the wrapper of the script sends', async () => {
    const encoded = (await reserveEncoder({ saleId: 's', lines: [{ sku: 'tee', quantity: 2 }] }))(7, 8);
    const [, command, digest, keyCount, ...rest] = encoded.split(/\r\n\$\d+\r\n|\r\n$/);
    expect([command, digest?.length, keyCount]).toEqual(['EVALSHA', 40, String(reserve.arity.keys)]);
    expect(rest).toEqual(expect.arrayContaining(['{s}:sale', holdIdOf(7), buyerIdOf(8), 'tee', '2']));
    const words = encoded.split('\r\n').filter((_, index) => index > 0 && index % 2 === 0);
    expect(encode(words)).toBe(encoded);
  });
});

it('reads what the kernel and Redis say', () => {
  expect(listed('0-2,5')).toEqual([0, 1, 2, 5]);
  expect(
    executedIn('# Commandstats\r\ncmdstat_evalsha:calls=10,usec=25,usec_per_call=2.50\r\ncmdstat_config|resetstat:calls=1,usec=9\r\n'),
  ).toEqual(
    new Map([
      ['evalsha', { calls: 10, micros: 25 }],
      ['config|resetstat', { calls: 1, micros: 9 }],
    ]),
  );
});

describe('the command line', () => {
  it('takes what it says', () => {
    expect(readOptions(['--only', 'mechanisms', '--quick', '--seed', '7'])).toMatchObject({
      only: ['mechanisms'],
      quick: true,
      rounds: 1,
      seed: 7,
    });
    expect(readOptions(['--help'])).toBeUndefined();
  });

  it.each([['--only', 'nothing'], ['--rounds', '0'], ['--seed', 'x'], ['--what']])('refuses %s %s with a sentence', (...args) => {
    expect(() => readOptions(args.filter((arg) => arg !== undefined))).toThrow(/--/);
  });
});
