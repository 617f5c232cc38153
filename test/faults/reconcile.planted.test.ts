import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import { cancel } from '../../functions/orders/order.transitions.model.ts';
import { viewRowOf } from '../../functions/orders/order-view.model.ts';
import { placement } from '../../functions/orders/placement.model.ts';
import type { SaleReport } from '../../functions/reconciliation/report.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { viewRepository } from '../../functions/views/view.repository.ts';
import { expectConserved } from '../scripts/stock.harness.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { freshHoldId, orderOf } from '../support/orders.ts';
import { nothing, reconcilingOn } from '../support/reconciling.ts';

let engine: Engine;
let work: ReturnType<typeof reconcilingOn>;
beforeAll(async () => {
  engine = await startEngine();
  work = reconcilingOn(engine);
});
afterAll(() => engine?.stop());

const place = async (saleId: string, buyer: string, quantity = 1, key = 'key') =>
  orderOf(await engine.place(saleId, buyer, { method: 'external', quantity, key }));
const unitsOf = (order: Order) => order.items.flatMap(({ units }) => units);
const keys = stockKeys;
const field = (saleId: string, name: string) => engine.redis.hget(keys(saleId).sale, name);
const plant = (saleId: string, name: string, value: string) => engine.redis.hset(keys(saleId).sale, name, value);
const bench = () => ({ redis: engine.redis, stock: engine.stock, url: '' });

/** What was mended is exactly this; afterwards nothing is wrong, and every unit is where it belongs. */
async function expectMended(saleId: string, mended: SaleReport['mended'], { limit = 0 } = {}): Promise<SaleReport> {
  const report = await work.reconcile(saleId);
  expect(report).toMatchObject({ outcome: 'compared', drift: mended, mended });
  expect(report.mended).toEqual(mended);
  await expectConserved(bench(), saleId, limit);
  expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', drift: nothing, behind: false });
  return report;
}

