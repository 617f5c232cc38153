import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StockAway } from '../../functions/orders/compensate.ts';
import { displayStatusOf } from '../../functions/orders/display-status.model.ts';
import { orderAnswer } from '../../functions/orders/order.answer.ts';
import { asPlaced, eventsGraceMs, type Order } from '../../functions/orders/order.model.ts';
import type { Step } from '../../functions/orders/order.ports.ts';
import { takeStep } from '../../functions/orders/order.step.ts';
import { disown } from '../../functions/orders/order.transitions.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { openFunded } from '../support/audits.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const chargeFirst = { strategy: 'charge-first' } as const;
const openSale = (saleId: string, units: number, changes: Partial<Sale> = {}) =>
  engine.openSale(saleId, units, { ...chargeFirst, ...changes });
/** What whoever places the order is shown. */
const answerOf = (order: Order) => orderAnswer(asPlaced(order));
const unitsOf = (order: Order) => order.items.flatMap(({ units }) => units);

/** An order of a buyer with money, as it was placed, and with what is set aside if it was charged. */
async function placed(saleId: string, buyerId: string, options: Parameters<Engine['place']>[2] = {}): Promise<Order> {
  await openFunded(engine, buyerId, openingMinor).catch(() => {});
  return sagas.placed(saleId, buyerId, options);
}
async function charged(saleId: string, buyerId: string, options: Parameters<Engine['place']>[2] = {}): Promise<Order> {
  const { order } = await engine.steps.charge(await placed(saleId, buyerId, options));
  expect(order).toMatchObject({ status: 'PENDING', payment: { state: 'authorised' } });
  return order;
}

