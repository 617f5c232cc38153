import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advance } from '../../functions/orders/advance.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { openFunded } from '../support/audits.ts';
import { cartsOn, unitsOf } from '../support/carts.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';

let engine: Engine;
let carts: ReturnType<typeof cartsOn>;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  carts = cartsOn(engine);
  work = rebuilding(engine);
});
afterAll(() => engine?.stop());

class Crash extends Error {}
const crash = async (): Promise<never> => {
  throw new Crash();
};
/** As if the hold's time were up: it comes before the others, whose time has not come. */
async function holdsAreDue(saleId: string): Promise<void> {
  const { expiry } = stockKeys(saleId);
  const entries = await engine.redis.lrange(expiry, 0, -1);
  for (const [index, entry] of entries.entries()) await engine.redis.lset(expiry, index, entry.replace(/\|\d+\|/, '|1|'));
}
const free = async (saleId: string) => {
  const read = await engine.stock.read(saleId);
  return read.outcome === 'READ' ? Object.fromEntries(read.items.map(({ sku, available }) => [sku, available])) : {};
};
const rows = async (saleId: string) => [...(await engine.unitRows(saleId)).keys()].sort();

describe('a checkout that crashes', () => {
  it('after the cart has become a hold is finished by the same key, with the very same units', async () => {
    await engine.openHall('crash-1', ['A', 'B'], { units: 5, perBuyerLimit: 3 });
    const ada = carts.shopper('crash-1', 'ada');
    await ada.tees(2);
    await ada.seats('B');
    const dying = { ...engine.placePorts, claims: { ...engine.claims, claim: crash } };
    await expect(ada.checkOut({ ports: dying })).rejects.toThrow(Crash);
    expect(await ada.units()).toEqual([]);
    expect(await carts.shopper('crash-1', 'bob').seats('B')).toMatchObject({ outcome: 'seat-taken', seats: ['B'] });
    expect(await carts.wrongWith('crash-1')).toEqual([]);
    const order = orderOf(await ada.checkOut());
    expect(unitsOf(order)).toEqual(['tee 1', 'tee 2', 'hall B']);
    expect(await carts.wrongWith('crash-1')).toEqual([]);
  });

  it('and is never repeated gives everything back when the hold’s time is up, and the key is a fresh attempt then', async () => {
    await engine.openHall('crash-2', ['A'], { units: 5, perBuyerLimit: 3 });
    const ada = carts.shopper('crash-2', 'ada');
    await ada.tees(2);
    await ada.seats('A');
    const dying = { ...engine.placePorts, claims: { ...engine.claims, claim: crash } };
    await expect(ada.checkOut({ ports: dying })).rejects.toThrow(Crash);
    await holdsAreDue('crash-2');
    expect(await carts.sweep()).toMatchObject({ failed: 0 });
    expect(await free('crash-2')).toEqual({ hall: 1, tee: 5 });
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-empty' });
    await ada.tees(3);
    expect(unitsOf(orderOf(await ada.checkOut()))).toEqual(['tee 1', 'tee 2', 'tee 3']);
    expect(await carts.wrongWith('crash-2')).toEqual([]);
  });

  it('after its order was written, before Redis knew, shows that order to the same key', async () => {
    await engine.openSale('crash-3', 5);
    const ada = carts.shopper('crash-3', 'ada');
    await ada.tees(2);
    const deaf = { ...engine.placePorts, stock: { ...engine.stock, acknowledge: crash } };
    const order = orderOf(await ada.checkOut({ ports: deaf }));
    expect(await ada.checkOut()).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    await holdsAreDue('crash-3');
    await carts.sweep();
    expect(await rows('crash-3')).toEqual(['1', '2']);
    expect(await carts.wrongWith('crash-3')).toEqual([]);
  });

  it('between losing a seat and being refused never becomes an order of what was left', async () => {
    const { ada } = await withLostSeat('crash-4');
    const dying = { ...engine.placePorts, claims: { ...engine.claims, tombstone: crash } };
    await expect(ada.checkOut({ ports: dying })).rejects.toThrow(Crash);
    expect(await ada.checkOut()).toEqual({ outcome: 'seat-taken', sku: 'hall', seats: ['A'] });
    expect(await ada.units()).toEqual(['tee 1', 'tee 2', 'hall B']);
  });

  it('between its tombstone and the way back to the cart leaves the units to the hold’s expiry', async () => {
    const { ada } = await withLostSeat('crash-5');
    const dying = { ...engine.placePorts, stock: { ...engine.stock, returnToCart: crash } };
    await expect(ada.checkOut({ ports: dying })).rejects.toThrow(Crash);
    await holdsAreDue('crash-5');
    await carts.sweep();
    await carts.sweep();
    expect(await free('crash-5')).toEqual({ hall: 1, tee: 5 });
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-empty' });
    expect(await carts.wrongWith('crash-5')).toEqual([]);
  });
});

