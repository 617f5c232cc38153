import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountRepository } from '../../functions/accounts/account.repository.ts';
import { advance } from '../../functions/orders/advance.ts';
import { eventsGraceMs, hasEnded, type Order } from '../../functions/orders/order.model.ts';
import { UnsettledTransaction } from '../../functions/shared/dynamo.ts';
import { type Engine, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const openingMinor = 10_000;

/** An order of a buyer with money, as it was placed. */
async function placed(saleId: string, buyerId: string, quantity = 1): Promise<Order> {
  await engine.fund(buyerId, openingMinor);
  const outcome = await engine.place(saleId, buyerId, { quantity });
  if (!('order' in outcome)) throw new Error(`not placed: ${outcome.outcome}`);
  return outcome.order;
}
const fulfilled = async (saleId: string, buyerId: string, quantity = 1) =>
  advance(await placed(saleId, buyerId, quantity), engine.steps, Date.now);
async function confirmed(saleId: string, buyerId: string): Promise<Order> {
  const { order: paid } = await engine.steps.charge(await placed(saleId, buyerId));
  return (await engine.steps.confirm(paid)).order;
}
async function now(order: Order): Promise<Order> {
  const stored = await engine.orders.get(order.orderId);
  if (!stored) throw new Error('the order is gone');
  return stored;
}
const accounts = () => accountRepository(engine.database, 'accounts');
const balanceOf = async ({ buyerId }: Order) => (await accounts().get(buyerId))?.balanceMinor;
const movementsOf = async ({ buyerId, orderId }: Order) =>
  (await accounts().movements(buyerId))
    .filter((movement) => movement.orderId === orderId)
    .map(({ kind }) => kind)
    .sort();
const rowStates = async (saleId: string) => [...(await engine.unitRows(saleId)).values()].map(({ state }) => state);
/** What the events would have done, done by the sweeper. */
const heal = () => engine.sweep({ laterMs: eventsGraceMs });
const refundedOnce = ['authorise', 'capture', 'refund'];

describe('a refund after which everything stopped', () => {
  it.each([
    { returnUnits: true, rows: [], available: 3, slots: [] },
    { returnUnits: false, rows: ['RETIRED', 'RETIRED'], available: 1, slots: [1, 2] },
  ])('of a fulfilled order is finished by the sweeper: returnUnits $returnUnits', async ({ returnUnits, rows, available, slots }) => {
    const saleId = `stopped-${returnUnits}`;
    await engine.openSale(saleId, 3, { perBuyerLimit: 2 });
    const order = await fulfilled(saleId, saleId, 2);
    expect(order).toMatchObject({ status: 'FULFILLED' });
    expect(await engine.owed(saleId)).toEqual([]);

    expect(await engine.refund(order.orderId, { returnUnits })).toMatchObject({ outcome: 'refunding' });
    expect(await now(order)).toMatchObject({ status: 'REFUNDING' });
    expect(await balanceOf(order)).toBe(openingMinor - order.totalMinor);
    await heal();
    expect(await now(order)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' }, stock: 'released' });
    expect(await balanceOf(order)).toBe(openingMinor);
    expect(await movementsOf(order)).toEqual(refundedOnce);
    expect(await rowStates(saleId)).toEqual(rows);
    expect(await engine.available(saleId)).toBe(available);
    expect(await engine.claims.usedSlots(saleId, order.buyerId)).toEqual(slots);
    expect(await engine.owed(saleId)).toEqual([]);
    // The allowance comes back with the units, in Redis as in the rows.
    const next = await engine.place(saleId, order.buyerId, { key: 'next' });
    expect(next.outcome).toBe(returnUnits ? 'placed' : 'buyer-limit');
  });

  it('of a confirmed order returns what was set aside, and the units, whatever was asked', async () => {
    await engine.openSale('set-aside', 1);
    const order = await confirmed('set-aside', 'eve');
    await engine.refund(order.orderId);
    await heal();
    expect(await now(order)).toMatchObject({ status: 'REFUNDED', payment: { state: 'voided' }, takenBack: { units: 'free' } });
    expect(await movementsOf(order)).toEqual(['authorise', 'void']);
    expect(await engine.available('set-aside')).toBe(1);
  });
});

describe('one key', () => {
  it('refunds once, however many racers use it at once, and gives one answer for ever', async () => {
    await engine.openSale('one-key', 2);
    const order = await fulfilled('one-key', 'kay');
    const refunds = await Promise.all(Array.from({ length: 12 }, () => engine.refund(order.orderId, { key: 'k' })));
    expect(refunds.filter(({ outcome }) => outcome === 'refunding')).toHaveLength(1);
    expect(refunds.filter(({ outcome }) => outcome === 'replayed')).toHaveLength(11);
    await heal();
    refunds.push(await engine.refund(order.orderId, { key: 'k' }));
    const answers = refunds.map((refund) => ('answer' in refund ? refund.answer : refund));
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({ status: 202, body: expect.stringContaining('"REFUNDING"') });
    expect(await movementsOf(order)).toEqual(refundedOnce);
    expect(await engine.refund(order.orderId, { key: 'k', returnUnits: true })).toEqual({ outcome: 'key-reused' });
    expect(await engine.refund(order.orderId, { key: 'another' })).toEqual({ outcome: 'not-refundable', status: 'REFUNDED' });
  });

  it('finds the refund that was written when its reply was lost', async () => {
    await engine.openSale('lost-reply', 1);
    const order = await fulfilled('lost-reply', 'lee');
    const transition: Engine['orders']['transition'] = async (...args) => {
      await engine.orders.transition(...args);
      throw new UnsettledTransaction('the reply was lost');
    };
    const ports = { orders: { ...engine.orders, transition } };
    expect(await engine.refund(order.orderId, { key: 'k', ports })).toMatchObject({ outcome: 'replayed', answer: { status: 202 } });
    expect(await now(order)).toMatchObject({ status: 'REFUNDING' });
  });

  it('that its twin used after it was looked up is answered like the twin, not refused', async () => {
    await engine.openSale('twin', 1);
    const order = await fulfilled('twin', 'tia');
    let asked = 0;
    const get: Engine['orders']['get'] = async (orderId) => {
      if (++asked === 1) await engine.refund(orderId, { key: 'k' });
      return engine.orders.get(orderId);
    };
    expect(await engine.refund(order.orderId, { key: 'k', ports: { orders: { ...engine.orders, get } } })).toMatchObject({
      outcome: 'replayed',
    });
  });

  it('refused alone is told apart from a lost race, and a lost race comes first', async () => {
    await engine.openSale('told-apart', 1);
    const order = await fulfilled('told-apart', 'tom');
    const request = { scope: 'told-apart', payloadHash: 'hash' };
    const remember = () => [engine.idempotency.remember(request, { status: 202, body: '{}' }, Date.now())];
    const next = { ...order, version: order.version + 1 };
    expect(await engine.orders.transition(order, { next, events: [] }, remember())).toMatchObject({ outcome: 'moved' });
    expect(await engine.orders.transition(order, { next, events: [] }, remember())).toMatchObject({ outcome: 'lost-race', current: next });
    const after = { next: { ...next, version: next.version + 1 }, events: [] };
    expect(await engine.orders.transition(next, after, remember())).toEqual({ outcome: 'refused-by-extra' });
    expect(await now(order)).toMatchObject({ version: next.version });
  });
});

describe('a refund against', () => {
  it('other operators with keys of their own: one wins, the others are refused, and the buyer is paid back once', async () => {
    await engine.openSale('operators', 20);
    await Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const order = await fulfilled('operators', `operated-${n}`);
        const refunds = await Promise.all(['x', 'y', 'z'].map((by) => engine.refund(order.orderId, { by, returnUnits: by === 'x' })));
        expect(refunds.map(({ outcome }) => outcome).sort()).toEqual(['not-refundable', 'not-refundable', 'refunding']);
        await Promise.all([1, 2, 3].map(async () => engine.steps.compensate(await now(order))));
        expect(await now(order)).toMatchObject({ status: 'REFUNDED', stock: 'released' });
        expect(await movementsOf(order)).toEqual(refundedOnce);
        expect(await balanceOf(order)).toBe(openingMinor);
      }),
    );
    const retired = (await rowStates('operators')).length;
    expect(await engine.available('operators')).toBe(20 - retired);
  });

  it('the buyer’s cancel and the handing over ends in one way, with every penny on the same side as the goods', async () => {
    await engine.openSale('cancelled', 40);
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { order: captured } = await engine.steps.charge(await confirmed('cancelled', `canceller-${n}`));
        const [refund, cancel] = await Promise.all([
          engine.refund(captured.orderId),
          n % 2 === 0 ? engine.cancel(captured) : undefined,
          engine.steps.fulfil(captured),
        ]);
        await engine.steps.compensate(await now(captured));
        const end = await now(captured);
        // Whoever came first, the order is taken back: a refund is refused only because it was cancelled.
        expect(end).toMatchObject({ status: 'REFUNDED', stock: 'released' });
        expect(refund.outcome === 'refunding' || cancel?.outcome === 'cancelled').toBe(true);
        const wasHandedOver = end.tickets !== undefined;
        if (end.takenBack) expect(end.takenBack.units).toBe(wasHandedOver ? 'retire' : 'free');
        expect(await movementsOf(end)).toEqual(refundedOnce);
        expect(await balanceOf(end)).toBe(openingMinor);
      }),
    );
    expect(await engine.available('cancelled')).toBe(40 - (await rowStates('cancelled')).length);
  });
});

