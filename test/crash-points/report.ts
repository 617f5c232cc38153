import type { Performance } from './perform.ts';
import { type Mode, modes } from './points.ts';
import type { Enumeration, Totals, Violation } from './sweep.ts';

const grouped = (number: number): string => Math.round(number).toLocaleString('en-GB');
const headings: Readonly<Record<Mode, string>> = { 'die-before': 'died before', 'die-after': 'died after', 'reply-lost': 'reply lost' };

/** A line for each handler. */
export function tableOf({ byHandler }: Totals, silent: readonly string[] = []): string {
  const rows = Object.entries(byHandler)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, { points, tried, byMode, violations }]) => [
      name,
      ...[points, tried, ...modes.map((mode) => byMode[mode]), violations].map(grouped),
    ]);
  const quiet = silent.map((name) => [name, '0', '0', '0', '0', '0', '0']);
  const table = [['handler', 'points', 'tried', ...modes.map((mode) => headings[mode]), 'violations'], ...rows, ...quiet];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const pad = (cell: string, column: number) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0));
  return table.map((row) => row.map(pad).join('  ')).join('\n');
}

/** One line: what was tried, and what it came to. */
export const summaryOf = ({ points, tried, violations, simulatedHours }: Totals): string =>
  `crash points: ${grouped(tried)} of ${grouped(points)} tried, ${violations.length} violations, ${simulatedHours.toFixed(1)} simulated hours`;

export const commandOf = (id: string, seed: number): string => `npm run crash-points -- --seed ${seed} --point ${id}`;

export function violationText({ id, about, broken }: Violation, seed: number): string {
  const lines = broken.map(({ invariant, what }) => `  BROKEN  ${invariant}: ${what}`);
  return [about, ...lines, ...(id.includes('/') ? [`  again: ${commandOf(id, seed)}`] : [])].join('\n');
}

/** What must not be of the scenarios themselves: then the sweep can't be believed. */
export function* complaintsOf({ missing, broken, seed }: Enumeration): Generator<string> {
  for (const name of missing) yield `no scenario invokes ${name}`;
  for (const violation of broken) yield `the scenario ${violation.id} is broken ${violationText(violation, seed)}`;
}

/** What happened in a run, as somebody would tell it. */
export const storyOf = ({ told, logs, broken, hash }: Performance): string =>
  [
    ...told.map(({ atMs, text }) => `${(atMs / 1_000).toFixed(3).padStart(10)}  ${text}`),
    '',
    ...logs.map((line) => `  log ${line}`),
    '',
    ...broken.map(({ invariant, what }) => `  BROKEN  ${invariant}: ${what}`),
    `trace ${hash}`,
  ].join('\n');
