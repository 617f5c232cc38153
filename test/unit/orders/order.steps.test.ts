import { describe, expect, it } from 'vitest';
import { displayStatusOf } from '../../../functions/orders/display-status.model.ts';
import { unitsMoved } from '../../../functions/orders/moved-units.model.ts';
import {
  asPlaced,
  awaitsItsPayment,
  awaitsUnits,
  hasEnded,
  hasUnits,
  isDisowned,
  isPaidAndPending,
  nextStep,
  type Order,
  orderStatuses,
  owesMoney,
  ownsUnits,
  retiresUnits,
} from '../../../functions/orders/order.model.ts';
import { eventsOf, outboxRow } from '../../../functions/orders/outbox.model.ts';
import { anOrder } from '../../support/orders.ts';

const nowMs = anOrder().createdAtMs;
const expiredMs = anOrder().holdExpiresAtMs + 1_000;
const balance = (status: Order['status'], state: Order['payment']['state'], changes: Partial<Order> = {}): Order =>
  anOrder({ status, payment: { method: 'balance', state }, ...changes });
const external = (status: Order['status'], state: Order['payment']['state'], changes: Partial<Order> = {}): Order =>
  anOrder({ status, payment: { method: 'external', state }, ...changes });

describe('what an order needs next', () => {
  it.each([
    ['charge', balance('RESERVED', 'none'), nowMs],
    ['charge', balance('PENDING', 'none'), nowMs],
    ['wait', external('RESERVED', 'none'), nowMs],
    ['wait', external('PENDING', 'none'), nowMs],
    ['charge', balance('RESERVED', 'none'), expiredMs - 1],
    ['wait', external('RESERVED', 'none'), expiredMs - 1],
    ['expire', balance('RESERVED', 'none'), expiredMs],
    ['expire', external('PENDING', 'none'), expiredMs],
    ['confirm', balance('RESERVED', 'authorised'), expiredMs],
    ['allocate', balance('PENDING', 'authorised'), nowMs],
    ['allocate', external('PENDING', 'captured'), nowMs],
    ['charge', balance('CONFIRMED', 'authorised'), nowMs],
    ['fulfil', balance('CONFIRMED', 'captured'), nowMs],
    ['rest', balance('FULFILLED', 'captured'), nowMs],
    ['wait', balance('FULFILLED', 'authorised'), nowMs],
    ['compensate', balance('REFUNDING', 'captured'), nowMs],
    ['compensate', balance('EXPIRED', 'none', { stock: 'releasing' }), nowMs],
    ['compensate', external('EXPIRED', 'none', { stock: 'releasing', late: { paymentId: 'p' } }), nowMs],
    ['reclaim', external('EXPIRED', 'none', { stock: 'released', late: { paymentId: 'p' } }), nowMs],
    ['compensate', balance('CANCELLED', 'captured', { stock: 'released' }), nowMs],
    ['rest', balance('EXPIRED', 'none', { stock: 'released' }), nowMs],
  ] as const)('is to %s', (step, order, atMs) => {
    expect(nextStep(order, atMs)).toBe(step);
  });
});

describe('what a status says', () => {
  it('is which orders have ended, and which own their units', () => {
    expect(orderStatuses.filter((status) => hasEnded({ status }))).toStrictEqual(['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED']);
    expect(orderStatuses.filter((status) => ownsUnits({ status }))).toStrictEqual(['RESERVED', 'CONFIRMED', 'FULFILLED', 'REFUNDING']);
  });

  it('is whether money is owed: what is set aside always, what is taken until it is handed over for, and what came late', () => {
    const states = ['none', 'authorised', 'captured', 'voided', 'declined', 'refunded'] as const;
    const owed = (status: Order['status']) => states.filter((state) => owesMoney(balance(status, state)));
    expect(owed('CONFIRMED')).toStrictEqual(['authorised', 'captured']);
    expect(owed('FULFILLED')).toStrictEqual(['authorised']);
    expect(owesMoney(balance('EXPIRED', 'none', { late: { paymentId: 'p' } }))).toBe(true);
  });

  it('is whether the order waits for its payment, its units, or nothing', () => {
    const waiting = (decide: (order: Order) => boolean, state: Order['payment']['state']) =>
      orderStatuses.filter((status) => decide(balance(status, state)));
    expect(waiting(awaitsItsPayment, 'none')).toStrictEqual(['PENDING', 'RESERVED']);
    expect(waiting(awaitsItsPayment, 'authorised')).toStrictEqual([]);
    expect(waiting(isPaidAndPending, 'authorised')).toStrictEqual(['PENDING']);
    expect(waiting(isPaidAndPending, 'none')).toStrictEqual([]);
    expect(waiting(awaitsUnits, 'none')).toStrictEqual(['PENDING']);
    expect(awaitsUnits(balance('EXPIRED', 'none', { late: { paymentId: 'p' } }))).toBe(true);
  });

  it('is not which units it names: one line with units is enough', () => {
    const lines = (...units: string[][]) => ({ items: units.map((each) => ({ sku: 'tee', quantity: 1, units: each, priceMinor: 1 })) });
    expect(hasUnits(lines([], ['1']))).toBe(true);
    expect(hasUnits(lines([], []))).toBe(false);
  });

  it('is not whose hold it is: one born before the order gave it up is over', () => {
    const order = balance('PENDING', 'authorised', { disownedBornUs: 5 });
    expect([4, 5, 6].map((bornUs) => isDisowned(order, { bornUs }))).toStrictEqual([true, true, false]);
    expect(isDisowned(anOrder(), { bornUs: 1 })).toBe(false);
  });

  it('is not what becomes of its units', () => {
    expect(retiresUnits(anOrder())).toBe(false);
    expect(retiresUnits(anOrder({ takenBack: { reason: 'x', units: 'free' } }))).toBe(false);
    expect(retiresUnits(anOrder({ takenBack: { reason: 'x', units: 'retire' } }))).toBe(true);
  });
});

