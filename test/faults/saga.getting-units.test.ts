import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import { takeStep } from '../../functions/orders/order.step.ts';
import { disown } from '../../functions/orders/order.transitions.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { sagasOn } from '../support/sagas.ts';
import { chargeFirstOn, unitsOf } from './saga.charge-first.harness.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const { openSale, charged } = chargeFirstOn(() => engine);

describe('getting units', () => {
  it('at once by several copies of one event gives one set of them', async () => {
    const sale = await openSale('copies', 20);
    await Promise.all(
      Array.from({ length: 6 }, async (_, n) => {
        const order = await charged('copies', `copy-${n}`, { quantity: 2 });
        await Promise.all([1, 2, 3, 4].map(() => engine.steps.allocate(order)));
        expect(await sagas.now(order)).toMatchObject({ status: 'RESERVED', version: 3 });
      }),
    );
    expect((await engine.unitRows('copies')).size).toBe(12);
    expect(await engine.available('copies')).toBe(8);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('from a Redis that was rolled back swaps what is sold, and leaves nothing unsold and nothing sold twice', async () => {
    const sale = await openSale('rolled-back', 30, { perBuyerLimit: 4 });
    const rollBack = await engine.snapshot();
    const before = await Promise.all(Array.from({ length: 10 }, (_, n) => charged('rolled-back', `back-${n}`, { quantity: 2 })));
    await Promise.all(before.map((order) => engine.steps.allocate(order)));
    const [again] = before;
    await rollBack();
    const after = await Promise.all(Array.from({ length: 12 }, (_, n) => charged('rolled-back', `after-${n}`)));
    // One of them has an order already whose slots Redis has forgotten.
    after.push(await charged('rolled-back', again?.buyerId ?? '', { key: 'more', quantity: 2 }));
    for (const order of after) await engine.steps.allocate(order);
    for (const order of [...before, ...after]) await sagas.driven(order);
    await engine.sweep();
    const ends = await Promise.all([...before, ...after].map(sagas.now));
    const sold = ends.filter(({ status }) => status === 'FULFILLED').flatMap(unitsOf);
    expect(new Set(sold).size).toBe(sold.length);
    expect(sold).toHaveLength(30);
    expect(ends.filter(({ status }) => status === 'FAILED').every(({ failure }) => failure === 'OUT_OF_STOCK')).toBe(true);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('from a Redis whose clock went back after the sweeper gave a hold back goes on at once', async () => {
    const sale = await openSale('clock-back', 2);
    const order = await charged('clock-back', 'early');
    const ahead = 1_000 * (Date.now() + 90_000);
    await takeStep(order, engine.orders, (current) => disown(current, ahead, Date.now()));
    const { order: reserved } = await engine.steps.allocate(order);
    expect(reserved).toMatchObject({ status: 'RESERVED' });
    expect(reserved.bornUs).toBeGreaterThan(ahead);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('that dies after the hold goes on with that hold', async () => {
    const sale = await openSale('dies-early', 2);
    const order = await charged('dies-early', 'dier');
    const transition = () => Promise.reject(new Error('the function died'));
    const dying = sagas.gettingUnits({ orders: { ...engine.orders, transition } });
    await expect(dying.allocate(order)).rejects.toThrow('died');
    expect(await engine.available('dies-early')).toBe(1);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('that dies before Redis hears of it keeps its units', async () => {
    const sale = await openSale('dies-late', 2, { holdSeconds: 0.05 });
    const order = await charged('dies-late', 'dier-late');
    const acknowledge = () => Promise.reject(new Error('the function died'));
    await sagas.gettingUnits({ stock: { ...engine.stock, acknowledge } }).allocate(order);
    await wait(60);
    await engine.sweep();
    expect(await sagas.now(order)).toMatchObject({ status: 'RESERVED' });
    expect(await engine.available('dies-late')).toBe(1);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

describe('the sweeper against a slow copy of getting units', () => {
  /** A copy that has its hold, and commits only after `meanwhile`. */
  async function slowly(order: Order, meanwhile: () => Promise<unknown>) {
    let calls = 0;
    const transition: typeof engine.orders.transition = async (...args) => {
      if (calls++ === 0) await meanwhile();
      return engine.orders.transition(...args);
    };
    return sagas.gettingUnits({ orders: { ...engine.orders, transition } }).allocate(order);
  }

  it('ends the order’s version before its hold: the slow one loses there, and gets a hold that lives', async () => {
    const sale = await openSale('slow', 1, { holdSeconds: 0.05 });
    const order = await charged('slow', 'slow');
    const { order: moved } = await slowly(order, async () => {
      await wait(60);
      await engine.sweep();
      expect(await engine.available('slow')).toBe(1);
    });
    expect(moved).toMatchObject({ status: 'RESERVED', items: [{ units: ['1'] }] });
    expect(moved.version).toBe(order.version + 2);
    expect(await engine.available('slow')).toBe(0);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('gives the unit to whoever comes first, and the slow one hears that there is none', async () => {
    const sale = await openSale('slow-loses', 1, { holdSeconds: 0.05 });
    const [order, quick] = [await charged('slow-loses', 'slow-loser'), await charged('slow-loses', 'quick')];
    const { order: moved } = await slowly(order, async () => {
      await wait(60);
      await engine.sweep();
      expect(await sagas.driven(quick)).toMatchObject({ status: 'FULFILLED' });
    });
    expect(moved).toMatchObject({ status: 'FAILED', failure: 'OUT_OF_STOCK' });
    await sagas.driven(order);
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed('slow-loses')).toEqual([]);
  });

  it('does not let a hold become the order’s that it is about to give back', async () => {
    const sale = await openSale('between', 1, { holdSeconds: 0.05 });
    const order = await charged('between', 'between');
    const dying = sagas.gettingUnits({ orders: { ...engine.orders, transition: () => Promise.reject(new Error('died')) } });
    await expect(dying.allocate(order)).rejects.toThrow('died');
    await wait(60);
    // Between the order's new version and the release, a copy of the step comes and finds the old hold still there.
    const release: typeof engine.stock.release = async (...args) => {
      await engine.steps.allocate(await sagas.now(order));
      return engine.stock.release(...args);
    };
    await engine.sweep({ stock: { ...engine.stock, release } });
    expect(await sagas.now(order)).toMatchObject({ status: 'RESERVED' });
    expect(await engine.available('between')).toBe(0);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('of an order that was cancelled meanwhile gets nothing', async () => {
    const sale = await openSale('slow-cancelled', 1);
    const order = await charged('slow-cancelled', 'slow-canceller');
    const step = await slowly(order, () => engine.cancel(order));
    expect(step).toMatchObject({ outcome: 'stayed', order: { status: 'CANCELLED' } });
    expect(await sagas.driven(order)).toMatchObject({ stock: 'released' });
    expect(await engine.available('slow-cancelled')).toBe(1);
    const left = [];
    for await (const hold of engine.stock.holds('slow-cancelled')) left.push(hold.state);
    expect(left).toEqual(['ended']);
    expect(await engine.redis.hexists(stockKeys('slow-cancelled').sale, `h:${order.holdId}`)).toBe(1);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});