describe('a Redis that', () => {
  it('has lost the sale does not hold up the money, and hears of the end when it is back', async () => {
    const sale = await engine.openSale('away', 3);
    const order = await fulfilled('away', 'amy', 2);
    for (const key of await engine.redis.keys('*away*')) await engine.redis.del(key);
    await engine.refund(order.orderId);
    await heal();
    expect(await now(order)).toMatchObject({ status: 'REFUNDED', stock: 'releasing' });
    expect(await balanceOf(order)).toBe(openingMinor);
    expect((await engine.owed('away')).map(({ orderId }) => orderId)).toEqual([order.orderId]);
    // Worse than any rebuild: it believes that all units are free.
    await engine.stock.load(sale);
    await engine.sweep({ laterMs: 2 * eventsGraceMs });
    expect(await now(order)).toMatchObject({ stock: 'released' });
    expect(await engine.available('away')).toBe(1);
    expect(await engine.owed('away')).toEqual([]);
  });

  it('has forgotten the hold of a retired order sells its units to nobody', async () => {
    await engine.openSale('retired', 3);
    const rollBack = await engine.snapshot();
    const order = await fulfilled('retired', 'ray', 2);
    await rollBack();
    await engine.refund(order.orderId);
    await heal();
    expect(await now(order)).toMatchObject({ status: 'REFUNDED', stock: 'released' });
    expect(await engine.available('retired')).toBe(1);
    const last = await engine.place('retired', 'late');
    expect(last).toMatchObject({ outcome: 'placed', order: { items: [{ units: ['3'] }] } });
    expect(await engine.place('retired', 'later')).toMatchObject({ outcome: 'sold-out' });
    expect(await engine.place('retired', 'ray', { quantity: 2 })).toMatchObject({ outcome: 'replayed' });
  });
});

