import type { OutsidePayment } from '../accounts/account.model.ts';
import {
  awaitsItsPayment,
  awaitsUnits,
  type Decision,
  expiryGraceMs,
  hasEnded,
  hasUnits,
  isDisowned,
  nextDueMs,
  type Order,
  type OrderFailure,
  retiresUnits,
  type TakingBack,
  type Ticket,
  type Transition,
} from './order.model.ts';

// Every way an order may move: a rule looks at the order as it is and gives the transition, or says why there is none.

const stay = <Reason extends string>(reason: Reason): Decision<Reason> => ({ outcome: 'stay', reason });

type Changes = Partial<Omit<Order, 'orderId' | 'version' | 'dueAtMs'>>;

const step = (order: Order, nowMs: number, changes: Changes, rest: Omit<Transition, 'next'>): Decision<never> => ({
  outcome: 'go',
  transition: transitionOf(order, nowMs, changes, rest),
});

function transitionOf(order: Order, nowMs: number, changes: Changes, rest: Omit<Transition, 'next'>): Transition {
  const { dueAtMs: dueBeforeMs, ...previous } = order;
  const next = { ...previous, ...changes, version: order.version + 1, updatedAtMs: nowMs };
  const dueAtMs = nextDueMs(next, nowMs, dueBeforeMs);
  return { next: dueAtMs === undefined ? next : { ...next, dueAtMs }, ...rest };
}

/** The whole amount is set aside in the buyer's account. */
export function authorise(order: Order, nowMs: number): Decision<'not-awaiting-payment' | 'paid-elsewhere'> {
  if (order.payment.method !== 'balance') return stay('paid-elsewhere');
  if (!awaitsItsPayment(order)) return stay('not-awaiting-payment');
  return step(
    order,
    nowMs,
    { payment: { ...order.payment, state: 'authorised' } },
    { events: ['PaymentAuthorised'], movements: ['authorise'] },
  );
}

/**
 * A payment of the right amount from outside. A reserved order is confirmed with it; a pending one is to get its units now; after an expiry or a
 * decline the money stays in escrow until there are units for it again, or none. Anything else is not for this order: `paid-elsewhere` and
 * `not-awaiting-payment` send it back.
 */
export function receive(order: Order, paymentId: string, nowMs: number): Decision<'not-awaiting-payment' | 'paid-elsewhere'> {
  if (order.payment.method !== 'external') return stay('paid-elsewhere');
  const paid = { ...order.payment, state: 'captured' as const, paymentId };
  if (awaitsItsPayment(order)) {
    return order.status === 'PENDING'
      ? step(order, nowMs, { payment: paid }, { events: ['PaymentCaptured'], movements: ['receive', 'capture'] })
      : step(
          order,
          nowMs,
          { status: 'CONFIRMED', payment: paid },
          { events: ['PaymentCaptured', 'OrderConfirmed'], units: 'sell', movements: ['receive', 'capture'] },
        );
  }
  if (!mayBuyLate(order)) return stay('not-awaiting-payment');
  return step(order, nowMs, { late: { paymentId } }, { events: [], movements: ['receive'] });
}

/** Ends that money may still turn round: nobody paid in time, or the first payment failed. */
const mayBuyLate = (order: Order): boolean =>
  order.late === undefined && (order.status === 'EXPIRED' || (order.status === 'FAILED' && order.failure === 'PAYMENT_DECLINED'));

/** The buyer can't pay: the order ends and its units are free at once. */
export function decline(order: Order, nowMs: number): Decision<'not-awaiting-payment'> {
  if (!awaitsItsPayment(order)) return stay('not-awaiting-payment');
  return step(
    order,
    nowMs,
    { status: 'FAILED', failure: 'PAYMENT_DECLINED', payment: { ...order.payment, state: 'declined' }, stock: 'releasing' },
    { events: ['PaymentDeclined', 'OrderFailed'], units: 'free' },
  );
}

/** What an order gets of a hold: the units with their prices, the slots, and which hold it was. */
export interface Allocation extends Pick<Order, 'holdId' | 'bornUs' | 'holdExpiresAtMs' | 'items' | 'slots'> {}

/** The first answer as it was, before `items` and the expiry change. */
const firstOf = ({ first, items, holdExpiresAtMs }: Order): Pick<Order, 'first'> => ({ first: first ?? { items, holdExpiresAtMs } });

