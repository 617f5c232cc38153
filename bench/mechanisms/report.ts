import type { BenchRedis } from '../lib/redis-server.ts';
import type { Bar, Goal, Panel, Row, SectionResult } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { faultsOf, type Verdict } from './check.ts';
import type { Crowded, Sizes } from './load.ts';

export interface Group {
  readonly group: string;
  readonly sizes: Sizes;
  /** The mechanism of this project that the others stand beside. */
  readonly ours: { readonly name: string };
  readonly mechanisms: readonly MeasuredMechanism[];
}

export interface MeasuredMechanism {
  readonly name: string;
  readonly ours: boolean;
  readonly rounds: readonly Crowded[];
}

export interface Measurements {
  readonly groups: readonly Group[];
  readonly leaks: ReadonlyMap<string, number>;
  readonly crashes: number;
  readonly references: Readonly<Record<'lock' | 'watch' | 'decr' | 'bare', string>>;
  readonly redis: Pick<BenchRedis, 'version' | 'isPinned'>;
}

interface Figure {
  readonly figure: string;
  readonly unit: string;
  /** A ratio to ours stands beside it. */
  readonly isCompared?: true;
  of(crowded: Crowded): number;
}

const verdicts: readonly (readonly [figure: string, key: keyof Verdict])[] = [
  ['sold', 'sold'],
  ['left over', 'left'],
  ['oversold', 'oversold'],
  ['sold twice', 'duplicates'],
  ['wrongly refused', 'wrongRefusals'],
];

const attempts: Figure = { figure: 'attempts/s', unit: '', isCompared: true, of: (crowded) => crowded.attemptsPerSecond };
const p99: Figure = { figure: 'p99', unit: 'ms', of: ({ latencies }) => latencies.p99 };
const figures: readonly Figure[] = [
  attempts,
  { figure: 'sales/s', unit: '', of: (crowded) => crowded.salesPerSecond },
  { figure: 'p50', unit: 'ms', of: ({ latencies }) => latencies.p50 },
  p99,
  { figure: 'client CPU', unit: 'µs', of: ({ clientMicros }) => clientMicros },
  ...verdicts.map(([figure, key]): Figure => ({ figure, unit: '', of: ({ verdict }) => verdict[key] })),
];

const samples = ({ mechanisms }: Group, name: string, { of }: Figure): number[] =>
  mechanisms.filter((mechanism) => mechanism.name === name).flatMap(({ rounds }) => rounds.map(of));

export function report(measurements: Measurements): SectionResult {
  const { groups, leaks, crashes } = measurements;
  const rows = groups.flatMap((group) => group.mechanisms.flatMap(({ name }) => figures.map((figure) => rowOf(group, name, figure))));
  const leakRows = [...leaks].map(([name, leaked]): Row => {
    return {
      group: `Units that nobody can buy any more after ${crashes} crashes at the worst point`,
      what: name,
      value: leaked,
      unit: 'units',
    };
  });
  const faults = oursFaults(measurements);
  return {
    rows: [...rows, ...leakRows, ...goalRows(measurements, faults.length)],
    notes: notesOf(measurements),
    faults,
    panels: panelsOf(measurements),
  };
}

function rowOf(group: Group, name: string, figure: Figure): Row {
  const of = samples(group, name, figure);
  const { median, spread } = summaryOf(of);
  const row = { group: group.group, what: name, figure: figure.figure, value: median, unit: figure.unit, spread };
  if (!figure.isCompared) return row;
  const ratio = ratioOf(of, samples(group, group.ours.name, figure));
  return { ...row, ratioTo: { what: group.ours.name, value: ratio.median, spread: ratio.spread } };
}

/** What is wrong with ours, in words. */
function oursFaults({ groups, leaks }: Measurements): string[] {
  return groups.flatMap(({ group, mechanisms }) =>
    mechanisms
      .filter(({ ours }) => ours)
      .flatMap(({ name, rounds }) => {
        const wrong = rounds.filter(({ verdict }) => faultsOf(verdict) > 0);
        const leaked = leaks.get(name) ?? 0;
        return [
          ...wrong.map(({ verdict }) => `${group}, ${name}: ${JSON.stringify(verdict)}`),
          ...(leaked === 0 ? [] : [`${name}: ${leaked} units leaked`]),
        ];
      }),
  );
}

