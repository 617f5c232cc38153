import { type RedisClient, replicated } from '../shared/redis.ts';
import { fieldsOf } from './fields.ts';
import * as scripts from './shards.definitions.ts';
import { type Sharded, shardStockId, stripesOf, type Transit } from './shards.model.ts';
import { stockKeys } from './stock.keys.ts';
import type { LineUnits } from './stock.model.ts';
import { BadRecord, formatLine, parseItem } from './stock.records.ts';

/** A shard at one moment. */
export interface ShardSeen {
  readonly shard: number;
  /** Units of the item that was asked about. */
  readonly free: number;
  readonly lent: readonly Transit[];
  /** What has come from other shards, by the numbers of the last runs: it changes with each. */
  readonly received: string;
}

/** Ranges in one call of a script. */
const rangesPerCall = 250;
/** Calls that bring one item of a shard up to date: more than an item of a million units takes. */
const callsMax = 1_000;

/** A shard was told of new units again and again, and still did not have them. */
export class NotSupplied extends Error {
  override readonly name = 'NotSupplied';
}

/** The shards of a sale among each other (see docs/shards.md). Each verb is of one shard, and may be repeated. */
export function shardScripts(redis: RedisClient) {
  const keysOf = ({ saleId }: Sharded, shard: number) => stockKeys(shardStockId(saleId, shard));

  return {
    /** A shard as it is; undefined where Redis does not have it. */
    async visit(sale: Sharded, shard: number, sku: string): Promise<ShardSeen | undefined> {
      const others = Array.from({ length: sale.shards ?? 1 }, (_, other) => other);
      const fields = [...others.map((to) => `t:${to}`), ...others.map((from) => `g:${from}`)];
      const [loaded, item, ...found] = await fieldsOf(redis, keysOf(sale, shard).sale, ['s', `i:${sku}`, ...fields]);
      if (loaded === null || loaded === undefined) return undefined;
      return {
        shard,
        free: item ? parseItem(sku, item).free : 0,
        lent: found.slice(0, others.length).flatMap((record, to) => transitsOf(shard, to, record)),
        received: found.slice(others.length).join(','),
      };
    },

    /** Takes a run of units out of one shard for another; while one is on its way there, that very run. */
    async lend(sale: Sharded, { from, to, sku, missing }: Pick<Transit, 'from' | 'to' | 'sku'> & { readonly missing: number }) {
      const lent = await scripts.lend(redis, { keys: keysOf(sale, from), args: { to, sku, missing } });
      if (lent.outcome !== 'LENT') return lent;
      const { outcome, ...run } = lent;
      return { outcome, transit: { ...run, from, to } satisfies Transit };
    },

    receive: (sale: Sharded, { from, to, seq, sku, units }: Transit) =>
      scripts.receive(redis, { keys: keysOf(sale, to), args: { from, seq, sku, units } }),

    settle: (sale: Sharded, { from, to, seq }: Pick<Transit, 'from' | 'to' | 'seq'>) =>
      scripts.settle(redis, { keys: keysOf(sale, from), args: { to, seq } }),

    /** Returns when a replica, where there is one, has what was written to the shard; throws when that takes too long. */
    replicated: (sale: Sharded, shard: number) => replicated(redis, keysOf(sale, shard).sale),

    /** Puts on sale what is one shard's of an item's units after those that it has heard of. -> whether it has heard of `total` now; false: it is not loaded */
    async supply(sale: Sharded, shard: number, { sku, total }: { readonly sku: string; readonly total: number }): Promise<boolean> {
      const keys = keysOf(sale, shard);
      for (let call = 0; call < callsMax; call++) {
        const [loaded, item] = await fieldsOf(redis, keys.sale, ['s', `i:${sku}`]);
        if (!loaded || !item) return false;
        const after = parseItem(sku, item).total;
        if (after >= total) return true;
        const ranges = stripesOf(sku, after, total, shard, sale.shards ?? 1);
        const page = ranges.slice(0, rangesPerCall);
        const upTo = ranges.length > rangesPerCall ? (page.at(-1)?.last ?? total) : total;
        const supplied = await scripts.supply(redis, { keys, args: { sku, after, total: upTo }, each: page });
        if (supplied.outcome === 'NOT_LOADED') return false;
      }
      throw new NotSupplied(`${keys.sale} has not heard of ${total} ${sku} after ${callsMax} calls`);
    },

    /** Takes units (at most 1,000) out of a stock's pools that others have. */
    drop: (stockId: string, lines: readonly LineUnits[]) =>
      scripts.dropUnits(redis, {
        keys: stockKeys(stockId),
        args: {},
        each: lines.map(({ sku, ...line }) => ({ sku, units: formatLine(line) })),
      }),

    /** All that is on its way from a shard. */
    async transits(sale: Sharded, shard: number): Promise<Transit[]> {
      const fields = Array.from({ length: sale.shards ?? 1 }, (_, to) => `t:${to}`);
      const found = await fieldsOf(redis, keysOf(sale, shard).sale, fields);
      return found.flatMap((record, to) => transitsOf(shard, to, record));
    },
  };
}

export type ShardScripts = ReturnType<typeof shardScripts>;

function transitsOf(from: number, to: number, record: string | null): Transit[] {
  if (record === null) return [];
  const [, seq, sku, units] = /^(\d+)\|(?:([^|]+)\|(.+))?$/.exec(record) ?? [];
  if (seq === undefined) throw new BadRecord(`transit ${record}`);
  return sku === undefined || units === undefined ? [] : [{ from, to, seq: Number(seq), sku, units }];
}
