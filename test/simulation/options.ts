import { parseArgs } from 'node:util';

/** The command line can't be followed; says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface SimulateOptions {
  readonly seeds: number;
  readonly first: number;
  readonly minutes: number;
  readonly jobs: number;
  /** Prints the story and the steps of each seed. */
  readonly trace: boolean;
  readonly shrinks: boolean;
  readonly json?: string;
}

export const helpText = `npm run simulate -- [options]

Runs whole sales in one thread, on a virtual clock and a seeded random: the functions that deploy, the routes, rules, queues and schedules of the
template, a real Redis (as WebAssembly), a model of DynamoDB, buyers and operators, and every fault of DESIGN.md's table. All invariants are checked
after each step or once nothing is owed any more. A seed that breaks one is shrunk and told as a story.

  --seeds N             how many seeds, 1 to 1000000                          (100)
  --seed S              this seed alone, or the first one of --seeds          (1)
  --minutes M           how long people buy, in simulated minutes, 1 to 60    (4)
  --jobs N              processes side by side, 1 to 8                        (1)
  --trace               prints what happened; with one seed each step too
  --no-shrink           leaves a seed that fails as it is
  --json FILE           writes the figures there too
  -h, --help            this text

The same seed gives the same trace hash, whatever ran before it.
Exit code: 0 nothing was broken, 1 something was, 2 it could not run (the message says why).`;

function whole(name: string, given: string | undefined, [min, max, otherwise]: readonly [number, number, number]): number {
  if (given === undefined) return otherwise;
  const number = Number(given);
  if (!/^\d+$/.test(given) || number < min || number > max)
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${given}.`);
  return number;
}

/** Undefined when only help is asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[]): SimulateOptions | undefined {
  const { values } = parsed(args);
  if (values.help) return undefined;
  const isOneSeed = values.seed !== undefined && values.seeds === undefined;
  return {
    seeds: isOneSeed ? 1 : whole('seeds', values.seeds, [1, 1_000_000, 100]),
    first: whole('seed', values.seed, [0, 2 ** 31, 1]),
    minutes: whole('minutes', values.minutes, [1, 60, 4]),
    jobs: whole('jobs', values.jobs, [1, 8, 1]),
    trace: values.trace ?? false,
    shrinks: !(values['no-shrink'] ?? false),
    ...(values.json === undefined ? {} : { json: values.json }),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{
          seeds: { type: 'string' },
          seed: { type: 'string' },
          minutes: { type: 'string' },
          jobs: { type: 'string' },
          json: { type: 'string' },
        },
        ...{ trace: { type: 'boolean' }, 'no-shrink': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
      } as const,
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