/** Units for an order that was charged first. One whose money is there already is confirmed with them. */
export function allocate(order: Order, allocation: Allocation, nowMs: number): Decision<'not-pending' | 'not-paid' | 'disowned'> {
  if (order.status !== 'PENDING') return stay('not-pending');
  if (awaitsItsPayment(order)) return stay('not-paid');
  if (isDisowned(order, allocation)) return stay('disowned');
  const isCaptured = order.payment.state === 'captured';
  return step(
    order,
    nowMs,
    { ...allocation, ...firstOf(order), status: isCaptured ? 'CONFIRMED' : 'RESERVED' },
    { events: ['StockReserved', ...(isCaptured ? ['OrderConfirmed' as const] : [])], units: 'claim' },
  );
}

/** There are no units for an order that was charged first: what was set aside returns with its end, what was taken goes back on the way to it. */
export function reject(order: Order, failure: OrderFailure, nowMs: number): Decision<'not-pending' | 'not-paid'> {
  if (order.status !== 'PENDING') return stay('not-pending');
  if (awaitsItsPayment(order)) return stay('not-paid');
  if (order.payment.state === 'captured') {
    return step(order, nowMs, { status: 'REFUNDING', failure }, { events: ['StockRejected', 'RefundRequested'] });
  }
  return step(
    order,
    nowMs,
    { status: 'FAILED', failure, payment: { ...order.payment, state: 'voided' }, stock: 'releasing' },
    { events: ['StockRejected', 'OrderFailed'], movements: ['void'] },
  );
}

/** Late money has found units again: the order is the buyer's after all. Its former hold must be gone before. */
export function reclaim(order: Order, allocation: Allocation, nowMs: number): Decision<'nothing-late' | 'not-released' | 'disowned'> {
  const { late, failure: _, ...previous } = order;
  if (!late) return stay('nothing-late');
  if (order.stock !== 'released') return stay('not-released');
  if (isDisowned(order, allocation)) return stay('disowned');
  const payment = { ...order.payment, state: 'captured' as const, paymentId: late.paymentId };
  return step(
    previous,
    nowMs,
    { ...allocation, ...firstOf(order), status: 'CONFIRMED', payment, stock: 'held' },
    { events: ['StockReserved', 'PaymentCaptured', 'OrderConfirmed'], units: 'claim', movements: ['capture'] },
  );
}

/** Late money has found no units: it goes back, and the order's end stays what it was. */
export function giveBackLate(order: Order, nowMs: number): Decision<'nothing-late'> {
  const { late, ...previous } = order;
  if (!late) return stay('nothing-late');
  const returned = { paymentId: late.paymentId, amountMinor: order.totalMinor, currency: order.currency };
  return step(previous, nowMs, {}, { events: ['PaymentRefunded'], movements: ['return'], returned });
}

/** A payment from outside that is not for this order, or not of its price: it goes back as it came, and the order stays what it is. */
export const sendBack = (order: Order, returned: OutsidePayment, nowMs: number): Transition =>
  transitionOf(order, nowMs, {}, { events: ['PaymentRefunded'], movements: ['receive', 'return'], returned });

/**
 * The sweeper gives a hold of the order back whose time is up. Whoever is about to commit that hold loses by the version, and who comes later sees
 * that it is over. Ends nothing: the order may get units by another hold.
 */
export function disown(order: Order, bornUs: number, nowMs: number): Decision<'nothing-awaited'> {
  if (!awaitsUnits(order)) return stay('nothing-awaited');
  return step(order, nowMs, { disownedBornUs: Math.max(bornUs, order.disownedBornUs ?? 0) }, { events: [] });
}

/** Paid: the units are the buyer's. */
export function confirm(order: Order, nowMs: number): Decision<'not-reserved' | 'not-paid'> {
  if (order.status !== 'RESERVED') return stay('not-reserved');
  if (order.payment.state !== 'authorised') return stay('not-paid');
  return step(order, nowMs, { status: 'CONFIRMED' }, { events: ['OrderConfirmed'], units: 'sell' });
}

/** What was set aside is taken. */
export function capture(order: Order, nowMs: number): Decision<'not-confirmed' | 'nothing-authorised'> {
  if (order.status !== 'CONFIRMED') return stay('not-confirmed');
  if (order.payment.state !== 'authorised') return stay('nothing-authorised');
  return step(order, nowMs, { payment: { ...order.payment, state: 'captured' } }, { events: ['PaymentCaptured'], movements: ['capture'] });
}

