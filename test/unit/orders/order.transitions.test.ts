import { describe, expect, it } from 'vitest';
import { type Decision, type Order, outsidePaymentOf, type Transition } from '../../../functions/orders/order.model.ts';
import * as rules from '../../../functions/orders/order.transitions.model.ts';
import { anOrder } from '../../support/orders.ts';

const nowMs = 1_000_000_001_000;
const graceMs = 20_000;
const expiryMs = anOrder().holdExpiresAtMs + 1_000;
const balance = (state: Order['payment']['state'], changes: Partial<Order> = {}): Order =>
  anOrder({ payment: { method: 'balance', state }, ...changes });
const external = (state: Order['payment']['state'], changes: Partial<Order> = {}): Order =>
  anOrder({ payment: { method: 'external', state }, ...changes });
const without = { items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] };
const taking = (units: 'free' | 'retire') => ({ reason: 'a test', units });
const allocation = {
  holdId: 'later',
  bornUs: anOrder().bornUs + 5,
  holdExpiresAtMs: anOrder().holdExpiresAtMs + 9,
  items: [{ sku: 'tee', quantity: 1, units: ['7'], priceMinor: 2_500 }],
  slots: [2],
};
const first = ({ items, holdExpiresAtMs }: Order) => ({ items, holdExpiresAtMs });

type Row = readonly [
  name: string,
  order: Order,
  decide: (order: Order) => Decision,
  wanted: Partial<Order>,
  rest: Omit<Transition, 'next'>,
];

