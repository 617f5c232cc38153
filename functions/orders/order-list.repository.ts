import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet, type Database } from '../shared/dynamo.ts';
import { encodeCursor, type Page } from '../shared/page.ts';
import type { Order, OrderStatus } from './order.model.ts';
import { orderFrom } from './order.repository.ts';
import { listKeyOf, saleShards } from './order.writes.ts';

export interface OrderFilter {
  readonly saleId?: string | undefined;
  readonly buyerId?: string | undefined;
  readonly status?: OrderStatus | undefined;
}

export interface OrderList {
  /**
   * A page of orders: newest first when a sale or a buyer is named, otherwise in no order. The index may lag behind; the orders
   * themselves are read fresh. `list` names the cursor, `position` is where the page before it ended.
   */
  page(list: string, filter: OrderFilter, limit: number, position?: string): Promise<Page<Order>>;
}

interface Found {
  readonly orderId: string;
  readonly listKey: string;
  readonly buyerId: string;
}

/** A filter may pass over many orders: a page reads so many times at most, and may then be short, but never ends the list. */
const readsMax = 50;

const conditionsOf = (filter: OrderFilter, keys: readonly (keyof OrderFilter)[]) => {
  const wanted = keys.filter((key) => filter[key] !== undefined);
  return {
    expression: wanted.map((key) => `#${key} = :${key}`).join(' AND '),
    names: Object.fromEntries(wanted.map((key) => [`#${key}`, key])),
    values: Object.fromEntries(wanted.map((key) => [`:${key}`, filter[key]])),
  };
};

export function orderList(database: Database, ordersTable: string): OrderList {
  /** One partition of an index, newest first, below a list key. */
  async function partition(index: 'byBuyer' | 'bySale', key: string, filter: OrderFilter, limit: number, below?: string): Promise<Found[]> {
    const partitionKey = index === 'byBuyer' ? 'buyerId' : 'saleShard';
    const where = conditionsOf(filter, index === 'byBuyer' ? ['saleId', 'status'] : ['status']);
    const found: Found[] = [];
    let after: Record<string, unknown> | undefined;
    for (let read = 0; read < readsMax; read++) {
      const { Items = [], LastEvaluatedKey } = await database.send(
        new QueryCommand({
          TableName: ordersTable,
          IndexName: index,
          KeyConditionExpression: `#partition = :partition${below === undefined ? '' : ' AND listKey < :below'}`,
          ExpressionAttributeNames: { '#partition': partitionKey, ...where.names },
          ExpressionAttributeValues: { ':partition': key, ...(below === undefined ? {} : { ':below': below }), ...where.values },
          ...(where.expression ? { FilterExpression: where.expression } : {}),
          ScanIndexForward: false,
          Limit: Math.max(limit, 100),
          ...(after ? { ExclusiveStartKey: after } : {}),
        }),
      );
      found.push(...(Items as unknown as Found[]));
      after = LastEvaluatedKey;
      if (!after || found.length >= limit) break;
    }
    return found;
  }

  async function newestFirst(filter: OrderFilter, limit: number, below?: string): Promise<Found[]> {
    if (filter.buyerId !== undefined) return partition('byBuyer', filter.buyerId, filter, limit, below);
    const shards = Array.from({ length: saleShards }, (_, shard) => `${filter.saleId}#${shard}`);
    const parts = await Promise.all(shards.map((shard) => partition('bySale', shard, filter, limit, below)));
    return parts.flat().sort((a, b) => (a.listKey < b.listKey ? 1 : -1));
  }

  /** All orders there are, in the index' own order: its sparse keys leave tombstones out. */
  async function everything(filter: OrderFilter, limit: number, position?: string): Promise<{ found: Found[]; next?: string }> {
    const where = conditionsOf(filter, ['status']);
    const found: Found[] = [];
    let after: Record<string, unknown> | undefined = position === undefined ? undefined : JSON.parse(position);
    for (let read = 0; read < readsMax; read++) {
      const { Items = [], LastEvaluatedKey } = await database.send(
        new ScanCommand({
          TableName: ordersTable,
          IndexName: 'byBuyer',
          ...(where.expression
            ? { FilterExpression: where.expression, ExpressionAttributeNames: where.names, ExpressionAttributeValues: where.values }
            : {}),
          Limit: limit - found.length,
          ...(after ? { ExclusiveStartKey: after } : {}),
        }),
      );
      found.push(...(Items as unknown as Found[]));
      after = LastEvaluatedKey;
      if (!after || found.length >= limit) break;
    }
    return { found, ...(after ? { next: JSON.stringify(after) } : {}) };
  }

  async function read(found: readonly Found[]): Promise<Order[]> {
    const items = await batchGet(
      database,
      ordersTable,
      found.map(({ orderId }) => ({ orderId })),
    );
    const orders = new Map(items.map((item) => [String(item.orderId), orderFrom(item)]));
    return found.flatMap(({ orderId }) => orders.get(orderId) ?? []);
  }

  return {
    async page(list, filter, limit, position) {
      const ofStatus = (order: Order) => filter.status === undefined || order.status === filter.status;
      if (filter.saleId === undefined && filter.buyerId === undefined) {
        const { found, next } = await everything(filter, limit, position);
        return { items: (await read(found)).filter(ofStatus), nextCursor: next === undefined ? null : encodeCursor(list, next) };
      }
      const found = await newestFirst(filter, limit + 1, position);
      const shown = await read(found.slice(0, limit));
      const last = shown.at(-1);
      const more = found.length > limit && last !== undefined;
      return { items: shown.filter(ofStatus), nextCursor: more ? encodeCursor(list, listKeyOf(last)) : null };
    },
  };
}
