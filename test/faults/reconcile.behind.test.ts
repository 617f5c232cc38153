import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import { certainty } from '../../functions/reconciliation/identity.care.ts';
import type { SaleReport } from '../../functions/reconciliation/report.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { reconcileKeys, stockKeys } from '../../functions/stock/stock.keys.ts';
import { all, expectConserved } from '../scripts/stock.harness.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';
import { atOnce, nothing, reconcilingOn } from '../support/reconciling.ts';
import { sagasOn } from '../support/sagas.ts';

let engine: Engine;
let work: ReturnType<typeof reconcilingOn>;
beforeAll(async () => {
  engine = await startEngine();
  work = reconcilingOn(engine);
});
afterAll(() => engine?.stop());

const place = (saleId: string, buyer: string, quantity = 1) => engine.place(saleId, buyer, { method: 'external', quantity });
const bench = () => ({ redis: engine.redis, stock: engine.stock, url: '' });

describe('a sale that may be behind', () => {
  it('is marked at once when Redis is another one than before, and not before', async () => {
    const sale = await engine.openSale(randomUUID(), 10);
    await work.care(sale);
    await work.care(sale);
    expect(await work.mend.isBehind(sale.saleId)).toBe(false);
    work.failOver();
    await work.care(sale);
    expect(await work.mend.isBehind(sale.saleId)).toBe(true);
    expect(await work.memories.of(sale.saleId)).toMatchObject({ behindSinceMs: expect.any(Number) });
  });

  it('refuses nobody whose order it forgot, also before anybody has noticed', async () => {
    const sale = await engine.openSale(randomUUID(), 2);
    const { saleId } = sale;
    await work.noteRedis(sale);
    const rollBack = await engine.snapshot();
    const won = orderOf(await place(saleId, 'ada', 2));
    await rollBack();
    work.failOver();
    // Whoever holds the units now has no order that would collide with hers.
    const lines = [{ sku: 'tee', quantity: 2 }];
    await engine.stock.reserve({ saleId, holdId: 'of-bob', buyerId: 'bob', payloadHash: 'p', lines });
    let looks = 0;
    const ports = { ...engine.placePorts, isCertain: work.isCertain, orders: { ...engine.orders, get: countedGet } };
    const again = (buyer: string) => engine.place(saleId, buyer, { method: 'external', quantity: 2, ports });
    expect(await again('ada')).toMatchObject({ outcome: 'replayed', order: { orderId: won.orderId } });
    expect(await work.mend.isBehind(saleId)).toBe(true);

    // Once all is compared, a crowd is refused without a read again.
    await work.reconcile(saleId);
    expect(await work.mend.isBehind(saleId)).toBe(false);
    const before = looks;
    expect(await again('eve')).toMatchObject({ outcome: 'sold-out' });
    expect(looks).toBe(before);

    function countedGet(...args: Parameters<typeof engine.orders.get>) {
      looks++;
      return engine.orders.get(...args);
    }
  });

  it('whose Redis cannot be looked at refuses nobody without a look for the order', async () => {
    const sale = await engine.openSale(randomUUID(), 1);
    const { saleId } = sale;
    await place(saleId, 'ada');
    const isCertain = certainty({ watch: () => Promise.reject(new Error('no answer')), connection: () => 'one' });
    const asked: string[] = [];
    const get: typeof engine.orders.get = (orderId) => {
      asked.push(orderId);
      return engine.orders.get(orderId);
    };
    const ports = { ...engine.placePorts, isCertain, orders: { ...engine.orders, get } };
    for (const _ of [1, 2]) expect(await engine.place(saleId, 'eve', { ports })).toMatchObject({ outcome: 'sold-out' });
    expect(asked).toHaveLength(2);
  });

  it('is looked at again while it is not loaded, or could not be marked', async () => {
    const looks = [false, true];
    const isCertain = certainty({ watch: async () => looks.shift() ?? true, connection: () => 'one' });
    const sale = { saleId: 'drop' };
    expect([await isCertain(sale), await isCertain(sale), await isCertain(sale)]).toEqual([false, false, true]);
    expect(looks).toEqual([]);
  });

  it('is compared completely, mended and unmarked after Redis forgot its last orders and ends', async () => {
    const sale = await engine.openSale(randomUUID(), 20, { perBuyerLimit: 5 });
    const { saleId } = sale;
    const early = await Promise.all(['ada', 'bob', 'cleo'].map(async (buyer) => orderOf(await place(saleId, buyer, 2))));
    await work.scheduled(sale);
    const rollBack = await engine.snapshot();
    await engine.cancel(early[0] as Order);
    for (const buyer of ['dan', 'eve', 'fay']) orderOf(await place(saleId, buyer, 2));
    await engine.cancel(orderOf(await place(saleId, 'gus', 3)));
    await rollBack();
    work.failOver();

    const report = await work.scheduled(sale);
    expect(report).toMatchObject({ scope: 'all', outcome: 'compared', behind: false });
    expect(report.mended).toMatchObject({ 'order-not-followed': 3, 'hold-of-ended-order': 1, 'mark-missing': 1 });
    await engine.sweep();
    await expectConserved(bench(), saleId, 5);
    expect(await work.scheduled(sale)).toMatchObject({ scope: 'changed', drift: nothing, behind: false });
    // Everybody keeps the answer, also who was cancelled; and what is left can be bought.
    for (const buyer of ['ada', 'dan']) expect(await place(saleId, buyer, 2)).toMatchObject({ outcome: 'replayed' });
    expect(await engine.available(saleId)).toBe(10);
  });

  it('is unmarked only when a retry of an order that late money paid is known again, under its first hold', async () => {
    const [sagas, rebuilds] = [sagasOn(engine), rebuilding(engine)];
    const sale = await rebuilds.store(await engine.openSale(randomUUID(), 4, { perBuyerLimit: 2 }));
    const { saleId } = sale;
    const order = orderOf(await place(saleId, 'ada', 2));
    await sagas.driven(order, 302_000);
    await sagas.paidOutside(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await engine.redis.del(...Object.values(stockKeys(saleId)));
    expect(await rebuilds.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', behind: false, mended: { 'mark-missing': 1 } });
    expect(await place(saleId, 'ada', 2)).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', behind: false, drift: nothing });
  });

  it('stays marked as long as an order may have been on its way when Redis forgot', async () => {
    const sale = await engine.openSale(randomUUID(), 10);
    work.failOver();
    await work.care(sale);
    await engine.redis.hset(stockKeys(sale.saleId).sale, 'behind', 1);
    const timing = { ...atOnce, inFlightMs: 60_000 };
    expect(await work.reconcile(sale.saleId, { timing })).toMatchObject({ outcome: 'compared', behind: true });
    expect(await work.reconcile(sale.saleId)).toMatchObject({ outcome: 'compared', behind: false });
  });

  it('that is loaded anew by the same Redis waits for orders on their way from that load on', async () => {
    const rebuilds = rebuilding(engine);
    const sale = await rebuilds.store(await engine.openSale(randomUUID(), 10));
    const { saleId } = sale;
    await engine.redis.hset(stockKeys(saleId).sale, 'behind', 1);
    await work.care(sale);
    const { behindSinceMs = 0 } = await work.memories.of(saleId);
    await pause(50);
    await engine.redis.del(...Object.values(stockKeys(saleId)));
    await rebuilds.rebuild(saleId);
    await work.care(sale);
    expect((await work.memories.of(saleId)).behindSinceMs).toBeGreaterThan(behindSinceMs);
    expect(await work.reconcile(saleId, { timing: { ...atOnce, inFlightMs: 60_000 } })).toMatchObject({ behind: true });
    expect(await work.reconcile(saleId)).toMatchObject({ behind: false });
  });

  it('stays marked when Redis becomes another one, or is caught forgetting, while it is compared', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const mark = () => engine.redis.hset(stockKeys(saleId).sale, 'behind', 1);
    await mark();
    let asked = 0;
    const identityOf = async () => `identity ${asked++}`;
    expect(await work.reconcile(saleId, { identityOf })).toMatchObject({ outcome: 'compared', behind: true });
    const evidence = {
      ...work.ports.evidence,
      orders: async (...args: Parameters<typeof work.ports.evidence.orders>) => {
        await mark();
        return work.ports.evidence.orders(...args);
      },
    };
    expect(await work.reconcile(saleId, { evidence })).toMatchObject({ outcome: 'compared', behind: true });
    expect(await work.reconcile(saleId)).toMatchObject({ behind: false });
  });
});

describe('a reconciliation', () => {
  it('compares by the schedule only what may have changed, and everything from time to time', async () => {
    const sale = await engine.openSale(randomUUID(), 10);
    orderOf(await place(sale.saleId, 'ada'));
    expect(await work.scheduled(sale)).toMatchObject({ scope: 'all' });
    expect(await work.scheduled(sale)).toMatchObject({ scope: 'changed', compared: { orders: 1, units: 0 } });
    const order = orderOf(await place(sale.saleId, 'bob'));
    await engine.redis.hdel(stockKeys(sale.saleId).sale, `h:${order.holdId}`);
    expect(await work.scheduled(sale)).toMatchObject({ scope: 'changed', mended: { 'order-not-followed': 1 } });
    expect(await work.scheduled(sale, { timing: { ...atOnce, fullEveryMs: 0 } })).toMatchObject({ scope: 'all', drift: nothing });
  });

  it('leaves what changed a moment ago alone', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = orderOf(await place(saleId, 'ada'));
    await engine.redis.hdel(stockKeys(saleId).sale, `h:${order.holdId}`);
    const timing = { ...atOnce, recentMs: 60_000 };
    expect(await work.reconcile(saleId, { timing })).toMatchObject({ outcome: 'compared', mended: nothing });
    expect(await work.mend.isBehind(saleId)).toBe(false);
  });

  it('leaves an old order alone that changed a moment ago', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = orderOf(await place(saleId, 'ada'));
    await engine.redis.hdel(stockKeys(saleId).sale, `h:${order.holdId}`);
    // By Redis' clock it was placed long ago; by ours, which writes down changes, it has just moved.
    const read: typeof engine.stock.read = async (id) => {
      const found = await engine.stock.read(id);
      return found.outcome === 'READ' ? { ...found, nowMs: found.nowMs + 3_600_000 } : found;
    };
    const stock = { ...work.ports.stock, read };
    const timing = { ...atOnce, recentMs: 60_000 };
    expect(await work.reconcile(saleId, { stock, timing })).toMatchObject({ compared: { orders: 1 }, mended: nothing });
    expect(await work.reconcile(saleId, { stock })).toMatchObject({ mended: { 'order-not-followed': 1 } });
  });

  it('is done by one at a time, and stops when its lease is lost or its time is up', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = orderOf(await place(saleId, 'ada'));
    await engine.redis.hdel(stockKeys(saleId).sale, `h:${order.holdId}`);
    const lease = await work.ports.lease(saleId);
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'busy' });
    await lease?.release();
    let asked = 0;
    const lost = async () => ({ stillOurs: async () => ++asked < 3, release: async () => {} });
    expect(await work.reconcile(saleId, { lease: lost })).toMatchObject({ outcome: 'unfinished', mended: nothing });
    let steps = 0;
    expect(await work.reconcile(saleId, { hasTime: () => ++steps < 3 })).toMatchObject({ outcome: 'unfinished', mended: nothing });
    expect(await engine.redis.exists(reconcileKeys(saleId).lease)).toBe(0);
  });

  it('repairs nothing of a sale that was loaded anew since it was looked at', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = orderOf(await place(saleId, 'ada'));
    await engine.redis.hdel(stockKeys(saleId).sale, `h:${order.holdId}`);
    const loadAnew = async () => {
      const sale = await engine.redis.hget(stockKeys(saleId).sale, 's');
      await engine.redis.hset(stockKeys(saleId).sale, 's', String(sale).replace(/\|1$/, '|2'));
    };
    expect(await work.reconcile(saleId, { pause: loadAnew })).toMatchObject({ outcome: 'unfinished', mended: nothing });
  });

  it('says of a sale that Redis does not have that it is not loaded, and lists every run, newest first', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    await work.reconcile(saleId);
    await engine.redis.del(stockKeys(saleId).sale);
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'not-loaded', drift: nothing });
    const first = await work.reports.page(1);
    expect(first.reports).toMatchObject([{ trigger: 'request', sales: [{ saleId, outcome: 'not-loaded' }] }]);
    const second = await work.reports.page(1, first.next);
    expect(second.reports).toMatchObject([{ sales: [{ saleId, outcome: 'compared' }] }]);
  });
});

