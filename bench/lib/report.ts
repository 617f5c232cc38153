import { table } from '../../lib/client/report.ts';
import type { Machine } from './machine.ts';
import type { Goal, Row, SectionResult } from './section.ts';

/** A whole run, as the JSON file has it. */
export interface Report {
  readonly seed: number;
  readonly rounds: number;
  readonly quick: boolean;
  /** Which sections, when not all. */
  readonly only?: readonly string[];
  readonly measuredAt: string;
  readonly seconds: number;
  readonly machine: Machine;
  readonly sections: readonly SectionReport[];
}

export type SectionReport = { readonly name: string; readonly title: string; readonly seconds: number } & SectionResult;

/** Three significant digits; whole numbers from 1,000 on, in groups. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '-';
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US');
  return String(Number(value.toPrecision(3)));
}

const range = ({ min, max }: { readonly min: number; readonly max: number }): string => `${figure(min)}..${figure(max)}`;

const ratioText = ({ ratioTo }: Row): string => (ratioTo ? `${figure(ratioTo.value)} × ${ratioTo.what}` : '');

const spreadText = ({ spread }: Pick<Row, 'spread'>): string => (spread && spread.samples > 1 ? range(spread) : '');

const cellsOf = (row: Row): string[] => [`  ${row.what}`, figure(row.value), row.unit, spreadText(row), ratioText(row)];

const withSpread = (row: Row): string => {
  const over = spreadText(row);
  const isOne = row.spread?.min === row.spread?.max;
  return over === '' || isOne ? figure(row.value) : `${figure(row.value)} (${over})`;
};

/** Rows with several figures: one line for each `what`, and two columns where a figure is a ratio too. */
function pivoted(group: string, rows: readonly Row[]): string {
  const columns = [...new Map(rows.map((row) => [row.figure, row])).values()];
  const header = columns.flatMap(({ figure: name = '', unit, ratioTo }) => [
    unit === '' ? name : `${name} ${unit}`,
    ...(ratioTo ? ['×'] : []),
  ]);
  const lines = [...Map.groupBy(rows, ({ what }) => what)].map(([what, of]) => [
    `  ${what}`,
    ...columns.flatMap((column) => {
      const row = of.find((each) => each.figure === column.figure);
      return [row ? withSpread(row) : '', ...(column.ratioTo ? [row?.ratioTo ? figure(row.ratioTo.value) : ''] : [])];
    }),
  ]);
  return table([[group, ...header], ...lines]);
}

const listed = (group: string, rows: readonly Row[]): string => table([[group, 'median', '', 'min..max', 'ratio'], ...rows.map(cellsOf)]);

/** One section's part of the table, its notes below. */
export function sectionText({ name, title, seconds, rows, notes, faults }: SectionReport): string {
  // Goals have a table of their own, at the end of the run.
  const shown = rows.filter(({ group }) => group !== 'Goals');
  const groups = [...Map.groupBy(shown, ({ group }) => group ?? '')];
  return [
    `${name}: ${title} (${Math.round(seconds)} s)`,
    ...groups.map(([group, of]) => (of.some((row) => row.figure !== undefined) ? pivoted(group, of) : listed(group, of))),
    ...notes.map((note) => `  - ${note}`),
    ...faults.map((fault) => `  WRONG: ${fault}`),
  ].join('\n');
}

export type Reached = 'stretch' | 'yes' | 'NO';

export function reached({ atLeast, stretch, direction }: Goal, value: number): Reached {
  const isThere = (bound: number) => (direction === 'higher' ? value >= bound : value <= bound);
  if (isThere(stretch)) return 'stretch';
  return isThere(atLeast) ? 'yes' : 'NO';
}

/** Goal by goal, what was measured. */
export function goalRows(report: Report): (readonly string[])[] {
  return report.sections.flatMap(({ rows }) =>
    rows.flatMap(({ goal, value, unit, spread }) => {
      if (!goal) return [];
      const mark = goal.direction === 'higher' ? '≥' : '≤';
      const measured = `${figure(value)}${unit === '×' ? '' : ` ${unit}`}`;
      const over = spread && spread.samples > 1 ? range(spread) : '';
      return [[goal.name, measured, over, `${mark} ${figure(goal.atLeast)}`, `${mark} ${figure(goal.stretch)}`, reached(goal, value)]];
    }),
  );
}

export const goalsText = (report: Report): string =>
  `Goals\n${table([['goal', 'measured', 'min..max', 'at least', 'stretch', 'reached'], ...goalRows(report)])}`;

export const faultsOf = (report: Report): string[] =>
  report.sections.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));

export function summaryLine(report: Report): string {
  const goals = goalRows(report).map((cells) => cells.at(-1));
  const count = (word: Reached) => goals.filter((cell) => cell === word).length;
  const faults = faultsOf(report).length;
  const wrong = faults === 0 ? 'nothing oversold, sold twice, leaked or wrongly refused' : `${faults} FAULTS`;
  return (
    `bench: ${goals.length} goals, ${count('stretch')} at their stretch, ${count('yes')} at least reached, ${count('NO')} not; ${wrong} ` +
    `(${report.rounds} rounds, seed ${report.seed}, ${Math.round(report.seconds)} s${report.quick ? ', quick: these figures mean nothing' : ''})`
  );
}
