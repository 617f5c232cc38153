import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { keepCurrent } from '../../functions/stock/rebuild.care.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';

let engine: Engine;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  work = rebuilding(engine);
});
afterAll(() => engine?.stop());

const place = (saleId: string, buyer: string, quantity = 1) => engine.place(saleId, buyer, { method: 'external', quantity });

/** What the sweeper does every minute, as often as it can, until `stop`. */
function sweeping(sale: Sale) {
  let isOver = false;
  const live = { live: async () => [(await work.sales.get(sale.saleId)) ?? sale] };
  const runs = (async () => {
    while (!isOver) {
      await engine.sweep({ sales: live, tend: [keepCurrent(engine)] });
      await pause(30);
    }
  })();
  return {
    async stop() {
      isOver = true;
      await runs;
    },
  };
}

/** Buyers that come one after the other, so many at a time, and try again when they are told to. Counts what they are told. */
function crowdOf(saleId: string, { lanes, quantityOf }: { lanes: number; quantityOf: (n: number) => number }) {
  const orders = new Map<string, Order>();
  const refusals = { tryAgain: 0, soldOut: 0, other: 0 };
  let next = 0;
  async function lane(buyersMax: number): Promise<void> {
    while (next < buyersMax) {
      const n = next++;
      const buyer = `buyer-${n}`;
      for (let attempt = 0; attempt < 50; attempt++) {
        const outcome = await place(saleId, buyer, quantityOf(n));
        if (outcome.outcome === 'placed' || outcome.outcome === 'replayed') orders.set(buyer, outcome.order);
        else if (outcome.outcome === 'sold-out') refusals.soldOut += 1;
        else if (outcome.outcome === 'try-again') refusals.tryAgain += 1;
        else refusals.other += 1;
        if (outcome.outcome !== 'try-again') break;
      }
    }
  }
  return { orders, refusals, run: (buyersMax: number) => Promise.all(Array.from({ length: lanes }, () => lane(buyersMax))) };
}

const units = 400;
const lanes = 30;
/** An attempt gives up after this many collisions (see `placeOrder`). */
const roundsMax = 5;

describe('a Redis that is rolled back in the middle of a crowd', () => {
  it.each([1, 2])(
    'costs few a second attempt and nobody a unit: all are sold, each once, %i a buyer',
    { timeout: 180_000 },
    async (quantity) => {
      const sale = await work.store(await engine.openSale(randomUUID(), units));
      const { saleId } = sale;
      // Units that came back: the pool that is rolled back has some that are sold again meanwhile.
      const early = await Promise.all(Array.from({ length: 20 }, (_, n) => place(saleId, `early-${n}`, 2)));
      for (const outcome of early.slice(0, 10)) await engine.cancel(orderOf(outcome));

      const crowd = crowdOf(saleId, { lanes, quantityOf: () => quantity });
      const sweeper = sweeping(sale);
      const running = crowd.run((units * 1.3) / quantity);
      const isSold = (count: number) =>
        expect.poll(() => crowd.orders.size * quantity, { interval: 1, timeout: 60_000 }).toBeGreaterThan(count);
      await isSold(60);
      const known = crowd.orders.size;
      const rollBack = await engine.snapshot();
      await isSold(220);
      await rollBack();
      const forgotten = (crowd.orders.size - known + lanes) * quantity;
      await running;
      await sweeper.stop();

      // An attempt that was under way has lost its hold and may hear it once. Any other hears it after `roundsMax` collisions, each of which puts one
      // of the forgotten units, at least, under suspicion; from there it only goes back to its order.
      expect(crowd.refusals.tryAgain).toBeLessThanOrEqual(lanes + forgotten / roundsMax);
      expect(crowd.refusals.other).toBe(0);

      // Whoever was told "sold out" by a crowd's last collisions was told so at most a sweep too early.
      await engine.sweep({ sales: { live: async () => [sale] } });
      const left = units - (await engine.unitRows(saleId)).size;
      expect(await engine.available(saleId)).toBe(left);
      expect(left).toBeLessThanOrEqual(lanes * quantity);
      for (let n = 0; n < left; n++) orderOf(await place(saleId, `last-${n}`));
      expect((await engine.unitRows(saleId)).size).toBe(units);
      expect(await place(saleId, 'nobody')).toMatchObject({ outcome: 'sold-out' });

      // Who won keeps the answer, and Redis says again what the rows say.
      for (const [buyer, order] of [...crowd.orders].slice(0, 100)) {
        expect(orderOf(await place(saleId, buyer, quantity)).orderId).toBe(order.orderId);
      }
      const sold = [...crowd.orders.values()].flatMap(({ items }) => items.flatMap((item) => item.units));
      expect(new Set(sold).size).toBe(sold.length);
    },
  );

  it('over a pause is paused again by the next sweep, and sells nothing meanwhile beyond its units', async () => {
    const sale = await work.store(await engine.openSale(randomUUID(), 20));
    const { saleId } = sale;
    const rollBack = await engine.snapshot();
    const paused = await work.change(saleId, { control: 'paused' });
    expect(await engine.stock.update(paused)).toEqual({ outcome: 'UPDATED' });
    expect(await place(saleId, 'ada')).toEqual({ outcome: 'paused' });
    await rollBack();
    expect(await engine.stock.read(saleId)).toMatchObject({ control: 'open', version: 1 });
    await engine.sweep({ sales: { live: async () => [paused] }, tend: [keepCurrent(engine)] });
    expect(await engine.stock.read(saleId)).toMatchObject({ control: 'paused', version: 2 });
    expect(await place(saleId, 'ada')).toEqual({ outcome: 'paused' });
  });

  it('over a rebuild is no worse: chunks of it that come late are refused, and what is sold stays sold', async () => {
    const sale = await work.store(await engine.openSale(randomUUID(), 10));
    const { saleId } = sale;
    orderOf(await place(saleId, 'ada', 2));
    await engine.redis.flushall();
    // The replica has seen the beginning of a load, and takes over after it was published and sold from.
    let rollBack = async () => {};
    await work.rebuild(saleId, {
      lease: async () => ({ stillOurs: async () => true, release: async () => {} }),
      stock: {
        ...work.ports.stock,
        async publishLoad(...args) {
          rollBack = await engine.snapshot();
          return work.ports.stock.publishLoad(...args);
        },
      },
    });
    orderOf(await place(saleId, 'bob', 3));
    await rollBack();
    expect(await place(saleId, 'cleo')).toEqual({ outcome: 'stock-not-ready' });
    expect(await work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt', epoch: 3 });
    await work.expectStateOfRows(saleId);
    expect(await engine.available(saleId)).toBe(5);
  });
});
