import { batchGet, type Database } from '../shared/dynamo.ts';
import type { Order } from './order.model.ts';
import { isTombstone, storedFrom } from './order.repository.ts';
import { saleShardNames } from './order.writes.ts';

/** Where a walk over a sale's orders stands: a partition of the index, and the list key in it after which it goes on. */
interface Position {
  readonly shard: number;
  readonly after?: string;
}

/**
 * Walks over all orders of a sale, partition by partition, oldest first in each. The index may lag behind; the orders themselves are read
 * with strong consistency.
 */
export function saleOrders(database: Database, ordersTable: string) {
  return {
    /** At most `limit` orders from the position on, and the position after them; none when all partitions are done. */
    async from(saleId: string, position: Position, limit: number): Promise<{ orders: Order[]; next: Position | undefined }> {
      const shards = saleShardNames(saleId);
      const { shard, after } = position;
      const { Items = [] } = await database.query({
        TableName: ordersTable,
        IndexName: 'bySale',
        KeyConditionExpression: `saleShard = :shard${after === undefined ? '' : ' AND listKey > :after'}`,
        ExpressionAttributeValues: { ':shard': shards[shard], ...(after === undefined ? {} : { ':after': after }) },
        Limit: limit,
      });
      const stored = await batchGet(
        database,
        ordersTable,
        Items.map(({ orderId }) => ({ orderId })),
      );
      const orders = stored.map(storedFrom).filter((each): each is Order => !isTombstone(each));
      if (Items.length === limit) return { orders, next: { shard, after: String(Items.at(-1)?.listKey) } };
      return { orders, next: shard + 1 < shards.length ? { shard: shard + 1 } : undefined };
    },
  };
}
