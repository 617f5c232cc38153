import { interleave } from '../lib/interleave.ts';
import type { BenchContext, Goal, LinePanel, Row, Section, SectionResult } from '../lib/section.ts';
import { ratioOf, summaryOf } from '../lib/statistics.ts';
import { synthesised } from '../system/stage.ts';
import { type Axis, axes, type Cost, costOf, fullSizes, type Level, levelsOf, quickSizes } from './levels.ts';
import { memoryRows } from './memory.ts';
import { ordersRows } from './orders.ts';

export const section: Section = {
  name: 'growth',
  title: 'what a reserve and a claim cost as a sale, its crowd and the tables grow, and what memory that takes',
  run,
};

/** A level takes some 30 ms, in which another guest of the machine may have the core. */
const roundsOfEach = 4;

async function run(context: BenchContext): Promise<SectionResult> {
  const { quick, log } = context;
  const redis = await context.redis({ pinned: true });
  const memory = await memoryRows(redis, quick ? 1_000 : 100_000);
  log('memory: done');
  const levels = levelsOf(redis, quick ? quickSizes : fullSizes);
  for (const level of levels) {
    context.signal.throwIfAborted();
    await level.prepare();
  }
  log('sales of all sizes are there');
  // Once for nothing: the first calls after a load find cold memory.
  for (const level of levels) await costOf(redis, level, 0);
  const rounds = context.quick ? context.rounds : roundsOfEach * context.rounds;
  const measured = await interleave({ ...context, rounds }, levels, (level, round) => costOf(redis, level, round + 1));
  await redis.stop();

  const orders = await ordersRows(context, await synthesised(context), quick ? [100] : [10_000, 100_000, 1_000_000]);
  return {
    rows: [...axes.flatMap((axis) => rowsOf(axis, levels, measured)), ...memory, ...orders.rows],
    notes: [
      'Calls of the reserve script for one unit, 16 pipelined on each of 8 connections; exec is what Redis counts inside the command, CPU all that its process used; p50 and p99 are of 16 ' +
        'calls that were sent together, to the answer of the last. ' +
        'All sizes stand in one Redis at the same time and are measured in turns.',
      'Units are a number in Redis, so they cost nothing. Holds and buyers are fields of one hash: what grows with them is memory, and with it the share of ' +
        'look-ups that the processor’s caches miss.',
      'By units and by sales, holds are spread over many sales; by holds, nobody has a limit; by buyers, each buys a second unit.',
      'An order’s claim is made one at a time, with a row in each of four tables, of which the table of orders alone is filled.',
      ...orders.notes,
    ],
    faults: [],
    panels: [panelOf(levels, measured)],
  };
}

type Measured = ReadonlyMap<Level, readonly Cost[]>;

const execOf = ({ exec }: Cost): number => exec;
const cpuOf = ({ cpu }: Cost): number => cpu;

/** The goals that speak of growth. */
const goals: Partial<Record<Axis, (from: string, to: string) => Goal>> = {
  units: (from, to) => growthGoal(`from ${from} to ${to} units`),
  holds: (from, to) => growthGoal(`from ${from} to ${to} holds`),
};
const growthGoal = (reach: string): Goal => ({
  name: `growth of the reserve script’s exec time ${reach}`,
  atLeast: 10,
  stretch: 3,
  direction: 'lower',
});

function rowsOf(axis: Axis, levels: readonly Level[], measured: Measured): Row[] {
  const group = `a reserve by ${axis}`;
  const of = levels.filter((level) => level.axis === axis);
  const [first] = of;
  const last = of.at(-1);
  if (!first || !last) return [];
  const nameOf = ({ x }: Level) => `${x.toLocaleString('en-US')} ${axis}`;
  const figuresOf = (level: Level, figure: (cost: Cost) => number) => (measured.get(level) ?? []).map(figure);
  const row = (level: Level, what: string, figure: (cost: Cost) => number, unit = 'µs'): Row => {
    const { median, spread } = summaryOf(figuresOf(level, figure));
    const ratio = ratioOf(figuresOf(level, figure), figuresOf(first, figure));
    const ratioTo = level === first ? {} : { ratioTo: { what: `${nameOf(first)}${what}`, value: ratio.median, spread: ratio.spread } };
    return { group, what: `${nameOf(level)}${what}`, value: median, unit, spread, ...ratioTo };
  };
  const percent = (ratio: number) => 100 * (ratio - 1);
  const ratios = figuresOf(last, execOf).map((value, round) => percent(value / (figuresOf(first, execOf)[round] ?? Number.NaN)));
  const growth = summaryOf(ratios);
  const goal = goals[axis]?.(first.x.toLocaleString('en-US'), last.x.toLocaleString('en-US'));
  return [
    ...of.map((level) => row(level, ', exec', execOf)),
    ...of.map((level) => row(level, ', CPU', cpuOf)),
    ...of.map((level) => row(level, ', throughput', ({ callsPerSecond }) => callsPerSecond, 'calls/s')),
    ...of.map((level) => row(level, ', p50', ({ p50 }) => p50)),
    ...of.map((level) => row(level, ', p99', ({ p99 }) => p99)),
    {
      ...{ group, what: `growth of exec from ${nameOf(first)} to ${nameOf(last)}`, value: growth.median, unit: '%', spread: growth.spread },
      ...(goal ? { goal } : {}),
    },
  ];
}

const panelOf = (levels: readonly Level[], measured: Measured): LinePanel => ({
  kind: 'lines',
  title: 'Reserve, as things grow',
  xLabel: 'units, holds, buyers, sales',
  unit: 'µs exec',
  series: axes.map((axis) => ({
    label: axis,
    points: levels
      .filter((level) => level.axis === axis && level.x > 0)
      .map((level) => {
        const { median, spread } = summaryOf((measured.get(level) ?? []).map(execOf));
        return { x: level.x, y: median, spread };
      }),
  })),
});
