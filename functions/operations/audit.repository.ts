import type { Account, Movement } from '../accounts/account.model.ts';
import { accountEntry, movementPrefix } from '../accounts/account.writes.ts';
import type { Order } from '../orders/order.model.ts';
import { saleShardNames } from '../orders/order.writes.ts';
import type { Sale } from '../sales/sale.model.ts';
import { batchGet, type Database } from '../shared/dynamo.ts';
import { inParallel } from '../shared/parallel.ts';
import { readAll } from '../shared/reads.ts';
import { unitBuckets } from '../stock/stock.model.ts';
import type { Ledger } from './money-audit.model.ts';
import type { UnitRow } from './unit-audit.model.ts';

export interface AuditRepository {
  /** The rows of all units of the sale that an order has, read with strong consistency. */
  units(sale: Sale): Promise<UnitRow[]>;
  /** The sale's orders, each read with strong consistency: those of the unit rows, and those that the index knows. */
  orders(saleId: string, units: readonly UnitRow[]): Promise<Order[]>;
  /** The accounts of these users with all their movements, read with strong consistency. */
  ledgers(userIds: readonly string[]): Promise<Ledger[]>;
}

export interface AuditTables {
  readonly orders: string;
  readonly units: string;
  readonly accounts: string;
}

/** Queries under way at once: enough to hide their latency, few enough for a small function. */
const lanes = 32;

export function auditRepository(database: Database, tables: AuditTables): AuditRepository {
  async function unitsIn(bucket: string): Promise<UnitRow[]> {
    const items = await readAll(database, {
      TableName: tables.units,
      KeyConditionExpression: '#bucket = :bucket',
      ProjectionExpression: 'sku, #unit, orderId, #state',
      ExpressionAttributeNames: { '#bucket': 'bucket', '#unit': 'unit', '#state': 'state' },
      ExpressionAttributeValues: { ':bucket': bucket },
      ConsistentRead: true,
    });
    return items as unknown as UnitRow[];
  }

  async function orderIdsIn(saleShard: string): Promise<string[]> {
    const items = await readAll(database, {
      TableName: tables.orders,
      IndexName: 'bySale',
      KeyConditionExpression: 'saleShard = :shard',
      ProjectionExpression: 'orderId',
      ExpressionAttributeValues: { ':shard': saleShard },
    });
    return items.map(({ orderId }) => String(orderId));
  }

  async function ledgerOf(userId: string): Promise<Ledger> {
    const rows = await readAll(database, {
      TableName: tables.accounts,
      KeyConditionExpression: 'userId = :user',
      ExpressionAttributeValues: { ':user': userId },
      ConsistentRead: true,
    });
    const account = rows.find(({ entry }) => entry === accountEntry) as Account | undefined;
    const movements = rows.filter(({ entry }) => String(entry).startsWith(movementPrefix)) as unknown as Movement[];
    return { userId, ...(account === undefined ? {} : { account }), movements };
  }

  return {
    async units(sale) {
      const buckets = sale.items.flatMap(({ sku }) => unitBuckets(sale.saleId, sku));
      return (await inParallel(buckets, lanes, unitsIn)).flat();
    },

    async orders(saleId, units) {
      const listed = (await inParallel(saleShardNames(saleId), lanes, orderIdsIn)).flat();
      const orderIds = [...new Set([...units.map(({ orderId }) => orderId), ...listed])];
      const items = await batchGet(
        database,
        tables.orders,
        orderIds.map((orderId) => ({ orderId })),
      );
      return items.filter((item) => item.tombstone !== true && item.saleId === saleId) as unknown as Order[];
    },

    ledgers: (userIds) => inParallel(userIds, lanes, ledgerOf),
  };
}
