import { rfc3339 } from '../shared/clock.ts';
import { type MovingTransition, unitsMoved } from './moved-units.model.ts';
import type { AnyOrderEvent, OrderEventName } from './order.events.ts';
import { type MovingMoney, type Order, outsidePaymentOf, type TakingBack, type Transition } from './order.model.ts';
import type { OutboxRow } from './outbox.schemas.ts';

const unitCount = (order: Order) => order.items.reduce((sum, line) => sum + line.quantity, 0);

/** Why an operator takes the order back, if one does, and what becomes of its units. */
const takingOf = ({ takenBack }: Order) =>
  takenBack ? { reason: takenBack.reason, units: takenBack.units } : { units: 'free' satisfies TakingBack['units'] };

/** What a payment provider has to pay back, of an order that was paid from outside. */
function outsideOf(transition: MovingMoney) {
  const outside = outsidePaymentOf(transition);
  return outside === undefined ? {} : { outside };
}

function dataOf(name: OrderEventName, { next: order, returned }: MovingMoney): Record<string, unknown> {
  const money = { totalMinor: order.totalMinor, currency: order.currency };
  switch (name) {
    case 'OrderPlaced':
      return { ...money, paymentMethod: order.payment.method };
    case 'StockReserved':
      return { units: unitCount(order), paymentMethod: order.payment.method };
    case 'PaymentAuthorised':
    case 'PaymentDeclined':
      return money;
    case 'PaymentCaptured':
      return { ...money, paymentMethod: order.payment.method };
    case 'OrderConfirmed':
      return { paymentState: order.payment.state };
    case 'RefundRequested':
      return { ...money, ...takingOf(order) };
    case 'OrderCancelled':
      return takingOf(order);
    case 'PaymentRefunded':
      return { ...money, paymentState: order.payment.state, ...outsideOf({ next: order, returned }) };
    case 'OrderFailed':
    case 'StockRejected':
      return { failure: order.failure };
    case 'StockReleased':
      return { units: unitCount(order) };
    default:
      return {};
  }
}

/**
 * The row `orderId#version` that commits with the transition; its events are published from it, at least once. `before` is the order as it was,
 * of an order that is there already.
 */
export const outboxRow = ({ next, events, returned, ...move }: Pick<Transition, 'events' | 'returned'> & MovingTransition): OutboxRow => ({
  subject: next.orderId,
  orderId: next.orderId,
  version: next.version,
  saleId: next.saleId,
  buyerId: next.buyerId,
  strategy: next.strategy,
  status: next.status,
  paymentState: next.payment.state,
  events: events.map((name) => ({ name, data: dataOf(name, { next, returned }) })),
  stock: unitsMoved({ next, ...move }),
  atMs: next.updatedAtMs,
});

/**
 * The row's events as they travel on the bus, and of every row that the order has changed. The same row gives the same events, however often it is
 * published.
 */
export function eventsOf({
  orderId,
  version,
  saleId,
  buyerId,
  strategy,
  status,
  paymentState,
  events,
  stock,
  atMs,
}: OutboxRow): { name: OrderEventName; detail: AnyOrderEvent }[] {
  const envelope = { orderId, saleId, buyerId, version, occurredAt: rfc3339(atMs), strategy };
  const updated = { name: 'OrderUpdated' as const, data: { status, paymentState, movesStock: stock.length > 0, stock } };
  return [...events, updated].map(({ name, data }) => ({ name, detail: { eventId: `${orderId}#${version}#${name}`, ...envelope, data } }));
}
