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

/** Two buyers took the four seats there were, one of them at the second try, and a third found them taken. */
export function aCleanSeatedSale(): Evidence {
  const orders = [anOrder(1, ['A-1', 'A-2']), anOrder(2, ['A-4', 'A-3'])];
  const wish = (asked: readonly string[], refused: readonly string[] = []) => ({ seats: { asked, refused, gaveUp: false } });
  const [first, second] = orders.map(aWinner);
  if (!first || !second) throw new Error('there are two');
  const purchases = [
    { ...first, ...wish(['A-1', 'A-2']) },
    { ...second, ...wish(['A-3', 'A-4'], ['A-2']) },
    aRefusal(3, { outcome: 'SEAT_TAKEN', ...wish(['A-1', 'A-2'], ['A-1', 'A-2']) }),
  ];
  const seats = ['A-1', 'A-2', 'A-3', 'A-4'];
  return { sku, units: 4, seats, quantity: 2, priceMinor: 100, purchases, orders, audit: anAudit(4, 4) };
}

/** Two buyers took the four units there were, two by two, and a third was refused. */
export function aCleanSale(): Evidence {
  const orders = [anOrder(1, ['1', '2']), anOrder(2, ['3', '4'])];
  return { sku, units: 4, quantity: 2, priceMinor: 100, purchases: [...orders.map(aWinner), aRefusal(3)], orders, audit: anAudit(4, 4) };
}
