import { type Mechanism, type RedisWorld, soldOut } from './mechanism.ts';
import { keys, laneOf, orderIdOf, orderText, readOrders } from './plain-shop.ts';

/** DECRBY first, and INCRBY to take it back when that was too much. Between the two, others see less than there is. */
export const decrRevert: Mechanism<RedisWorld> = {
  name: 'DECR, reverted when negative',
  async open({ lanes }, { stock }) {
    const setup = laneOf(lanes, 0);
    await setup.set(keys.stock, stock);
    return {
      async buy(attempt, lane, crash) {
        const redis = laneOf(lanes, lane);
        if ((await redis.decrby(keys.stock, attempt.quantity)) < 0) {
          await redis.incrby(keys.stock, attempt.quantity);
          return soldOut;
        }
        crash?.();
        await redis.rpush(keys.orders, orderText(attempt));
        return { sold: true, orderId: orderIdOf(attempt) };
      },
      orders: () => readOrders(setup),
    };
  },
};
