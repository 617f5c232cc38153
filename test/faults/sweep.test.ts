import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cancelOrder } from '../../functions/orders/cancel.ts';
import { compensate } from '../../functions/orders/compensate.ts';
import { eventsGraceMs, type Order } from '../../functions/orders/order.model.ts';
import type { Step } from '../../functions/orders/order.ports.ts';
import { holdOf, placement } from '../../functions/orders/placement.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { systemClock } from '../../functions/shared/clock.ts';
import { orderIdOf } from '../../functions/shared/ids.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { type Engine, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const shortHold = { holdSeconds: 0.05 };
/** A hold as the script gives it, before anything is written to DynamoDB: where a crash may leave it. */
async function holdOnly(saleId: string, buyerId: string, holdId: string) {
  const reserved = await engine.stock.reserve({ saleId, holdId, buyerId, payloadHash: 'hash', lines: [{ sku: 'tee', quantity: 1 }] });
  if (reserved.outcome !== 'RESERVED') throw new Error(`not reserved: ${reserved.outcome}`);
  return reserved.hold;
}
const until = async (ms: number) => wait(Math.max(0, ms - (await engine.stock.nowMs())) + 5);
const placed = async (...args: Parameters<Engine['place']>): Promise<Order> => {
  const outcome = await engine.place(...args);
  if (!('order' in outcome)) throw new Error(`not placed: ${outcome.outcome}`);
  return outcome.order;
};
const statusOf = async (order: Order) => (await engine.orders.get(order.orderId))?.status;

describe('a hold whose order was never written', () => {
  it('returns its unit within one sweep, once, and a late write of its order fails', async () => {
    const sale = await engine.openSale('crashed', 3, shortHold);
    const hold = await holdOnly('crashed', 'ada', 'AAAAAAAAAAAAAAAAAAAAAA');
    expect(await engine.available('crashed')).toBe(2);
    await until(hold.expiresAtMs);
    await engine.sweep();
    expect(await engine.available('crashed')).toBe(3);
    await engine.sweep();
    expect(await engine.available('crashed')).toBe(3);
    expect(await engine.claims.claim(placement(hold, sale, 'balance'))).toMatchObject({ outcome: 'tombstoned' });
    expect((await engine.unitRows('crashed')).size).toBe(0);
  });

  it('gives way to a fresh attempt of the same key', async () => {
    await engine.openSale('retried', 1, shortHold);
    const claim = () => Promise.reject(new Error('the function died'));
    const dying = { ...engine.placePorts, claims: { ...engine.claims, claim } };
    await expect(engine.place('retried', 'ada', { ports: dying })).rejects.toThrow('died');
    await wait(60);
    await engine.sweep();
    expect(await engine.place('retried', 'ada')).toMatchObject({ outcome: 'placed' });
  });

  it('and the late write of its order have one winner, and the unit one owner', async () => {
    const sale = await engine.openSale('late', 20, shortHold);
    const holds = await Promise.all(Array.from({ length: 20 }, (_, n) => holdOnly('late', `buyer-${n}`, `hold-${n}`.padEnd(22, 'A'))));
    await until(Math.max(...holds.map((hold) => hold.expiresAtMs)));
    const [claimed] = await Promise.all([
      Promise.all(holds.map((hold) => engine.claims.claim(placement(hold, sale, 'external')))),
      engine.sweep(),
    ]);
    const written = claimed.filter(({ outcome }) => outcome === 'claimed').length;
    expect((await engine.unitRows('late')).size).toBe(written);
    expect(await engine.available('late')).toBe(20 - written);
  });
});

describe('an order that Redis was not told of', () => {
  it('keeps its units when its hold comes up for expiry', async () => {
    const sale = await engine.openSale('unacknowledged', 2, shortHold);
    const hold = await holdOnly('unacknowledged', 'ada', 'BBBBBBBBBBBBBBBBBBBBBB');
    await engine.claims.claim(placement({ ...hold, expiresAtMs: hold.expiresAtMs + 60_000 }, sale, 'external'));
    await until(hold.expiresAtMs);
    await engine.sweep();
    expect(await engine.available('unacknowledged')).toBe(1);
    expect(await engine.orders.get(orderIdOf(hold.holdId))).toMatchObject({ status: 'RESERVED' });
  });
});