/** A transition as a whole: what changes of the order, and all that commits with it. What is not named stays as it was. */
const moves: readonly Row[] = [
  [
    'authorise sets the amount aside',
    balance('none'),
    (order) => rules.authorise(order, nowMs),
    { payment: { method: 'balance', state: 'authorised' } },
    { events: ['PaymentAuthorised'], movements: ['authorise'] },
  ],
  [
    'receive confirms a reserved order',
    external('none'),
    (order) => rules.receive(order, 'pay', nowMs),
    { status: 'CONFIRMED', payment: { method: 'external', state: 'captured', paymentId: 'pay' } },
    { events: ['PaymentCaptured', 'OrderConfirmed'], units: 'sell', movements: ['receive', 'capture'] },
  ],
  [
    'receive leaves a pending one to get its units',
    external('none', { status: 'PENDING', ...without }),
    (order) => rules.receive(order, 'pay', nowMs),
    { payment: { method: 'external', state: 'captured', paymentId: 'pay' } },
    { events: ['PaymentCaptured'], movements: ['receive', 'capture'] },
  ],
  [
    'receive keeps what comes after an expiry',
    external('none', { status: 'EXPIRED', stock: 'released' }),
    (order) => rules.receive(order, 'pay', nowMs),
    { late: { paymentId: 'pay' } },
    { events: [], movements: ['receive'] },
  ],
  [
    'receive keeps what comes after a decline',
    external('declined', { status: 'FAILED', failure: 'PAYMENT_DECLINED', stock: 'released' }),
    (order) => rules.receive(order, 'pay', nowMs),
    { late: { paymentId: 'pay' } },
    { events: [], movements: ['receive'] },
  ],
  [
    'decline ends the order',
    balance('none'),
    (order) => rules.decline(order, nowMs),
    { status: 'FAILED', failure: 'PAYMENT_DECLINED', payment: { method: 'balance', state: 'declined' }, stock: 'releasing' },
    { events: ['PaymentDeclined', 'OrderFailed'], units: 'free' },
  ],
  [
    'allocate reserves units for money that is set aside',
    balance('authorised', { status: 'PENDING', ...without }),
    (order) => rules.allocate(order, allocation, nowMs),
    { ...allocation, status: 'RESERVED', first: first(anOrder(without)) },
    { events: ['StockReserved'], units: 'claim' },
  ],
  [
    'allocate confirms with money that is there',
    external('captured', { status: 'PENDING', ...without, first: first(anOrder({ holdExpiresAtMs: 1 })) }),
    (order) => rules.allocate(order, allocation, nowMs),
    { ...allocation, status: 'CONFIRMED', first: first(anOrder({ holdExpiresAtMs: 1 })) },
    { events: ['StockReserved', 'OrderConfirmed'], units: 'claim' },
  ],
  [
    'reject gives back what is set aside',
    balance('authorised', { status: 'PENDING', ...without }),
    (order) => rules.reject(order, 'OUT_OF_STOCK', nowMs),
    { status: 'FAILED', failure: 'OUT_OF_STOCK', payment: { method: 'balance', state: 'voided' }, stock: 'releasing' },
    { events: ['StockRejected', 'OrderFailed'], movements: ['void'] },
  ],
  [
    'reject sends captured money on its way back',
    external('captured', { status: 'PENDING', ...without }),
    (order) => rules.reject(order, 'BUYER_LIMIT', nowMs),
    { status: 'REFUNDING', failure: 'BUYER_LIMIT' },
    { events: ['StockRejected', 'RefundRequested'] },
  ],
  [
    'disown gives a hold up, and none that is younger than those given up before',
    balance('authorised', { status: 'PENDING', ...without, disownedBornUs: 7 }),
    (order) => rules.disown(order, 6, nowMs),
    { disownedBornUs: 7 },
    { events: [] },
  ],
  [
    'confirm sells what is paid',
    balance('authorised'),
    (order) => rules.confirm(order, nowMs),
    { status: 'CONFIRMED' },
    { events: ['OrderConfirmed'], units: 'sell' },
  ],
  [
    'capture takes what is set aside',
    balance('authorised', { status: 'CONFIRMED' }),
    (order) => rules.capture(order, nowMs),
    { payment: { method: 'balance', state: 'captured' } },
    { events: ['PaymentCaptured'], movements: ['capture'] },
  ],
  [
    'fulfil hands over',
    balance('captured', { status: 'CONFIRMED' }),
    (order) => rules.fulfil(order, [{ sku: 'tee', unit: '1', code: 'c' }], nowMs),
    { status: 'FULFILLED', tickets: [{ sku: 'tee', unit: '1', code: 'c' }] },
    { events: ['OrderFulfilled'] },
  ],
  [
    'expire ends what nobody paid',
    balance('none'),
    (order) => rules.expire(order, expiryMs),
    { status: 'EXPIRED', stock: 'releasing', updatedAtMs: expiryMs },
    { events: ['OrderExpired'], units: 'free' },
  ],
  [
    'cancel frees the units of an order that is not paid',
    balance('none'),
    (order) => rules.cancel(order, nowMs),
    { status: 'CANCELLED', stock: 'releasing' },
    { events: ['OrderCancelled'], units: 'free' },
  ],
  [
    'cancel gives back what is set aside, and retires units where that is meant',
    balance('authorised'),
    (order) => rules.cancel(order, nowMs, taking('retire')),
    { status: 'CANCELLED', stock: 'releasing', payment: { method: 'balance', state: 'voided' }, takenBack: taking('retire') },
    { events: ['OrderCancelled'], units: 'retire', movements: ['void'] },
  ],
  [
    'cancel sends a paid order back',
    balance('captured', { status: 'CONFIRMED' }),
    (order) => rules.cancel(order, nowMs),
    { status: 'REFUNDING' },
    { events: ['RefundRequested'] },
  ],
  [
    'cancel sends a paid order back that waits for units',
    external('captured', { status: 'PENDING', ...without }),
    (order) => rules.cancel(order, nowMs, taking('free')),
    { status: 'REFUNDING', takenBack: taking('free') },
    { events: ['RefundRequested'] },
  ],
  [
    'taking back a confirmed order says what becomes of its units',
    balance('captured', { status: 'CONFIRMED' }),
    (order) => rules.takeBack(order, taking('retire'), nowMs),
    { status: 'REFUNDING', takenBack: taking('retire') },
    { events: ['RefundRequested'] },
  ],
  [
    'taking back what was handed over is a refund',
    balance('captured', { status: 'FULFILLED' }),
    (order) => rules.takeBack(order, taking('retire'), nowMs),
    { status: 'REFUNDING', takenBack: taking('retire') },
    { events: ['RefundRequested'] },
  ],
  [
    'refund returns captured money and frees the units',
    balance('captured', { status: 'REFUNDING' }),
    (order) => rules.refund(order, nowMs),
    { status: 'REFUNDED', stock: 'releasing', payment: { method: 'balance', state: 'refunded' } },
    { events: ['PaymentRefunded'], units: 'free', movements: ['refund'] },
  ],
  [
    'refund voids what was only set aside, and retires the units where that was said',
    balance('authorised', { status: 'REFUNDING', takenBack: taking('retire') }),
    (order) => rules.refund(order, nowMs),
    { status: 'REFUNDED', stock: 'releasing', payment: { method: 'balance', state: 'voided' } },
    { events: ['PaymentRefunded'], units: 'retire', movements: ['void'] },
  ],
  [
    'release tells that units are back',
    balance('none', { status: 'EXPIRED', stock: 'releasing' }),
    (order) => rules.release(order, nowMs),
    { stock: 'released' },
    { events: ['StockReleased'] },
  ],
  [
    'release of retired units tells nobody',
    balance('refunded', { status: 'REFUNDED', stock: 'releasing', takenBack: taking('retire') }),
    (order) => rules.release(order, nowMs),
    { stock: 'released' },
    { events: [] },
  ],
  [
    'release of an order without units tells nobody',
    balance('voided', { status: 'FAILED', stock: 'releasing', ...without }),
    (order) => rules.release(order, nowMs),
    { stock: 'released' },
    { events: [] },
  ],
];

