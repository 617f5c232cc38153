import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasEnded, type Order } from '../../functions/orders/order.model.ts';
import type { Sale, Strategy } from '../../functions/sales/sale.model.ts';
import { UnsettledTransaction } from '../../functions/shared/dynamo.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { openFunded } from '../support/audits.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';

// Faults that other systems of this kind have, in both strategies.
let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

describe.each<Strategy>(['reserve-first', 'charge-first'])('%s', (strategy) => {
  const openSale = (name: string, units: number, changes: Partial<Sale> = {}) =>
    engine.openSale(`${name}-${strategy}`, units, { strategy, ...changes });
  /** Each buyer's name once in this file: an account is opened once. */
  let buyers = 0;
  async function placed(
    sale: Sale,
    { balanceMinor = openingMinor, ...options }: Parameters<Engine['place']>[2] & { balanceMinor?: number } = {},
  ) {
    const buyerId = `${strategy}-${++buyers}`;
    await openFunded(engine, buyerId, balanceMinor);
    return sagas.placed(sale.saleId, buyerId, options);
  }

  it('two copies of one event processed at once are one charge, one set of units and one capture', async () => {
    const sale = await openSale('copies', 10);
    const order = await placed(sale, { quantity: 2 });
    const { charge, allocate, confirm, fulfil } = engine.steps;
    for (const step of [charge, allocate, confirm, charge, fulfil]) {
      const now = await sagas.now(order);
      await Promise.all([1, 2, 3].map(() => step(now)));
    }
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED', version: strategy === 'charge-first' ? 6 : 5 });
    expect(await sagas.balanceOf(order)).toBe(openingMinor - 5_000);
    expect(await sagas.movementsOf(order)).toEqual(['authorise', 'capture']);
    expect(await engine.available(sale.saleId)).toBe(8);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('a payment that fails twice ends the order once and gives its units back once', async () => {
    const sale = await openSale('fails-twice', 3);
    const order = await placed(sale, { balanceMinor: 10 });
    await Promise.all([1, 2].map(() => engine.steps.charge(order)));
    await engine.steps.charge(await sagas.now(order));
    const end = await sagas.driven(order);
    expect(end).toMatchObject({
      status: 'FAILED',
      failure: 'PAYMENT_DECLINED',
      payment: { state: 'declined' },
      stock: 'released',
      version: 3,
    });
    expect(await sagas.movementsOf(order)).toEqual([]);
    expect(await engine.available(sale.saleId)).toBe(3);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('a compensation without a prior reservation gives nothing back that was never taken', async () => {
    const sale = await openSale('no-reservation', 3, { perBuyerLimit: 2 });
    const order = await placed(sale);
    // Redis has never heard of a hold of this order.
    await engine.redis.del(stockKeys(sale.saleId).sale);
    await engine.stock.load({ ...sale, epoch: 2 });
    const before = await engine.available(sale.saleId);
    await engine.cancel(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'CANCELLED', stock: 'released' });
    expect(await engine.available(sale.saleId)).toBe(before);
    expect(before).toBe(3);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('a compensation that runs twice, or many times at once, returns units and money once', async () => {
    const sale = await openSale('twice', 5, { perBuyerLimit: 5 });
    const order = await placed(sale, { quantity: 2 });
    const paid = await sagas.driven(order);
    expect(paid).toMatchObject({ status: 'FULFILLED' });
    await engine.refund(order.orderId, { returnUnits: true });
    const refunding = await sagas.now(order);
    await Promise.all([1, 2, 3, 4].map(() => engine.steps.compensate(refunding)));
    await engine.steps.compensate(refunding);
    expect(await sagas.driven(order)).toMatchObject({ status: 'REFUNDED', stock: 'released' });
    expect(await sagas.movementsOf(order)).toEqual(['authorise', 'capture', 'refund']);
    expect(await sagas.balanceOf(order)).toBe(openingMinor);
    expect(await engine.available(sale.saleId)).toBe(5);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('retries that are used up leave no stock unsold: what was taken comes back, and sells', async () => {
    const sale = await openSale('used-up', 4, { holdSeconds: 0.2 });
    const unsettled = { claim: () => Promise.reject(new UnsettledTransaction('throttled')) };
    const transition: typeof engine.orders.transition = (order, move, extra) =>
      move.units === 'claim' ? Promise.reject(new UnsettledTransaction('throttled')) : engine.orders.transition(order, move, extra);
    const stuck = sagas.gettingUnits({ orders: { ...engine.orders, transition } });
    const ends: Order[] = [];
    for (let n = 0; n < 4; n++) {
      if (strategy === 'reserve-first') {
        const ports = { ...engine.placePorts, claims: { ...engine.claims, ...unsettled } };
        expect(await engine.place(sale.saleId, `stuck-${n}`, { ports })).toEqual({ outcome: 'try-again' });
        continue;
      }
      const order = await placed(sale);
      const { order: charged } = await engine.steps.charge(order);
      await expect(stuck.allocate(charged)).rejects.toBeInstanceOf(UnsettledTransaction);
      ends.push(order);
    }
    expect(await engine.available(sale.saleId)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 210));
    await engine.sweep();
    expect(await engine.available(sale.saleId)).toBe(4);
    // Who waits for units still gets them first; the rest is for sale.
    for (const order of ends.slice(0, 2)) expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    for (const order of ends.slice(2)) await engine.cancel(order);
    const free = await engine.available(sale.saleId);
    expect(free).toBe(4 - ends.slice(0, 2).length);
    for (let n = 0; n < free; n++) expect(await sagas.driven(await placed(sale))).toMatchObject({ status: 'FULFILLED' });
    expect(await engine.available(sale.saleId)).toBe(0);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('an order that everything steps at once has one end, and the books are right', async () => {
    const sale = await openSale('everything', 30, { perBuyerLimit: 3 });
    const orders = await Promise.all(Array.from({ length: 12 }, () => placed(sale)));
    await Promise.all(
      orders.map(async (order, n) => {
        const forward = () => sagas.driven(order).catch(() => {});
        const late = async () => {
          for (let reads = 0; reads < n % 4; reads++) await sagas.now(order);
        };
        const back =
          n % 3 === 0 ? late().then(() => engine.cancel(order)) : n % 3 === 1 ? late().then(() => engine.endForGood(order)) : undefined;
        await Promise.all([forward(), forward(), back]);
      }),
    );
    for (const order of orders) {
      const end = await sagas.driven(order);
      expect(hasEnded(end) || end.status === 'FULFILLED').toBe(true);
    }
    await engine.sweep();
    expect(await engine.owed(sale.saleId)).toEqual([]);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});