describe('with no event ever delivered', () => {
  it('every order still reaches its end: paid and fulfilled, declined, or expired', async () => {
    await engine.openSale('no-events', 12);
    await Promise.all(['a', 'b', 'c', 'd'].map((buyer) => engine.fund(buyer, 10_000)));
    const rich = await Promise.all(['a', 'b', 'c', 'd'].map((buyer) => placed('no-events', buyer, { quantity: 2 })));
    const poor = await Promise.all(['e', 'f'].map((buyer) => placed('no-events', buyer)));
    const unpaid = await Promise.all(['g', 'h'].map((buyer) => placed('no-events', buyer, { method: 'external' })));
    const statuses = async () =>
      Promise.all([rich, poor, unpaid].map(async (orders) => [...new Set(await Promise.all(orders.map(statusOf)))]));

    await engine.sweep();
    expect(await statuses()).toEqual([['RESERVED'], ['RESERVED'], ['RESERVED']]);
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await statuses()).toEqual([['FULFILLED'], ['FAILED'], ['RESERVED']]);
    await engine.sweep({ laterMs: 301_000 });
    expect(await statuses()).toEqual([['FULFILLED'], ['FAILED'], ['EXPIRED']]);

    expect(await engine.available('no-events')).toBe(4);
    expect((await engine.unitRows('no-events')).size).toBe(8);
    expect(await engine.owed('no-events')).toEqual([]);
  });
});

describe('an order that is paid while the sweeper is about to expire it', () => {
  it('keeps its hold: Redis hears of an end once it is written, and not before', async () => {
    await engine.openSale('paid-in-time', 2);
    const order = await placed('paid-in-time', 'ada');
    await engine.fund('ada', 10_000);
    const due = {
      // What the sweeper reads is the order as it was a moment before.
      async *due() {
        yield [order];
      },
    };
    const authorised = await engine.steps.charge(order);
    await engine.steps.confirm(authorised.order);
    await engine.sweep({ due, laterMs: 302_000 });
    expect(await engine.orders.get(order.orderId)).toMatchObject({ status: 'FULFILLED' });
    expect(await engine.available('paid-in-time')).toBe(1);
    const { holdId, bornUs, saleId } = order;
    const hold = await engine.redis.hget(stockKeys(saleId).sale, `h:${holdId}`);
    expect(hold).toMatch(new RegExp(`^C\\|${bornUs}\\|`));
  });
});

describe('one part that fails', () => {
  it('does not keep holds from ending when the due orders can’t be read', async () => {
    await engine.openSale('no-due', 2, shortHold);
    const hold = await holdOnly('no-due', 'ada', 'DDDDDDDDDDDDDDDDDDDDDD');
    await until(hold.expiresAtMs);
    const due = {
      // biome-ignore lint/correctness/useYield: it fails before its first page
      async *due(): AsyncGenerator<Order[]> {
        throw new Error('the index is away');
      },
    };
    expect(await engine.sweep({ due })).toMatchObject({ failed: 1 });
    expect(await engine.available('no-due')).toBe(2);
  });

  it('does not make a run begin work that it has no time for', async () => {
    await engine.openSale('no-time', 40);
    await Promise.all(Array.from({ length: 40 }, (_, n) => placed('no-time', `buyer-${n}`)));
    let begun = 0;
    const slow: Step = async () => {
      begun += 1;
      throw new Error('it took all the time there was');
    };
    const steps = () => ({ charge: slow, allocate: slow, confirm: slow, fulfil: slow, expire: slow, compensate: slow, reclaim: slow });
    await engine.sweep({ laterMs: eventsGraceMs, steps, remainingMs: () => (begun < 3 ? 60_000 : 0) });
    expect(begun).toBeLessThan(40);
  });
});