function goalRows({ groups, references }: Measurements, faults: number): Row[] {
  const [group] = groups;
  if (!group) return [];
  const ratio = (name: string, reference: string, figure: Figure, goal: Omit<Goal, 'name'>): Row => {
    const { median, spread } = ratioOf(samples(group, group.ours.name, figure), samples(group, reference, figure));
    return { group: 'Goals', what: name, value: median, unit: '×', spread, goal: { name, ...goal } };
  };
  const faster = (word: string, reference: string, atLeast: number, stretch: number) =>
    ratio(`attempts/s ÷ ${word}`, reference, attempts, { atLeast, stretch, direction: 'higher' });
  const zero = 'oversold, sold twice, wrongly refused, leaked';
  return [
    faster('lock with TTL', references.lock, 15, 19),
    faster('WATCH/MULTI', references.watch, 8, 9),
    faster('DECR with revert', references.decr, 1.4, 1.7),
    faster('bare script', references.bare, 0.9, 1),
    ratio("p99 ÷ the lock's p99", references.lock, p99, { atLeast: 1 / 50, stretch: 1 / 200, direction: 'lower' }),
    { group: 'Goals', what: zero, value: faults, unit: '', goal: { name: zero, atLeast: 0, stretch: 0, direction: 'lower' } },
  ];
}

/** What goes wrong with a mechanism, as short as it can be said. */
function remarkOf({ rounds, name }: MeasuredMechanism, { leaks, crashes }: Measurements): string {
  const worst = (key: keyof Verdict) => Math.max(...rounds.map(({ verdict }) => verdict[key]));
  const leaked = leaks.get(name) ?? 0;
  const counted: readonly (readonly [count: number, words: string])[] = [
    [worst('oversold'), 'oversold'],
    [worst('duplicates'), 'sold twice'],
    [worst('wrongRefusals'), 'refused wrongly'],
  ];
  return [
    ...counted.filter(([count]) => count > 0).map(([count, words]) => `${count.toLocaleString('en-US')} ${words}`),
    ...(leaked > 0 ? [`${leaked} of ${crashes} leak`] : []),
  ].join(', ');
}

function panelsOf(measurements: Measurements): Panel[] {
  const panel = (group: Group, title: string, figure: Figure, better: 'higher' | 'lower'): Panel => ({
    kind: 'bars',
    title: `${title}${group.group.startsWith('Redis') ? '' : `, ${group.group}`}`,
    unit: figure.unit || figure.figure,
    better,
    bars: group.mechanisms.map((mechanism): Bar => {
      const { median, spread } = summaryOf(mechanism.rounds.map(figure.of));
      const remark = remarkOf(mechanism, measurements);
      return { label: mechanism.name, value: median, spread, ...(mechanism.ours ? { ours: true } : {}), ...(remark ? { remark } : {}) };
    }),
  });
  return measurements.groups
    .filter((_, index) => index !== 1)
    .flatMap((group) => [
      panel(group, `Attempts per second at ${group.sizes.lanes} buyers`, attempts, 'higher'),
      panel(group, `p99 at ${group.sizes.lanes} buyers`, p99, 'lower'),
    ]);
}

function notesOf({ groups, redis, crashes }: Measurements): string[] {
  const sizes = groups.map(
    ({ group, sizes: { attempts: count, stock, lanes } }) =>
      `${group}: ${count.toLocaleString('en-US')} attempts for ${stock.toLocaleString('en-US')} units by ${lanes} buyers at a time`,
  );
  return [
    `${redis.version} without persistence, ${redis.isPinned ? 'on a core of its own, the clients on the others' : 'sharing its cores with the clients'}; the client that ships (ioredis), a connection for each buyer, ids made beforehand.`,
    `${sizes.join('; ')}. Every fifth attempt repeats an earlier one's key.`,
    'Judged by the orders that are stored: sold twice is an order beyond the first of a key; wrongly refused is who was turned away while, whatever the order of things, enough was left.',
    'sales/s: until the last one that sold. The × is to ours. Mechanisms on Redis write the order to Redis, in the same step where that is how they are used (WATCH/MULTI, fenced lock).',
    `Crashes: ${crashes} clients die when a unit is gone and no order has it (in a transaction: just before it); then locks and holds run out, and more buyers come than there are units.`,
    'DynamoDB is the server that comes along: fewer attempts, because each transaction leaves a token there that slows down later ones, and a fresh one for each measurement.',
  ];
}
