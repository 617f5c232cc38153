import type { AuditBody, OrderBody } from '../../../lib/client/contract.ts';
import type { Evidence, Purchase } from '../../../lib/client/verdict.ts';

export const sku = 'tee';

export function anOrder(number: number, units: readonly string[], changes: Partial<OrderBody> = {}): OrderBody {
  return {
    orderId: `ord_${number}`,
    saleId: 'sale',
    buyerId: `buyer-${number}`,
    status: 'FULFILLED',
    displayStatus: 'COMPLETED',
    version: 5,
    items: [{ sku, quantity: units.length, units, priceMinor: 100 }],
    totalMinor: 100 * units.length,
    currency: 'EUR',
    payment: { method: 'balance', state: 'captured' },
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:01.000Z',
    ...changes,
  };
}

export const aWinner = (order: OrderBody): Purchase => ({ buyerId: order.buyerId, outcome: 'ORDERED', status: 201, attempts: 1, order });
export const aRefusal = (number: number, changes: Partial<Purchase> = {}): Purchase => ({
  buyerId: `buyer-${number}`,
  outcome: 'SOLD_OUT',
  status: 409,
  attempts: 1,
  ...changes,
});

export function anAudit(sold: number, total: number): AuditBody {
  return {
    items: [{ sku, total, available: total - sold, held: 0, sold, retired: 0, conserved: true }],
    money: { authorisedMinor: 0, capturedMinor: sold * 100, fulfilledMinor: sold * 100, refundedMinor: 0, balanced: true },
    redis: { agrees: true, drift: [] },
    asOf: '2026-01-01T00:00:02.000Z',
  };
}

/** Two buyers took the four units there were, two by two, and a third was refused. */
export function aCleanSale(): Evidence {
  const orders = [anOrder(1, ['1', '2']), anOrder(2, ['3', '4'])];
  return { sku, units: 4, quantity: 2, priceMinor: 100, purchases: [...orders.map(aWinner), aRefusal(3)], orders, audit: anAudit(4, 4) };
}
