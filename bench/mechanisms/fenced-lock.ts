import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from '../lib/bare-script.ts';
import { acquire, loadRelease, release } from './lock.ts';
import { gaveUp, type Mechanism, type RedisWorld, soldOut, stallMs } from './mechanism.ts';
import { keys, laneOf, orderIdOf, orderText, readOrders } from './plain-shop.ts';

/**
 * Stock and order in one step, unless a later holder of the lock was here: a number given out after this one may have read the stock already.
 * KEYS[1] stock   KEYS[2] orders   KEYS[3] the last number given out   ARGV[1] number   ARGV[2] stock that is left   ARGV[3] order
 * -> 1 written, 0 the number is old
 */
const commitScript = `
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('RPUSH', KEYS[2], ARGV[3])
return 1`;

const attemptsMax = 50;

/**
 * The lock with a fencing token, as Martin Kleppmann describes it (https://martin.kleppmann.com/2016/02/08/how-to-do-distributed-locking.html):
 * each holder has a higher number than the one before, and what it writes, stock and order in one transaction, is refused once there is a
 * higher one. A holder whose number was too old begins again.
 */
export const fencedLock = ({ ttlMs }: { readonly ttlMs?: number } = {}): Mechanism<RedisWorld> => ({
  name: ttlMs === undefined ? 'lock with fencing token around a transaction' : `fenced lock, TTL ${ttlMs} ms, 1% of holders stall`,
  ...(ttlMs === undefined ? {} : { stalls: true as const }),
  async open({ lanes }, { stock, leaseMs }) {
    const setup = laneOf(lanes, 0);
    await setup.set(keys.stock, stock);
    await setup.script('LOAD', commitScript);
    await loadRelease(setup);
    return {
      async buy(attempt, lane, crash) {
        const redis = laneOf(lanes, lane);
        for (let again = 0; again < attemptsMax; again++) {
          const token = await acquire(redis, ttlMs ?? leaseMs);
          if (token === undefined) return gaveUp;
          const number = await redis.incr(keys.fence);
          const left = Number(await redis.get(keys.stock));
          if (attempt.stalls && again === 0) await pause(stallMs);
          const isEnough = left >= attempt.quantity;
          if (isEnough) crash?.();
          const commit = () =>
            redis.evalsha(
              digestOf(commitScript),
              3,
              keys.stock,
              keys.orders,
              keys.fence,
              number,
              left - attempt.quantity,
              orderText(attempt),
            );
          const isWritten = isEnough && (await commit()) === 1;
          await release(redis, token);
          if (!isEnough) return soldOut;
          if (isWritten) return { sold: true, orderId: orderIdOf(attempt) };
        }
        return gaveUp;
      },
      orders: () => readOrders(setup),
    };
  },
});