describe('a reconciliation', () => {
  it('finds nothing wrong with a sale that is right', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 20, { perBuyerLimit: 5 });
    const orders = await Promise.all(['ada', 'bob', 'cleo'].map((buyer) => place(saleId, buyer, 2)));
    await engine.cancel(orders[0] as Order);
    expect(await work.reconcile(saleId)).toMatchObject({
      scope: 'all',
      outcome: 'compared',
      passes: 1,
      compared: { units: 4, holds: 3, orders: 3 },
      drift: nothing,
      repairs: [],
      behind: false,
    });
  });

  it('puts a unit that is in no place at all back on sale, and no other', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const [first, second] = [await place(saleId, 'ada', 3), await place(saleId, 'bob', 2)];
    await engine.cancel(first);
    // Out of the pool, and the counter with it: as a revert that was lost would leave them.
    await engine.redis.del(keys(saleId).free);
    await plant(saleId, 'i:tee', `c|10|6|0`);
    const report = await expectMended(saleId, { 'unit-leaked': 3 });
    expect(report.repairs).toMatchObject([{ kind: 'unit-leaked', subject: 'tee', outcome: 'mended' }]);
    expect(await engine.available(saleId)).toBe(8);
    expect(unitsOf(second)).toEqual(['4', '5']);
    expect(unitsOf(await place(saleId, 'cleo', 3))).toEqual(['1', '2', '3']);
  });

  it('leaves a unit alone that nobody seems to have, and that an order claims while it is looked into', async () => {
    const sale = await engine.openSale(randomUUID(), 10);
    const { saleId } = sale;
    const hold = await engine.stock.reserve({
      ...{ saleId, holdId: freshHoldId(), buyerId: 'ada', payloadHash: 'hash' },
      lines: [{ sku: 'tee', quantity: 2 }],
    });
    if (hold.outcome !== 'RESERVED') throw new Error(`no hold: ${hold.outcome}`);
    // Redis has forgotten the hold, and not that its units were given out; its order is on its way.
    await engine.redis.hdel(keys(saleId).sale, `h:${hold.hold.holdId}`);
    const watch: typeof work.mend.watch = async (...args) => {
      const watched = await work.mend.watch(...args);
      await engine.claims.claim(placement(hold.hold, sale, 'external'));
      return watched;
    };
    const report = await work.reconcile(saleId, { mend: { ...work.mend, watch } });
    expect(report.mended).not.toHaveProperty('unit-leaked');
    expect(await engine.available(saleId)).toBe(8);
    expect([...(await engine.unitRows(saleId)).keys()].sort()).toEqual(['1', '2']);
  });

  it('takes a unit off sale that an order owns, whether its hold names it or not', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const [held, forgotten] = [await place(saleId, 'ada', 2), await place(saleId, 'bob', 2)];
    await engine.redis.zadd(keys(saleId).free, 0, 'tee|0000001-0000004');
    await plant(saleId, 'i:tee', 'c|10|5|4');
    await engine.redis.hdel(keys(saleId).sale, `h:${forgotten.holdId}`);
    await expectMended(saleId, { 'order-not-followed': 2 });
    expect(await engine.available(saleId)).toBe(6);
    expect([held, forgotten].map(unitsOf)).toEqual([
      ['1', '2'],
      ['3', '4'],
    ]);
  });

  it('moves what is next past units that orders own', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 3);
    await plant(saleId, 'i:tee', 'c|10|1|0');
    await expectMended(saleId, { 'order-not-followed': 1 });
    expect(unitsOf(order)).toEqual(['1', '2', '3']);
    expect(unitsOf(await place(saleId, 'bob'))).toEqual(['4']);
  });

  it('gives an order its units when another hold has them', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 2);
    const record = await field(saleId, `h:${order.holdId}`);
    await plant(saleId, `h:${order.holdId}`, String(record).replace('tee=1-2', 'tee=3-4'));
    await plant(saleId, 'i:tee', 'c|10|5|0');
    // What its hold had instead goes back; what it has by its rows is its again.
    await expectMended(saleId, { 'order-not-followed': 1 });
    expect(await engine.available(saleId)).toBe(8);
  });

  it('raises an allowance that is too low, and lowers one that is too high', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { perBuyerLimit: 5 });
    await place(saleId, 'ada', 2);
    await place(saleId, 'bob', 2);
    await plant(saleId, 'b:ada', '1');
    await plant(saleId, 'b:bob', '19');
    await plant(saleId, 'b:cleo', '6');
    await expectMended(saleId, { 'allowance-too-low': 1, 'allowance-too-high': 3 }, { limit: 5 });
    expect([await field(saleId, 'b:ada'), await field(saleId, 'b:bob'), await field(saleId, 'b:cleo')]).toEqual(['3', '3', null]);
  });

  it('gives back, once, what the hold of an ended order has', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { perBuyerLimit: 5 });
    const order = await place(saleId, 'ada', 2);
    const record = String(await field(saleId, `h:${order.holdId}`));
    await engine.cancel(order);
    // Redis forgot its end, and one of the units was sold again meanwhile.
    const other = await place(saleId, 'bob', 1);
    expect(unitsOf(other)).toEqual(['1']);
    await engine.redis.zrem(keys(saleId).free, 'tee|0000002-0000002');
    await plant(saleId, 'i:tee', 'c|10|3|0');
    await plant(saleId, `h:${order.holdId}`, record);
    await plant(saleId, 'b:ada', '3');
    await expectMended(saleId, { 'hold-of-ended-order': 1 }, { limit: 5 });
    expect(await engine.available(saleId)).toBe(9);
    expect(await field(saleId, `h:${order.holdId}`)).toMatch(/^E\|/);
  });

  it('gives back what a late acknowledgement took after Redis forgot the mark of the end', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 2);
    await engine.cancel(order);
    await engine.redis.hdel(keys(saleId).sale, `h:${order.holdId}`);
    const { holdId, buyerId, payloadHash, bornUs, holdExpiresAtMs: expiresAtMs, items, slots } = order;
    const lines = items.map(({ sku, units }) => ({ sku, units }));
    await engine.stock.acknowledge(saleId, { holdId, buyerId, payloadHash, bornUs, expiresAtMs, lines, slots }, 'live');
    expect(await engine.available(saleId)).toBe(8);
    await expectMended(saleId, { 'hold-of-ended-order': 1 });
    expect(await engine.available(saleId)).toBe(10);
  });

  it('leaves the mark of an ended order that Redis has forgotten, so that a retry takes no units', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 2);
    await engine.cancel(order);
    await engine.redis.hdel(keys(saleId).sale, `h:${order.holdId}`);
    await expectMended(saleId, { 'mark-missing': 1 });
    expect(await engine.stock.reserve({ ...order, lines: [{ sku: 'tee', quantity: 2 }] })).toEqual({ outcome: 'ENDED' });
  });

  it('puts a hold whose time is up, and that nothing leads to, before the sweeper, who ends it', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { holdSeconds: 0.05 });
    const reserve = { saleId, holdId: 'a-hold', buyerId: 'ada', payloadHash: 'hash', lines: [{ sku: 'tee', quantity: 2 }] };
    expect(await engine.stock.reserve(reserve)).toMatchObject({ outcome: 'RESERVED' });
    await engine.redis.del(keys(saleId).expiry);
    await pause(100);
    expect(await work.reconcile(saleId)).toMatchObject({ mended: { 'hold-not-listed': 1 } });
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
    await engine.sweep();
    expect(await engine.available(saleId)).toBe(10);
  });

  it('leads a hold to the sweeper that says that an order has it, and there is no such order', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { holdSeconds: 0.05 });
    const reserve = { saleId, holdId: 'b-hold', buyerId: 'ada', payloadHash: 'hash', lines: [{ sku: 'tee', quantity: 2 }] };
    await engine.stock.reserve(reserve);
    await plant(saleId, 'h:b-hold', String(await field(saleId, 'h:b-hold')).replace('H|', 'A|'));
    await pause(100);
    expect(await work.reconcile(saleId)).toMatchObject({ mended: { 'hold-without-order': 1 } });
    await engine.sweep();
    expect(await engine.available(saleId)).toBe(10);
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
  });

  it('puts a cart back among those that end by themselves', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    await engine.stock.setCartLine({ saleId, cartId: 'a-cart', buyerId: 'ada', line: { sku: 'tee', quantity: 2 } });
    await engine.redis.del(keys(saleId).carts);
    await expectMended(saleId, { 'cart-not-listed': 1 });
    expect(await engine.available(saleId)).toBe(8);
  });

  it.each([
    ['too low', 0],
    ['too high', 7],
  ])('counts anew what is free when the counter is %s', async (_, free) => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 3);
    await place(saleId, 'bob', 1);
    await engine.cancel(order);
    await plant(saleId, 'i:tee', `c|10|5|${free}`);
    await expectMended(saleId, { 'counter-wrong': 1 });
    expect(await engine.available(saleId)).toBe(9);
  });

  it('sets no counter while units move, calls nothing right meanwhile, and does it once they rest', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 20);
    await engine.cancel(await place(saleId, 'ada', 3));
    await plant(saleId, 'i:tee', 'c|20|4|7');
    let buyers = 0;
    const moving = {
      ...work.mend,
      count: async (...of: Parameters<typeof work.mend.count>) => {
        const counted = await work.mend.count(...of);
        const holdId = `passing-${++buyers}`;
        const asked = { holdId, buyerId: holdId, payloadHash: 'payload', lines: [{ sku: 'tee', quantity: 1 }] };
        const taken = await engine.stock.reserve({ saleId, ...asked });
        if (taken.outcome !== 'RESERVED') throw new Error(taken.outcome);
        await engine.stock.release(saleId, { ...taken.hold, cause: 'tombstone' });
        return counted;
      },
    };
    await plant(saleId, 'behind', '1');
    const report = await work.reconcile(saleId, { mend: moving });
    expect(report).toMatchObject({ drift: { 'counter-wrong': 1 }, mended: nothing, behind: true });
    expect(buyers).toBeGreaterThan(1);
    expect(await field(saleId, 'i:tee')).toMatch(/^c\|20\|4\|7/);
    expect(await work.reconcile(saleId)).toMatchObject({ mended: { 'counter-wrong': 1 }, behind: false });
    await expectConserved(bench(), saleId);
    expect(await engine.available(saleId)).toBe(20);
  });

  it('finds no counter wrong because a unit moves while it looks', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 20);
    await engine.cancel(await place(saleId, 'ada', 3));
    const counters: typeof work.mend.counters = async (...of) => {
      const read = await work.mend.counters(...of);
      if (of[1].length > 0) await place(saleId, randomUUID());
      return read;
    };
    let counts = 0;
    const beginCount: typeof work.mend.beginCount = (...of) => {
      counts++;
      return work.mend.beginCount(...of);
    };
    const report = await work.reconcile(saleId, { mend: { ...work.mend, counters, beginCount } });
    expect([report.drift, counts]).toEqual([{}, 0]);
  });

  it('mends several orders at the same time, at most eight', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 40);
    const orders = await Promise.all(Array.from({ length: 12 }, (_, buyer) => place(saleId, `buyer ${buyer}`, 2)));
    await engine.redis.hdel(keys(saleId).sale, ...orders.map(({ holdId }) => `h:${holdId}`));
    let [under, most] = [0, 0];
    const follow: typeof work.mend.follow = async (...of) => {
      most = Math.max(most, ++under);
      await pause(5);
      return work.mend.follow(...of).finally(() => under--);
    };
    expect(await work.reconcile(saleId, { mend: { ...work.mend, follow } })).toMatchObject({ mended: { 'order-not-followed': 12 } });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(8);
    await expectConserved(bench(), saleId);
  });

  it('brings what Redis has of the sale itself up to date, of its version too', async () => {
    const sale = await engine.openSale(randomUUID(), 10, { perBuyerLimit: 5 });
    const { saleId } = sale;
    await plant(
      saleId,
      's',
      String(await field(saleId, 's'))
        .replace('open', 'paused')
        .replace('|5|', '|7|'),
    );
    await expectMended(saleId, { 'sale-behind': 1 }, { limit: 5 });
    expect(await engine.stock.read(saleId)).toMatchObject({ control: 'open', limit: 5 });

    engine.putSale({ ...sale, version: 2, control: 'paused', items: sale.items.map((item) => ({ ...item, total: 12 })) });
    await expectMended(saleId, { 'sale-behind': 1 }, { limit: 5 });
    expect(await engine.stock.read(saleId)).toMatchObject({ control: 'paused', version: 2, items: [{ total: 12 }] });
  });

  it('leaves an order alone whose stock is still to be released: that is the sweeper’s', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const order = await place(saleId, 'ada', 2);
    const decided = cancel(order, Date.now());
    if (decided.outcome !== 'go') throw new Error('not cancelled');
    await engine.orders.transition(order, decided.transition);
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', drift: nothing });
    await engine.sweep({ laterMs: 60_000 });
    expect(await engine.available(saleId)).toBe(10);
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
  });

  it('leaves an order alone that is charged before it has units, and one that has none to give back', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { strategy: 'charge-first' });
    const order = await place(saleId, 'ada', 2);
    expect(order.status).toBe('PENDING');
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', compared: { orders: 1 }, drift: nothing });
    await engine.cancel(order);
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
    expect(await engine.available(saleId)).toBe(10);
  });

  it('keeps what was retired out of sale, with its slots', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10, { perBuyerLimit: 5 });
    const order = await place(saleId, 'ada', 2);
    await engine.endForGood(order);
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
    await engine.redis.zadd(keys(saleId).free, 0, 'tee|0000001-0000002');
    await plant(saleId, 'i:tee', 'c|10|3|2');
    await engine.redis.hdel(keys(saleId).sale, 'b:ada');
    expect(await work.reconcile(saleId)).toMatchObject({ mended: { 'order-not-followed': 1 } });
    expect(await engine.available(saleId)).toBe(8);
    expect(await field(saleId, 'b:ada')).toBe('3');
    expect(await work.reconcile(saleId)).toMatchObject({ drift: nothing });
  });
});