/** A cart of two units and two seats, of which Redis has forgotten that somebody's order owns `A`. */
async function withLostSeat(saleId: string) {
  await engine.openHall(saleId, ['A', 'B'], { units: 5, perBuyerLimit: 4 });
  const failOver = await engine.snapshot();
  const bob = orderOf(await engine.order(saleId, 'bob', [{ sku: 'hall', seats: ['A'] }], { method: 'external' }));
  await failOver();
  const ada = carts.shopper(saleId, 'ada');
  await ada.tees(2);
  await ada.seats('A', 'B');
  return { ada, bob };
}

describe('a cart whose units belong to orders that Redis forgot', () => {
  it('is sold with other serials in their place', async () => {
    await engine.openSale('forgot-1', 10, { perBuyerLimit: 5 });
    const failOver = await engine.snapshot();
    for (const buyer of ['bob', 'eve']) orderOf(await engine.place('forgot-1', buyer, { method: 'external', quantity: 2 }));
    await failOver();
    const ada = carts.shopper('forgot-1', 'ada');
    await ada.tees(3);
    expect(await ada.units()).toEqual(['tee 1', 'tee 2', 'tee 3']);
    expect(unitsOf(orderOf(await ada.checkOut()))).toEqual(['tee 5', 'tee 6', 'tee 7']);
    await carts.sweep();
    expect(await rows('forgot-1')).toEqual(['1', '2', '3', '4', '5', '6', '7']);
    expect(await carts.wrongWith('forgot-1')).toEqual([]);
  });

  it('is refused for a taken seat, keeps the rest, and can be checked out with it under the same key', async () => {
    const { ada, bob } = await withLostSeat('forgot-2');
    expect(await ada.checkOut()).toEqual({ outcome: 'seat-taken', sku: 'hall', seats: ['A'] });
    expect(await ada.units()).toEqual(['tee 1', 'tee 2', 'hall B']);
    await carts.sweep();
    expect(await carts.wrongWith('forgot-2')).toEqual([]);
    const order = orderOf(await ada.checkOut());
    expect(unitsOf(order)).toEqual(['tee 1', 'tee 2', 'hall B']);
    expect(order.slots).toEqual([1, 2, 3]);
    await engine.cancel(bob);
    await engine.cancel(order);
    expect(await free('forgot-2')).toEqual({ hall: 2, tee: 5 });
    expect(await carts.wrongWith('forgot-2')).toEqual([]);
  });

  it('is refused when nothing is left instead, and nothing is held twice', async () => {
    await engine.openSale('forgot-3', 4);
    const failOver = await engine.snapshot();
    orderOf(await engine.place('forgot-3', 'bob', { method: 'external', quantity: 3 }));
    await failOver();
    const ada = carts.shopper('forgot-3', 'ada');
    await ada.tees(2);
    expect(await ada.checkOut()).toEqual({ outcome: 'sold-out', sku: 'tee', available: 1 });
    await carts.sweep();
    await ada.clear();
    expect(await free('forgot-3')).toEqual({ tee: 1 });
    expect(await carts.wrongWith('forgot-3')).toEqual([]);
  });

  it('comes back with a Redis that forgot the checkout, and never gives its order a second set of units', async () => {
    await engine.openSale('forgot-4', 6, { perBuyerLimit: 4 });
    const ada = carts.shopper('forgot-4', 'ada');
    await ada.tees(2);
    const failOver = await engine.snapshot();
    const order = orderOf(await ada.checkOut());
    await failOver();
    expect(await ada.checkOut()).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await ada.units()).toEqual([]);
    expect(await rows('forgot-4')).toEqual(['1', '2']);
    expect(await carts.wrongWith('forgot-4')).toEqual([]);
  });
});

