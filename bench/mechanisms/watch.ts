import { gaveUp, type Mechanism, type RedisWorld, soldOut } from './mechanism.ts';
import { keys, laneOf, orderIdOf, orderText, readOrders } from './plain-shop.ts';

const retriesMax = 3;

/**
 * Optimistic locking as Redis' manual shows it (https://redis.io/docs/latest/develop/using-commands/transactions/): WATCH, read, MULTI, EXEC, with
 * three retries when another was faster. Stock and order are in one transaction.
 */
export const watch: Mechanism<RedisWorld> = {
  name: `WATCH/MULTI, ${retriesMax} retries`,
  async open({ lanes }, { stock }) {
    const setup = laneOf(lanes, 0);
    await setup.set(keys.stock, stock);
    return {
      async buy(attempt, lane, crash) {
        const redis = laneOf(lanes, lane);
        for (let retry = 0; retry <= retriesMax; retry++) {
          await redis.watch(keys.stock);
          const left = Number(await redis.get(keys.stock));
          if (left < attempt.quantity) {
            await redis.unwatch();
            return soldOut;
          }
          crash?.();
          const done = await redis.multi().decrby(keys.stock, attempt.quantity).rpush(keys.orders, orderText(attempt)).exec();
          if (done !== null) return { sold: true, orderId: orderIdOf(attempt) };
        }
        return gaveUp;
      },
      orders: () => readOrders(setup),
    };
  },
};
