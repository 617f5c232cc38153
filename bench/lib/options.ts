import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { BadOption, numberOf } from '../../test/support/command-line.ts';
import { sections } from './sections.ts';

export interface BenchOptions {
  readonly only: readonly string[];
  readonly quick: boolean;
  readonly rounds: number;
  readonly seed: number;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Whether bench/results is to have this run's files. */
  readonly writes: boolean;
}

export const helpText = `npm run bench -- [options]

Measures the engine against what it replaces, all side by side in one run: interleaved rounds, medians with their spread, ratios round by round.
It wants a machine that does nothing else, and a native Redis; with taskset, Redis has a core for itself.

  --only NAME   this section alone; more than one with commas between
  --rounds N    how often each thing is measured, 1 to 99   (5; with --quick 1)
  --seed S      the order of things and what buyers do      (a fresh one)
  --quick       tiny sizes: shows that it runs, measures nothing
  --json FILE   where to write all figures
  --svg FILE    where to write the picture
  --write       writes both into bench/results, which the README shows
  -h, --help    this text

Sections: ${Object.keys(sections).join(', ')}.
Exit code: 0 done, 1 something was oversold, sold twice, leaked or wrongly refused by what this project ships, 2 it could not run.`;

const roundsOtherwise = 5;

/** The options of a run, or undefined when help was asked for. Throws `BadOption`. */
export function readOptions(args: readonly string[]): BenchOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  const { quick = false, rounds, seed } = values;
  return {
    only: values.only === undefined ? Object.keys(sections) : values.only.split(',').map(known),
    quick,
    rounds: rounds === undefined ? (quick ? 1 : roundsOtherwise) : numberOf('rounds', rounds, 1, 99),
    seed: seed === undefined ? randomInt(1_000_000) : numberOf('seed', seed, 0, 2 ** 32 - 1),
    json: values.json,
    svg: values.svg,
    writes: values.write ?? false,
  };
}

function parsed(args: readonly string[]) {
  const [text, flag] = [{ type: 'string' }, { type: 'boolean' }] as const;
  try {
    return parseArgs({
      args: [...args],
      options: { only: text, rounds: text, seed: text, quick: flag, json: text, svg: text, write: flag, help: { ...flag, short: 'h' } },
    }).values;
  } catch (cause) {
    throw new BadOption(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function known(name: string): string {
  if (Object.hasOwn(sections, name)) return name;
  throw new BadOption(`--only takes ${Object.keys(sections).join(', ')}, not "${name}".`);
}
