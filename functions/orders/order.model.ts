import type { OrderMovement, OutsidePayment } from '../accounts/account.model.ts';
import type { Strategy } from '../sales/sale.model.ts';
import type { OrderEventName } from './order.events.ts';

export const orderStatuses = [
  'PENDING',
  'RESERVED',
  'CONFIRMED',
  'FULFILLED',
  'EXPIRED',
  'CANCELLED',
  'FAILED',
  'REFUNDING',
  'REFUNDED',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];
export const orderFailures = ['PAYMENT_DECLINED', 'OUT_OF_STOCK', 'BUYER_LIMIT', 'SALE_NOT_OPEN'] as const;
export type OrderFailure = (typeof orderFailures)[number];
export const paymentMethods = ['balance', 'external'] as const;
export type PaymentMethod = (typeof paymentMethods)[number];
export const paymentStates = ['none', 'authorised', 'captured', 'voided', 'declined', 'refunded'] as const;
export type PaymentState = (typeof paymentStates)[number];

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
  readonly units: readonly string[];
  readonly priceMinor: number;
  /** The units are seats. */
  readonly seated?: true;
  /** The seats that were asked for, of an order that has none yet. */
  readonly seats?: readonly string[];
}

export interface Ticket {
  readonly sku: string;
  readonly unit: string;
  readonly code: string;
}

/** Why an operator takes an order back, and what becomes of its units: for sale again, or out of the sale for good. */
export interface TakingBack {
  readonly reason: string;
  readonly units: 'free' | 'retire';
}

/** The order item in DynamoDB: the authority over status, money and units. */
export interface Order {
  readonly orderId: string;
  readonly holdId: string;
  readonly saleId: string;
  readonly buyerId: string;
  readonly strategy: Strategy;
  readonly status: OrderStatus;
  readonly failure?: OrderFailure;
  /** Counts transitions from 1. Every transition is conditional on it. */
  readonly version: number;
  readonly items: readonly OrderLine[];
  /** The buyer's allowance slots that the order uses. */
  readonly slots: readonly number[];
  readonly totalMinor: number;
  readonly currency: string;
  readonly payment: {
    readonly method: PaymentMethod;
    readonly state: PaymentState;
    /** The payment from outside that paid the order. */
    readonly paymentId?: string;
  };
  /** Money from outside that came after the order's end: it pays for units once more, or goes back. The next decision about the order is about it. */
  readonly late?: { readonly paymentId: string };
  /** The lines and the expiry of the first answer, once others have taken their place. */
  readonly first?: { readonly items: readonly OrderLine[]; readonly holdExpiresAtMs: number };
  /** Holds of the order that were born until then, in Redis microseconds, are over: none of them may become the order's any more. */
  readonly disownedBornUs?: number;
  readonly tickets?: readonly Ticket[];
  readonly takenBack?: TakingBack;
  /** What Redis still owes: `releasing` until it has answered that the ended order's hold is gone. */
  readonly stock: 'held' | 'releasing' | 'released';
  readonly payloadHash: string;
  /** The birth of the order's hold, in Redis microseconds. */
  readonly bornUs: number;
  readonly holdExpiresAtMs: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** When the sweeper looks at the order next; absent once nothing is owed. */
  readonly dueAtMs?: number;
}

/** What a transition does beside the order item itself; all of it commits in the same transaction, or none. */
export interface Transition {
  readonly next: Order;
  readonly events: readonly OrderEventName[];
  /** The ledger's movements that go with it, each of the order's total, or of what `returned` says. */
  readonly movements?: readonly OrderMovement[];
  /** The payment from outside that goes back, where it is not the one that paid the order. */
  readonly returned?: OutsidePayment;
  /**
   * `claim` puts the unit and allowance rows of an order that has got units after it was placed, `sell` turns its unit rows from HELD to SOLD, `free`
   * deletes them with the allowance rows, `retire` leaves both and turns the unit rows to RETIRED: only units that come back give the
   * buyer's allowance back.
   */
  readonly units?: 'claim' | 'sell' | 'free' | 'retire';
}

/** A rule's answer: the transition, or why there is none. */
export type Decision<Reason extends string = string> = { outcome: 'go'; transition: Transition } | { outcome: 'stay'; reason: Reason };

const stay = <Reason extends string>(reason: Reason): Decision<Reason> => ({ outcome: 'stay', reason });

/** How long the sweeper leaves an order to the events before it drives the order itself. */
export const eventsGraceMs = 20_000;
/** A hold is expired this long after its time at the earliest: Redis' clock may step at a failover. */
export const expiryGraceMs = 1_000;

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

/**
 * Ends of an order. `FULFILLED` rests too, but can still be taken back by an operator; and money that comes after `EXPIRED`, or after a decline, may
 * still buy units.
 */
export const hasEnded = (order: Pick<Order, 'status'>): boolean => ['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED'].includes(order.status);

/** Whether the status calls for the order's units to be the buyer's. */
export const ownsUnits = (order: Pick<Order, 'status'>): boolean => !hasEnded(order) && order.status !== 'PENDING';

/** Whether the order names units: its own, or those that it had until it ended. */
export const hasUnits = ({ items }: Pick<Order, 'items'>): boolean => items.some(({ units }) => units.length > 0);

/** Whether money that was taken or set aside is still to be settled. */
export const owesMoney = (order: Pick<Order, 'status' | 'payment' | 'late'>): boolean =>
  order.late !== undefined || order.payment.state === 'authorised' || (order.payment.state === 'captured' && order.status !== 'FULFILLED');

