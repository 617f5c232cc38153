import { bareScript, digestOf } from '../lib/bare-script.ts';
import { type Mechanism, type RedisWorld, soldOut } from './mechanism.ts';
import { keys, laneOf, orderIdOf, orderText, readOrders } from './plain-shop.ts';

/** Check and increment in one script, then the order: see `bareScript` for what it leaves out. */
export const bare: Mechanism<RedisWorld> = {
  name: 'bare check-and-increment script',
  async open({ lanes }, { stock }) {
    const setup = laneOf(lanes, 0);
    await setup.mset(keys.total, stock, keys.sold, 0);
    const digest = digestOf(bareScript);
    await setup.script('LOAD', bareScript);
    return {
      async buy(attempt, lane, crash) {
        const redis = laneOf(lanes, lane);
        if ((await redis.evalsha(digest, 2, keys.total, keys.sold, attempt.quantity)) === 0) return soldOut;
        crash?.();
        await redis.rpush(keys.orders, orderText(attempt));
        return { sold: true, orderId: orderIdOf(attempt) };
      },
      orders: () => readOrders(setup),
    };
  },
};
