import { describe, expect, it } from 'vitest';
import { digestOf } from '../../bench/lib/bare-script.ts';
import { fallBy, loadsOf } from '../../bench/shards/placement.ts';
import { report, type Sold } from '../../bench/shards/report.ts';
import { note, nothingCounted, nothingSent, together } from '../../bench/shards/sent.ts';
import { lend, receive } from '../../functions/stock/shards.definitions.ts';
import { reserve } from '../../functions/stock/stock.definitions.ts';

describe('where shards are', () => {
  const masters = [
    { first: 0, last: 99 },
    { first: 100, last: 199 },
    { first: 200, last: 299 },
  ];

  it('is by their slots alone', () => {
    expect(loadsOf([0, 99, 100, 299], masters)).toEqual([2, 1, 1]);
    expect(loadsOf([5], masters)).toEqual([1, 0, 0]);
  });

  it('is even where the busiest master has as few as can be', () => {
    expect(fallBy([1, 2, 2, 3], 3, 3)).toEqual({ shards: 3, evenPercent: 25, busiestPercent: (100 * 2) / 3 });
    // Four shards on three masters: one master has two of them at least.
    expect(fallBy([2, 2, 4, 4], 4, 3)).toEqual({ shards: 4, evenPercent: 50, busiestPercent: 75 });
  });
});

describe('what clients send', () => {
  const script = ({ text }: { readonly text: string }, keys: readonly string[], args: readonly string[]) => [
    digestOf(text),
    keys.length,
    ...keys,
    ...args,
  ];
  const received = (units: string) => script(receive, ['{s#1}:sale', '{s#1}:free', '{s#1}:suspects'], ['0', '17', 'tee', units]);

  it('is counted by what it is for', () => {
    const counted = nothingCounted();
    note(counted, 'evalsha', script(reserve, ['{s}:sale'], ['hold']));
    note(counted, 'evalsha', script(lend, ['{s}:sale', '{s}:free'], ['1', 'tee', '1']));
    note(counted, 'evalsha', received('4-6,9'));
    note(counted, 'hmget', ['{s}:sale', 's', 'i:tee', 'h:1', 'b:1', 'behind']);
    note(counted, 'hmget', ['{s}:sale', 's', 'i:tee', 't:0', 't:1', 'g:0', 'g:1']);
    note(counted, 'cluster', ['KEYSLOT', '{s}:sale']);
    expect(counted).toEqual({ reserves: 1, glances: 1, visits: 1, moving: 2, runs: new Map([['0 {s#1}:sale 17', 4]]) });
  });

  it('names a run once, however many complete it', () => {
    const [one, other] = [nothingCounted(), nothingCounted()];
    for (const counted of [one, one, other]) note(counted, 'evalsha', received('4-6'));
    const all = [one, other].reduce(together, nothingSent);
    expect([all.moving, [...all.runs.values()]]).toEqual([3, [3]]);
    expect(nothingSent.runs.size).toBe(0);
  });
});

describe('the load of a cluster', () => {
  const sizes = { attempts: 10, stock: 4, lanes: 2, quantityMax: 1 };
  const verdict = { sold: 4, left: 0, oversold: 0, duplicates: 0, wrongRefusals: 0, lost: 0, wrongUnits: 0 };
  const soldBy = (cpuMicros: readonly number[], changes: Partial<typeof verdict> = {}): Sold => ({
    work: cpuMicros.map((micros) => ({ cpuMicros: micros, scripts: 1 })),
    sent: nothingSent,
    elsewhere: 0,
    sentAway: 0,
    crowded: {
      verdict: { ...verdict, ...changes },
      attemptsPerSecond: 1,
      salesPerSecond: 1,
      latencies: { p50: 1, p90: 1, p99: 1, max: 1 },
      clientMicros: 1,
    },
  });
  const reportOf = (several: readonly Sold[]) =>
    report({
      groups: [
        {
          sizes,
          plans: [
            { name: 'one', shards: 1, loads: [1, 0], rounds: [soldBy([100, 0]), soldBy([400, 0])] },
            { name: 'two', shards: 2, loads: [1, 1], rounds: several },
          ],
        },
      ],
      one: [],
      falls: [],
      cluster: { version: 'redis', isPinned: false },
    });

  it('is that of the busiest master, compared round by round', () => {
    const { rows, faults } = reportOf([soldBy([50, 60]), soldBy([240, 200])]);
    const row = rows.find(({ what, figure }) => what === 'two' && figure === 'busiest master CPU');
    expect(row).toMatchObject({ value: 15, unit: 'µs', ratioTo: { what: 'one', value: 0.6, spread: { min: 0.6, max: 0.6 } } });
    expect(faults).toEqual([]);
  });

  it('says nothing good of a sale that did not sell its last unit, or refused somebody wrongly', () => {
    expect(reportOf([soldBy([1, 1], { sold: 3, left: 1 }), soldBy([1, 1])]).faults).toHaveLength(1);
    expect(reportOf([soldBy([1, 1], { wrongRefusals: 2 }), soldBy([1, 1], { oversold: 1 })]).faults).toHaveLength(2);
  });
});
