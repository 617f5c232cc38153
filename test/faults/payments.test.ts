import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { openFunded } from '../support/audits.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { paymentOf, paymentsOn } from '../support/payments.ts';
import { sagasOn } from '../support/sagas.ts';

let engine: Engine;
let payments: ReturnType<typeof paymentsOn>;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  payments = paymentsOn(engine);
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

const kept = ['capture', 'receive'];
const returned = ['receive', 'return'];
const refunded = ['capture', 'receive', 'refund'];
const afterExpiryMs = 400_000;
const times = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const nothingFollows = { goOn: async () => {} };

let sales = 0;
const newSale = (units = 5, changes: Partial<Sale> = {}) => engine.openSale(`paid-${++sales}`, units, changes);
/** An order that waits for its payment; its buyer has no account. */
const waiting = (sale: Sale, buyer = 'ada', quantity = 1) =>
  sagas.placed(sale.saleId, `${buyer}-${sale.saleId}`, { quantity, method: 'external' });
const expire = () => engine.sweep({ laterMs: afterExpiryMs });
const settled = async (sale: Sale) => {
  await engine.sweep({ laterMs: afterExpiryMs });
  expect(await sagas.wrongWith(sale)).toEqual([]);
  expect(await engine.owed(sale.saleId)).toEqual([]);
};
const isBuyers = async (order: Order) => (await engine.unitRows(order.saleId)).get(order.items[0]?.units[0] ?? '')?.orderId;

