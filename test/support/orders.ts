import { randomBytes } from 'node:crypto';
import type { Order } from '../../functions/orders/order.model.ts';
import type { PlaceOutcome } from '../../functions/orders/place.ts';
import { orderIdOf } from '../../functions/shared/ids.ts';

export const freshHoldId = (): string => randomBytes(16).toString('base64url');

/** A reserved order of one unit, as a claim writes it. */
export function anOrder(changes: Partial<Order> = {}): Order {
  const holdId = changes.holdId ?? 'AAAAAAAAAAAAAAAAAAAAAA';
  return {
    orderId: orderIdOf(holdId),
    holdId,
    saleId: 'sale',
    buyerId: 'ada',
    strategy: 'reserve-first',
    status: 'RESERVED',
    version: 1,
    items: [{ sku: 'tee', quantity: 1, units: ['1'], priceMinor: 2_500 }],
    slots: [1],
    totalMinor: 2_500,
    currency: 'EUR',
    payment: { method: 'balance', state: 'none' },
    stock: 'held',
    payloadHash: 'payload',
    bornUs: 1_000_000_000_000_000,
    holdExpiresAtMs: 1_000_000_300_000,
    createdAtMs: 1_000_000_000_000,
    updatedAtMs: 1_000_000_000_000,
    dueAtMs: 1_000_000_020_000,
    ...changes,
  };
}

/** The order that was placed, or replayed. Throws when there is none. */
export function orderOf(placed: PlaceOutcome): Order {
  if (!('order' in placed)) throw new Error(`no order: ${JSON.stringify(placed)}`);
  return placed.order;
}
