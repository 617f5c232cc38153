import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Payment } from '../../functions/payments/payment.model.ts';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { paymentOf, paymentsOn } from '../support/payments.ts';
import { sagasOn } from '../support/sagas.ts';

let engine: Engine;
let payments: ReturnType<typeof paymentsOn>;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  payments = paymentsOn(engine);
  sagas = sagasOn(engine);
});
afterAll(() => engine.stop());

/** Two orders of which only one can be had at a time, and what may happen to either of them. */
const acts = ['succeed', 'succeed wrongly', 'succeed unfollowed', 'fail', 'cancel', 'drive', 'expire', 'refund'] as const;
const event = fc.record({ act: fc.constantFrom(...acts), who: fc.nat(1), payment: fc.nat(2), withNext: fc.boolean() });
type Happening = typeof event extends fc.Arbitrary<infer Value> ? Value : never;
const history = fc.record({
  strategy: fc.constantFrom<Strategy[]>('reserve-first', 'charge-first'),
  events: fc.array(event, { minLength: 3, maxLength: 7 }),
});

let sales = 0;
const later = (ms: number) => engine.sweep({ laterMs: ms });

async function happens({ act, payment: index }: Happening, order: Order): Promise<unknown> {
  const payment: Payment = paymentOf(order, { paymentId: `pay_${index}` });
  switch (act) {
    case 'succeed':
      return payments.succeed(payment);
    case 'succeed wrongly':
      return payments.succeed({ ...payment, amountMinor: payment.amountMinor + 1 + index });
    case 'succeed unfollowed':
      return payments.succeed(payment, { goOn: async () => {} });
    case 'fail':
      return payments.fail(payment);
    case 'cancel':
      return engine.cancel(await sagas.now(order));
    case 'drive':
      return sagas.driven(order);
    case 'expire':
      return later(400_000);
    case 'refund':
      return engine.refund(order.orderId, { returnUnits: true });
  }
}

/** Neighbours that say so happen at the same moment. */
function moments(events: readonly Happening[]): Happening[][] {
  const grouped: Happening[][] = [[]];
  for (const each of events) {
    grouped.at(-1)?.push(each);
    if (!each.withNext) grouped.push([]);
  }
  return grouped;
}

describe('orders that are paid from outside', () => {
  it('keep each payment whole or send it back whole, once, and all is in balance, whatever is told and happens in any order', async () => {
    const run = async ({ strategy, events }: { strategy: Strategy; events: Happening[] }) => {
      const sale = await engine.openSale(`history-${++sales}`, 1, { strategy });
      const orders: Order[] = [];
      for (const buyer of ['ada', 'ben']) {
        const placed = await engine.place(sale.saleId, `${buyer}-${sale.saleId}`, { method: 'external' });
        if ('order' in placed) orders.push(placed.order);
      }
      for (const moment of moments(events)) {
        await Promise.all(moment.map((each) => happens(each, orders[each.who % orders.length] as Order)));
        expect((await sagas.wrongWith(sale)).filter((each) => typeof each === 'object')).toEqual([]);
      }
      await later(400_000);
      await later(800_000);

      for (const order of orders) {
        const now = await sagas.now(order);
        const isBuyers = now.status === 'FULFILLED';
        expect(isBuyers || now.stock === 'released', JSON.stringify(now)).toBe(true);
        expect(await payments.keptMinor(order), JSON.stringify(now)).toBe(isBuyers ? order.totalMinor : 0);
        for (const moved of Object.values(await payments.movedFor(order))) {
          expect([['receive', 'return'], ['capture', 'receive', 'refund'], ...(isBuyers ? [['capture', 'receive']] : [])]).toContainEqual(
            moved,
          );
        }
      }
      expect(await engine.owed(sale.saleId)).toEqual([]);
      expect(await sagas.wrongWith(sale)).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(history, run), { numRuns: 8 });
  }, 120_000);
});