describe('a sale whose stock is away', () => {
  /** More than one page of orders that are only to be let go, and one that has money to come back. */
  async function ending(saleId: string) {
    await engine.openSale(saleId, 200);
    await engine.fund(`payer of ${saleId}`, 10_000);
    const paid = await placed(saleId, `payer of ${saleId}`);
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await statusOf(paid)).toBe('FULFILLED');
    const crowd = await Promise.all(Array.from({ length: 120 }, (_, n) => placed(saleId, `b-${n}`, { method: 'external' })));
    return { paid, crowd };
  }

  it('keeps nobody from their money: whoever needs more than Redis is seen to all the same', { timeout: 180_000 }, async () => {
    const saleId = 'away';
    const { paid, crowd } = await ending(saleId);
    const late = await placed(saleId, 'late', { method: 'external' });
    for (const key of await engine.redis.keys(`*${saleId}*`)) await engine.redis.del(key);
    for (const order of crowd) await engine.cancel(order);
    await engine.refund(paid.orderId);
    await engine.sweep({ laterMs: 400_000 });
    expect(await engine.orders.get(paid.orderId)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' }, stock: 'releasing' });
    expect(await statusOf(late)).toBe('EXPIRED');
    expect(await engine.owed(saleId)).toHaveLength(122);
  });

  it('is not thought of for one hold that is broken: the others are let go', { timeout: 180_000 }, async () => {
    const saleId = 'broken';
    const { crowd } = await ending(saleId);
    const [broken] = crowd;
    if (!broken) throw new Error('nobody came');
    const away = { ...engine.stock, acknowledge: () => Promise.resolve({ outcome: 'NOT_LOADED' as const }) };
    const compensated = compensate({ orders: engine.orders, stock: away, clock: systemClock });
    for (const order of crowd) await cancelOrder(order, { orders: engine.orders, compensate: compensated, clock: systemClock });
    await engine.redis.hset(stockKeys(saleId).sale, `h:${broken.holdId}`, 'not a hold');
    await engine.sweep({ laterMs: eventsGraceMs });
    expect((await engine.owed(saleId)).map(({ orderId }) => orderId)).toEqual([broken.orderId]);
  });
});

describe('sales that take long to look after', () => {
  const sales = async (count: number) =>
    Promise.all(Array.from({ length: count }, (_, n) => engine.openSale(`slow-${randomUUID()}-${n}`, 1, shortHold)));
  it('keep no other sale’s holds and suspects waiting', async () => {
    const [held, ...others] = await sales(40);
    if (!held) throw new Error('no sale');
    const hold = await holdOnly(held.saleId, 'ada', 'FFFFFFFFFFFFFFFFFFFFFF');
    await until(hold.expiresAtMs);
    // The first of them takes all the time that there is.
    let isOver = false;
    const slow = async () => {
      isOver = true;
    };
    const live = async () => [...others, held];
    await engine.sweep({ sales: { live }, tend: [slow], random: () => 0, remainingMs: () => (isOver ? 0 : 60_000) });
    expect(await engine.available(held.saleId)).toBe(1);
  });

  it('keep none from a care that comes before', async () => {
    const live = await sales(12);
    const quick: string[] = [];
    let isOver = false;
    const first = async ({ saleId }: Sale) => {
      quick.push(saleId);
    };
    const slow = async () => {
      isOver = true;
    };
    await engine.sweep({ sales: { live: async () => live }, tend: [first, slow], remainingMs: () => (isOver ? 0 : 60_000) });
    expect(quick).toHaveLength(live.length);
  });

  it('are each looked after in one run or another, though no run has time for all of them', async () => {
    const live = await sales(12);
    const seen = new Set<string>();
    const seenAfter: number[] = [];
    for (let sweeps = 0; seen.size < live.length && sweeps < 100; sweeps++) {
      let left = 4;
      const care = async ({ saleId }: Sale) => {
        seen.add(saleId);
        left -= 1;
      };
      await engine.sweep({ sales: { live: async () => live }, tend: [care], remainingMs: () => (left > 0 ? 60_000 : 0) });
      seenAfter.push(seen.size);
    }
    expect(seenAfter[0]).toBeLessThan(live.length);
    expect(seen.size).toBe(live.length);
  });
});