const stays: readonly (readonly [name: string, reason: string, decision: Decision])[] = [
  ['authorise', 'paid-elsewhere', rules.authorise(external('none'), nowMs)],
  ['authorise', 'not-awaiting-payment', rules.authorise(balance('authorised'), nowMs)],
  ['authorise', 'not-awaiting-payment', rules.authorise(balance('none', { status: 'CANCELLED' }), nowMs)],
  ['receive', 'paid-elsewhere', rules.receive(balance('none'), 'pay', nowMs)],
  ['receive', 'not-awaiting-payment', rules.receive(external('captured'), 'pay', nowMs)],
  ['receive', 'not-awaiting-payment', rules.receive(external('none', { status: 'CANCELLED' }), 'pay', nowMs)],
  ['receive', 'not-awaiting-payment', rules.receive(external('none', { status: 'EXPIRED', late: { paymentId: 'p' } }), 'pay', nowMs)],
  ['receive', 'not-awaiting-payment', rules.receive(external('voided', { status: 'FAILED', failure: 'OUT_OF_STOCK' }), 'pay', nowMs)],
  ['decline', 'not-awaiting-payment', rules.decline(balance('authorised'), nowMs)],
  ['allocate', 'not-pending', rules.allocate(balance('authorised'), allocation, nowMs)],
  ['allocate', 'not-paid', rules.allocate(balance('none', { status: 'PENDING' }), allocation, nowMs)],
  [
    'allocate',
    'disowned',
    rules.allocate(balance('authorised', { status: 'PENDING', disownedBornUs: allocation.bornUs }), allocation, nowMs),
  ],
  ['reject', 'not-pending', rules.reject(balance('authorised'), 'OUT_OF_STOCK', nowMs)],
  ['reject', 'not-paid', rules.reject(balance('none', { status: 'PENDING' }), 'OUT_OF_STOCK', nowMs)],
  ['reclaim', 'nothing-late', rules.reclaim(external('none', { status: 'EXPIRED', stock: 'released' }), allocation, nowMs)],
  [
    'reclaim',
    'not-released',
    rules.reclaim(external('none', { status: 'EXPIRED', stock: 'releasing', late: { paymentId: 'p' } }), allocation, nowMs),
  ],
  [
    'reclaim',
    'disowned',
    rules.reclaim(
      external('none', { status: 'EXPIRED', stock: 'released', late: { paymentId: 'p' }, disownedBornUs: allocation.bornUs + 1 }),
      allocation,
      nowMs,
    ),
  ],
  ['giveBackLate', 'nothing-late', rules.giveBackLate(external('none', { status: 'EXPIRED' }), nowMs)],
  ['disown', 'nothing-awaited', rules.disown(balance('none'), 1, nowMs)],
  ['confirm', 'not-reserved', rules.confirm(balance('authorised', { status: 'CONFIRMED' }), nowMs)],
  ['confirm', 'not-paid', rules.confirm(balance('none'), nowMs)],
  ['capture', 'not-confirmed', rules.capture(balance('authorised'), nowMs)],
  ['capture', 'nothing-authorised', rules.capture(balance('captured', { status: 'CONFIRMED' }), nowMs)],
  ['fulfil', 'not-confirmed', rules.fulfil(balance('captured'), [], nowMs)],
  ['fulfil', 'not-captured', rules.fulfil(balance('authorised', { status: 'CONFIRMED' }), [], nowMs)],
  ['expire', 'not-waiting', rules.expire(balance('none', { status: 'CONFIRMED' }), expiryMs)],
  ['expire', 'paid', rules.expire(balance('authorised'), expiryMs)],
  ['expire', 'not-yet', rules.expire(balance('none'), expiryMs - 1)],
  ...(['CANCELLED', 'REFUNDING', 'REFUNDED'] as const).map(
    (status) => ['cancel', 'already-cancelled', rules.cancel(balance('none', { status }), nowMs)] as const,
  ),
  ...(['FULFILLED', 'EXPIRED', 'FAILED'] as const).map(
    (status) => ['cancel', 'not-cancellable', rules.cancel(balance('none', { status }), nowMs)] as const,
  ),
  ['requestRefund', 'not-refundable', rules.requestRefund(balance('authorised'), taking('free'), nowMs)],
  ['refund', 'not-refunding', rules.refund(balance('captured', { status: 'CONFIRMED' }), nowMs)],
  ['release', 'nothing-owed', rules.release(balance('none', { stock: 'releasing' }), nowMs)],
  ['release', 'nothing-owed', rules.release(balance('none', { status: 'EXPIRED', stock: 'released' }), nowMs)],
];

