import type { Redis } from 'ioredis';
import type { Attempt, StoredOrder } from './mechanism.ts';

// What the mechanisms without units have in common: a counter, and a list of orders beside it.

export const keys = {
  stock: '{sale}:stock',
  total: '{sale}:total',
  sold: '{sale}:sold',
  orders: '{sale}:orders',
  lock: '{sale}:lock',
  fence: '{sale}:fence',
};

/** An order's id is new with each order, as a database makes it. */
export const orderIdOf = ({ number }: Attempt): string => `order-${number}`;

/** What stands in the list: an order's row, as small as it can be. */
export const orderText = (attempt: Attempt): string => `${orderIdOf(attempt)}|${attempt.key}|${attempt.quantity}`;

export async function readOrders(redis: Redis): Promise<StoredOrder[]> {
  const rows = await redis.lrange(keys.orders, 0, -1);
  return rows.map((row) => {
    const [orderId = '', key = '', quantity] = row.split('|');
    return { orderId, key, quantity: Number(quantity) };
  });
}

/** The connection of a buyer. */
export function laneOf(lanes: readonly Redis[], lane: number): Redis {
  const redis = lanes[lane];
  if (!redis) throw new Error(`there is no connection ${lane}`);
  return redis;
}
