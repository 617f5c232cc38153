import { parseArgs } from 'node:util';
import { BadOption, numberOf } from '../../test/support/command-line.ts';
import type { Load } from './model.ts';

export interface ScaleOptions {
  readonly load: Load;
  readonly writes: boolean;
  readonly json: string | undefined;
}

/** The load that docs/scale.md is about. */
export const documentedLoad: Load = { attemptsPerSecond: 1_000_000, ordersPerSecond: 20_000, unitsPerOrder: 1, stockShards: 1 };

export const helpText = `npm run scale -- [options]

Works out what a load takes that fits on no machine of ours: where the first wall stands, what moves it, and what it costs on AWS. From the inputs of
bench/measured.json, and from quotas and prices with their sources in bench/scale/sources.ts.

  --attempts-per-second N   attempts to buy, 1 to 100000000                             (1000000)
  --orders-per-second N     those of them that win, 0 to 10000000                       (20000)
  --units-per-order N       1 to 20                                                     (1)
  --stock-shards N          over how many shards one sale's stock is spread, 1 to 500   (1)
  --json FILE               writes the walls, the needs and the costs there too
  --write                   counts anew what the code says, and brings bench/measured.json and docs/scale.md up to date
  -h, --help                this text

Exit code: 0 done, 2 it could not run (the message says why).`;

/** Undefined when only help is asked for. Throws `BadOption`. */
export function readOptions(args: readonly string[]): ScaleOptions | undefined {
  const values = parsed(args);
  if (values.help) return undefined;
  const of = (name: keyof typeof bounds, otherwise: number) => {
    const given = values[name];
    const [least, most] = bounds[name];
    return given === undefined ? otherwise : numberOf(name, given, least, most);
  };
  const load: Load = {
    attemptsPerSecond: of('attempts-per-second', documentedLoad.attemptsPerSecond),
    ordersPerSecond: of('orders-per-second', documentedLoad.ordersPerSecond),
    unitsPerOrder: of('units-per-order', documentedLoad.unitsPerOrder),
    stockShards: of('stock-shards', documentedLoad.stockShards),
  };
  if (load.ordersPerSecond > load.attemptsPerSecond) throw new BadOption('--orders-per-second can be no more than --attempts-per-second.');
  const isDocumented = Object.entries(load).every(([name, value]) => documentedLoad[name as keyof Load] === value);
  if (values.write && !isDocumented) throw new BadOption('--write is for the load of the document: leave the other options out.');
  return { load, writes: values.write ?? false, json: values.json };
}

const bounds = {
  'attempts-per-second': [1, 100_000_000],
  'orders-per-second': [0, 10_000_000],
  'units-per-order': [1, 20],
  'stock-shards': [1, 500],
} as const;

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        'attempts-per-second': text,
        'orders-per-second': text,
        'units-per-order': text,
        'stock-shards': text,
        json: text,
        write: flag,
        help: { ...flag, short: 'h' },
      },
    }).values;
  } catch (cause) {
    throw new BadOption(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
