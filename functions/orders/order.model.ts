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
  /** Over how many shards the sale's stock is spread, if over several: with its buyer it says where the order's hold is. */
  readonly shards?: number;
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

/** How long the sweeper leaves an order to the events before it drives the order itself. */
export const eventsGraceMs = 20_000;
/** A hold is expired this long after its time at the earliest: Redis' clock may step at a failover. */
export const expiryGraceMs = 1_000;

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

/** Whether the order is charged and waits for nothing but its units. */
export const isPaidAndPending = (order: Pick<Order, 'status' | 'payment'>): boolean =>
  order.status === 'PENDING' && !awaitsItsPayment(order);

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

/** Whether the sweeper has given this hold of the order back. */
export const isDisowned = ({ disownedBornUs = 0 }: Order, { bornUs }: Pick<Order, 'bornUs'>): boolean => bornUs <= disownedBornUs;

/** Whether the order's units are out of sale for good, or will be once it has ended. */
export const retiresUnits = (order: Pick<Order, 'takenBack'>): boolean => order.takenBack?.units === 'retire';

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
