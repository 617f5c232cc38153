import { setTimeout as pause } from 'node:timers/promises';
import { acquire, loadRelease, release } from './lock.ts';
import { gaveUp, type Mechanism, type RedisWorld, soldOut, stallMs } from './mechanism.ts';
import { keys, laneOf, orderIdOf, orderText, readOrders } from './plain-shop.ts';

/**
 * A lock in Redis (SET NX PX), polled every 10 ms, around read, check and write, as it stands in most tutorials. Whoever holds it for longer than
 * it lasts does not know that others are in there too.
 */
export const ttlLock = ({ ttlMs }: { readonly ttlMs?: number } = {}): Mechanism<RedisWorld> => ({
  name: ttlMs === undefined ? 'lock with TTL, polled every 10 ms' : `lock with TTL ${ttlMs} ms, 1% of holders stall`,
  ...(ttlMs === undefined ? {} : { stalls: true as const }),
  async open({ lanes }, { stock, leaseMs }) {
    const setup = laneOf(lanes, 0);
    await setup.set(keys.stock, stock);
    await loadRelease(setup);
    return {
      async buy(attempt, lane, crash) {
        const redis = laneOf(lanes, lane);
        const token = await acquire(redis, ttlMs ?? leaseMs);
        if (token === undefined) return gaveUp;
        const left = Number(await redis.get(keys.stock));
        if (attempt.stalls) await pause(stallMs);
        if (left < attempt.quantity) {
          await release(redis, token);
          return soldOut;
        }
        await redis.set(keys.stock, left - attempt.quantity);
        crash?.();
        await redis.rpush(keys.orders, orderText(attempt));
        await release(redis, token);
        return { sold: true, orderId: orderIdOf(attempt) };
      },
      orders: () => readOrders(setup),
    };
  },
});
