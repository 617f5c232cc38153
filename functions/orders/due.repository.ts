import { batchGet, type Database } from '../shared/dynamo.ts';
import type { Order } from './order.model.ts';
import { isTombstone, storedFrom } from './order.repository.ts';
import { dueShardNames } from './order.writes.ts';

export interface DueOrders {
  /** Pages of the orders whose time has come, oldest first within a shard, read with strong consistency. */
  due(nowMs: number, pageOrders: number): AsyncIterable<Order[]>;
}

export function dueOrders(database: Database, ordersTable: string): DueOrders {
  type Cursor = Record<string, unknown> | undefined;
  const page = async (shard: string, nowMs: number, limit: number, after: Cursor) => {
    const { Items = [], LastEvaluatedKey } = await database.query({
      TableName: ordersTable,
      IndexName: 'due',
      KeyConditionExpression: 'dueShard = :shard AND dueAtMs <= :now',
      ExpressionAttributeValues: { ':shard': shard, ':now': nowMs },
      Limit: limit,
      ...(after ? { ExclusiveStartKey: after } : {}),
    });
    return { keys: Items.map(({ orderId }) => ({ orderId })), next: LastEvaluatedKey };
  };

  return {
    async *due(nowMs, pageOrders) {
      let open: { shard: string; after: Cursor }[] = dueShardNames.map((shard) => ({ shard, after: undefined }));
      while (open.length > 0) {
        const pages = await Promise.all(open.map(({ shard, after }) => page(shard, nowMs, pageOrders, after)));
        const stored = (
          await batchGet(
            database,
            ordersTable,
            pages.flatMap(({ keys }) => keys),
          )
        ).map(storedFrom);
        // The index lags: what is no longer due is left out.
        const orders = stored.filter((each): each is Order => !isTombstone(each) && (each.dueAtMs ?? Number.POSITIVE_INFINITY) <= nowMs);
        // An empty page too: whoever asks looks at the clock between pages.
        yield orders;
        open = open.flatMap(({ shard }, index) => (pages[index]?.next ? [{ shard, after: pages[index].next }] : []));
      }
    },
  };
}
