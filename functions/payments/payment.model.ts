import type { OutsidePayment } from '../accounts/account.model.ts';
import type { Decision, Order, Transition } from '../orders/order.model.ts';
import { decline, receive, sendBack } from '../orders/order.transitions.model.ts';

/** What a provider says of one payment: whose it is meant to be, and what came of it. */
export interface Payment extends OutsidePayment {
  readonly orderId: string;
}

/**
 * What became of a payment when it arrived: it paid its order, came after the order's end and waits for units, or went back. What becomes of a late
 * one later is the order's and its ledger's to say; the row stays what it was.
 */
export type PaymentState = 'kept' | 'late' | 'returned';

/** The row of a payment that arrived: its key makes sure that each is taken once, however often it is told. */
export interface PaymentRow extends Payment {
  readonly state: PaymentState;
  /** The webhook that told of it first. */
  readonly webhookId: string;
  readonly atMs: number;
}

/**
 * Money has come for this order. Of its price and in its currency, it pays the order if the order still waits for it, or may yet buy units. All other
 * money goes back as it came: of another amount or currency, for an order that is paid already, is over, or is paid by balance.
 */
export function settle(order: Order, payment: Payment, nowMs: number): { state: PaymentState; transition: Transition } {
  const isItsPrice = payment.amountMinor === order.totalMinor && payment.currency === order.currency;
  const received = isItsPrice ? receive(order, payment.paymentId, nowMs) : undefined;
  if (received?.outcome === 'go') return { state: received.transition.next.late ? 'late' : 'kept', transition: received.transition };
  const { paymentId, amountMinor, currency } = payment;
  return { state: 'returned', transition: sendBack(order, { paymentId, amountMinor, currency }, nowMs) };
}

/** A payment has failed: the order that waits for it ends. One that is paid by balance does not wait for anything from outside. */
export const giveUp = (order: Order, nowMs: number): Decision<'not-awaiting-payment' | 'paid-elsewhere'> =>
  order.payment.method === 'external' ? decline(order, nowMs) : { outcome: 'stay', reason: 'paid-elsewhere' };
