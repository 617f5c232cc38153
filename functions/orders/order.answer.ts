import type * as z from 'zod';
import { rfc3339 } from '../shared/clock.ts';
import { displayStatusOf } from './display-status.model.ts';
import type { Order } from './order.model.ts';
import type { OrderAnswer } from './order.schemas.ts';

/** The order as the HTTP contract shows it. */
export function orderAnswer(order: Order): z.input<typeof OrderAnswer> {
  const awaitsPayment = order.status === 'RESERVED' || order.status === 'PENDING';
  return {
    orderId: order.orderId,
    saleId: order.saleId,
    buyerId: order.buyerId,
    status: order.status,
    displayStatus: displayStatusOf(order),
    ...(order.failure === undefined ? {} : { failure: order.failure }),
    version: order.version,
    items: order.items.map(({ sku, quantity, units, priceMinor }) => ({ sku, quantity, units: [...units], priceMinor })),
    totalMinor: order.totalMinor,
    currency: order.currency,
    ...(awaitsPayment ? { holdExpiresAt: rfc3339(order.holdExpiresAtMs) } : {}),
    payment: { method: order.payment.method, state: order.payment.state },
    ...(order.tickets === undefined ? {} : { tickets: order.tickets.map(({ sku, unit, code }) => ({ sku, unit, code })) }),
    createdAt: rfc3339(order.createdAtMs),
    updatedAt: rfc3339(order.updatedAtMs),
  };
}
