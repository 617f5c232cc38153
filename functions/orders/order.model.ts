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
  readonly payment: { readonly method: PaymentMethod; readonly state: PaymentState };
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
  /** The ledger movement that goes with it. Orders paid outside have none. */
  readonly movement?: 'authorise' | 'capture' | 'void' | 'refund';
  /**
   * `sell` turns the order's unit rows from HELD to SOLD, `free` deletes them with the allowance rows, `retire` leaves both and turns the unit
   * rows to RETIRED: only units that come back give the buyer's allowance back.
   */
  readonly units?: 'sell' | 'free' | 'retire';
}

/** A rule's answer: the transition, or why there is none. */
export type Decision<Reason extends string = string> = { outcome: 'go'; transition: Transition } | { outcome: 'stay'; reason: Reason };

const stay = <Reason extends string>(reason: Reason): Decision<Reason> => ({ outcome: 'stay', reason });

/** How long the sweeper leaves an order to the events before it drives the order itself. */
export const eventsGraceMs = 20_000;
/** A hold is expired this long after its time at the earliest: Redis' clock may step at a failover. */
export const expiryGraceMs = 1_000;

type Changes = Partial<Omit<Order, 'orderId' | 'holdId' | 'version' | 'dueAtMs'>>;

function step(order: Order, nowMs: number, changes: Changes, rest: Omit<Transition, 'next'>): Decision<never> {
  const { dueAtMs: dueBeforeMs, ...previous } = order;
  const next = { ...previous, ...changes, version: order.version + 1, updatedAtMs: nowMs };
  const dueAtMs = nextDueMs(next, nowMs, dueBeforeMs);
  return { outcome: 'go', transition: { next: dueAtMs === undefined ? next : { ...next, dueAtMs }, ...rest } };
}

/** Ends of an order. `FULFILLED` rests too, but can still be taken back by an operator. */
export const hasEnded = (order: Pick<Order, 'status'>): boolean => ['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED'].includes(order.status);

/** Whether the status calls for the order's units to be the buyer's. */
export const ownsUnits = (order: Pick<Order, 'status'>): boolean => !hasEnded(order) && order.status !== 'PENDING';

/** Whether money that was taken or set aside is still to be settled. */
export const owesMoney = (order: Pick<Order, 'status' | 'payment'>): boolean =>
  order.payment.state === 'authorised' || (order.payment.state === 'captured' && order.status !== 'FULFILLED');

/**
 * When the sweeper should look at the order, or undefined when its status rests, its money is settled and its stock released. A moment
 * still to come stays unless it must be sooner: an order on its way to its end then moves in the due index twice, in and out.
 */
export function nextDueMs(
  order: Pick<Order, 'status' | 'payment' | 'stock' | 'holdExpiresAtMs'>,
  nowMs: number,
  dueBeforeMs = Number.NEGATIVE_INFINITY,
): number | undefined {
  if (hasEnded(order) && order.stock === 'released' && !owesMoney(order)) return undefined;
  if (order.status === 'FULFILLED' && !owesMoney(order)) return undefined;
  const awaitsPayment = order.status === 'RESERVED' && order.payment.state === 'none';
  const expiresMs = order.holdExpiresAtMs + expiryGraceMs;
  if (awaitsPayment && order.payment.method === 'external') return expiresMs;
  const graceMs = awaitsPayment ? Math.min(expiresMs, nowMs + eventsGraceMs) : nowMs + eventsGraceMs;
  return dueBeforeMs > nowMs ? Math.min(dueBeforeMs, graceMs) : graceMs;
}

/** The whole amount is set aside in the buyer's account. */
export function authorise(order: Order, nowMs: number): Decision<'not-awaiting-payment' | 'paid-elsewhere'> {
  if (order.payment.method !== 'balance') return stay('paid-elsewhere');
  if (order.status !== 'RESERVED' || order.payment.state !== 'none') return stay('not-awaiting-payment');
  return step(
    order,
    nowMs,
    { payment: { ...order.payment, state: 'authorised' } },
    { events: ['PaymentAuthorised'], movement: 'authorise' },
  );
}

