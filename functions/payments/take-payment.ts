import type { Order } from '../orders/order.model.ts';
import type { OrderRepository } from '../orders/order.ports.ts';
import { OrderContended, takeStep } from '../orders/order.step.ts';
import type { Clock } from '../shared/clock.ts';
import { measure } from '../shared/metrics.ts';
import { log } from '../shared/telemetry.ts';
import { giveUp, type Payment, type PaymentState, settle } from './payment.model.ts';
import type { PaymentRepository } from './payment.repository.ts';

export interface PaymentPorts {
  readonly orders: OrderRepository;
  readonly payments: PaymentRepository;
  readonly clock: Clock;
  /** Takes the order further at once. What it leaves undone, events and the sweeper do. */
  readonly goOn: (order: Order) => Promise<void>;
}

export type PaymentOutcome = { outcome: PaymentState | 'known' };

const racesMax = 5;

/**
 * Money has come from outside. The payment's row, the order's transition and the ledger's entries are one transaction, and the row's key is order and
 * payment: told twice, late or in any order, each payment is taken once, and what does not pay its order goes back once.
 *
 * There is nobody here to send money to. What goes back is booked as gone, and whoever runs the provider's account is told: by the event
 * `PaymentRefunded`, whose `outside` names payment and amount, and by the ledger's entry. For an order that nobody knows there is no event: the log
 * names payment and amount, and an alarm goes off.
 */
export async function takePayment(payment: Payment, webhookId: string, ports: PaymentPorts): Promise<PaymentOutcome> {
  const { orders, payments, clock, goOn } = ports;
  for (let race = 0; race < racesMax; race++) {
    // First the order and then the payment: who sees the order as this payment has left it, sees the payment too.
    const order = await orders.get(payment.orderId);
    if (await payments.get(payment)) return { outcome: 'known' };
    const nowMs = clock.nowMs();
    if (!order) {
      const booked = await payments.bookStray({ ...payment, state: 'returned', webhookId, atMs: nowMs });
      if (booked === 'known') return { outcome: 'known' };
      tellOfReturn(payment, 'unknown', 'nobody knows its order');
      return { outcome: 'returned' };
    }
    const { state, transition } = settle(order, payment, nowMs);
    const moved = await orders.transition(order, transition, [payments.entry({ ...payment, state, webhookId, atMs: nowMs })]);
    // Whether the order or the payment was refused: both are read again, and then it is decided anew.
    if (moved.outcome !== 'moved') continue;
    if (state === 'returned') tellOfReturn(payment, 'known', `its order is ${order.status} and ${order.payment.state}`);
    else await quietly(goOn, moved.order);
    return { outcome: state };
  }
  throw new OrderContended(`${payment.orderId} lost ${racesMax} races`);
}

/** A payment failed outside. An order that waits for one ends with it; whatever else the order is, nothing happens. */
export async function takeFailure(payment: Payment, { orders, payments, clock, goOn }: PaymentPorts): Promise<void> {
  // One that has succeeded already was told in another order: that it failed before says nothing any more.
  if (await payments.get(payment)) return;
  const order = await orders.get(payment.orderId);
  if (!order) return;
  const step = await takeStep(order, orders, (current) => giveUp(current, clock.nowMs()));
  if (step.outcome === 'moved') await quietly(goOn, step.order);
}

/** The money is settled, and a webhook that is refused for what comes after it would only be sent again. */
async function quietly(goOn: PaymentPorts['goOn'], order: Order): Promise<void> {
  try {
    await goOn(order);
  } catch (error) {
    log.warn('a payment’s order is left to the events', { orderId: order.orderId, error });
  }
}

function tellOfReturn({ orderId, paymentId, amountMinor, currency }: Payment, of: 'known' | 'unknown', why: string): void {
  log.warn('a payment goes back', { orderId, paymentId, amountMinor, currency, why });
  measure('PaymentsReturned', of, 1);
}