describe('a reconciliation of views', () => {
  it('projects anew what is missing, behind, or wrong, and nothing that is ahead', async () => {
    const { saleId } = await engine.openSale(randomUUID(), 10);
    const views = viewRepository(engine.database, 'views');
    const [missing, behind, wrong, right] = await Promise.all(['ada', 'bob', 'cleo', 'dan'].map((buyer) => place(saleId, buyer)));
    if (!(missing && behind && wrong && right)) throw new Error('four were placed');
    await views.put({ ...viewRowOf(behind), version: 0 }, 'older');
    await views.put({ ...viewRowOf(wrong), status: 'FULFILLED' }, 'older');
    await views.put(viewRowOf({ ...right, version: 7 }), 'older');
    const withViews = { views: work.ports.views };
    expect(await work.reconcile(saleId, withViews)).toMatchObject({ outcome: 'compared', mended: { 'view-stale': 3 } });
    const rows = await views.rows([missing, behind, wrong, right].map(({ orderId }) => orderId));
    for (const order of [missing, behind, wrong]) expect(rows.get(order.orderId)).toMatchObject({ version: 1, status: 'RESERVED' });
    expect(rows.get(right.orderId)).toMatchObject({ version: 7 });
    expect(await work.reconcile(saleId, withViews)).toMatchObject({ drift: nothing });
  });
});
