import type { Clock } from '../shared/clock.ts';
import { type Idempotency, type KeyedRequest, onceByKey, type StoredAnswer } from '../shared/idempotency.ts';
import { again } from '../shared/retry.ts';
import { orderAnswer } from './order.answer.ts';
import type { OrderStatus } from './order.model.ts';
import type { OrderRepository } from './order.ports.ts';
import type { RefundOrder } from './order.schemas.ts';
import { refundTerms, requestRefund } from './order.transitions.model.ts';

export interface RefundPorts {
  readonly orders: OrderRepository;
  readonly idempotency: Idempotency;
  readonly clock: Clock;
}

export type RefundOutcome =
  | { outcome: 'refunding' | 'replayed'; answer: StoredAnswer }
  | { outcome: 'not-refundable'; status: OrderStatus }
  | { outcome: 'key-reused' | 'not-found' };

/**
 * Takes a paid order back, once per key: the order on its way to `REFUNDED` and the key's first answer are one transaction. Money and
 * units follow as with any refund, by the order's event or by the sweeper. Of two operators with different keys one is refused.
 */
export function refundOrder(orderId: string, body: RefundOrder, request: KeyedRequest, ports: RefundPorts): Promise<RefundOutcome> {
  return onceByKey<RefundOutcome>(request, ports, {
    replay: (answer) => ({ outcome: 'replayed', answer }),
    attempt: () => tryToRefund(orderId, body, request, ports),
  });
}

async function tryToRefund(
  orderId: string,
  body: RefundOrder,
  request: KeyedRequest,
  { orders, idempotency, clock }: RefundPorts,
): Promise<RefundOutcome | typeof again> {
  const order = await orders.get(orderId);
  if (!order) return { outcome: 'not-found' };
  const nowMs = clock.nowMs();
  const decision = requestRefund(order, refundTerms(order, body), nowMs);
  if (decision.outcome === 'stay') {
    // A twin of this request may have refunded the order after its key was looked up: that is this key's answer, and no refusal.
    const { outcome } = await idempotency.recall(request, nowMs);
    return outcome === 'fresh' ? { outcome: 'not-refundable', status: order.status } : again;
  }
  const answer: StoredAnswer = { status: 202, body: JSON.stringify(orderAnswer(decision.transition.next)) };
  const moved = await orders.transition(order, decision.transition, [idempotency.remember(request, answer, nowMs)]);
  // Whether the order or the key was refused: both are read again, the key first, and then it is decided anew.
  return moved.outcome === 'moved' ? { outcome: 'refunding', answer } : again;
}