describe('a payment from outside', () => {
  it('confirms the order that waits for it, in one transaction with the ledger and the units', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const payment = paymentOf(order);
    expect(await payments.succeed(payment)).toEqual({ outcome: 'kept' });
    expect(await sagas.now(order)).toMatchObject({ status: 'CONFIRMED', payment: { state: 'captured', paymentId: payment.paymentId } });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: kept });
    expect(await payments.rows(order.orderId)).toMatchObject([{ ...payment, state: 'kept' }]);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await settled(sale);
  });

  it('is taken once, however often and at once it is told', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const payment = paymentOf(order);
    const told = await Promise.all(times(5, () => payments.succeed(payment)));
    expect(told.map(({ outcome }) => outcome).sort()).toEqual(['kept', 'known', 'known', 'known', 'known']);
    expect(await payments.succeed(payment)).toEqual({ outcome: 'known' });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: kept });
    await settled(sale);
  });

  it.each(['order', 'payment'] as const)('that a copy takes just after the %s was read is taken once all the same', async (read) => {
    for (const changes of [{}, { amountMinor: 1 }]) {
      const sale = await newSale();
      const order = await waiting(sale);
      const payment = paymentOf(order, changes);
      let copies = 0;
      /** What was read, after a copy of the webhook has done its work; the first time. */
      const overtaken = async <Read>(seen: Promise<Read>): Promise<Read> => {
        const value = await seen;
        if (copies++ === 0) await payments.succeed(payment);
        return value;
      };
      const { orders, payments: rows } = payments.ports;
      const slow =
        read === 'order'
          ? { orders: { ...orders, get: (orderId: string) => overtaken(orders.get(orderId)) } }
          : { payments: { ...rows, get: (each: typeof payment) => overtaken(rows.get(each)) } };
      expect(await payments.succeed(payment, slow as Partial<typeof payments.ports>)).toEqual({ outcome: 'known' });
      expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: 'amountMinor' in changes ? returned : kept });
      await settled(sale);
    }
  });

  it('beside another one pays the order once: of two at the same moment one goes back, and nothing is kept twice', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const both = [paymentOf(order), paymentOf(order)];
    const told = await Promise.all(both.map((payment) => payments.succeed(payment)));
    expect(told.map(({ outcome }) => outcome).sort()).toEqual(['kept', 'returned']);
    expect(Object.values(await payments.movedFor(order)).sort()).toEqual([kept, returned]);
    expect(await payments.keptMinor(order)).toBe(order.totalMinor);
    await settled(sale);
  });

  it.each([
    { what: 'too little', changes: { amountMinor: 2_499 } },
    { what: 'too much', changes: { amountMinor: 2_501 } },
    { what: 'of another currency', changes: { currency: 'USD' } },
    { what: 'nothing', changes: { amountMinor: 0 } },
  ])('that is $what confirms nothing and goes back as it came', async ({ changes }) => {
    const sale = await newSale();
    const order = await waiting(sale);
    const wrong = paymentOf(order, changes);
    expect(await payments.succeed(wrong)).toEqual({ outcome: 'returned' });
    expect(await payments.succeed(wrong)).toEqual({ outcome: 'known' });
    expect(await sagas.now(order)).toMatchObject({
      status: 'RESERVED',
      payment: { state: 'none' },
      holdExpiresAtMs: order.holdExpiresAtMs,
    });
    const [receive, sentBack] = await payments.ledgerOf(order.buyerId);
    for (const movement of [receive, sentBack]) {
      expect(movement).toMatchObject({ currency: wrong.currency, paymentId: wrong.paymentId, orderId: order.orderId });
      expect(Math.max(...(movement?.entries.map(({ amountMinor }) => amountMinor) ?? []))).toBe(wrong.amountMinor);
    }
    expect(await sagas.wrongWith(sale)).toEqual([]);
    await settled(sale);
  });

  it('that was wrong is refunded, the right one follows, an operator refunds: each went back once', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const [wrong, right] = [paymentOf(order, { amountMinor: 1 }), paymentOf(order)];
    await payments.succeed(wrong);
    await payments.succeed(right);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await engine.refund(order.orderId, { returnUnits: true });
    for (const payment of [wrong, right, wrong, right]) expect(await payments.succeed(payment)).toEqual({ outcome: 'known' });
    await Promise.all(times(3, () => sagas.driven(order)));
    expect(await sagas.now(order)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' } });
    expect(await payments.movedFor(order)).toEqual({ [wrong.paymentId]: returned, [right.paymentId]: refunded });
    expect(await payments.keptMinor(order)).toBe(0);
    await settled(sale);
    expect(await engine.available(sale.saleId)).toBe(5);
  });

  it('for an order that is paid, over, on its way back, or paid by balance goes back', async () => {
    const sale = await newSale();
    await openFunded(engine, `bob-${sale.saleId}`);
    const byBalance = await sagas.placed(sale.saleId, `bob-${sale.saleId}`, {});
    expect(await payments.succeed(paymentOf(byBalance))).toEqual({ outcome: 'returned' });
    expect(await sagas.driven(byBalance)).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });

    const order = await waiting(sale);
    await engine.cancel(order);
    expect(await payments.succeed(paymentOf(order))).toEqual({ outcome: 'returned' });
    expect(await sagas.now(order)).toMatchObject({ status: 'CANCELLED', stock: 'released' });

    const paid = await waiting(sale, 'cleo');
    await payments.succeed(paymentOf(paid));
    await engine.refund(paid.orderId);
    expect(await payments.succeed(paymentOf(paid))).toEqual({ outcome: 'returned' });
    expect(await sagas.driven(paid)).toMatchObject({ status: 'REFUNDED' });
    expect(await payments.succeed(paymentOf(paid))).toEqual({ outcome: 'returned' });
    expect(await payments.keptMinor(paid)).toBe(0);
    await settled(sale);
  });

  it('for an order that nobody knows is booked in and out, once, and lost to nobody', async () => {
    const stray = { orderId: `ord_${'x'.repeat(22)}`, paymentId: 'pay_1', amountMinor: 4_200, currency: 'EUR' };
    const told = await Promise.all(times(3, () => payments.succeed(stray)));
    expect(told.map(({ outcome }) => outcome).sort()).toEqual(['known', 'known', 'returned']);
    const rows = await payments.ledgerOf(`stray:${stray.orderId}`);
    expect(rows.map(({ kind }) => kind).sort()).toEqual(returned);
    expect(await payments.rows(stray.orderId)).toMatchObject([{ ...stray, state: 'returned' }]);
  });

  it('is booked once when the database did not say whether it committed, and it is told again', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const payment = paymentOf(order);
    const unanswered: typeof engine.orders = {
      ...engine.orders,
      async transition(...args) {
        await engine.orders.transition(...args);
        throw new Error('no answer');
      },
    };
    await expect(payments.succeed(payment, { orders: unanswered })).rejects.toThrow('no answer');
    expect(await payments.succeed(payment)).toEqual({ outcome: 'known' });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: kept });
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await settled(sale);
  });

  it('counts although Redis hears nothing of it: its hold’s end changes nothing', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const silent = async () => {
      throw new Error('Redis is away');
    };
    expect(await payments.succeed(paymentOf(order), { goOn: silent })).toEqual({ outcome: 'kept' });
    await engine.sweep({ laterMs: afterExpiryMs });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await isBuyers(order)).toBe(order.orderId);
    expect(await engine.available(sale.saleId)).toBe(4);
  });
});

