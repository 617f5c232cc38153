import { matchesGlob } from 'node:path';
import type { GroupName } from './groups.ts';
import type { Tolerated } from './tolerated.ts';

/** A mutant as Stryker leaves it, with the text that it took the place of. */
export interface Mutant {
  readonly group: GroupName;
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly original: string;
  readonly replacement: string;
  readonly status: string;
}

export interface Figures {
  readonly mutants: number;
  readonly killed: number;
  readonly timedOut: number;
  readonly survived: number;
  readonly noCoverage: number;
  /** Wording and documentation, which no rule depends on. */
  readonly leftOut: number;
  /** Of those that survived or were not covered, those that are tolerated, each with its reason. */
  readonly tolerated: number;
  /** What was not decided: an error of the tool. */
  readonly errors: number;
  readonly scorePercent: number;
}

export const scorePercentMin = 85;

const survives = ({ status }: Mutant): boolean => status === 'Survived' || status === 'NoCoverage';
const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();

/** Whether this entry is about this mutant. */
export const isAbout = (
  { file, mutator, original, replacement }: Tolerated,
  mutant: Pick<Mutant, 'file' | 'mutator' | 'original' | 'replacement'>,
): boolean =>
  matchesGlob(mutant.file, file) &&
  mutant.mutator === mutator &&
  squeezed(mutant.original) === squeezed(original) &&
  (replacement === undefined || squeezed(mutant.replacement) === squeezed(replacement));

/** What became of the mutants. Tolerated ones count as survivors: the score is what it is without them. */
export function figuresOf(mutants: readonly Mutant[], tolerated: readonly Tolerated[]): Figures {
  const count = (status: string) => mutants.filter((mutant) => mutant.status === status).length;
  const [killed, timedOut, survived, noCoverage] = [count('Killed'), count('Timeout'), count('Survived'), count('NoCoverage')];
  const decided = killed + timedOut + survived + noCoverage;
  const leftOut = count('Ignored');
  return {
    mutants: decided,
    killed,
    timedOut,
    survived,
    noCoverage,
    leftOut,
    tolerated: mutants.filter((mutant) => survives(mutant) && tolerated.some((entry) => isAbout(entry, mutant))).length,
    errors: mutants.length - decided - leftOut,
    scorePercent: decided === 0 ? 100 : Math.floor(((killed + timedOut) / decided) * 10_000) / 100,
  };
}

/** Survivors that nobody has given a reason for. */
export const unexplained = (mutants: readonly Mutant[], tolerated: readonly Tolerated[]): Mutant[] =>
  mutants.filter((mutant) => survives(mutant) && !tolerated.some((entry) => isAbout(entry, mutant)));

/** Entries whose mutant is found by now, of the files that were tried: they can go. */
export function needless(mutants: readonly Mutant[], tolerated: readonly Tolerated[]): Tolerated[] {
  const tried = new Set(mutants.map(({ file }) => file));
  const isTried = ({ file }: Tolerated) => [...tried].some((each) => matchesGlob(each, file));
  return tolerated.filter((entry) => isTried(entry) && !mutants.some((mutant) => survives(mutant) && isAbout(entry, mutant)));
}

export const mutantLine = ({ file, line, mutator, original, replacement, status }: Mutant): string =>
  `${file}:${line} ${status === 'NoCoverage' ? 'not covered' : 'survived'}: ${mutator} ${squeezed(original).slice(0, 90)} -> ${squeezed(replacement).slice(0, 90)}`;

const columns = ['mutants', 'killed', 'timedOut', 'survived', 'noCoverage', 'tolerated', 'scorePercent'] as const;

/** One row per group, and one for all of them. */
export function table(rows: readonly (readonly [name: string, figures: Figures])[]): string {
  const cells = [['', 'mutants', 'killed', 'timed out', 'survived', 'not covered', 'tolerated', 'score'], ...rows.map(rowOf)];
  const widths = (cells[0] ?? []).map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '))
    .join('\n');
}
const rowOf = ([name, figures]: readonly [string, Figures]): string[] => [
  name,
  ...columns.map((column) => (column === 'scorePercent' ? `${figures.scorePercent.toFixed(2)} %` : String(figures[column]))),
];