const { dueAtMs: _due, ...undue } = anOrder();
const dueOf = ({ dueAtMs }: Order) => dueAtMs;

describe('a transition', () => {
  it.each(moves)('%s, and changes nothing else', (_, order, decide, changes, rest) => {
    const decision = decide(order);
    if (decision.outcome !== 'go') throw new Error(decision.reason);
    const { next, ...beside } = decision.transition;
    const { dueAtMs: _b, ...before } = order;
    const { dueAtMs: _n, ...after } = next;
    expect(after).toStrictEqual({ ...before, version: order.version + 1, updatedAtMs: nowMs, ...changes });
    expect(beside).toStrictEqual(rest);
  });

  it.each(stays)('%s says %s', (_, reason, decision) => {
    expect(decision).toStrictEqual({ outcome: 'stay', reason });
  });

  it('makes an order whose late money bought units the buyer’s, without its former failure', () => {
    const order = external('declined', { status: 'FAILED', failure: 'PAYMENT_DECLINED', stock: 'released', late: { paymentId: 'pay' } });
    const decision = rules.reclaim(order, allocation, nowMs);
    if (decision.outcome !== 'go') throw new Error(decision.reason);
    const { next, ...beside } = decision.transition;
    const { failure: _f, late: _l, dueAtMs: _d, ...before } = order;
    expect({ ...next, dueAtMs: undefined }).toStrictEqual({
      ...before,
      ...allocation,
      version: 2,
      updatedAtMs: nowMs,
      first: first(order),
      status: 'CONFIRMED',
      payment: { method: 'external', state: 'captured', paymentId: 'pay' },
      stock: 'held',
      dueAtMs: undefined,
    });
    expect(beside).toStrictEqual({
      events: ['StockReserved', 'PaymentCaptured', 'OrderConfirmed'],
      units: 'claim',
      movements: ['capture'],
    });
  });

  it('gives late money back to where it came from, and leaves the end as it was', () => {
    const order = external('none', { status: 'EXPIRED', stock: 'released', late: { paymentId: 'pay' } });
    const decision = rules.giveBackLate(order, nowMs);
    if (decision.outcome !== 'go') throw new Error(decision.reason);
    const { late: _l, dueAtMs: _d, ...before } = order;
    const returned = { paymentId: 'pay', amountMinor: 2_500, currency: 'EUR' };
    expect(decision.transition).toStrictEqual({
      next: { ...before, version: 2, updatedAtMs: nowMs },
      events: ['PaymentRefunded'],
      movements: ['return'],
      returned,
    });
    expect(outsidePaymentOf(decision.transition)).toStrictEqual(returned);
  });

  it('sends back a payment that is not for the order, which stays what it is', () => {
    const returned = { paymentId: 'stray', amountMinor: 7, currency: 'USD' };
    const { next, ...rest } = rules.sendBack(external('none'), returned, nowMs);
    expect(next).toMatchObject({ status: 'RESERVED', version: 2, payment: { state: 'none' } });
    expect(rest).toStrictEqual({ events: ['PaymentRefunded'], movements: ['receive', 'return'], returned });
    expect(outsidePaymentOf({ next, returned })).toStrictEqual(returned);
    expect(outsidePaymentOf({ next: external('none', { late: { paymentId: 'late' } }) })).toMatchObject({
      paymentId: 'late',
      amountMinor: 2_500,
    });
    expect(outsidePaymentOf({ next })).toBeUndefined();
  });

  it('retires what was handed over unless its units are to come back', () => {
    const terms = (status: Order['status'], returnUnits: boolean) => rules.refundTerms({ status }, { reason: 'why', returnUnits });
    expect(terms('FULFILLED', false)).toStrictEqual({ reason: 'why', units: 'retire' });
    expect(terms('FULFILLED', true)).toStrictEqual({ reason: 'why', units: 'free' });
    expect(terms('CONFIRMED', false)).toStrictEqual({ reason: 'why', units: 'free' });
  });
});

