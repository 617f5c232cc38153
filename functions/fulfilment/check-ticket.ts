import type { Order, OrderStatus } from '../orders/order.model.ts';
import { provenUnit, readTicketCode } from './ticket.model.ts';

export interface CheckTicketPorts {
  readonly orders: { get(orderId: string): Promise<Order | undefined> };
  /** Newest first. */
  readonly ticketSecrets: () => Promise<readonly string[]>;
}

export type CheckTicketOutcome = { outcome: 'known'; valid: boolean; saleId: string; sku: string; unit: string } | { outcome: 'unknown' };

/** Refunded or about to be: the code was good once, and lets nobody in. */
const isTakenBack = (status: OrderStatus): boolean => status === 'REFUNDING' || status === 'REFUNDED';

/** Says whether a code lets its bearer in. A forged code, and one of an order that was never fulfilled, is unknown. */
export async function checkTicket(code: string, { orders, ticketSecrets }: CheckTicketPorts): Promise<CheckTicketOutcome> {
  const claim = readTicketCode(code);
  if (!claim) return { outcome: 'unknown' };
  const order = await orders.get(claim.orderId);
  const unit = order && provenUnit(claim, order, await ticketSecrets());
  if (!unit) return { outcome: 'unknown' };
  const valid = order.status === 'FULFILLED';
  return valid || isTakenBack(order.status) ? { outcome: 'known', valid, saleId: order.saleId, ...unit } : { outcome: 'unknown' };
}
