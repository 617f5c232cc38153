import { table } from '../../lib/client/report.ts';
import { figure } from '../lib/report.ts';
import { names } from '../script-level/calls.ts';

/** Instructions per call. */
export interface Counted {
  readonly what: string;
  readonly instructions: number;
  readonly faults: readonly string[];
}

export interface Counts {
  readonly calls: readonly Counted[];
  /** From script to script one piece more. */
  readonly floor: readonly Counted[];
  readonly growth: readonly Grown[];
}

/** A new hold where there is least of something and where there is most. */
export interface Grown {
  readonly smallest: Counted;
  readonly largest: Counted;
}

/** Per call, in instructions, and as a multiple of the bare script. */
export interface Row {
  readonly what: string;
  readonly instructions: number;
  readonly timesBare: number;
}

export interface Report {
  readonly calls: readonly Row[];
  /** What each piece adds to those before it, the first to nothing. */
  readonly pieces: readonly Row[];
  /** All pieces together. */
  readonly floor: Row;
  readonly newHold: Row;
  readonly aboveFloor: Row;
  readonly growth: readonly { readonly smallest: Row; readonly largest: Row; readonly percent: number }[];
  readonly faults: readonly string[];
}

/** Throws when a kind is missing that the others stand beside. */
export function reportOf({ calls, floor, growth }: Counts): Report {
  const instructionsOf = (name: string): number => {
    const found = calls.find(({ what }) => what === name);
    if (!found) throw new Error(`"${name}" was not counted`);
    return found.instructions;
  };
  const bare = instructionsOf(names.bare);
  const row = (what: string, instructions: number): Row => ({ what, instructions, timesBare: instructions / bare });
  const [empty, newHold] = [instructionsOf(names.empty), instructionsOf(names.newHold)];
  const upTo = [empty, ...floor.map(({ instructions }) => instructions)];
  const whole = upTo.at(-1) ?? empty;
  return {
    calls: calls.map(({ what, instructions }) => row(what, instructions)),
    pieces: [row('a script called', empty), ...floor.map(({ what, instructions }, index) => row(what, instructions - (upTo[index] ?? 0)))],
    floor: row('the floor: a script that does this and nothing else', whole),
    newHold: row(names.newHold, newHold),
    aboveFloor: row('of it above the floor', newHold - whole),
    growth: growth.map(({ smallest, largest }) => ({
      smallest: row(smallest.what, smallest.instructions),
      largest: row(largest.what, largest.instructions),
      percent: (largest.instructions / smallest.instructions - 1) * 100,
    })),
    faults: [...calls, ...floor, ...growth.flatMap(({ smallest, largest }) => [smallest, largest])].flatMap(({ faults }) => faults),
  };
}

const cellsOf = ({ what, instructions, timesBare }: Row, before: string): string[] => [
  `${before}${what}`,
  figure(Math.round(instructions)),
  timesBare.toFixed(2),
];

export function reportText({ calls, pieces, floor, newHold, aboveFloor, growth, faults }: Report): string {
  const rows = [
    ['whole calls', 'instructions', '× bare'],
    ...calls.map((row) => cellsOf(row, '  ')),
    ['what a new hold cannot do without', '', ''],
    ...pieces.map((row, index) => cellsOf(row, index === 0 ? '    ' : '  + ')),
    ...[floor, newHold, aboveFloor].map((row) => cellsOf(row, '  ')),
    ['a new hold in a sale without a limit', '', ''],
    ...growth.flatMap(({ smallest, largest }) => [smallest, largest].map((row) => cellsOf(row, '  of '))),
  ];
  return [table(rows), ...faults.map((fault) => `  WRONG: ${fault}`)].join('\n');
}

export function summaryLine({ floor, newHold, aboveFloor, growth, faults }: Report): string {
  const times = ({ instructions, timesBare }: Row) => `${figure(Math.round(instructions))} instructions (${timesBare.toFixed(2)} × bare)`;
  const wrong = faults.length === 0 ? '' : `; ${faults.length} FAULTS`;
  const grown = growth
    .map(({ smallest, largest, percent }) => `; from ${smallest.what} to ${largest.what} ${percent.toFixed(1)}%`)
    .join('');
  return `instructions: a new hold takes ${times(newHold)}, its floor ${times(floor)}, and ${times(aboveFloor)} are above it${grown}${wrong}`;
}