describe('a checkout’s key', () => {
  it('shows its order after the sale has closed, after Redis lost it, and after it was rebuilt without the cart', async () => {
    const sale = await work.store(await engine.openSale('replay-1', 5));
    const ada = carts.shopper(sale.saleId, 'ada');
    await ada.tees(2);
    const order = orderOf(await ada.checkOut());
    const again = async () => expect(await ada.checkOut()).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    await ada.tees(1);
    await engine.redis.del(...Object.values(stockKeys(sale.saleId)));
    await again();
    await work.rebuild(sale.saleId);
    await again();
    expect(await ada.units()).toEqual([]);
    expect(await ada.checkOut({ key: 'another' })).toEqual({ outcome: 'cart-empty' });
    await engine.stock.update({ ...sale, version: 9, control: 'closed' });
    await again();
    expect(await ada.checkOut({ key: 'another' })).toEqual({ outcome: 'not-open', state: 'closed' });
    expect(await ada.checkOut({ method: 'balance' })).toEqual({ outcome: 'key-reused' });
  });

  it('gives one order, however many copies and other keys come at once', async () => {
    await engine.openSale('racers', 40, { perBuyerLimit: 4 });
    for (let round = 0; round < 8; round++) {
      const buyer = carts.shopper('racers', `buyer-${round}`);
      await buyer.tees(4);
      const outcomes = await Promise.all(['a', 'b', 'a', 'b', 'a'].map((key) => buyer.checkOut({ key })));
      const orders = outcomes.flatMap((outcome) => ('order' in outcome ? [outcome.order.orderId] : []));
      expect(new Set(orders).size, JSON.stringify(outcomes)).toBe(1);
      for (const { outcome } of outcomes) expect(['placed', 'replayed', 'cart-empty', 'try-again']).toContain(outcome);
    }
    expect((await rows('racers')).length).toBe(32);
    expect(await carts.wrongWith('racers')).toEqual([]);
  });
});

describe('a cart of a sale that charges first', () => {
  it('keeps its units for its order while that is being paid', async () => {
    await openFunded(engine, 'cf-ada');
    await engine.openHall('charge-1', ['A'], { units: 2, strategy: 'charge-first', perBuyerLimit: 3 });
    const ada = carts.shopper('charge-1', 'cf-ada');
    await ada.tees(2);
    await ada.seats('A');
    const order = orderOf(await ada.checkOut({ method: 'balance' }));
    expect(order).toMatchObject({
      status: 'PENDING',
      items: [
        { quantity: 2, units: [] },
        { quantity: 1, units: [] },
      ],
    });
    expect(await free('charge-1')).toEqual({ hall: 0, tee: 0 });
    expect(await engine.place('charge-1', 'bob')).toMatchObject({ outcome: 'sold-out' });
    expect(await ada.checkOut({ method: 'balance' })).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    await advance(order, engine.steps, Date.now);
    const end = await engine.orders.get(order.orderId);
    expect(end).toMatchObject({ status: 'FULFILLED', slots: [1, 2, 3] });
    expect(end && unitsOf(end)).toEqual(['tee 1', 'tee 2', 'hall A']);
    expect(await carts.wrongWith('charge-1')).toEqual([]);
  });

  it('gives them back when the buyer can’t pay', async () => {
    await engine.openSale('charge-2', 2, { strategy: 'charge-first', perBuyerLimit: 2 });
    const ada = carts.shopper('charge-2', 'nobody-with-money');
    await ada.tees(2);
    const order = orderOf(await ada.checkOut({ method: 'balance' }));
    await advance(order, engine.steps, Date.now);
    expect(await engine.orders.get(order.orderId)).toMatchObject({ status: 'FAILED', stock: 'released' });
    expect(await free('charge-2')).toEqual({ tee: 2 });
    expect((await ada.tees(2)).outcome).toBe('cart');
    expect(await carts.wrongWith('charge-2')).toEqual([]);
  });

  it('and whose checkout crashed before its order gives them back in time, also to the same key', async () => {
    await engine.openSale('charge-3', 2, { strategy: 'charge-first' });
    const ada = carts.shopper('charge-3', 'ada');
    await ada.tees(2);
    const dying = { ...engine.placePorts, claims: { ...engine.claims, claim: crash } };
    await expect(ada.checkOut({ ports: dying })).rejects.toThrow(Crash);
    await holdsAreDue('charge-3');
    await carts.sweep();
    expect(await free('charge-3')).toEqual({ tee: 2 });
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-empty' });
    await ada.tees(1);
    expect(orderOf(await ada.checkOut())).toMatchObject({ status: 'PENDING', items: [{ quantity: 1 }] });
  });
});