/** Whether nobody has paid yet, and the order ends if nobody does. */
export const awaitsItsPayment = ({ status, payment }: Pick<Order, 'status' | 'payment'>): boolean =>
  (status === 'RESERVED' || status === 'PENDING') && payment.state === 'none';

/**
 * When the sweeper should look at the order, or undefined when its status rests, its money is settled and its stock released. A moment
 * still to come stays unless it must be sooner: an order on its way to its end then moves in the due index twice, in and out.
 */
export function nextDueMs(
  order: Pick<Order, 'status' | 'payment' | 'late' | 'stock' | 'holdExpiresAtMs'>,
  nowMs: number,
  dueBeforeMs = Number.NEGATIVE_INFINITY,
): number | undefined {
  if (hasEnded(order) && order.stock === 'released' && !owesMoney(order)) return undefined;
  if (order.status === 'FULFILLED' && !owesMoney(order)) return undefined;
  const awaitsPayment = awaitsItsPayment(order);
  const expiresMs = order.holdExpiresAtMs + expiryGraceMs;
  if (awaitsPayment && order.payment.method === 'external') return expiresMs;
  const graceMs = awaitsPayment ? Math.min(expiresMs, nowMs + eventsGraceMs) : nowMs + eventsGraceMs;
  return dueBeforeMs > nowMs ? Math.min(dueBeforeMs, graceMs) : graceMs;
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

/** A transition as far as money from outside goes. */
export interface MovingMoney {
  readonly next: Order;
  readonly returned?: OutsidePayment | undefined;
}

/** The payment from outside whose money a transition moves: the one that goes back, the one that came late, or the one that paid. */
export function outsidePaymentOf({ next, returned }: MovingMoney): OutsidePayment | undefined {
  const paymentId = next.late?.paymentId ?? next.payment.paymentId;
  return returned ?? (paymentId === undefined ? undefined : { paymentId, amountMinor: next.totalMinor, currency: next.currency });
}

/** Whether a hold of the order may still become the order's own: nobody has decided about its units yet. */
export const awaitsUnits = (order: Pick<Order, 'status' | 'late'>): boolean => order.status === 'PENDING' || order.late !== undefined;

/**
 * The sweeper gives a hold of the order back whose time is up. Whoever is about to commit that hold loses by the version, and who comes later sees
 * that it is over. Ends nothing: the order may get units by another hold.
 */
export function disown(order: Order, bornUs: number, nowMs: number): Decision<'nothing-awaited'> {
  if (!awaitsUnits(order)) return stay('nothing-awaited');
  return step(order, nowMs, { disownedBornUs: Math.max(bornUs, order.disownedBornUs ?? 0) }, { events: [] });
}

/** Whether the sweeper has given this hold of the order back. */
export const isDisowned = ({ disownedBornUs = 0 }: Order, { bornUs }: Pick<Order, 'bornUs'>): boolean => bornUs <= disownedBornUs;

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

/** Whether the order's units are out of sale for good, or will be once it has ended. */
export const retiresUnits = (order: Pick<Order, 'takenBack'>): boolean => order.takenBack?.units === 'retire';

/**
 * Redis has answered that the ended order's hold is gone. Retired units went nowhere, so nobody is told that they are back; nor were there any of an
 * order that never got some.
 */
export function release(order: Order, nowMs: number): Decision<'nothing-owed'> {
  if (!hasEnded(order) || order.stock !== 'releasing') return stay('nothing-owed');
  return step(order, nowMs, { stock: 'released' }, { events: retiresUnits(order) || !hasUnits(order) ? [] : ['StockReleased'] });
}

export const stepNames = ['charge', 'allocate', 'confirm', 'fulfil', 'expire', 'compensate', 'reclaim'] as const;
export type StepName = (typeof stepNames)[number];

/** What the order needs next, or that it waits for somebody (`wait`) or nothing (`rest`). `nowMs` is Redis' time. */
export function nextStep(order: Order, nowMs: number): StepName | 'wait' | 'rest' {
  if (nextDueMs(order, nowMs) === undefined) return 'rest';
  switch (order.status) {
    case 'PENDING':
    case 'RESERVED':
      if (!awaitsItsPayment(order)) return order.status === 'PENDING' ? 'allocate' : 'confirm';
      if (nowMs >= order.holdExpiresAtMs + expiryGraceMs) return 'expire';
      return order.payment.method === 'balance' ? 'charge' : 'wait';
    case 'CONFIRMED':
      return order.payment.state === 'captured' ? 'fulfil' : 'charge';
    case 'FULFILLED':
      return 'wait';
    default:
      // First what the order had goes back, then late money is about units anew.
      return order.late !== undefined && order.stock === 'released' ? 'reclaim' : 'compensate';
  }
}

/** The order as it was first answered: what a replay of its key shows, whatever has happened since. */
export function asPlaced(order: Order): Order {
  const { failure: _f, tickets: _t, takenBack: _b, dueAtMs: _d, late: _l, disownedBornUs: _o, first, ...rest } = order;
  return {
    ...rest,
    ...first,
    status: order.strategy === 'charge-first' ? 'PENDING' : 'RESERVED',
    version: 1,
    payment: { method: order.payment.method, state: 'none' },
    stock: 'held',
    updatedAtMs: order.createdAtMs,
  };
}
