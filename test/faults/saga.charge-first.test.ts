import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StockAway } from '../../functions/orders/compensate.ts';
import { displayStatusOf } from '../../functions/orders/display-status.model.ts';
import { orderAnswer } from '../../functions/orders/order.answer.ts';
import { asPlaced, eventsGraceMs, type Order } from '../../functions/orders/order.model.ts';
import type { Step } from '../../functions/orders/order.ports.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';
import { chargeFirst, chargeFirstOn, unitsOf } from './saga.charge-first.harness.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const { openSale, placed, charged } = chargeFirstOn(() => engine);
/** What whoever places the order is shown. */
const answerOf = (order: Order) => orderAnswer(asPlaced(order));

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