describe('a payment that failed', () => {
  it('ends the order that waits for it, and its units are free, once, however often it is told', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    await Promise.all(times(3, () => payments.fail(paymentOf(order))));
    await payments.fail(paymentOf(order));
    expect(await sagas.now(order)).toMatchObject({ status: 'FAILED', failure: 'PAYMENT_DECLINED', payment: { state: 'declined' } });
    expect(await engine.available(sale.saleId)).toBe(5);
    expect(await payments.movedFor(order)).toEqual({});
    await settled(sale);
  });

  it('says nothing any more once the same payment has succeeded', async () => {
    const sale = await newSale();
    const [order, other] = [await waiting(sale), await waiting(sale, 'ben')];
    const [payment, wrong] = [paymentOf(order), paymentOf(other, { amountMinor: 1 })];
    await payments.succeed(payment);
    await payments.fail(payment);
    expect(await sagas.now(order)).toMatchObject({ status: 'CONFIRMED' });
    await payments.succeed(wrong);
    await payments.fail(wrong);
    expect(await sagas.now(other)).toMatchObject({ status: 'RESERVED' });
  });

  it('ends no order that is paid by balance, and none that nobody knows', async () => {
    const sale = await newSale();
    await openFunded(engine, `ada-${sale.saleId}`);
    const order = await sagas.placed(sale.saleId, `ada-${sale.saleId}`, {});
    await payments.fail(paymentOf(order));
    await payments.fail(paymentOf(order, { orderId: 'ord_nobody' }));
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
  });
});

describe('money that comes late', () => {
  it('after a decline gets units again, and the order is the buyer’s after all', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    const payment = paymentOf(order);
    // One attempt and then the next one, under the same name: what was told last came first.
    await payments.fail(payment);
    expect(await payments.succeed(payment)).toEqual({ outcome: 'late' });
    expect(await sagas.now(order)).toMatchObject({ status: 'CONFIRMED', payment: { state: 'captured', paymentId: payment.paymentId } });
    await payments.fail(payment);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: kept });
    await settled(sale);
  });

  it('after the expiry waits in escrow, with the audit in order, until the sweeper has got units for it', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    await expire();
    const payment = paymentOf(order);
    expect(await payments.succeed(payment, nothingFollows)).toEqual({ outcome: 'late' });
    expect(await sagas.now(order)).toMatchObject({ status: 'EXPIRED', late: { paymentId: payment.paymentId } });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: ['receive'] });
    expect(await sagas.wrongWith(sale)).toEqual([]);
    await engine.sweep({ laterMs: 30_000 });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: kept });
    await settled(sale);
  });

  it('goes back, once, when others have the units: the end stays what it was', async () => {
    const sale = await newSale(1);
    const order = await waiting(sale);
    await expire();
    const quicker = await waiting(sale, 'ben');
    const [first, second] = [paymentOf(order), paymentOf(order)];
    expect(await payments.succeed(first)).toEqual({ outcome: 'late' });
    expect(await sagas.now(order)).toMatchObject({ status: 'EXPIRED', payment: { state: 'none' } });
    expect(await payments.succeed(first)).toEqual({ outcome: 'known' });
    expect(await payments.succeed(second)).toEqual({ outcome: 'late' });
    expect(await payments.movedFor(order)).toEqual({ [first.paymentId]: returned, [second.paymentId]: returned });
    expect(await payments.succeed(paymentOf(quicker))).toEqual({ outcome: 'kept' });
    await settled(sale);
  });

  it('twice at the same moment buys the units once', async () => {
    const sale = await newSale();
    const order = await waiting(sale);
    await expire();
    const both = [paymentOf(order), paymentOf(order)];
    await Promise.all(both.map((payment) => payments.succeed(payment)));
    await engine.sweep({ laterMs: 30_000 });
    expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
    expect(Object.values(await payments.movedFor(order)).sort()).toEqual([kept, returned]);
    await settled(sale);
  });
});

