import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderAnswer } from '../../functions/orders/order.answer.ts';
import { asPlaced, type Order } from '../../functions/orders/order.model.ts';
import { takeStep } from '../../functions/orders/order.step.ts';
import { decline } from '../../functions/orders/order.transitions.model.ts';
import type { Sale, Strategy } from '../../functions/sales/sale.model.ts';
import { firstHoldIdOf, laterHoldIdOf, orderIdOf } from '../../functions/shared/ids.ts';
import { unitRows } from '../../functions/stock/rebuild.repository.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { sagasOn } from '../support/sagas.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const unitsOf = (order: Order) => order.items.flatMap(({ units }) => units);
const external = { method: 'external' as const };

/** An order that nobody paid in time, with its units given back. */
async function expired(saleId: string, buyerId: string, options: Parameters<Engine['place']>[2] = {}): Promise<Order> {
  const order = await sagas.placed(saleId, buyerId, { ...options, ...external });
  const end = await sagas.driven(order, 301_500);
  expect(end).toMatchObject({ status: 'EXPIRED', stock: 'released' });
  return end;
}
const returnedOnce = ['receive', 'return'];

describe.each<Strategy>(['reserve-first', 'charge-first'])('money after an expiry, %s', (strategy) => {
  const openSale = (name: string, units: number, changes: Partial<Sale> = {}) =>
    engine.openSale(`${name}-${strategy}`, units, { strategy, ...changes });

  it('buys units again, under a hold of its own, and the order is fulfilled', async () => {
    const sale = await openSale('again', 3, { perBuyerLimit: 2 });
    const order = await expired(sale.saleId, 'ada', { quantity: 2 });
    const late = await sagas.paidOutside(order);
    expect(late).toMatchObject({ status: 'EXPIRED', late: { paymentId: 'payment' } });
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured', paymentId: 'payment' } });
    expect(end.late).toBeUndefined();
    expect(end.holdId).toBe(laterHoldIdOf(order.orderId, 'payment'));
    expect(orderIdOf(end.holdId)).toBe(order.orderId);
    expect(unitsOf(end)).toHaveLength(2);
    expect(await engine.claims.usedSlots(sale.saleId, 'ada')).toEqual([1, 2]);
    expect(await engine.available(sale.saleId)).toBe(1);
    expect(await sagas.movementsOf(order)).toEqual(['capture', 'receive']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed(sale.saleId)).toEqual([]);
  });

  it('changes nothing of the first answer to its key', async () => {
    const sale = await openSale('first-answer', 5);
    const placed = await sagas.placed(sale.saleId, 'ada', external);
    const answerOf = (order: Order) => orderAnswer(asPlaced(order));
    await sagas.driven(placed, 301_500);
    // Somebody else has the unit by now that the order had at first.
    await sagas.placed(sale.saleId, 'bob', external);
    await sagas.paidOutside(placed);
    await sagas.driven(placed);
    const replayed = await engine.place(sale.saleId, 'ada', external);
    if (!('order' in replayed)) throw new Error(replayed.outcome);
    expect(answerOf(replayed.order)).toEqual(answerOf(placed));
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('goes back once when no unit is left, and the order stays what it is', async () => {
    const sale = await openSale('none-left', 1);
    const order = await expired(sale.saleId, 'ada');
    const winner = await sagas.placed(sale.saleId, 'bob', external);
    await sagas.paidOutside(winner);
    await sagas.driven(winner);
    const late = await sagas.paidOutside(order);
    await Promise.all([1, 2, 3].map(() => engine.steps.reclaim(late)));
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'EXPIRED', payment: { state: 'none' } });
    expect(await sagas.movementsOf(order)).toEqual(returnedOnce);
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed(sale.saleId)).toEqual([]);
  });

  it('goes back when the buyer is at the limit by now', async () => {
    const sale = await openSale('limit', 5, { perBuyerLimit: 2 });
    const order = await expired(sale.saleId, 'ada', { key: 'first', quantity: 2 });
    const second = await sagas.placed(sale.saleId, 'ada', { key: 'second', ...external });
    await sagas.paidOutside(second, 'second');
    await sagas.driven(second);
    await sagas.paidOutside(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'EXPIRED' });
    expect(await sagas.movementsOf(order)).toEqual(returnedOnce);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it.each(['closed', 'paused', 'cancelled'] as const)('goes back when the sale is %s', async (control) => {
    const sale = await openSale(`over-${control}`, 5);
    const order = await expired(sale.saleId, 'ada');
    const cancellation = control === 'cancelled' ? { cancellation: { reason: 'rain', atMs: Date.now() } } : {};
    await engine.stock.update({ ...sale, version: 2, control: control === 'cancelled' ? 'closed' : control, ...cancellation });
    await sagas.paidOutside(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'EXPIRED' });
    expect(await sagas.movementsOf(order)).toEqual(returnedOnce);
    expect(await engine.available(sale.saleId)).toBe(5);
  });

  it('buys the very seats, or goes back when one of them is taken', async () => {
    const sale = await engine.openHall(`hall-${strategy}`, ['A', 'B', 'C'], { strategy });
    const [ada, bob] = [
      await sagas.seatsPlaced(sale.saleId, 'ada', ['A', 'B'], 'external'),
      await sagas.seatsPlaced(sale.saleId, 'bob', ['C'], 'external'),
    ];
    for (const order of [ada, bob]) await sagas.driven(order, 301_500);
    const eve = await sagas.seatsPlaced(sale.saleId, 'eve', ['C'], 'external');
    await sagas.paidOutside(eve);
    await sagas.driven(eve);
    for (const order of [ada, bob]) await sagas.paidOutside(order);
    expect(await sagas.driven(ada)).toMatchObject({ status: 'FULFILLED', items: [{ units: ['A', 'B'] }] });
    expect(await sagas.driven(bob)).toMatchObject({ status: 'EXPIRED' });
    expect(await sagas.movementsOf(bob)).toEqual(returnedOnce);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('told several times at once, or driven by several, buys one set of units', async () => {
    const sale = await openSale('twice', 10);
    const order = await expired(sale.saleId, 'ada', { quantity: 2 });
    const late = await sagas.paidOutside(order);
    await Promise.all([1, 2, 3, 4].map(() => engine.steps.reclaim(late)));
    await sagas.driven(order);
    expect(await engine.available(sale.saleId)).toBe(8);
    expect(await sagas.movementsOf(order)).toEqual(['capture', 'receive']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('waits until what the order had is given back', async () => {
    const sale = await openSale('not-released', 1);
    const order = await sagas.placed(sale.saleId, 'ada', external);
    const { order: ended } = await engine.stepsAt(() => Date.now() + 302_000).expire(order);
    expect(ended).toMatchObject({ status: 'EXPIRED', stock: 'releasing' });
    const late = await sagas.paidOutside(order);
    expect(await engine.steps.reclaim(late)).toMatchObject({ outcome: 'stayed' });
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('that nobody acts on is settled by the sweeper', async () => {
    const sale = await openSale('swept', 1);
    const order = await expired(sale.saleId, 'ada');
    await sagas.paidOutside(order);
    await engine.sweep({ laterMs: 25_000 });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('is kept through a rebuild: the rows name the hold, and a refund gives everything back', async () => {
    const sale = await openSale('rebuilt', 3, { perBuyerLimit: 2 });
    const order = await expired(sale.saleId, 'ada', { quantity: 2 });
    await sagas.paidOutside(order);
    const end = await sagas.driven(order);
    const rows = unitRows(engine.database, 'units');
    const found = [];
    for (const bucket of rows.bucketsOf(sale.saleId, 'tee')) for await (const page of rows.pages(bucket)) found.push(...page);
    expect(new Set(found.map(({ holdId }) => holdId))).toEqual(new Set([end.holdId]));
    for (const key of await engine.redis.keys(`*${sale.saleId}*`)) await engine.redis.del(key);
    await engine.stock.beginLoad(sale.saleId, 2);
    await engine.stock.loadUnits(sale.saleId, { epoch: 2, chunk: 1, rows: found, holdSeconds: 300 });
    const next = Math.max(...found.map(({ unit }) => Number(unit))) + 1;
    await engine.stock.publishLoad(sale, {
      epoch: 2,
      chunks: 1,
      items: [{ sku: 'tee', kind: 'counted', total: 3, next, free: 0 }],
      behind: true,
    });
    expect(await sagas.wrongWith(sale)).toEqual([]);
    await engine.refund(order.orderId, { returnUnits: true });
    expect(await sagas.driven(order)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' }, stock: 'released' });
    expect(await engine.available(sale.saleId)).toBe(3);
    expect(await engine.claims.usedSlots(sale.saleId, 'ada')).toEqual([]);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('loses against the sweeper that gives its hold back, and gets units by a hold that lives, or none', async () => {
    const sale = await openSale('slow', 1, { holdSeconds: 0.05 });
    const order = await expired(sale.saleId, 'ada');
    const late = await sagas.paidOutside(order);
    let calls = 0;
    const transition: typeof engine.orders.transition = async (...args) => {
      if (calls++ === 0) {
        await wait(60);
        await engine.sweep();
        expect(await engine.available(sale.saleId)).toBe(1);
      }
      return engine.orders.transition(...args);
    };
    const { order: reclaimed } = await sagas.gettingUnits({ orders: { ...engine.orders, transition } }).reclaim(late);
    expect(reclaimed).toMatchObject({ status: 'CONFIRMED', version: late.version + 2 });
    await sagas.driven(order);
    expect(await engine.available(sale.saleId)).toBe(0);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('whose hold outlives the order’s wish for it leaks nothing: the sweeper gives it back', async () => {
    const sale = await openSale('left-over', 1, { holdSeconds: 0.05 });
    const order = await expired(sale.saleId, 'ada');
    const late = await sagas.paidOutside(order);
    const dying = sagas.gettingUnits({ orders: { ...engine.orders, transition: () => Promise.reject(new Error('died')) } });
    await expect(dying.reclaim(late)).rejects.toThrow('died');
    await engine.stock.update({ ...sale, version: 2, control: 'closed', cancellation: { reason: 'rain', atMs: Date.now() } });
    expect(await sagas.driven(order)).toMatchObject({ status: 'EXPIRED' });
    await wait(60);
    await engine.sweep();
    expect(await engine.available(sale.saleId)).toBe(1);
    const left = [];
    for await (const hold of engine.stock.holds(sale.saleId)) left.push([hold.holdId, hold.state]);
    expect(left).toEqual([[firstHoldIdOf(order.orderId), 'ended']]);
  });

  it('may follow a failed payment, and a second failure after it changes nothing', async () => {
    const sale = await openSale('failed-first', 1);
    const order = await sagas.placed(sale.saleId, 'ada', external);
    const fail = () => sagas.now(order).then((now) => takeStep(now, engine.orders, (current) => decline(current, Date.now())));
    await Promise.all([fail(), fail()]);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FAILED', failure: 'PAYMENT_DECLINED', stock: 'released' });
    expect(await fail()).toMatchObject({ outcome: 'stayed' });
    expect(await engine.available(sale.saleId)).toBe(1);
    await sagas.paidOutside(order);
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });
    expect(end.failure).toBeUndefined();
    expect(await fail()).toMatchObject({ outcome: 'stayed' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('of a second payment, after the first went back, is tried anew', async () => {
    const sale = await openSale('second', 1);
    const order = await expired(sale.saleId, 'ada');
    const other = await sagas.placed(sale.saleId, 'bob', external);
    await sagas.paidOutside(other, 'of bob');
    await sagas.driven(other);
    await sagas.paidOutside(order, 'first');
    expect(await sagas.driven(order)).toMatchObject({ status: 'EXPIRED' });
    await engine.refund(other.orderId, { returnUnits: true });
    await sagas.driven(other);
    await sagas.paidOutside(order, 'second');
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED', payment: { paymentId: 'second' } });
    expect(await sagas.movementsOf(order)).toEqual(['capture', 'receive', 'receive', 'return']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});