/** The tickets are issued. Needs captured money. */
export function fulfil(order: Order, tickets: readonly Ticket[], nowMs: number): Decision<'not-confirmed' | 'not-captured'> {
  if (order.status !== 'CONFIRMED') return stay('not-confirmed');
  if (order.payment.state !== 'captured') return stay('not-captured');
  return step(order, nowMs, { status: 'FULFILLED', tickets }, { events: ['OrderFulfilled'] });
}

/** Nobody paid in time. An authorised order does not expire: it goes on. `nowMs` is Redis' time. */
export function expire(order: Order, nowMs: number): Decision<'not-waiting' | 'paid' | 'not-yet'> {
  if (order.status !== 'RESERVED' && order.status !== 'PENDING') return stay('not-waiting');
  if (!awaitsItsPayment(order)) return stay('paid');
  if (nowMs < order.holdExpiresAtMs + expiryGraceMs) return stay('not-yet');
  return step(order, nowMs, { status: 'EXPIRED', stock: 'releasing' }, { events: ['OrderExpired'], units: 'free' });
}

/**
 * Before payment the order ends at once and what was set aside returns with it; a paid one goes back through `REFUNDING`. By an operator who
 * calls the sale off, `takenBack` says what becomes of the units; otherwise they are free.
 */
export function cancel(order: Order, nowMs: number, takenBack?: TakingBack): Decision<'already-cancelled' | 'not-cancellable'> {
  const taking = takenBack === undefined ? {} : { takenBack };
  switch (order.status) {
    case 'PENDING':
    case 'RESERVED': {
      if (order.payment.state === 'captured')
        return step(order, nowMs, { status: 'REFUNDING', ...taking }, { events: ['RefundRequested'] });
      const authorised = order.payment.state === 'authorised';
      const payment = authorised ? { ...order.payment, state: 'voided' as const } : order.payment;
      return step(
        order,
        nowMs,
        { status: 'CANCELLED', payment, stock: 'releasing', ...taking },
        { events: ['OrderCancelled'], units: takenBack?.units ?? 'free', ...(authorised ? { movements: ['void'] as const } : {}) },
      );
    }
    case 'CONFIRMED':
      return step(order, nowMs, { status: 'REFUNDING', ...taking }, { events: ['RefundRequested'] });
    case 'CANCELLED':
    case 'REFUNDING':
    case 'REFUNDED':
      return stay('already-cancelled');
    default:
      return stay('not-cancellable');
  }
}

/** What an operator's refund does with the units: those of a confirmed order are for sale again, handed-over ones only when asked for. */
export const refundTerms = (
  order: Pick<Order, 'status'>,
  { reason, returnUnits }: { reason: string; returnUnits: boolean },
): TakingBack => ({
  reason,
  units: order.status === 'FULFILLED' && !returnUnits ? 'retire' : 'free',
});

/** An operator takes a paid order back, handed over or not. From here on its tickets let nobody in; money and units follow. */
export function requestRefund(order: Order, takenBack: TakingBack, nowMs: number): Decision<'not-refundable'> {
  if (order.status !== 'CONFIRMED' && order.status !== 'FULFILLED') return stay('not-refundable');
  return step(order, nowMs, { status: 'REFUNDING', takenBack }, { events: ['RefundRequested'] });
}

/** The order's sale was called off: whatever lives ends, paid or not. One that has ended, or is on its way back, stays as it is. */
export const takeBack = (order: Order, takenBack: TakingBack, nowMs: number): Decision =>
  order.status === 'FULFILLED' ? requestRefund(order, takenBack, nowMs) : cancel(order, nowMs, takenBack);

/** Money back, and units free or retired, in one transaction. */
export function refund(order: Order, nowMs: number): Decision<'not-refunding'> {
  if (order.status !== 'REFUNDING') return stay('not-refunding');
  const captured = order.payment.state === 'captured';
  return step(
    order,
    nowMs,
    { status: 'REFUNDED', payment: { ...order.payment, state: captured ? 'refunded' : 'voided' }, stock: 'releasing' },
    { events: ['PaymentRefunded'], units: order.takenBack?.units ?? 'free', movements: [captured ? 'refund' : 'void'] },
  );
}

/**
 * Redis has answered that the ended order's hold is gone. Retired units went nowhere, so nobody is told that they are back; nor were there any of an
 * order that never got some.
 */
export function release(order: Order, nowMs: number): Decision<'nothing-owed'> {
  if (!hasEnded(order) || order.stock !== 'releasing') return stay('nothing-owed');
  return step(order, nowMs, { stock: 'released' }, { events: retiresUnits(order) || !hasUnits(order) ? [] : ['StockReleased'] });
}