describe('a payment that races', () => {
  it('the expiry of its order: confirmed, or late and then bought anew; never lost, never in debt', async () => {
    const sale = await newSale(6);
    const orders = await Promise.all(times(6, (index) => waiting(sale, `ada${index}`)));
    await Promise.all([...orders.map((order) => payments.succeed(paymentOf(order))), expire(), expire()]);
    await engine.sweep({ laterMs: 30_000 });
    for (const order of orders) {
      expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
      expect(await payments.keptMinor(order)).toBe(order.totalMinor);
    }
    await settled(sale);
  });

  it('its order’s cancellation: it goes back either way, once', async () => {
    const sale = await newSale(6);
    const orders = await Promise.all(times(6, (index) => waiting(sale, `ada${index}`)));
    await Promise.all(orders.flatMap((order) => [payments.succeed(paymentOf(order)), engine.cancel(order)]));
    await engine.sweep({ laterMs: 30_000 });
    for (const order of orders) {
      expect((await sagas.now(order)).status).toMatch(/^(CANCELLED|REFUNDED)$/);
      expect(await payments.keptMinor(order)).toBe(0);
    }
    expect(await engine.available(sale.saleId)).toBe(6);
    await settled(sale);
  });

  it('a failure that was told of the same order: bought or given back, never both', async () => {
    const sale = await newSale(6);
    const orders = await Promise.all(times(6, (index) => waiting(sale, `ada${index}`)));
    await Promise.all(orders.flatMap((order) => [payments.succeed(paymentOf(order)), payments.fail(paymentOf(order))]));
    await engine.sweep({ laterMs: 30_000 });
    for (const order of orders) {
      expect(await sagas.now(order)).toMatchObject({ status: 'FULFILLED' });
      expect(await payments.keptMinor(order)).toBe(order.totalMinor);
    }
    await settled(sale);
  });
});

describe('an order that is charged first, from outside', () => {
  it('gets its units after its payment', async () => {
    const sale = await newSale(2, { strategy: 'charge-first' });
    const order = await waiting(sale);
    expect(order).toMatchObject({ status: 'PENDING', payment: { state: 'none' } });
    expect(await payments.succeed(paymentOf(order))).toEqual({ outcome: 'kept' });
    expect(await sagas.now(order)).toMatchObject({ status: 'PENDING', payment: { state: 'captured' } });
    expect(await sagas.wrongWith(sale)).toEqual([]);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await settled(sale);
  });

  it('is refunded exactly once when nothing is left', async () => {
    const sale = await newSale(1, { strategy: 'charge-first' });
    const [order, quicker] = [await waiting(sale), await waiting(sale, 'ben')];
    const payment = paymentOf(order);
    await payments.succeed(payment);
    await payments.succeed(paymentOf(quicker));
    expect(await sagas.driven(quicker)).toMatchObject({ status: 'FULFILLED' });
    await Promise.all(times(3, () => sagas.driven(order)));
    expect(await sagas.now(order)).toMatchObject({ status: 'REFUNDED', failure: 'OUT_OF_STOCK', payment: { state: 'refunded' } });
    expect(await payments.movedFor(order)).toEqual({ [payment.paymentId]: refunded });
    expect(await payments.succeed(payment)).toEqual({ outcome: 'known' });
    await settled(sale);
  });

  it('ends with a payment that failed, and late money buys units all the same', async () => {
    const sale = await newSale(1, { strategy: 'charge-first' });
    const order = await waiting(sale);
    await payments.fail(paymentOf(order));
    expect(await sagas.now(order)).toMatchObject({ status: 'FAILED', failure: 'PAYMENT_DECLINED' });
    await payments.succeed(paymentOf(order));
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await settled(sale);
  });
});
