import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import { Redis } from 'ioredis';
import { credentials } from '../../lib/local/aws-json.ts';
import { region } from '../../lib/local/intrinsics.ts';
import { type RedisView, redisViewsOf } from '../simulation/redis-view.ts';
import { type Rows, rowsOf } from '../simulation/rows.ts';
import type { World } from './world.ts';

const read = ['sales', 'orders', 'units', 'allowances', 'accounts', 'payments', 'seats', 'views', 'stockLevels'] as const;

/** Of one sale: whose rows bear its id, or are about its orders, or stand in the ledger, which is all sales' own. */
const belongs: Readonly<Record<(typeof read)[number], (item: Item, saleId: string) => boolean>> = {
  sales: (item, saleId) => item.saleId === saleId,
  orders: (item, saleId) => item.saleId === saleId,
  units: (item, saleId) => String(item.bucket).startsWith(`${saleId}#`),
  allowances: (item, saleId) => String(item.saleBuyer).includes(saleId),
  accounts: (item, saleId) => String(item.userId).startsWith(`${saleId}-`),
  payments: () => true,
  seats: (item, saleId) => item.saleId === saleId,
  views: () => true,
  stockLevels: (item, saleId) => item.saleId === saleId,
};
type Item = Record<string, unknown>;

/** Every row of a sale, straight from the database, with strong consistency, past every proxy, index and function. */
export async function readRows(world: World, saleId: string): Promise<Rows> {
  const client = new DynamoDBClient({ endpoint: world.database.endpoint, region, credentials });
  const document = DynamoDBDocumentClient.from(client);
  try {
    const tables = new Map<string, Item[]>();
    for (const table of read) {
      const items: Item[] = [];
      for await (const page of paginateScan({ client: document }, { TableName: nameOf(world, table), ConsistentRead: true }))
        items.push(...(page.Items ?? []).filter((item) => belongs[table](item, saleId)));
      tables.set(table, items);
    }
    return rowsOf({ items: (table) => tables.get(table) ?? [] }, saleId);
  } finally {
    client.destroy();
  }
}

/** The table's name there, by the name that the code has for it. */
function nameOf({ runtime }: World, table: string): string {
  const [, name] =
    Object.entries(runtime.facts.names.tables).find(([logicalId]) => new RegExp(`^Tables${table}[0-9A-F]{8}$`).test(logicalId)) ?? [];
  if (name === undefined) throw new Error(`there is no table ${table}`);
  return name;
}

/** What Redis has of a sale, past every proxy. Undefined when it does not have it. */
export async function readRedis(world: World, saleId: string): Promise<RedisView | undefined> {
  const client = new Redis({ port: world.redis.port, host: '127.0.0.1', retryStrategy: () => null, commandTimeout: 10_000 });
  client.on('error', () => {});
  try {
    const key = (name: string) => `{${saleId}}:${name}`;
    const calls: [string, ...(string | number)[]][] = [
      ['HGETALL', key('sale')],
      ['ZRANGE', key('free'), 0, -1],
      ['ZRANGE', key('suspects'), 0, -1],
      ['HGETALL', key('seats')],
    ];
    const replies = new Map<string, unknown>();
    for (const call of calls) replies.set(call.join(' '), await client.call(...call));
    return redisViewsOf({ command: (...call) => replies.get(call.join(' ')) }, saleId)?.[0];
  } finally {
    client.disconnect();
  }
}
