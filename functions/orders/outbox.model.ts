import * as z from 'zod';
import { rfc3339 } from '../shared/clock.ts';
import { OrderId } from '../shared/ids.ts';
import { AnyOrderEvent, type OrderEventName, orderEventNames } from './order.events.ts';
import type { Order, Transition } from './order.model.ts';

/** A transition as the outbox keeps it: what a dispatcher publishes, and the order's timeline. */
export const OutboxRow = z.object({
  orderId: OrderId,
  version: z.int().positive(),
  events: z.array(z.object({ name: z.enum(orderEventNames), detail: AnyOrderEvent })),
  status: z.string(),
  paymentState: z.string(),
  atMs: z.number(),
});
export type OutboxRow = z.infer<typeof OutboxRow>;

const unitCount = (order: Order) => order.items.reduce((sum, line) => sum + line.quantity, 0);

function dataOf(name: OrderEventName, order: Order): Record<string, unknown> {
  const money = { totalMinor: order.totalMinor, currency: order.currency };
  switch (name) {
    case 'OrderPlaced':
      return { ...money, paymentMethod: order.payment.method };
    case 'StockReserved':
      return { units: unitCount(order), paymentMethod: order.payment.method };
    case 'PaymentAuthorised':
    case 'PaymentDeclined':
    case 'PaymentCaptured':
    case 'RefundRequested':
      return money;
    case 'PaymentRefunded':
      return { ...money, paymentState: order.payment.state };
    case 'OrderFailed':
      return { failure: order.failure };
    case 'StockReleased':
      return { units: unitCount(order) };
    case 'OrderUpdated':
      return { status: order.status, paymentState: order.payment.state };
    default:
      return {};
  }
}

/** The row `orderId#version` that commits with the transition; its events are published from it, at least once. */
export function outboxRow({ next, events }: Pick<Transition, 'next' | 'events'>): OutboxRow {
  const envelope = {
    orderId: next.orderId,
    saleId: next.saleId,
    buyerId: next.buyerId,
    version: next.version,
    occurredAt: rfc3339(next.updatedAtMs),
    strategy: next.strategy,
  };
  return {
    orderId: next.orderId,
    version: next.version,
    events: events.map((name) => ({
      name,
      detail: { eventId: `${next.orderId}#${next.version}#${name}`, ...envelope, data: dataOf(name, next) },
    })),
    status: next.status,
    paymentState: next.payment.state,
    atMs: next.updatedAtMs,
  };
}
