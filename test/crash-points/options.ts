import { parseArgs } from 'node:util';
import { UsageError } from '../simulation/options.ts';

export interface CrashPointOptions {
  readonly seed: number;
  readonly jobs: number;
  /** Handlers whose name has this in it. */
  readonly only?: string;
  readonly scenario?: string;
  /** One point alone, told as a story. */
  readonly point?: string;
  readonly json?: string;
}

export const helpText = `npm run crash-points -- [options]

Plays small sales that together bring every function to every call that it makes to the outside. Then, for each of these calls, plays the same sale
again, with the function dying before that call, dying after it was done, or losing its reply; buyers ask again with the same key, queues deliver
again, schedules go on, and once nothing is owed any more all invariants must hold. A new call joins by itself.

  --seed S              the order of what happens at the same time            (1)
  --jobs N              processes side by side, 1 to 8                        (2)
  --only HANDLER        only points of handlers with this in their name, such as orders/place or payments/
  --scenario NAME       only points of this scenario
  --point ID            this point alone, with all that happened; IDs are printed with what is broken
  --json FILE           writes the figures there too
  -h, --help            this text

Exit code: 0 every point was tried and nothing was broken, 1 something was, 2 it could not run (the message says why).`;

function whole(name: string, given: string | undefined, [min, max, otherwise]: readonly [number, number, number]): number {
  if (given === undefined) return otherwise;
  const number = Number(given);
  if (!/^\d+$/.test(given) || number < min || number > max)
    throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not ${given}.`);
  return number;
}

/** Undefined when only help is asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[]): CrashPointOptions | undefined {
  const { help, seed, jobs, ...texts } = parsed(args);
  if (help) return undefined;
  return { seed: whole('seed', seed, [0, 2 ** 31, 1]), jobs: whole('jobs', jobs, [1, 8, 2]), ...texts };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...{ seed: text, jobs: text, only: text, scenario: text, point: text, json: text },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
