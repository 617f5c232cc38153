import { batchGet, type Database } from '../shared/dynamo.ts';
import type { Order } from './order.model.ts';
import { isTombstone, storedFrom } from './order.repository.ts';

/** Many orders at once: those that exist, read with strong consistency, each once and in no particular order. A tombstone is none. */
export const ordersById = (database: Database, ordersTable: string) => ({
  async getMany(orderIds: readonly string[]): Promise<Order[]> {
    const keys = orderIds.map((orderId) => ({ orderId }));
    const stored = (await batchGet(database, ordersTable, keys)).map(storedFrom);
    return stored.flatMap((each) => (isTombstone(each) ? [] : [each]));
  },
});