describe('the first answer of an order', () => {
  it('is what it was, whatever has happened since', () => {
    const first = { items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], holdExpiresAtMs: 7 };
    const since: Partial<Order> = {
      version: 9,
      failure: 'OUT_OF_STOCK',
      tickets: [],
      takenBack: { reason: 'x', units: 'free' },
      late: { paymentId: 'p' },
      disownedBornUs: 4,
      stock: 'released',
      updatedAtMs: 99,
    };
    const { dueAtMs: _, ...placed } = anOrder({ payment: { method: 'external', state: 'none' } });
    expect(asPlaced(external('REFUNDED', 'refunded', since))).toStrictEqual(placed);
    expect(asPlaced(external('FAILED', 'voided', { ...since, strategy: 'charge-first', first }))).toStrictEqual({
      ...placed,
      ...first,
      strategy: 'charge-first',
      status: 'PENDING',
    });
  });
});

describe('what buyers see of an order', () => {
  it.each([
    ['AWAITING_PAYMENT', external('PENDING', 'none')],
    ['AWAITING_INVENTORY', external('PENDING', 'captured')],
    ['AWAITING_PAYMENT', external('RESERVED', 'none')],
    ['PROCESSING', balance('RESERVED', 'none')],
    ['PROCESSING', balance('CONFIRMED', 'captured')],
    ['COMPLETED', balance('FULFILLED', 'captured')],
    ['REFUND_IN_PROGRESS', balance('REFUNDING', 'captured')],
    ['EXPIRED', balance('EXPIRED', 'none')],
    ['CANCELLED', balance('CANCELLED', 'none')],
    ['REFUNDED', balance('REFUNDED', 'refunded')],
    ['FAILED_PAYMENT', balance('FAILED', 'declined', { failure: 'PAYMENT_DECLINED' })],
    ['FAILED_OUT_OF_STOCK', balance('FAILED', 'voided', { failure: 'OUT_OF_STOCK' })],
    ['FAILED', balance('FAILED', 'voided', { failure: 'BUYER_LIMIT' })],
  ] as const)('is %s', (shown, order) => {
    expect(displayStatusOf(order)).toBe(shown);
  });
});