describe('Redis that has forgotten an order', () => {
  it('has exactly the order’s units once the order is confirmed, and a hold that it gave instead goes back', async () => {
    await engine.openSale('confirmed', 3);
    await engine.fund('payer', 10_000);
    const rollBack = await engine.snapshot();
    const order = await placed('confirmed', 'payer');
    await rollBack();
    await holdOnly('confirmed', 'bob', 'EEEEEEEEEEEEEEEEEEEEEE');
    // The payer's own retry dies before it claims: its hold has another unit than the order.
    const { saleId, holdId, buyerId, payloadHash } = order;
    await engine.stock.reserve({ saleId, holdId, buyerId, payloadHash, lines: [{ sku: 'tee', quantity: 1 }] });
    expect(await engine.available('confirmed')).toBe(1);
    const { order: paid } = await engine.steps.charge(order);
    await engine.steps.confirm(paid);
    expect(await engine.available('confirmed')).toBe(2);
    const found = [];
    for await (const hold of engine.stock.holds('confirmed')) if (hold.holdId === holdId) found.push(hold);
    expect(found).toMatchObject([{ state: 'confirmed', lines: [{ sku: 'tee', units: ['1'] }] }]);
  });

  it('takes no unit for one that has ended, however late it is told of it as if it lived', async () => {
    await engine.openSale('ended', 2);
    const rollBack = await engine.snapshot();
    const order = await placed('ended', 'ada');
    await rollBack();
    await cancelOrder(order, { orders: engine.orders, compensate: engine.steps.compensate, clock: systemClock });
    expect(await engine.stock.acknowledge('ended', holdOf(order), 'live')).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await engine.available('ended')).toBe(2);
  });
});

describe('a suspect', () => {
  it('returns to the stock when no order owns it, and stays with the order that does', async () => {
    await engine.openSale('suspects', 4);
    const rollBack = await engine.snapshot();
    const order = await placed('suspects', 'owner', { method: 'external' });
    await rollBack();
    const hold = await holdOnly('suspects', 'ada', 'CCCCCCCCCCCCCCCCCCCCCC');
    const owned = [{ sku: 'tee', units: ['1', '2'] }];
    // The unit 2 is suspected wrongly: its row was gone by the time it was looked at.
    await engine.stock.swap('suspects', { holdId: hold.holdId, bornUs: hold.bornUs, lines: [{ sku: 'tee', quantity: 1 }], owned });
    expect(await engine.available('suspects')).toBe(1);
    await engine.sweep();
    expect(await engine.available('suspects')).toBe(2);
    expect(await engine.stock.suspects('suspects', { limit: 10 })).toEqual({ outcome: 'PAGE', lines: [] });
    expect(order.items[0]?.units).toEqual(['1']);
  });

  it('that a retired order owns is out of sale, and under suspicion no more, whoever had it when that order ended', async () => {
    await engine.openSale('retired-suspect', 3);
    const rollBack = await engine.snapshot();
    const order = await placed('retired-suspect', 'owner', { method: 'external' });
    await rollBack();
    // The same unit is in another hold, and that one meets the row only after the order was taken back.
    const hold = await holdOnly('retired-suspect', 'bob', 'FFFFFFFFFFFFFFFFFFFFFF');
    await engine.endForGood(order);
    const owned = [{ sku: 'tee', units: ['1'] }];
    await engine.stock.swap('retired-suspect', { ...hold, lines: [{ sku: 'tee', quantity: 1 }], owned });
    await engine.sweep();
    expect(await engine.stock.suspects('retired-suspect', { limit: 10 })).toEqual({ outcome: 'PAGE', lines: [] });
    expect(await engine.available('retired-suspect')).toBe(1);
  });

  it('comes back within one sweep, however many there are', async () => {
    await engine.openSale('many-suspects', 900);
    const rollBack = await engine.snapshot();
    const order = await placed('many-suspects', 'ada', { method: 'external' });
    await rollBack();
    // Told of an order far ahead, Redis skips what it may have given out and forgotten.
    await engine.stock.acknowledge('many-suspects', { ...holdOf(order), lines: [{ sku: 'tee', units: ['850'] }] }, 'live');
    expect(await engine.available('many-suspects')).toBe(50);
    await engine.sweep();
    // All but the order's own unit, which is the first.
    expect(await engine.available('many-suspects')).toBe(899);
  });
});
