import { parseArgs } from 'node:util';
import { type GroupName, groups } from './groups.ts';

export const help = `npm run mutation -- [options]
  --group <name>         only this group: ${Object.keys(groups).join(', ')}; may be repeated (all)
  --files <glob>         only sources that match, of the groups; may be repeated
  --again                keep the results of the last run where neither source nor tests have changed
  --concurrency <count>  processes that try mutants (2)
  --json <file>          write the figures and the survivors as JSON
`;

export interface MutationOptions {
  readonly groups: readonly GroupName[];
  readonly files: readonly string[];
  readonly again: boolean;
  readonly concurrency: number;
  readonly json?: string | undefined;
}

/** An option that nobody can follow. */
export class WrongOption extends Error {
  override readonly name = 'WrongOption';
}

const isGroup = (name: string): name is GroupName => Object.hasOwn(groups, name);
const concurrencyMax = 16;

/** What was asked for; undefined for the help. Throws `WrongOption`. */
export function readOptions(args: readonly string[]): MutationOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  const names = values.group ?? Object.keys(groups);
  const wrong = names.find((name) => !isGroup(name));
  if (wrong !== undefined) throw new WrongOption(`There is no group '${wrong}': there are ${Object.keys(groups).join(', ')}.`);
  const concurrency = Number(values.concurrency);
  if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > concurrencyMax)
    throw new WrongOption(`--concurrency is a number from 1 to ${concurrencyMax}.`);
  return { groups: names.filter(isGroup), files: values.files ?? [], again: values.again, concurrency, json: values.json };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        group: { type: 'string', multiple: true },
        files: { type: 'string', multiple: true },
        again: { type: 'boolean', default: false },
        concurrency: { type: 'string', default: '2' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (cause) {
    throw new WrongOption(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
