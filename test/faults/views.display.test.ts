import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DisplayStatus, displayStatuses } from '../../functions/orders/display-status.model.ts';
import { AnyOrderEvent } from '../../functions/orders/order.events.ts';
import { expiryGraceMs, type Order } from '../../functions/orders/order.model.ts';
import { orderList } from '../../functions/orders/order-list.repository.ts';
import { ordersById } from '../../functions/orders/orders-by-id.repository.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { batchConsumer } from '../../functions/views/batch.ts';
import { projectOrders } from '../../functions/views/project-orders.ts';
import { viewRepository } from '../../functions/views/view.repository.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { deliver } from '../support/messages.ts';
import { openingMinor, sagasOn } from '../support/sagas.ts';
import { outboxEventsOf } from '../support/views.ts';

let engine: Engine;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  sagas = sagasOn(engine);
});
afterAll(() => engine?.stop());

/** What stands before an order: a sale of so many units, and a buyer with money. */
interface Scene {
  readonly saleId: string;
  readonly buyer: string;
  /** An order of the sale, by the buyer unless somebody else is named. */
  order(options?: { method?: 'balance' | 'external'; by?: string; key?: string; quantity?: number }): Promise<Order>;
}

async function sceneOf(units: number, changes: Partial<Sale>): Promise<Scene> {
  const saleId = randomUUID();
  await engine.openSale(saleId, units, changes);
  const buyer = `ada-${saleId}`;
  await engine.fund(buyer, openingMinor);
  return {
    saleId,
    buyer,
    order: ({ by = buyer, key = randomUUID(), ...options } = {}) => sagas.placed(saleId, by, { key, ...options }),
  };
}

interface Way {
  readonly shown: DisplayStatus;
  readonly by: string;
  readonly sale?: Partial<Sale>;
  readonly units?: number;
  readonly go: (scene: Scene) => Promise<Order>;
}

const chargeFirst = { strategy: 'charge-first' } as const;
const fulfilled = async ({ order }: Scene) => sagas.driven(await order());
async function refunding(scene: Scene): Promise<Order> {
  const { orderId } = await fulfilled(scene);
  await engine.refund(orderId);
  return sagas.now({ orderId });
}

/** Two orders that were charged first for one unit: the one that came too late. */
async function tooLate(scene: Scene, method: 'balance' | 'external'): Promise<Order> {
  const other = `eve-${scene.saleId}`;
  await engine.fund(other, openingMinor);
  const [first, second] = [await scene.order({ method }), await scene.order({ method, by: other })];
  if (method === 'external') for (const each of [first, second]) await sagas.paidOutside(each);
  else for (const each of [first, second]) await engine.steps.charge(each);
  expect((await sagas.driven(first)).status).toBe('FULFILLED');
  return second;
}

/** Each word that a buyer can be shown, and ways to it. */
const ways: readonly Way[] = [
  { shown: 'AWAITING_PAYMENT', by: 'an order that is paid from outside', go: ({ order }) => order({ method: 'external' }) },
  { shown: 'AWAITING_PAYMENT', by: 'an order that is charged first', sale: chargeFirst, go: ({ order }) => order() },
  {
    shown: 'AWAITING_INVENTORY',
    by: 'one that is charged and has no units yet',
    sale: chargeFirst,
    go: async ({ order }) => (await engine.steps.charge(await order())).order,
  },
  { shown: 'PROCESSING', by: 'an order that is paid from a balance', go: ({ order }) => order() },
  {
    shown: 'PROCESSING',
    by: 'one that is confirmed',
    go: async ({ order }) => (await engine.steps.confirm((await engine.steps.charge(await order())).order)).order,
  },
  { shown: 'COMPLETED', by: 'tickets', go: fulfilled },
  { shown: 'COMPLETED', by: 'tickets of one that was charged first', sale: chargeFirst, go: fulfilled },
  {
    shown: 'COMPLETED',
    by: 'a payment from outside',
    go: async ({ order }) => sagas.driven(await sagas.paidOutside(await order({ method: 'external' }))),
  },
  { shown: 'REFUND_IN_PROGRESS', by: 'an operator', go: refunding },
  { shown: 'REFUNDED', by: 'an operator', go: async (scene) => sagas.driven(await refunding(scene)) },
  {
    shown: 'REFUND_IN_PROGRESS',
    by: 'no unit left for what was paid from outside',
    sale: chargeFirst,
    units: 1,
    go: async (scene) => (await engine.steps.allocate(await sagas.now(await tooLate(scene, 'external')))).order,
  },
  {
    shown: 'REFUNDED',
    by: 'no unit left for what was paid from outside',
    sale: chargeFirst,
    units: 1,
    go: async (scene) => sagas.driven(await tooLate(scene, 'external')),
  },
  {
    shown: 'FAILED_PAYMENT',
    by: 'a buyer without money',
    go: async ({ order, saleId }) => sagas.driven(await order({ by: `poor-${saleId}` })),
  },
  {
    shown: 'FAILED_OUT_OF_STOCK',
    by: 'no unit left after the charge',
    sale: chargeFirst,
    units: 1,
    go: async (scene) => sagas.driven(await tooLate(scene, 'balance')),
  },
  {
    shown: 'FAILED',
    by: 'a limit that was reached meanwhile',
    sale: { ...chargeFirst, perBuyerLimit: 1 },
    go: async ({ order }) => {
      const [first, second] = [await order(), await order()];
      expect((await sagas.driven(first)).status).toBe('FULFILLED');
      return sagas.driven(second);
    },
  },
  { shown: 'CANCELLED', by: 'its buyer', go: async ({ order }) => (await engine.cancel(await order({ method: 'external' }))).order },
  {
    shown: 'EXPIRED',
    by: 'nobody’s payment',
    go: async ({ order }) => sagas.driven(await order({ method: 'external' }), 300_000 + expiryGraceMs + 1_000),
  },
];

describe('what a buyer is shown', () => {
  it('has a way to each word of the contract here', () => {
    expect(new Set(ways.map(({ shown }) => shown))).toEqual(new Set(displayStatuses));
  });

  it.each(ways)('can be $shown, by $by, and so says the list', async ({ sale = {}, units = 5, go, shown }) => {
    const scene = await sceneOf(units, sale);
    const order = await go(scene);
    const views = viewRepository(engine.database, 'views');
    const consume = batchConsumer(AnyOrderEvent, projectOrders({ orders: ordersById(engine.database, 'orders'), views }));
    await deliver(consume, await outboxEventsOf(engine.database, order.orderId), { times: 2 });
    const listed = await orderList(engine.database, 'views').page('orders', { buyerId: order.buyerId }, 10);
    if (listed.outcome !== 'page') throw new Error(listed.outcome);
    expect(listed.page.items.find(({ orderId }) => orderId === order.orderId)?.displayStatus).toBe(shown);
  });
});
