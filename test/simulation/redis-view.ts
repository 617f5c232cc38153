import type { SimRedis } from './machine/redis.ts';

// What Redis has of a sale, read from its keys by a reader of its own: lua/stock/lib/records.lua says what stands where. A sale over several shards has a
// stock of each: its own keys, and an account of what is on its way from it to another (docs/shards.md).

export interface RedisHold {
  readonly holdId: string;
  /** H: held, A: an order has it, C: that one is confirmed, E: ended, K: a cart. */
  readonly state: string;
  readonly buyerId: string;
  readonly slots: number;
  /** By item, its units. */
  readonly units: readonly { readonly sku: string; readonly unit: string }[];
}

export interface RedisItem {
  readonly sku: string;
  readonly kind: 'c' | 's';
  readonly total: number;
  readonly next: number;
  readonly free: number;
}

/** What Redis has of one stock. A sale of one shard has one. */
export interface RedisView {
  readonly control: string;
  /** Units per buyer; 0 for none. */
  readonly limit: number;
  readonly version: number;
  readonly isBehind: boolean;
  readonly items: readonly RedisItem[];
  readonly holds: readonly RedisHold[];
  /** By buyer, the mask of used slots. */
  readonly slots: ReadonlyMap<string, number>;
  /** Returned units that are for sale, and those under suspicion, as `sku unit`. */
  readonly pool: ReadonlySet<string>;
  readonly suspects: ReadonlySet<string>;
  /** By `sku seat`, who has it: '' nobody, '?' under suspicion, '-' retired, otherwise a hold. */
  readonly seats: ReadonlyMap<string, string>;
  /** Units that were lent to another shard, and are not known to have come there, as `sku unit`. */
  readonly lent: readonly string[];
}

const texts = (reply: unknown): string[] => (Array.isArray(reply) ? reply.map(String) : []);

function pairsOf(reply: unknown): Map<string, string> {
  const words = texts(reply);
  return new Map(words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? ''] as const] : [])));
}

/** The stocks of a sale, by shard. */
export const stocksOf = (saleId: string, shards = 1): string[] =>
  Array.from({ length: shards }, (_, shard) => (shard === 0 ? saleId : `${saleId}#${shard}`));

/** The sale in all of its shards; undefined when Redis lacks one of them. */
export function redisViewsOf(redis: Pick<SimRedis, 'command'>, saleId: string, shards?: number): RedisView[] | undefined {
  const views = stocksOf(saleId, shards).map((stockId) => redisViewOf(redis, stockId));
  return views.every((view) => view !== undefined) ? views : undefined;
}

/** Undefined when Redis does not have the stock. */
function redisViewOf(redis: Pick<SimRedis, 'command'>, stockId: string): RedisView | undefined {
  const fields = pairsOf(redis.command('HGETALL', `{${stockId}}:sale`));
  const sale = fields.get('s');
  if (sale === undefined) return undefined;
  const [control = '', , , limit = '', , , version = ''] = sale.split('|');
  const named = (prefix: string) =>
    [...fields].filter(([field]) => field.startsWith(prefix)).map(([field, value]) => [field.slice(2), value] as const);
  return {
    control,
    limit: Number(limit),
    version: Number(version),
    isBehind: fields.has('behind'),
    items: named('i:').map(([sku, record]) => {
      const [kind, total, next, free] = record.split('|');
      return { sku, kind: kind === 's' ? 's' : 'c', total: Number(total), next: Number(next), free: Number(free) };
    }),
    holds: named('h:').map(([holdId, record]) => holdOf(holdId, record)),
    slots: new Map(named('b:').map(([buyer, mask]) => [buyer, Number(mask)])),
    pool: poolOf(redis.command('ZRANGE', `{${stockId}}:free`, 0, -1)),
    suspects: poolOf(redis.command('ZRANGE', `{${stockId}}:suspects`, 0, -1)),
    seats: new Map([...pairsOf(redis.command('HGETALL', `{${stockId}}:seats`))].map(([field, owner]) => [field.replace('|', ' '), owner])),
    lent: named('t:').flatMap(([, record]) => lentOf(record)),
  };
}

/** `seq|sku|1-3,7`, and `seq|` where nothing is on its way. */
function lentOf(record: string): string[] {
  const [, sku = '', units = ''] = record.split('|');
  return sku === '' ? [] : units.split(',').flatMap((range) => serialsOf(range).map((unit) => `${sku} ${unit}`));
}

function holdOf(holdId: string, record: string): RedisHold {
  const [state = '', , , , buyerId = '', slots, lines = ''] = record.split('|');
  return { holdId, state, buyerId, slots: Number(slots), units: lines === '' ? [] : lines.split(';').flatMap(unitsOf) };
}

/** `sku=1-3,7` or `sku:A-1,B-2`. */
function unitsOf(line: string): { sku: string; unit: string }[] {
  const [, sku = '', mark, text = ''] = /^([^=:]+)([=:])(.*)$/.exec(line) ?? [];
  const parts = text === '' ? [] : text.split(',');
  return (mark === '=' ? parts.flatMap(serialsOf) : parts).map((unit) => ({ sku, unit }));
}

function serialsOf(range: string): string[] {
  const [first = 0, last = first] = range.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
}

/** `sku|0000001-0000003` or `sku|:A-1`. */
function poolOf(reply: unknown): Set<string> {
  return new Set(
    texts(reply).flatMap((member) => {
      const [sku = '', rest = ''] = member.split('|');
      return (rest.startsWith(':') ? [rest.slice(1)] : serialsOf(rest)).map((unit) => `${sku} ${unit}`);
    }),
  );
}