describe('an order whose sale is called off', () => {
  it('ends from wherever it is, with its money back and its units out of sale, however often that is done', async () => {
    await engine.openSale('called-off', 10, { perBuyerLimit: 2 });
    const { charge, confirm, fulfil } = engine.steps;
    const orders = await Promise.all(
      [[], [charge], [charge, confirm], [charge, confirm, charge], [charge, confirm, charge, fulfil]].map(async (steps, n) => {
        let order = await placed('called-off', `off-${n}`);
        for (const step of steps) order = (await step(order)).order;
        return order;
      }),
    );
    await Promise.all([...orders, ...orders].map((order) => engine.endForGood(order)));
    const ends = await Promise.all(orders.map(now));
    expect(ends.map(({ status }) => status)).toEqual(['CANCELLED', 'CANCELLED', 'REFUNDED', 'REFUNDED', 'REFUNDED']);
    for (const order of ends) {
      expect(order).toMatchObject({ stock: 'released', takenBack: { reason: 'called off', units: 'retire' } });
      expect(await balanceOf(order)).toBe(openingMinor);
      expect(await engine.claims.usedSlots('called-off', order.buyerId)).toHaveLength(1);
    }
    expect(await rowStates('called-off')).toEqual(ends.map(() => 'RETIRED'));
    expect(await engine.available('called-off')).toBe(5);
    expect(await engine.owed('called-off')).toEqual([]);
  });

  it('ends once against everything that moves it on or back', async () => {
    await engine.openSale('raced', 60);
    const { charge, confirm, fulfil, compensate } = engine.steps;
    await Promise.all(
      Array.from({ length: 30 }, async (_, n) => {
        const order = await placed('raced', `raced-${n}`);
        const forward = async () => {
          let current = order;
          for (const step of [charge, confirm, charge, fulfil]) current = (await step(current)).order;
        };
        const callOff = async () => {
          for (let reads = 0; reads < n % 6; reads++) await now(order);
          await engine.endForGood(order);
        };
        await Promise.all([forward(), callOff(), n % 3 === 0 ? engine.cancel(order) : undefined]);
        await compensate(await now(order));
        const end = await now(order);
        expect(hasEnded(end)).toBe(true);
        expect(end.stock).toBe('released');
        expect(await balanceOf(end)).toBe(openingMinor);
        expect([[], ['authorise', 'void'], refundedOnce]).toContainEqual(await movementsOf(end));
        const owned = [...(await engine.unitRows('raced')).values()].filter(({ orderId }) => orderId === order.orderId);
        expect(owned.map(({ state }) => state)).toEqual(end.takenBack ? ['RETIRED'] : []);
      }),
    );
    expect(await engine.available('raced')).toBe(60 - (await rowStates('raced')).length);
  });

  it('is not held up by a Redis that is away', async () => {
    const sale = await engine.openSale('off-away', 2);
    const order = await placed('off-away', 'oz');
    for (const key of await engine.redis.keys('*off-away*')) await engine.redis.del(key);
    await engine.endForGood(order);
    expect(await now(order)).toMatchObject({ status: 'CANCELLED', stock: 'releasing' });
    await engine.stock.load(sale);
    await heal();
    expect(await now(order)).toMatchObject({ stock: 'released' });
    expect(await engine.available('off-away')).toBe(1);
  });
});