/** States in which a hold, or a cart, has no order yet. */
const isOpen = new Set(['held', 'cart']);

/** Buyers who come, cancel, let expire and fill carts, and the sweeper beside them, until `stop`. */
function storm(sale: Sale, lanes: number) {
  const { saleId } = sale;
  let isOver = false;
  let count = 0;
  async function lane(n: number): Promise<void> {
    for (let turn = 0; !isOver; turn++) {
      const buyer = `buyer-${n}-${turn}`;
      count++;
      if (turn % 4 === 3) {
        const cart = { saleId, cartId: `cart-${buyer}`, buyerId: buyer };
        await engine.stock.setCartLine({ ...cart, line: { sku: 'tee', quantity: 2 } });
        await engine.stock.clearCart(saleId, cart.cartId);
        continue;
      }
      const placed = await place(saleId, buyer, 1 + (turn % 3));
      if (placed.outcome === 'placed' && turn % 4 !== 2) await engine.cancel(placed.order);
    }
  }
  async function sweeps(): Promise<void> {
    while (!isOver) {
      await engine.sweep();
      await pause(20);
    }
  }
  const running = Promise.all([...Array.from({ length: lanes }, (_, n) => lane(n)), sweeps()]);
  return {
    count: () => count,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

describe('reconciliation while a sale runs', () => {
  it('during a live reserve, from a stale snapshot or from a partial delta, changes nothing that is right', async () => {
    const sale = await engine.openSale(randomUUID(), 60, { holdSeconds: 0.4, perBuyerLimit: 3 });
    const crowd = storm(sale, 3);
    const runs: SaleReport[] = [];
    for (let run = 0; run < 6; run++) {
      // Each look is stale by the time of the next: the sale goes on in between.
      runs.push(await work.scheduled(sale, { pause: () => pause(30), timing: { ...atOnce, fullEveryMs: run % 2 === 0 ? 0 : 3_600_000 } }));
    }
    await crowd.stop();
    expect(runs.map(({ mended }) => mended)).toEqual(runs.map(() => ({})));
    expect(new Set(runs.map(({ scope }) => scope))).toEqual(new Set(['all', 'changed']));
    expect(crowd.count()).toBeGreaterThan(20);
    await expect.poll(async () => (await engine.sweep({ laterMs: 60_000 })).holds, { timeout: 10_000 }).toBe(0);
    await expectConserved(bench(), sale.saleId, 3);
  });

  it('converges after Redis fell back in the middle: all units are accounted for, and the sale is not behind any more', {
    timeout: 120_000,
  }, async () => {
    const sale = await engine.openSale(randomUUID(), 60, { holdSeconds: 0.4, perBuyerLimit: 3 });
    await work.scheduled(sale);
    const crowd = storm(sale, 3);
    const grows = (by: number) => {
      const from = crowd.count();
      return expect.poll(() => crowd.count() - from, { interval: 5, timeout: 20_000 }).toBeGreaterThan(by);
    };
    await grows(8);
    const rollBack = await engine.snapshot();
    await grows(12);
    await rollBack();
    work.failOver();
    await work.care(sale);
    expect(await work.mend.isBehind(sale.saleId)).toBe(true);
    await work.scheduled(sale, { pause: () => pause(20) });
    await crowd.stop();

    await expect
      .poll(
        async () => {
          // Carts that came back with the old state hold what has been sold since, until they end.
          await engine.stock.expireCarts(sale.saleId);
          await engine.sweep({ laterMs: 60_000 });
          const { outcome, drift, behind } = await work.scheduled(sale, { timing: { ...atOnce, fullEveryMs: 0 } });
          const open = (await all(engine.stock.holds(sale.saleId))).filter(({ state, lines }) => lines.length > 0 && isOpen.has(state));
          return { outcome, drift, behind, open };
        },
        { timeout: 60_000 },
      )
      .toEqual({ outcome: 'compared', drift: {}, behind: false, open: [] });
    const found = await expectConserved(bench(), sale.saleId, 3);
    expect(found.items.tee?.held.length).toBe((await engine.unitRows(sale.saleId)).size);
  });
});
