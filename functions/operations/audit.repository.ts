import { saleShardNames } from '../orders/order.writes.ts';
import type { Sale } from '../sales/sale.model.ts';
import { batchGet, type Database, projection } from '../shared/dynamo.ts';
import { inParallel } from '../shared/parallel.ts';
import { readPages } from '../shared/reads.ts';
import { unitBuckets } from '../stock/stock.model.ts';
import type { AuditedOrder } from './audit.model.ts';
import type { UnitRow } from './unit-audit.model.ts';

export interface AuditRepository {
  /** Shows the rows of all units of the sale that an order has, read with strong consistency. */
  units(sale: Sale, see: (row: UnitRow) => void): Promise<void>;
  /** Shows the sale's orders, each once and read with strong consistency: those that are named, and those that the index knows. */
  orders(saleId: string, named: ReadonlySet<string>, see: (order: AuditedOrder) => void): Promise<void>;
}

export interface AuditTables {
  readonly orders: string;
  readonly units: string;
}

/**
 * Reads under way at once: enough to hide their latency, and few enough that none of them waits for the others until it is given up, where one
 * small server reads for all.
 */
const lanes = 4;
const ordersPerRead = 100;

const unitAttributes = ['sku', 'unit', 'orderId', 'state'] as const satisfies readonly (keyof UnitRow)[];
const orderAttributes = [
  'orderId',
  'saleId',
  'buyerId',
  'status',
  'items',
  'totalMinor',
  'currency',
  'payment',
  'late',
  'takenBack',
  'tombstone',
] as const satisfies readonly (keyof AuditedOrder | 'saleId' | 'tombstone')[];

export function auditRepository(database: Database, tables: AuditTables): AuditRepository {
  async function seeBucket(bucket: string, see: (row: UnitRow) => void): Promise<void> {
    const { ExpressionAttributeNames: names, ...projected } = projection(unitAttributes);
    const pages = readPages(database, {
      TableName: tables.units,
      KeyConditionExpression: '#bucket = :bucket',
      ...projected,
      ExpressionAttributeNames: { ...names, '#bucket': 'bucket' },
      ExpressionAttributeValues: { ':bucket': bucket },
      ConsistentRead: true,
    });
    for await (const rows of pages) for (const row of rows) see(row as unknown as UnitRow);
  }

  async function seeIndexed(saleShard: string, see: (orderId: string) => void): Promise<void> {
    const pages = readPages(database, {
      TableName: tables.orders,
      IndexName: 'bySale',
      KeyConditionExpression: 'saleShard = :shard',
      ProjectionExpression: 'orderId',
      ExpressionAttributeValues: { ':shard': saleShard },
    });
    for await (const entries of pages) for (const { orderId } of entries) see(String(orderId));
  }

  return {
    async units(sale, see) {
      const buckets = sale.items.flatMap(({ sku }) => unitBuckets(sale.saleId, sku));
      await inParallel(buckets, lanes, (bucket) => seeBucket(bucket, see));
    },

    async orders(saleId, named, see) {
      const orderIds = new Set(named);
      await inParallel(saleShardNames(saleId), lanes, (shard) => seeIndexed(shard, (orderId) => orderIds.add(orderId)));
      await inParallel([...inGroups(orderIds, ordersPerRead)], lanes, async (group) => {
        const keys = group.map((orderId) => ({ orderId }));
        for (const item of await batchGet(database, tables.orders, keys, orderAttributes)) {
          if (item.tombstone !== true && item.saleId === saleId) see(item as unknown as AuditedOrder);
        }
      });
    },
  };
}

function* inGroups<T>(all: Iterable<T>, size: number): Generator<T[]> {
  let group: T[] = [];
  for (const each of all) {
    group.push(each);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