describe('an order of a sale that charges first', () => {
  it('is placed without units, charged, gets units, and is confirmed, captured and fulfilled', async () => {
    const sale = await openSale('whole-way', 3, { perBuyerLimit: 2 });
    const order = await placed('whole-way', 'whole-way', { quantity: 2 });
    expect(order).toMatchObject({ status: 'PENDING', version: 1, items: [{ quantity: 2, units: [] }], slots: [], totalMinor: 5_000 });
    expect(order.holdExpiresAtMs).toBe(order.createdAtMs + 300_000);
    expect(displayStatusOf(order)).toBe('AWAITING_PAYMENT');
    expect(await engine.available('whole-way')).toBe(3);

    const { order: paid } = await engine.steps.charge(order);
    expect([paid.status, displayStatusOf(paid)]).toEqual(['PENDING', 'AWAITING_INVENTORY']);
    const { order: reserved } = await engine.steps.allocate(paid);
    expect(reserved).toMatchObject({ status: 'RESERVED', items: [{ units: ['1', '2'], priceMinor: 2_500 }], slots: [1, 2] });
    expect([...(await engine.unitRows('whole-way')).values()].map(({ state }) => state)).toEqual(['HELD', 'HELD']);
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });
    expect(end.tickets).toHaveLength(2);
    expect(await sagas.movementsOf(order)).toEqual(['authorise', 'capture']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed('whole-way')).toEqual([]);
  });

  it('shows its first answer to whoever repeats the key, wherever it is, also when nothing is left and the sale is closed', async () => {
    const sale = await openSale('first-answer', 1);
    const order = await placed('first-answer', 'first-answer');
    const again = async () => {
      const outcome = await engine.place('first-answer', 'first-answer');
      expect(outcome.outcome).toBe('replayed');
      return 'order' in outcome ? answerOf(outcome.order) : undefined;
    };
    expect(await again()).toEqual(answerOf(order));
    await sagas.driven(order);
    expect(await again()).toEqual(answerOf(order));
    expect(await engine.place('first-answer', 'bob')).toEqual({ outcome: 'sold-out', sku: 'tee', available: 0 });
    await engine.stock.update({ ...sale, version: 2, control: 'closed' });
    expect(await again()).toEqual(answerOf(order));
    expect(await engine.place('first-answer', 'first-answer', { quantity: 2 })).toEqual({ outcome: 'key-reused' });
    for (const key of await engine.redis.keys('*first-answer*')) await engine.redis.del(key);
    expect(await again()).toEqual(answerOf(order));
  });

  it('is one order, however many racers use its key at once', async () => {
    await openSale('racers', 10);
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => engine.place('racers', 'racer')));
    expect(outcomes.filter(({ outcome }) => outcome === 'placed')).toHaveLength(1);
    expect(new Set(outcomes.map((each) => ('order' in each ? each.order.orderId : each.outcome))).size).toBe(1);
  });

  it('is refused at the door in the same words as one that needs units at once', async () => {
    const sale = await engine.openHall('words', ['A', 'B'], { ...chargeFirst, perBuyerLimit: 2, units: 2 });
    const taken = await sagas.seatsPlaced('words', 'owner', ['A'], 'external');
    await sagas.paidOutside(taken);
    await sagas.driven(taken);
    const order = (items: Parameters<Engine['order']>[2]) => engine.order('words', 'ada', items);
    expect(await order([{ sku: 'hall', seats: ['A'] }])).toEqual({ outcome: 'seat-taken', sku: 'hall', seats: ['A'] });
    expect(await order([{ sku: 'hall', seats: ['C'] }])).toEqual({ outcome: 'unknown-seat', sku: 'hall', seat: 'C' });
    expect(await order([{ sku: 'hall', quantity: 1 }])).toEqual({ outcome: 'wrong-kind', sku: 'hall', kind: 'seated' });
    expect(await order([{ sku: 'cap', quantity: 1 }])).toEqual({ outcome: 'unknown-sku', sku: 'cap' });
    expect(await order([{ sku: 'tee', quantity: 3 }])).toEqual({ outcome: 'buyer-limit', limit: 2 });
    await engine.stock.update({ ...sale, version: 2, perBuyerLimit: 20 });
    expect(await order([{ sku: 'tee', quantity: 3 }])).toEqual({ outcome: 'sold-out', sku: 'tee', available: 2 });
    await engine.stock.update({ ...sale, version: 3, control: 'paused' });
    expect(await order([{ sku: 'tee', quantity: 1 }])).toEqual({ outcome: 'paused' });
    await engine.stock.update({ ...sale, version: 4, control: 'closed' });
    expect(await order([{ sku: 'tee', quantity: 1 }])).toEqual({ outcome: 'not-open', state: 'closed' });
    for (const key of await engine.redis.keys('*words*')) await engine.redis.del(key);
    expect(await order([{ sku: 'tee', quantity: 1 }])).toEqual({ outcome: 'stock-not-ready' });
  });

  it('gets the very seats that it asked for', async () => {
    const sale = await engine.openHall('seats', ['A', 'B', 'C'], chargeFirst);
    const [ada, bob] = await Promise.all([
      sagas.seatsPlaced('seats', 'ada', ['C', 'A'], 'external'),
      sagas.seatsPlaced('seats', 'bob', ['B', 'C'], 'external'),
    ]);
    for (const order of [ada, bob]) await sagas.paidOutside(order);
    expect(await sagas.driven(ada)).toMatchObject({ status: 'FULFILLED', items: [{ units: ['C', 'A'] }] });
    expect(await sagas.driven(bob)).toMatchObject({ status: 'REFUNDED', failure: 'OUT_OF_STOCK', items: [{ units: [] }] });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

describe('no unit left', () => {
  it('after an authorisation: what was set aside is voided, once, and the order has failed', async () => {
    const sale = await openSale('authorised', 1);
    const [winner, loser] = [await charged('authorised', 'authorised-1'), await charged('authorised', 'authorised-2')];
    expect(await sagas.driven(winner)).toMatchObject({ status: 'FULFILLED' });
    await Promise.all([1, 2, 3].map(() => engine.steps.allocate(loser)));
    const end = await sagas.driven(loser);
    expect(end).toMatchObject({ status: 'FAILED', failure: 'OUT_OF_STOCK', payment: { state: 'voided' }, stock: 'released' });
    expect(displayStatusOf(end)).toBe('FAILED_OUT_OF_STOCK');
    expect(await sagas.balanceOf(loser)).toBe(openingMinor);
    expect(await sagas.movementsOf(loser)).toEqual(['authorise', 'void']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed('authorised')).toEqual([]);
  });

  it('after a capture: the order is seen on its way back, and the money returns once', async () => {
    const sale = await openSale('captured', 1);
    const order = await placed('captured', 'captured-1', { method: 'external' });
    await sagas.driven(await charged('captured', 'captured-2'));
    await sagas.paidOutside(order);
    const { order: rejected } = await engine.steps.allocate(await sagas.now(order));
    expect(rejected).toMatchObject({ status: 'REFUNDING', failure: 'OUT_OF_STOCK' });
    expect(displayStatusOf(rejected)).toBe('REFUND_IN_PROGRESS');
    await Promise.all([1, 2, 3].map(() => engine.steps.compensate(rejected)));
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'REFUNDED', failure: 'OUT_OF_STOCK', payment: { state: 'refunded' }, stock: 'released' });
    expect(displayStatusOf(end)).toBe('REFUNDED');
    expect(await sagas.movementsOf(order)).toEqual(['capture', 'receive', 'refund']);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('is what whoever is over the limit by the time of the charge is told, by its own name', async () => {
    const sale = await openSale('limit', 5, { perBuyerLimit: 2 });
    const first = await charged('limit', 'limited', { key: 'first', quantity: 2 });
    const second = await charged('limit', 'limited', { key: 'second' });
    await sagas.driven(first);
    expect(await sagas.driven(second)).toMatchObject({ status: 'FAILED', failure: 'BUYER_LIMIT', payment: { state: 'voided' } });
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

describe('a sale that', () => {
  it('closes between charge and units refuses them by that name, and the money is back', async () => {
    const sale = await openSale('closes', 5);
    const order = await charged('closes', 'closer');
    await engine.stock.update({ ...sale, version: 2, control: 'closed' });
    expect(await sagas.driven(order)).toMatchObject({ status: 'FAILED', failure: 'SALE_NOT_OPEN', payment: { state: 'voided' } });
    expect(await sagas.balanceOf(order)).toBe(openingMinor);
    expect(await engine.available('closes')).toBe(5);
  });

  it('pauses between charge and units keeps the order waiting, and the sweeper goes on with it once it is open', async () => {
    const sale = await openSale('pauses', 5);
    const order = await charged('pauses', 'pauser');
    await engine.stock.update({ ...sale, version: 2, control: 'paused' });
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await sagas.now(order)).toMatchObject({ status: 'PENDING', version: order.version });
    await engine.sweep({ laterMs: 400_000 });
    expect(await sagas.now(order)).toMatchObject({ status: 'PENDING', payment: { state: 'authorised' } });
    await engine.stock.update({ ...sale, version: 3, control: 'open' });
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
  });

  it('pauses costs a sweep no more for a crowd that is paid and waits, and all of it goes on afterwards', async () => {
    const crowd = 40;
    const sale = await openSale('crowded', crowd);
    const buyers = Array.from({ length: crowd }, (_, n) => `crowded-${n}`);
    const orders = await Promise.all(buyers.map((buyer) => charged('crowded', buyer)));
    await engine.stock.update({ ...sale, version: 2, control: 'paused' });
    const asked = new Set<string>();
    const asking: Step = (order) => {
      asked.add(order.orderId);
      return engine.steps.allocate(order);
    };
    await engine.sweep({ laterMs: eventsGraceMs, steps: () => ({ ...engine.steps, allocate: asking }) });
    expect(asked.size).toBeGreaterThan(0);
    // Those that are under way together ask, and nobody after the first answer.
    expect(asked.size).toBeLessThan(crowd);
    await engine.stock.update({ ...sale, version: 3, control: 'open' });
    await engine.sweep({ laterMs: eventsGraceMs });
    const ends = await Promise.all(orders.map((order) => sagas.now(order)));
    expect(ends.map(({ status }) => status)).toEqual(buyers.map(() => 'FULFILLED'));
  });

  it('Redis has lost decides nothing: the step comes again, and the money waits', async () => {
    const sale = await openSale('lost', 5);
    const order = await charged('lost', 'loser');
    for (const key of await engine.redis.keys('*lost*')) await engine.redis.del(key);
    await expect(engine.steps.allocate(order)).rejects.toBeInstanceOf(StockAway);
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await sagas.now(order)).toEqual(order);
    await engine.stock.load(sale);
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
  });
});

describe('an order that nobody pays', () => {
  it('expires at its time without ever having kept a unit from anybody', async () => {
    const sale = await openSale('unpaid', 1);
    const unpaid = await placed('unpaid', 'unpaid', { method: 'external' });
    const poor = await sagas.placed('unpaid', 'nobody');
    await sagas.driven(await charged('unpaid', 'payer'));
    expect(await sagas.driven(poor)).toMatchObject({ status: 'FAILED', failure: 'PAYMENT_DECLINED', stock: 'released' });
    expect(await sagas.driven(unpaid, 302_000)).toMatchObject({ status: 'EXPIRED', stock: 'released' });
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await engine.owed('unpaid')).toEqual([]);
  });
});

describe('the end of an order that is charged first', () => {
  const ways: Readonly<Record<string, readonly ('charge' | 'allocate' | 'confirm')[]>> = {
    placed: [],
    authorised: ['charge'],
    'with units': ['charge', 'allocate'],
    confirmed: ['charge', 'allocate', 'confirm'],
    captured: ['charge', 'allocate', 'confirm', 'charge'],
  };
  it.each(Object.keys(ways).flatMap((way) => ['cancel', 'call off'].map((how) => [how, way] as const)))(
    'by %s when it is %s returns money and units, however often it is done',
    async (how, way) => {
      const saleId = `${how}-${way}`.replaceAll(' ', '-');
      const sale = await openSale(saleId, 3, { perBuyerLimit: 3 });
      let order = await placed(saleId, saleId, { quantity: 2 });
      for (const step of ways[way] ?? []) order = (await engine.steps[step](order)).order;
      await Promise.all([1, 2].map(() => (how === 'cancel' ? engine.cancel(order) : sagas.takeBack(order))));
      const end = await sagas.driven(order);
      const wasConfirmed = way === 'confirmed' || way === 'captured';
      expect(end).toMatchObject({ status: wasConfirmed ? 'REFUNDED' : 'CANCELLED', stock: 'released' });
      expect(await sagas.balanceOf(order)).toBe(openingMinor);
      const retired = how === 'call off' ? unitsOf(order).length : 0;
      expect(await engine.available(saleId)).toBe(3 - retired);
      expect(await engine.claims.usedSlots(saleId, saleId)).toHaveLength(retired);
      expect(await sagas.wrongWith(sale)).toEqual([]);
      expect(await engine.owed(saleId)).toEqual([]);
      // The order is no reason for its key to get units, now or ever.
      expect(await engine.steps.allocate(order)).toMatchObject({ outcome: 'stayed' });
      expect(await engine.available(saleId)).toBe(3 - retired);
    },
  );

  it('by a cancel that races the units has one outcome, with every penny on the same side as the goods', async () => {
    const sale = await openSale('cancel-races', 40);
    await Promise.all(
      Array.from({ length: 16 }, async (_, n) => {
        const order = await charged('cancel-races', `racer-${n}`);
        const forward = engine.steps.allocate(order);
        for (let reads = 0; reads < n % 5; reads++) await sagas.now(order);
        await Promise.all([forward, engine.cancel(order)]);
        expect(await sagas.driven(order)).toMatchObject({ status: 'CANCELLED', payment: { state: 'voided' }, stock: 'released' });
        expect(await sagas.balanceOf(order)).toBe(openingMinor);
      }),
    );
    await engine.sweep();
    expect(await engine.available('cancel-races')).toBe(40);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

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
