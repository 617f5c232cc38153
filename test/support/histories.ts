import fc from 'fast-check';
import { type Decision, expiryGraceMs, type Order, type OrderLine, type Transition } from '../../functions/orders/order.model.ts';
import {
  allocate,
  authorise,
  cancel,
  capture,
  confirm,
  decline,
  disown,
  expire,
  fulfil,
  giveBackLate,
  receive,
  reclaim,
  refund,
  refundTerms,
  reject,
  release,
  requestRefund,
  takeBack,
} from '../../functions/orders/order.transitions.model.ts';
import { claimWrites, transitionWrites } from '../../functions/orders/order.writes.ts';
import type { Write } from '../../functions/shared/dynamo.ts';
import { writtenTables } from './database.ts';
import { anOrder, freshHoldId } from './orders.ts';

const afterExpiryMs = anOrder().holdExpiresAtMs + expiryGraceMs;

/** Units that nobody had before: those of an order never meet another's. */
const freshItems = (): OrderLine[] => [
  { sku: 'tee', quantity: 2, units: [freshHoldId(), freshHoldId()], priceMinor: 1_000 },
  { sku: 'hall', quantity: 1, units: [freshHoldId()], priceMinor: 500, seated: true },
];
const freshAllocation = () => ({ holdId: freshHoldId(), bornUs: 1, holdExpiresAtMs: afterExpiryMs, items: freshItems(), slots: [] });

type Rule = (order: Order) => Decision;
const paymentId = 'pay_1';

/** Every rule there is of an order, under the name of what happens. */
export const steps: Readonly<Record<string, Rule>> = {
  authorise: (order) => authorise(order, afterExpiryMs),
  decline: (order) => decline(order, afterExpiryMs),
  receive: (order) => receive(order, paymentId, afterExpiryMs),
  allocate: (order) => allocate(order, freshAllocation(), afterExpiryMs),
  rejectForStock: (order) => reject(order, 'OUT_OF_STOCK', afterExpiryMs),
  rejectForLimit: (order) => reject(order, 'BUYER_LIMIT', afterExpiryMs),
  reclaim: (order) => reclaim(order, freshAllocation(), afterExpiryMs),
  giveBackLate: (order) => giveBackLate(order, afterExpiryMs),
  disown: (order) => disown(order, 0, afterExpiryMs),
  confirm: (order) => confirm(order, afterExpiryMs),
  capture: (order) => capture(order, afterExpiryMs),
  fulfil: (order) => fulfil(order, [{ sku: 'tee', unit: '1', code: 'code' }], afterExpiryMs),
  expire: (order) => expire(order, afterExpiryMs),
  cancel: (order) => cancel(order, afterExpiryMs),
  callOff: (order) => takeBack(order, { reason: 'called off', units: 'retire' }, afterExpiryMs),
  refundAndReturn: (order) => requestRefund(order, refundTerms(order, { reason: 'moved', returnUnits: true }), afterExpiryMs),
  refundAndRetire: (order) => requestRefund(order, refundTerms(order, { reason: 'used', returnUnits: false }), afterExpiryMs),
  refund: (order) => refund(order, afterExpiryMs),
  release: (order) => release(order, afterExpiryMs),
};

export interface Life {
  readonly order: Order;
  /** The writes of each of its transitions, as they would be sent. */
  readonly writes: readonly (readonly Write[])[];
}

/** An order as it is placed, of either strategy. */
function placed(strategy: Order['strategy'], method: Order['payment']['method'], saleId: string): Order {
  const items = freshItems();
  const order = anOrder({ holdId: freshHoldId(), strategy, saleId, items, slots: [], payment: { method, state: 'none' } });
  const waiting = items.map((line) => ({ ...line, units: [] }));
  return strategy === 'charge-first' ? { ...order, status: 'PENDING', items: waiting } : order;
}

/** What becomes of an order to which these things happen, as far as its rules allow. */
export function lifeOf(first: Order, names: readonly string[]): Life {
  const writes: Write[][] = [claimWrites(first, { next: first, events: ['OrderPlaced'] }, writtenTables).writes];
  let order = first;
  for (const name of names) {
    const decision = steps[name]?.(order);
    if (decision?.outcome !== 'go') continue;
    const { transition }: { transition: Transition } = decision;
    writes.push(transitionWrites(order, transition, writtenTables));
    order = transition.next;
  }
  return { order, writes };
}

/** Lives of some orders of some sales, whatever happens to them. */
export const lives = fc
  .array(
    fc.record({
      strategy: fc.constantFrom('reserve-first' as const, 'charge-first' as const),
      method: fc.constantFrom('balance' as const, 'external' as const),
      saleId: fc.constantFrom('one', 'other'),
      names: fc.array(fc.constantFrom(...Object.keys(steps)), { maxLength: 40 }),
    }),
    { maxLength: 8 },
  )
  .map((orders) => orders.map(({ strategy, method, saleId, names }) => lifeOf(placed(strategy, method, saleId), names)));

/** What a list of writes puts into a table. */
export const putInto = (table: string, writes: readonly Write[]): Record<string, unknown>[] =>
  writes.flatMap(({ Put }) => (Put?.TableName === table && Put.Item ? [Put.Item] : []));