describe('what an order’s events say', () => {
  const order = external('RESERVED', 'captured', {
    items: [
      { sku: 'tee', quantity: 2, units: ['1', '2'], priceMinor: 1 },
      { sku: 'cap', quantity: 1, units: ['3'], priceMinor: 1 },
    ],
    failure: 'OUT_OF_STOCK',
  });
  const money = { totalMinor: 2_500, currency: 'EUR' };
  const returned = { paymentId: 'p', amountMinor: 3, currency: 'USD' };

  it.each([
    ['OrderPlaced', { ...money, paymentMethod: 'external' }],
    ['StockReserved', { units: 3, paymentMethod: 'external' }],
    ['PaymentAuthorised', money],
    ['PaymentDeclined', money],
    ['PaymentCaptured', { ...money, paymentMethod: 'external' }],
    ['OrderConfirmed', { paymentState: 'captured' }],
    ['RefundRequested', { ...money, units: 'free' }],
    ['OrderCancelled', { units: 'free' }],
    ['PaymentRefunded', { ...money, paymentState: 'captured', outside: returned }],
    ['OrderFailed', { failure: 'OUT_OF_STOCK' }],
    ['StockRejected', { failure: 'OUT_OF_STOCK' }],
    ['StockReleased', { units: 3 }],
    ['OrderFulfilled', {}],
    ['OrderExpired', {}],
  ] as const)('is of %s what those need who listen to it', (name, data) => {
    expect(outboxRow({ next: order, events: [name], returned, before: order }).events).toStrictEqual([{ name, data }]);
  });

  it('is why an operator took it back, and what becomes of the units', () => {
    const takenBack = { reason: 'rain', units: 'retire' } as const;
    const of = (name: 'OrderCancelled' | 'RefundRequested') =>
      outboxRow({ next: { ...order, takenBack }, events: [name], before: order }).events[0]?.data;
    expect(of('OrderCancelled')).toStrictEqual(takenBack);
    expect(of('RefundRequested')).toStrictEqual({ ...money, ...takenBack });
    expect(outboxRow({ next: balance('REFUNDED', 'refunded'), events: ['PaymentRefunded'], before: order }).events[0]?.data).toStrictEqual({
      ...money,
      paymentState: 'refunded',
    });
  });

  it('is the same however often a row is published, and last of all that the order has changed', () => {
    const row = outboxRow({ next: order, events: ['OrderPlaced'] });
    const { orderId } = order;
    expect(row).toStrictEqual({
      subject: orderId,
      orderId,
      version: 1,
      saleId: 'sale',
      buyerId: 'ada',
      strategy: 'reserve-first',
      status: 'RESERVED',
      paymentState: 'captured',
      events: [{ name: 'OrderPlaced', data: { ...money, paymentMethod: 'external' } }],
      stock: [
        { sku: 'tee', held: 2, sold: 0, retired: 0 },
        { sku: 'cap', held: 1, sold: 0, retired: 0 },
      ],
      atMs: order.updatedAtMs,
    });
    const envelope = {
      orderId,
      saleId: 'sale',
      buyerId: 'ada',
      version: 1,
      strategy: 'reserve-first',
      occurredAt: '2001-09-09T01:46:40.000Z',
    };
    expect(eventsOf(row)).toStrictEqual([
      { name: 'OrderPlaced', detail: { ...envelope, eventId: `${orderId}#1#OrderPlaced`, data: row.events[0]?.data } },
      {
        name: 'OrderUpdated',
        detail: {
          ...envelope,
          eventId: `${orderId}#1#OrderUpdated`,
          data: { status: 'RESERVED', paymentState: 'captured', movesStock: true, stock: row.stock },
        },
      },
    ]);
    expect(eventsOf({ ...row, stock: [] }).at(-1)?.detail).toMatchObject({ data: { movesStock: false } });
  });
});

describe('what a transition does to the figures of a sale', () => {
  const line = (sku: string, ...units: string[]) => ({ sku, quantity: units.length, units, priceMinor: 1 });
  const lines = [line('tee', '1', '2'), line('cap'), line('tee', '3')];
  const of = (status: Order['status']) => anOrder({ status, items: lines });
  const moved = (held: number, sold: number, retired: number) => [{ sku: 'tee', held, sold, retired }];

  it('is what it does to the rows of units', () => {
    expect(unitsMoved({ next: of('RESERVED') })).toStrictEqual(moved(3, 0, 0));
    expect(unitsMoved({ next: of('PENDING') })).toStrictEqual([]);
    expect(unitsMoved({ before: of('PENDING'), next: of('RESERVED'), units: 'claim' })).toStrictEqual(moved(3, 0, 0));
    expect(unitsMoved({ before: of('PENDING'), next: of('CONFIRMED'), units: 'claim' })).toStrictEqual(moved(0, 3, 0));
    expect(unitsMoved({ before: of('RESERVED'), next: of('CONFIRMED'), units: 'sell' })).toStrictEqual(moved(-3, 3, 0));
    expect(unitsMoved({ before: of('RESERVED'), next: of('EXPIRED'), units: 'free' })).toStrictEqual(moved(-3, 0, 0));
    expect(unitsMoved({ before: of('REFUNDING'), next: of('REFUNDED'), units: 'free' })).toStrictEqual(moved(0, -3, 0));
    expect(unitsMoved({ before: of('REFUNDING'), next: of('REFUNDED'), units: 'retire' })).toStrictEqual(moved(0, -3, 3));
    expect(unitsMoved({ before: of('RESERVED'), next: of('CANCELLED'), units: 'retire' })).toStrictEqual(moved(-3, 0, 3));
    expect(unitsMoved({ before: of('RESERVED'), next: of('RESERVED') })).toStrictEqual([]);
  });
});
