import type { BenchRedis } from '../lib/redis-server.ts';
import type { Goal, Panel, Row, SectionResult } from '../lib/section.ts';
import { medianOf, ratioOf, summaryOf } from '../lib/statistics.ts';
import { type CallKind, names } from './calls.ts';

/** How the client asks. */
export interface Mode {
  readonly name: string;
  readonly connections: number;
  readonly pipelined: number;
  readonly calls: number;
}

const single: Mode = { name: '1 connection', connections: 1, pipelined: 1, calls: 10_000 };
const singlePipelined: Mode = { name: '1 connection, 16 pipelined', connections: 1, pipelined: 16, calls: 50_000 };
const many: Mode = { name: '50 connections', connections: 50, pipelined: 1, calls: 50_000 };
const manyPipelined: Mode = { name: '50 connections, 16 pipelined', connections: 50, pipelined: 16, calls: 100_000 };
export const modes: readonly Mode[] = [manyPipelined, many, singlePipelined, single];

/** One measurement, per call. */
export interface Measured {
  readonly execMicros: number;
  readonly cpuMicros: number;
  readonly callsPerSecond: number;
  /** How much of the time the server computed. */
  readonly busyShare: number;
  readonly faults: readonly string[];
}

export interface MeasuredKind {
  readonly mode: Mode;
  readonly kind: CallKind;
  readonly rounds: readonly Measured[];
}

type Figure = Exclude<keyof Measured, 'faults'>;

const figures: readonly { readonly key: Figure; readonly figure: string; readonly unit: string; readonly base?: string }[] = [
  { key: 'execMicros', figure: 'exec', unit: 'µs', base: names.bare },
  { key: 'cpuMicros', figure: 'server CPU', unit: 'µs', base: names.bare },
  { key: 'callsPerSecond', figure: 'throughput', unit: 'calls/s', base: names.decr },
];

const goals: readonly { readonly goal: Goal; readonly mode: Mode; readonly key: Figure; readonly what: string; readonly base: string }[] = [
  {
    goal: { name: 'reserve ÷ bare script, exec time', atLeast: 3, stretch: 2.2, direction: 'lower' },
    mode: manyPipelined,
    key: 'execMicros',
    what: names.newHold,
    base: names.bare,
  },
  {
    goal: { name: 'reserve ÷ DECR, calls/s at 50 connections, not pipelined', atLeast: 0.8, stretch: 0.92, direction: 'higher' },
    mode: many,
    key: 'callsPerSecond',
    what: names.newHold,
    base: names.decr,
  },
  {
    goal: { name: 'refusal (sold out) ÷ bare script, server CPU', atLeast: 1.4, stretch: 1.15, direction: 'lower' },
    mode: manyPipelined,
    key: 'cpuMicros',
    what: names.glance,
    base: names.bare,
  },
];

export function report(measured: readonly MeasuredKind[], redis: Pick<BenchRedis, 'version' | 'isPinned'>): SectionResult {
  const samples = (mode: Mode, what: string, key: Figure): number[] =>
    measured.filter((each) => each.mode === mode && each.kind.what === what).flatMap(({ rounds }) => rounds.map((round) => round[key]));

  const rows = measured.flatMap(({ mode, kind, rounds }) =>
    figures.map(({ key, figure, unit, base }): Row => {
      const of = rounds.map((round) => round[key]);
      const { median, spread } = summaryOf(of);
      const ratio = base === undefined ? undefined : ratioOf(of, samples(mode, base, key));
      const ratioTo =
        base === undefined || ratio === undefined ? {} : { ratioTo: { what: base, value: ratio.median, spread: ratio.spread } };
      return { group: mode.name, what: kind.what, figure, value: median, unit, spread, ...ratioTo };
    }),
  );
  const goalRows = goals.map(({ goal, mode, key, what, base }): Row => {
    const { median, spread } = ratioOf(samples(mode, what, key), samples(mode, base, key));
    return { group: 'Goals', what: goal.name, value: median, unit: '×', spread, goal };
  });
  return { rows: [...rows, ...goalRows], notes: notesOf(measured, redis), faults: faultsOf(measured), panels: panelsOf(measured) };
}

const faultsOf = (measured: readonly MeasuredKind[]): string[] => measured.flatMap(({ rounds }) => rounds.flatMap(({ faults }) => faults));

function panelsOf(measured: readonly MeasuredKind[]): Panel[] {
  const panel = (mode: Mode, key: Figure, words: Pick<Panel & { kind: 'bars' }, 'title' | 'unit' | 'better'>): Panel => ({
    kind: 'bars',
    ...words,
    bars: measured
      .filter((each) => each.mode === mode)
      .map(({ kind, rounds }) => {
        const { median, spread } = summaryOf(rounds.map((round) => round[key]));
        return { label: kind.what, value: median, spread, ...(kind.ours ? { ours: true } : {}) };
      }),
  });
  return [
    panel(manyPipelined, 'execMicros', { title: 'Inside Redis: time in the command', unit: 'µs', better: 'lower' }),
    panel(manyPipelined, 'cpuMicros', {
      title: 'Inside Redis: CPU of the server, with reading and answering',
      unit: 'µs',
      better: 'lower',
    }),
    panel(many, 'callsPerSecond', { title: 'Calls per second, 50 connections, not pipelined', unit: 'calls/s', better: 'higher' }),
  ];
}

function notesOf(measured: readonly MeasuredKind[], { version, isPinned }: Pick<BenchRedis, 'version' | 'isPinned'>): string[] {
  const share = (mode: Mode, what: string) => {
    const shares = measured
      .filter((each) => each.mode === mode && each.kind.what === what)
      .flatMap(({ rounds }) => rounds.map(({ busyShare }) => busyShare));
    return `${Math.round(medianOf(shares) * 100)}%`;
  };
  const busy = modes.map((mode) => `${mode.name} ${share(mode, names.decr)} and ${share(mode, names.newHold)}`);
  return [
    `${version} without persistence, ${isPinned ? 'on a core of its own, the client on the others' : 'sharing its cores with the client (no taskset, or one core)'}.`,
    'exec: INFO commandstats. Server CPU: user and system time of the process, with reading, parsing and answering. CPU per call is steady, calls per second are not.',
    `The client writes encoded requests to sockets and looks for the end of each answer. How busy the server was with DECR and with new holds: ${busy.join(', ')}; far below 100%, calls/s are the client's.`,
    'Sold out: a container asks the script, and again each second; in between it glances, with one read that Redis answers at one moment (functions/stock/glance.ts).',
    'Ratios: exec and CPU to the bare script, calls/s to DECR. Every sale has a limit per buyer; each new hold is by a buyer of their own.',
  ];
}
