import { GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fulfilOrder } from '../../functions/fulfilment/fulfil.ts';
import { cancelOrder } from '../../functions/orders/cancel.ts';
import { claimRepository } from '../../functions/orders/claim.repository.ts';
import { compensate } from '../../functions/orders/compensate.ts';
import { confirmOrder } from '../../functions/orders/confirm.ts';
import { expireOrder } from '../../functions/orders/expire.ts';
import { expiryGraceMs, hasEnded, type Order } from '../../functions/orders/order.model.ts';
import type { Step } from '../../functions/orders/order.ports.ts';
import { orderRepository } from '../../functions/orders/order.repository.ts';
import { charge } from '../../functions/payments/charge.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { startTables, writtenTables } from '../support/database.ts';
import { anOrder, freshHoldId } from '../support/orders.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables.stop());

const priceMinor = 2_500;
const openingMinor = 10_000;
let buyers = 0;

/** A buyer with money and a reserved order, written as the reserve function writes it. */
async function reserved(balanceMinor = openingMinor) {
  const buyerId = `buyer-${++buyers}`;
  const order = anOrder({ holdId: freshHoldId(), saleId: `sale-${buyers}`, buyerId, slots: [] });
  const account = { userId: buyerId, entry: 'account', balanceMinor, currency: 'EUR', version: 1 };
  await tables.database.send(new PutCommand({ TableName: 'accounts', Item: account }));
  await claimRepository(tables.database, writtenTables).claim({ next: order, events: ['OrderPlaced'] });
  return order;
}

const orders = () => orderRepository(tables.database, writtenTables);
const current = async (order: Order): Promise<Order> => {
  const stored = await orders().get(order.orderId);
  if (!stored) throw new Error('the order is gone');
  return stored;
};
const balanceOf = async (order: Order) =>
  (await tables.database.send(new GetCommand({ TableName: 'accounts', Key: { userId: order.buyerId, entry: 'account' } }))).Item
    ?.balanceMinor;
const movementsOf = async (order: Order) => {
  const { Items = [] } = await tables.database.send(
    new QueryCommand({
      TableName: 'accounts',
      KeyConditionExpression: 'userId = :user AND begins_with(entry, :movement)',
      ExpressionAttributeValues: { ':user': order.buyerId, ':movement': 'movement#' },
    }),
  );
  return Items.map((item) => String(item.kind)).sort();
};
const versionsOf = async (order: Order) => {
  const { Items = [] } = await tables.database.send(
    new QueryCommand({
      TableName: 'outbox',
      KeyConditionExpression: 'subject = :order',
      ExpressionAttributeValues: { ':order': order.orderId },
    }),
  );
  return Items.map((item) => Number(item.version));
};

/** Redis' side is not what is raced here: it has always let go. */
const stock = {
  confirm: async () => ({ outcome: 'CONFIRMED' as const }),
  release: async () => ({ outcome: 'UNKNOWN_HOLD' as const }),
  acknowledge: async () => ({ outcome: 'ALREADY_ENDED' as const }),
};
const afterExpiry = (order: Order) => () => order.holdExpiresAtMs + expiryGraceMs;
const steps = (order: Order): Record<string, Step> => ({
  charge: charge({ orders: orders(), clock }),
  confirm: confirmOrder({ orders: orders(), stock, clock }),
  fulfil: fulfilOrder({
    orders: orders(),
    clock,
    fulfilmentsTable: 'fulfilments',
    ticketSecret: async () => 'a secret of a test, long enough',
  }),
  expire: expireOrder({ orders: orders(), nowMs: afterExpiry(order) }),
  compensate: compensate({ orders: orders(), stock, clock }),
});

describe('two copies of one event at once', () => {
  it('charge once, capture once and fulfil once', async () => {
    const order = await reserved();
    for (const name of ['charge', 'confirm', 'charge', 'fulfil']) {
      const now = await current(order);
      await Promise.all([1, 2, 3].map(() => steps(order)[name]?.(now)));
    }
    expect(await current(order)).toMatchObject({ status: 'FULFILLED', version: 5, payment: { state: 'captured' } });
    expect(await balanceOf(order)).toBe(openingMinor - priceMinor);
    expect(await movementsOf(order)).toEqual(['authorise', 'capture']);
    expect(await versionsOf(order)).toEqual([1, 2, 3, 4, 5]);
  });

  it('decline once, and charge nothing', async () => {
    const order = await reserved(priceMinor - 1);
    await Promise.all([1, 2, 3].map(() => steps(order).charge?.(order)));
    expect(await current(order)).toMatchObject({ status: 'FAILED', failure: 'PAYMENT_DECLINED', version: 2 });
    expect(await balanceOf(order)).toBe(priceMinor - 1);
    expect(await movementsOf(order)).toEqual([]);
  });
});

describe('payment against expiry', () => {
  it('has one end: paid and confirmed, or expired with nothing taken', async () => {
    const ends = await Promise.all(
      Array.from({ length: 25 }, async () => {
        const order = await reserved();
        const { charge: pay, confirm, expire } = steps(order);
        await Promise.all([pay?.(order).then(async ({ order: paid }) => confirm?.(paid)), expire?.(order)]);
        const end = await current(order);
        const taken = end.status === 'CONFIRMED';
        expect(end.status).toBe(taken ? 'CONFIRMED' : 'EXPIRED');
        expect(await balanceOf(order)).toBe(taken ? openingMinor - priceMinor : openingMinor);
        expect(await movementsOf(order)).toEqual(taken ? ['authorise'] : []);
        return end.status;
      }),
    );
    expect(ends).toHaveLength(25);
  });
});

describe('a cancel against everything that moves the order on', () => {
  it('leaves money and goods on the same side, and every event acted on once', async () => {
    await Promise.all(
      Array.from({ length: 25 }, async (_, index) => {
        const order = await reserved();
        const { charge: pay, confirm, fulfil, compensate: undo } = steps(order);
        const forward = async () => {
          let now = order;
          for (const step of [pay, confirm, pay, fulfil]) now = (await step?.(now))?.order ?? now;
        };
        const cancel = async () => {
          // Begin the cancel at different points of the way, not after a time.
          let now = order;
          for (let reads = 0; reads < index % 5; reads++) now = await current(order);
          await cancelOrder(now, { orders: orders(), compensate: undo as Step, clock });
        };
        await Promise.all([forward(), cancel()]);
        const end = await current(order);
        const movements = await movementsOf(order);
        if (end.status === 'FULFILLED') {
          expect(movements).toEqual(['authorise', 'capture']);
          expect(await balanceOf(order)).toBe(openingMinor - priceMinor);
        } else {
          expect(hasEnded(end)).toBe(true);
          expect(end.stock).toBe('released');
          expect(await balanceOf(order)).toBe(openingMinor);
          expect([[], ['authorise', 'void'], ['authorise', 'capture', 'refund']]).toContainEqual(movements);
        }
      }),
    );
  });
});
