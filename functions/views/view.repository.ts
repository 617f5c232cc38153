import type { ViewRow } from '../orders/order-view.model.ts';
import { batchGet, type Database, isConditionFailed } from '../shared/dynamo.ts';

/** Which row a new one may take the place of: one of an older version, or also one of its own that says something else. */
export type Replaces = 'older' | 'older-or-same';

export interface ViewRepository {
  /** One conditional write: a view never goes back to an older version, whatever comes in which order. */
  put(row: ViewRow, replaces: Replaces): Promise<{ outcome: 'written' | 'up-to-date' }>;
  /** The rows of these orders as they stand, by order, read with strong consistency. */
  rows(orderIds: readonly string[]): Promise<Map<string, Record<string, unknown>>>;
}

export function viewRepository(database: Database, tableName: string): ViewRepository {
  return {
    async put(row, replaces) {
      const isFirst = 'attribute_not_exists(orderId)';
      const isNewer = replaces === 'older' ? '#version < :version' : '#version <= :version';
      try {
        await database.put({
          TableName: tableName,
          Item: row,
          ConditionExpression: [isFirst, isNewer].join(' OR '),
          ExpressionAttributeNames: { '#version': 'version' },
          ExpressionAttributeValues: { ':version': row.version },
        });
        return { outcome: 'written' };
      } catch (error) {
        if (isConditionFailed(error)) return { outcome: 'up-to-date' };
        throw error;
      }
    },

    async rows(orderIds) {
      const keys = orderIds.map((orderId) => ({ orderId }));
      const items = await batchGet(database, tableName, keys);
      return new Map(items.map((item) => [String(item.orderId), item]));
    },
  };
}