describe('the moment at which the sweeper looks', () => {
  const due = (decision: Decision) => (decision.outcome === 'go' ? dueOf(decision.transition.next) : Number.NaN);

  it('is some seconds after a transition, and no later than it was before', () => {
    expect(due(rules.authorise({ ...balance('none'), dueAtMs: nowMs + 5 }, nowMs))).toBe(nowMs + 5);
    expect(due(rules.authorise({ ...balance('none'), dueAtMs: nowMs + 2 * graceMs }, nowMs))).toBe(nowMs + graceMs);
    expect(due(rules.authorise({ ...balance('none'), dueAtMs: nowMs }, nowMs))).toBe(nowMs + graceMs);
    expect(due(rules.authorise({ ...undue, payment: { method: 'balance', state: 'none' } }, nowMs))).toBe(nowMs + graceMs);
  });

  it('never comes once the status rests, the money is settled and the stock is released', () => {
    const ended = balance('none', { status: 'EXPIRED', stock: 'releasing' });
    const released = rules.release(ended, nowMs);
    expect(released.outcome === 'go' && 'dueAtMs' in released.transition.next).toBe(false);
    expect(due(rules.fulfil(balance('captured', { status: 'CONFIRMED' }), [], nowMs))).toBeUndefined();
    expect(due(rules.release({ ...ended, late: { paymentId: 'p' } }, nowMs))).toBeDefined();
  });
});
