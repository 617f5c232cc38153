import { parseArgs } from 'node:util';

/** The command line can't be followed; says what to type instead. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export interface PlantedOptions {
  /** Names of the bugs to plant; all when empty. */
  readonly only: readonly string[];
  readonly jobs: number;
  readonly json?: string;
}

export const helpText = `npm run planted -- [options]

Plants deliberate faults, one at a time, in a copy of the tree in the system's temporary directory, and runs the test that must notice each: that test
passes in the copy as it is, and fails with the fault, by an assertion and not by a mistake of the patch. A patch that no longer applies fails too.

  --only NAME           this one alone; may be given several times            (all)
  --jobs N              copies side by side, 1 to 8                           (2)
  --list                names every fault and what it would do
  --json FILE           writes the figures there too
  -h, --help            this text

Exit code: 0 every fault was caught, 1 one was not, 2 it could not run (the message says why).`;

const jobsMax = 8;

/** `help` and `list` when only that is asked for. Throws `UsageError`. */
export function readOptions(args: readonly string[], names: readonly string[]): PlantedOptions | 'help' | 'list' {
  const { values } = parsed(args);
  if (values.help) return 'help';
  if (values.list) return 'list';
  const only = values.only ?? [];
  const unknown = only.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UsageError(`--only ${unknown}: there is no such fault; --list names them.`);
  const jobs = values.jobs ?? '2';
  if (!/^\d+$/.test(jobs) || Number(jobs) < 1 || Number(jobs) > jobsMax)
    throw new UsageError(`--jobs must be a whole number from 1 to ${jobsMax}, not ${jobs}.`);
  return { only, jobs: Number(jobs), ...(values.json === undefined ? {} : { json: values.json }) };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true },
        jobs: { type: 'string' },
        json: { type: 'string' },
        list: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)} See --help.`);
  }
}
