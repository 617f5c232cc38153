import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimRepository } from '../../functions/orders/claim.repository.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import { orderRepository } from '../../functions/orders/order.repository.ts';
import { decline } from '../../functions/orders/order.transitions.model.ts';
import { holdOf } from '../../functions/orders/placement.model.ts';
import { unitRows as rowsOf, startTables, writtenTables } from '../support/database.ts';
import { anOrder, freshHoldId } from '../support/orders.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const claims = () => claimRepository(tables.database, writtenTables);
const orders = () => orderRepository(tables.database, writtenTables);
const claim = (order: Order) => claims().claim({ next: order, events: ['OrderPlaced', 'StockReserved'] });

let sales = 0;
/** An order in a sale of its own unless one is given, so that tests do not meet. */
const freshOrder = (changes: Partial<Order> = {}) => anOrder({ holdId: freshHoldId(), saleId: `sale-${++sales}`, slots: [], ...changes });
const ofUnits = (units: string[]) => [{ sku: 'tee', quantity: units.length, units, priceMinor: 2_500 }];

const unitRows = (saleId: string) => rowsOf(tables.database, saleId);

describe('a claim', () => {
  it('gives a unit to one of any number of orders that ask for it at once', async () => {
    const saleId = 'one-unit';
    const outcomes = await Promise.all(Array.from({ length: 24 }, () => claim(freshOrder({ saleId }))));
    expect(outcomes.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'collided')).toHaveLength(23);
    expect(await unitRows(saleId)).toHaveLength(1);
  });

  it('is all or nothing: an order that meets one owned unit leaves no row of its others', async () => {
    const saleId = 'all-or-nothing';
    const winner = freshOrder({ saleId, items: ofUnits(['2']) });
    expect(await claim(winner)).toEqual({ outcome: 'claimed' });
    const loser = freshOrder({ saleId, items: ofUnits(['1', '2', '3']) });
    expect(await claim(loser)).toEqual({ outcome: 'collided', units: [{ sku: 'tee', units: ['2'] }], slots: [] });
    expect((await unitRows(saleId)).map((row) => row.orderId)).toEqual([winner.orderId]);
    expect(await orders().get(loser.orderId)).toBeUndefined();
  });

  it('reads the order before it calls anything a collision: a twin of the same key finds its own order', async () => {
    const order = freshOrder({ slots: [1] });
    const outcomes = await Promise.all([claim(order), claim(order), claim(order)]);
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['claimed', 'order-exists', 'order-exists']);
    expect(await claim({ ...order, items: ofUnits(['7']) })).toMatchObject({ outcome: 'order-exists', order: { items: ofUnits(['1']) } });
  });

  it('names the allowance slots that the buyer has used already', async () => {
    const saleId = 'limited';
    await claim(freshOrder({ saleId, slots: [1] }));
    const second = freshOrder({ saleId, slots: [1, 2], items: ofUnits(['2', '3']) });
    expect(await claim(second)).toEqual({ outcome: 'collided', units: [], slots: [1] });
    expect(await claims().usedSlots(saleId, 'ada')).toEqual([1]);
  });

  it('keeps on the unit row all that a rebuild needs', async () => {
    const order = freshOrder({ slots: [4] });
    await claim(order);
    const [row] = await unitRows(order.saleId);
    expect(row).toMatchObject({ unit: '1', sku: 'tee', orderId: order.orderId, buyerId: 'ada', slot: 4, state: 'HELD' });
  });
});

describe('a tombstone', () => {
  it('and a late write of the order it ends have one winner', async () => {
    const races = Array.from({ length: 30 }, async () => {
      const order = freshOrder();
      const [claimed, ended] = await Promise.all([claim(order), claims().tombstone(holdOf(order), order.orderId, 0)]);
      expect([claimed.outcome, ended.outcome]).toSatisfy(
        (pair: string[]) => pair.join() === 'claimed,order-exists' || pair.join() === 'tombstoned,tombstoned',
      );
      expect(await unitRows(order.saleId)).toHaveLength(claimed.outcome === 'claimed' ? 1 : 0);
    });
    await Promise.all(races);
  });

  it('refuses the birth that it ended and every earlier one, and gives way to a later one', async () => {
    const order = freshOrder();
    await claims().tombstone(holdOf(order), order.orderId, 0);
    expect(await claim({ ...order, bornUs: order.bornUs - 1 })).toEqual({ outcome: 'tombstoned', bornUs: order.bornUs });
    expect(await claim(order)).toEqual({ outcome: 'tombstoned', bornUs: order.bornUs });
    expect(await orders().get(order.orderId)).toBeUndefined();
    expect(await claim({ ...order, bornUs: order.bornUs + 1 })).toEqual({ outcome: 'claimed' });
  });

  it('of an earlier birth does not replace that of a later one', async () => {
    const order = freshOrder();
    await claims().tombstone({ ...holdOf(order), bornUs: order.bornUs + 5 }, order.orderId, 0);
    expect(await claims().tombstone(holdOf(order), order.orderId, 0)).toEqual({ outcome: 'tombstoned' });
    expect(await claim({ ...order, bornUs: order.bornUs + 5 })).toMatchObject({ outcome: 'tombstoned' });
  });
});

describe('an order that ends', () => {
  it('frees its units and slots in the same transaction, for the next order to claim', async () => {
    const order = freshOrder({ slots: [1] });
    await claim(order);
    const ending = decline(order, 0);
    if (ending.outcome !== 'go') throw new Error('a reserved order can be declined');
    expect(await orders().transition(order, ending.transition)).toMatchObject({ outcome: 'moved' });
    expect(await unitRows(order.saleId)).toEqual([]);
    expect(await claims().usedSlots(order.saleId, order.buyerId)).toEqual([]);
    expect(await claim({ ...freshOrder({ saleId: order.saleId, slots: [1] }) })).toEqual({ outcome: 'claimed' });
  });
});
