import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelOrder } from '../../functions/orders/cancel.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { UnsettledTransaction } from '../../functions/shared/dynamo.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const unitsOf = (order: Order) => order.items.flatMap(({ units }) => units);

describe('one idempotency key', () => {
  it('makes one order, however many racers use it at once', async () => {
    await engine.openSale('one-key', 10);
    const placed = await Promise.all(Array.from({ length: 20 }, () => engine.place('one-key', 'ada', { quantity: 2 })));
    expect(new Set(placed.map((each) => orderOf(each).orderId)).size).toBe(1);
    expect(placed.filter(({ outcome }) => outcome === 'placed')).toHaveLength(1);
    expect(await engine.available('one-key')).toBe(8);
  });

  it('never gets the units of another payload', async () => {
    await engine.openSale('payload', 10);
    await engine.place('payload', 'ada', { quantity: 1 });
    expect(await engine.place('payload', 'ada', { quantity: 2 })).toEqual({ outcome: 'key-reused' });
    expect(await engine.available('payload')).toBe(9);
  });

  it('answers as at first after its order was cancelled and released, and takes no unit, even when Redis has forgotten the hold', async () => {
    await engine.openSale('after-cancel', 1);
    const order = orderOf(await engine.place('after-cancel', 'ada'));
    await cancelOrder(order, { orders: engine.orders, compensate: engine.steps.compensate, clock });
    expect(await engine.available('after-cancel')).toBe(1);
    expect(await engine.place('after-cancel', 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await engine.available('after-cancel')).toBe(1);

    await engine.redis.hdel(stockKeys('after-cancel').sale, `h:${order.holdId}`);
    expect(await engine.place('after-cancel', 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await engine.available('after-cancel')).toBe(1);
  });

  it('is a fresh attempt after a refusal', async () => {
    await engine.openSale('refused', 1);
    const first = orderOf(await engine.place('refused', 'ada'));
    expect(await engine.place('refused', 'bob')).toEqual({ outcome: 'sold-out', sku: 'tee', available: 0 });
    await cancelOrder(first, { orders: engine.orders, compensate: engine.steps.compensate, clock });
    expect(await engine.place('refused', 'bob')).toMatchObject({ outcome: 'placed' });
  });

  it('belongs to its caller: another buyer with the same key has an order of their own', async () => {
    await engine.openSale('callers', 2);
    const [ada, bob] = await Promise.all([engine.place('callers', 'ada'), engine.place('callers', 'bob')]);
    expect(orderOf(ada).orderId).not.toBe(orderOf(bob).orderId);
  });
});

describe('a Redis that has lost its last writes', () => {
  it('never oversells, and a whole run of sold units costs a swap and not a storm of refusals', async () => {
    await engine.openSale('rollback', 100);
    await engine.place('rollback', 'early');
    const rollBack = await engine.snapshot();
    const lost = await Promise.all(Array.from({ length: 40 }, (_, n) => engine.place('rollback', `lost-${n}`)));
    await rollBack();

    let claims = 0;
    const claim: typeof engine.claims.claim = (placing) => {
      claims += 1;
      return engine.claims.claim(placing);
    };
    const ports = { ...engine.placePorts, claims: { ...engine.claims, claim } };
    const after = [await engine.place('rollback', 'after', { ports })];
    expect(claims).toBe(2);
    after.push(...(await Promise.all(Array.from({ length: 58 }, (_, n) => engine.place('rollback', `after-${n}`, { ports })))));

    const sold = [...lost, ...after].flatMap((each) => unitsOf(orderOf(each)));
    expect(new Set(sold).size).toBe(99);
    expect(await engine.place('rollback', 'late')).toEqual({ outcome: 'sold-out', sku: 'tee', available: 0 });
    expect((await engine.unitRows('rollback')).size).toBe(100);
    // The sweeper tells Redis of the orders that it has forgotten, and with them their answers.
    await engine.sweep();
    const again = await Promise.all(lost.map((_, n) => engine.place('rollback', `lost-${n}`)));
    expect(again.map((each) => orderOf(each).orderId)).toEqual(lost.map((each) => orderOf(each).orderId));
  });

  it('does not let a buyer past their limit: the rows know, and Redis learns it', async () => {
    await engine.openSale('limit', 20, { perBuyerLimit: 2 });
    const rollBack = await engine.snapshot();
    await engine.place('limit', 'ada', { key: 'first', quantity: 2 });
    await rollBack();
    expect(await engine.place('limit', 'ada', { key: 'second' })).toEqual({ outcome: 'buyer-limit', limit: 2 });
    expect(await engine.place('limit', 'ada', { key: 'third' })).toEqual({ outcome: 'buyer-limit', limit: 2 });
    expect(await engine.claims.usedSlots('limit', 'ada')).toEqual([1, 2]);
    expect(await engine.place('limit', 'bob', { quantity: 2 })).toMatchObject({ outcome: 'placed' });
  });

  it('does not keep from a buyer the allowance of an order that it had forgotten, once that order has ended', async () => {
    await engine.openSale('given-back', 10, { perBuyerLimit: 2 });
    const place = (key: string) => engine.place('given-back', 'ada', { key, method: 'external' });
    const rollBack = await engine.snapshot();
    const first = orderOf(await place('first'));
    await rollBack();
    // The slot of the first order is in its way: Redis learns of it, and of the order's unit, which goes under suspicion.
    orderOf(await place('second'));
    await engine.cancel(first);
    await engine.sweep();
    expect(await engine.claims.usedSlots('given-back', 'ada')).toHaveLength(1);
    expect(await place('third')).toMatchObject({ outcome: 'placed' });
    expect(await place('fourth')).toEqual({ outcome: 'buyer-limit', limit: 2 });
  });

  it('nor where nobody asked for what that order had, so that no sweep told Redis of it', async () => {
    await engine.openHall('given-back-late', ['A'], { perBuyerLimit: 2 });
    const order = (key: string, line: { sku: string; quantity?: number; seats?: string[] }) =>
      engine.order('given-back-late', 'ada', [line], { key, method: 'external' });
    const rollBack = await engine.snapshot();
    const first = orderOf(await order('first', { sku: 'hall', seats: ['A'] }));
    await rollBack();
    orderOf(await order('second', { sku: 'tee', quantity: 1 }));
    await engine.sweep();
    await engine.cancel(first);
    await engine.sweep();
    expect(await engine.claims.usedSlots('given-back-late', 'ada')).toHaveLength(1);
    expect(await order('third', { sku: 'hall', seats: ['A'] })).toMatchObject({ outcome: 'placed' });
    expect(await order('fourth', { sku: 'tee', quantity: 1 })).toEqual({ outcome: 'buyer-limit', limit: 2 });
  });

  it('does not sell beyond the total that DynamoDB knows, whatever Redis believes', async () => {
    const sale = await engine.openSale('total', 3);
    await engine.stock.update({ ...sale, version: 2, items: sale.items.map((item) => ({ ...item, total: 50 })) });
    const outcomes = await Promise.all(Array.from({ length: 12 }, (_, n) => engine.place('total', `buyer-${n}`)));
    expect(outcomes.filter(({ outcome }) => outcome === 'placed')).toHaveLength(3);
    expect([...(await engine.unitRows('total')).keys()].sort()).toEqual(['1', '2', '3']);
  });

  it('sells at once what a restock brought, also by a container that remembers the total of before', async () => {
    const sale = await engine.openSale('restocked', 2);
    expect(await engine.place('restocked', 'ada', { quantity: 2 })).toMatchObject({ outcome: 'placed' });
    const restocked = { ...sale, version: 2, items: sale.items.map((item) => ({ ...item, total: 4 })) };
    engine.putSale(restocked);
    await engine.stock.update(restocked);
    expect(await engine.place('restocked', 'bob', { quantity: 2 })).toMatchObject({ outcome: 'placed' });
    expect([...(await engine.unitRows('restocked')).keys()].sort()).toEqual(['1', '2', '3', '4']);
  });

  it('does not tell a winner that the sale is sold out: where it was caught once, it looks for the order before it refuses', async () => {
    await engine.openSale('forgotten', 1);
    const rollBack = await engine.snapshot();
    const order = orderOf(await engine.place('forgotten', 'ada'));
    await rollBack();
    expect(await engine.place('forgotten', 'bob')).toMatchObject({ outcome: 'sold-out' });
    expect(await engine.place('forgotten', 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
  });

  it.each(['closed', 'paused'] as const)('keeps the answer of an order that it forgot when the sale is %s', async (control) => {
    const sale = await engine.openSale(`forgotten-${control}`, 3);
    const rollBack = await engine.snapshot();
    const order = orderOf(await engine.place(sale.saleId, 'ada'));
    await rollBack();
    await engine.stock.update({ ...sale, version: 2, control });
    expect(await engine.place(sale.saleId, 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    const refused = control === 'closed' ? { outcome: 'not-open', state: 'closed' } : { outcome: 'paused' };
    expect(await engine.place(sale.saleId, 'bob')).toEqual(refused);
  });

  it('that goes away while a buyer’s slots are mended is no reason to speak of a limit', async () => {
    await engine.openSale('gone-midway', 5, { perBuyerLimit: 3 });
    const rollBack = await engine.snapshot();
    await engine.place('gone-midway', 'ada', { key: 'first' });
    await rollBack();
    const usedSlots: typeof engine.claims.usedSlots = async (saleId, buyerId) => {
      await engine.redis.del(stockKeys(saleId).sale);
      return engine.claims.usedSlots(saleId, buyerId);
    };
    const ports = { ...engine.placePorts, claims: { ...engine.claims, usedSlots } };
    // The rolled-back stock gives unit 1 again: it is swapped first, and that is where Redis is found to be gone or, if not, at the mending.
    const later = await engine.place('gone-midway', 'ada', { key: 'second', ports });
    expect(['try-again', 'stock-not-ready']).toContain(later.outcome);
  });

  it('refuses to sell when it has lost the sale, and still knows whose order is whose', async () => {
    await engine.openSale('flushed', 5);
    const order = orderOf(await engine.place('flushed', 'ada'));
    for (const key of await engine.redis.keys('*flushed*')) await engine.redis.del(key);
    expect(await engine.place('flushed', 'bob')).toEqual({ outcome: 'stock-not-ready' });
    expect(await engine.place('flushed', 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
  });
});

describe('an outcome that nobody knows', () => {
  it('leaves the hold alone: the same key finds the order that was written after all', async () => {
    await engine.openSale('unknown', 1);
    const claim: typeof engine.claims.claim = async (placement) => {
      await engine.claims.claim(placement);
      throw new UnsettledTransaction('the reply was lost');
    };
    const ports = { ...engine.placePorts, claims: { ...engine.claims, claim } };
    expect(await engine.place('unknown', 'ada', { ports })).toEqual({ outcome: 'try-again' });
    expect(await engine.available('unknown')).toBe(0);
    expect(await engine.place('unknown', 'bob')).toMatchObject({ outcome: 'sold-out' });
    expect(await engine.place('unknown', 'ada')).toMatchObject({ outcome: 'replayed' });
  });
});