/** The buyer can't pay: the order ends and its units are free at once. */
export function decline(order: Order, nowMs: number): Decision<'not-awaiting-payment'> {
  if (order.status !== 'RESERVED' || order.payment.state !== 'none') return stay('not-awaiting-payment');
  return step(
    order,
    nowMs,
    { status: 'FAILED', failure: 'PAYMENT_DECLINED', payment: { ...order.payment, state: 'declined' }, stock: 'releasing' },
    { events: ['PaymentDeclined', 'OrderFailed'], units: 'free' },
  );
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
  return step(order, nowMs, { payment: { ...order.payment, state: 'captured' } }, { events: ['PaymentCaptured'], movement: 'capture' });
}

/** The tickets are issued. Needs captured money. */
export function fulfil(order: Order, tickets: readonly Ticket[], nowMs: number): Decision<'not-confirmed' | 'not-captured'> {
  if (order.status !== 'CONFIRMED') return stay('not-confirmed');
  if (order.payment.state !== 'captured') return stay('not-captured');
  return step(order, nowMs, { status: 'FULFILLED', tickets }, { events: ['OrderFulfilled'] });
}

/** Nobody paid in time. An authorised order does not expire: it goes on. `nowMs` is Redis' time. */
export function expire(order: Order, nowMs: number): Decision<'not-reserved' | 'paid' | 'not-yet'> {
  if (order.status !== 'RESERVED') return stay('not-reserved');
  if (order.payment.state !== 'none') return stay('paid');
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
    case 'RESERVED': {
      const authorised = order.payment.state === 'authorised';
      const payment = authorised ? { ...order.payment, state: 'voided' as const } : order.payment;
      return step(
        order,
        nowMs,
        { status: 'CANCELLED', payment, stock: 'releasing', ...taking },
        { events: ['OrderCancelled'], units: takenBack?.units ?? 'free', ...(authorised ? { movement: 'void' as const } : {}) },
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
    { events: ['PaymentRefunded'], units: order.takenBack?.units ?? 'free', movement: captured ? 'refund' : 'void' },
  );
}

/** Whether the order's units are out of sale for good, or will be once it has ended. */
export const retiresUnits = (order: Pick<Order, 'takenBack'>): boolean => order.takenBack?.units === 'retire';

/** Redis has answered that the ended order's hold is gone. Retired units went nowhere, so nobody is told that they are back. */
export function release(order: Order, nowMs: number): Decision<'nothing-owed'> {
  if (!hasEnded(order) || order.stock !== 'releasing') return stay('nothing-owed');
  return step(order, nowMs, { stock: 'released' }, { events: retiresUnits(order) ? [] : ['StockReleased'] });
}

export const stepNames = ['charge', 'confirm', 'fulfil', 'expire', 'compensate'] as const;
export type StepName = (typeof stepNames)[number];

/** What the order needs next, or that it waits for somebody (`wait`) or nothing (`rest`). `nowMs` is Redis' time. */
export function nextStep(order: Order, nowMs: number): StepName | 'wait' | 'rest' {
  if (nextDueMs(order, nowMs) === undefined) return 'rest';
  switch (order.status) {
    case 'RESERVED':
      if (order.payment.state === 'authorised') return 'confirm';
      if (nowMs >= order.holdExpiresAtMs + expiryGraceMs) return 'expire';
      return order.payment.method === 'balance' ? 'charge' : 'wait';
    case 'CONFIRMED':
      return order.payment.state === 'captured' ? 'fulfil' : 'charge';
    case 'PENDING':
    case 'FULFILLED':
      return 'wait';
    default:
      return 'compensate';
  }
}

/** The order as it was first answered: what a replay of its key shows, whatever has happened since. */
export function asPlaced(order: Order): Order {
  const { failure: _f, tickets: _t, takenBack: _b, dueAtMs: _d, ...rest } = order;
  return {
    ...rest,
    status: 'RESERVED',
    version: 1,
    payment: { ...order.payment, state: 'none' },
    stock: 'held',
    updatedAtMs: order.createdAtMs,
  };
}
