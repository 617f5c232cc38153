import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it } from 'vitest';
import { OrderRowsBroken } from '../../../functions/orders/order.errors.ts';
import { expiryGraceMs, type Order, type Transition } from '../../../functions/orders/order.model.ts';
import { allocate, authorise, confirm, expire } from '../../../functions/orders/order.transitions.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';
import { fresh, orderTables } from './order.repositories.harness.ts';

const { tables, claims, orders, rowOf, unitRow, slotRow, claimed } = orderTables();

const going = (decision: { outcome: string; transition?: Transition }): Transition => {
  if (!decision.transition) throw new Error(`stayed: ${JSON.stringify(decision)}`);
  return decision.transition;
};

describe('a transition', () => {
  const fund = (userId: string, balanceMinor: number) =>
    tables.database.send(
      new PutCommand({ TableName: 'accounts', Item: { userId, entry: 'account', balanceMinor, currency: 'EUR', version: 1 } }),
    );
  const atMs = anOrder().createdAtMs + 1_000;
  let buyers = 0;
  async function rich(changes: Partial<Order> = {}): Promise<Order> {
    const buyerId = `buyer-${++buyers}`;
    await fund(buyerId, 10_000);
    return claimed(fresh({ buyerId, ...changes }));
  }

  it('moves the order with its money, and is refused to whoever saw an older version', async () => {
    const order = await rich();
    const authorised = going(authorise(order, atMs));
    expect(await orders().transition(order, authorised)).toStrictEqual({ outcome: 'moved', order: authorised.next });
    expect(await orders().get(order.orderId)).toStrictEqual(authorised.next);
    expect(await rowOf('accounts', { userId: order.buyerId, entry: 'account' })).toMatchObject({ balanceMinor: 7_500, version: 2 });
    expect(await rowOf('outbox', { subject: order.orderId, version: 2 })).toMatchObject({ paymentState: 'authorised' });
    expect(await orders().transition(order, going(expire(order, order.holdExpiresAtMs + expiryGraceMs)))).toStrictEqual({
      outcome: 'lost-race',
      current: authorised.next,
    });
    expect(await unitRow(order, '1')).toBeDefined();
  });

  it('turns its unit rows, and takes them away with the slots when it ends', async () => {
    const order = await rich();
    const { next } = going(authorise(order, atMs));
    await orders().transition(order, going(authorise(order, atMs)));
    const confirmed = going(confirm(next, atMs + 1));
    await orders().transition(next, confirmed);
    expect(await unitRow(order, '1')).toMatchObject({ state: 'SOLD', atMs: atMs + 1, slot: 1 });
    const retired = { next: { ...confirmed.next, version: 4, updatedAtMs: atMs + 2 }, events: [], units: 'retire' } as const;
    await orders().transition(confirmed.next, retired);
    expect(await unitRow(order, '1')).toMatchObject({ state: 'RETIRED', atMs: atMs + 2 });
    expect(await slotRow(order, 1)).toBeDefined();
    await orders().transition(retired.next, { next: { ...retired.next, version: 5 }, events: [], units: 'free' });
    expect(await unitRow(order, '1')).toBeUndefined();
    expect(await slotRow(order, 1)).toBeUndefined();
  });

  it('claims units for an order that had none, or says what others have of them', async () => {
    const order = await rich({ status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] });
    const { next } = going(authorise(order, atMs));
    await orders().transition(order, going(authorise(order, atMs)));
    const other = await claimed(fresh({ saleId: order.saleId, buyerId: 'bob', slots: [] }));
    const holdId = freshHoldId();
    const got = (units: string[]) => ({
      holdId,
      bornUs: order.bornUs + 1,
      holdExpiresAtMs: order.holdExpiresAtMs,
      items: [{ sku: 'tee', quantity: 1, units, priceMinor: 2_500 }],
      slots: [1],
    });
    expect(await orders().transition(next, going(allocate(next, got(other.items[0]?.units as string[]), atMs)))).toStrictEqual({
      outcome: 'collided',
      units: [{ sku: 'tee', units: ['1'] }],
      slots: [],
    });
    const allocated = going(allocate(next, got(['9']), atMs));
    expect(await orders().transition(next, allocated)).toStrictEqual({ outcome: 'moved', order: allocated.next });
    expect(await unitRow(order, '9')).toMatchObject({ state: 'HELD', holdId, slot: 1 });
    expect(await slotRow(order, 1)).toMatchObject({ orderId: order.orderId });
  });

  it('tells a refusal by the account from one by what goes with it', async () => {
    const poor = await claimed(fresh({ buyerId: 'poor' }));
    expect(await orders().transition(poor, going(authorise(poor, atMs)))).toStrictEqual({ outcome: 'refused-by-account' });
    const order = await rich();
    const taken = {
      Put: { TableName: 'payments', Item: { orderId: 'p', paymentId: 'p' }, ConditionExpression: 'attribute_exists(orderId)' },
    };
    expect(await orders().transition(order, going(authorise(order, atMs)), [taken])).toStrictEqual({ outcome: 'refused-by-extra' });
    expect(
      await orders().transition(poor, going(authorise(poor, atMs)), [
        { Put: { TableName: 'payments', Item: { orderId: 'q', paymentId: 'q' } } },
      ]),
    ).toStrictEqual({
      outcome: 'refused-by-account',
    });
    // Both at once is neither.
    await expect(orders().transition(poor, going(authorise(poor, atMs)), [taken])).rejects.toThrow(OrderRowsBroken);
    expect((await orders().get(order.orderId))?.version).toBe(1);
  });

  it('fails loudly where its rows are another’s, or the order is gone', async () => {
    const order = await rich();
    const elsewhere = { ...order, items: [{ sku: 'tee', quantity: 1, units: ['5'], priceMinor: 2_500 }] };
    const sold = { next: { ...elsewhere, version: 2 }, events: [], units: 'sell' } as const;
    await expect(orders().transition(elsewhere, sold)).rejects.toThrow(OrderRowsBroken);
    const nobody = fresh();
    await expect(orders().transition(nobody, going(authorise(nobody, atMs)))).rejects.toThrow(OrderRowsBroken);
    const ended = fresh();
    await claims().tombstone(ended, ended.orderId, atMs);
    await expect(orders().transition(ended, going(authorise(ended, atMs)))).rejects.toThrow(OrderRowsBroken);
  });

  it('with a claim and money refused at once is broken only where nothing collided', async () => {
    const order = await rich({ status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] });
    const claim = {
      next: { ...order, version: 2, items: [{ sku: 'tee', quantity: 1, units: ['8'], priceMinor: 1 }] },
      events: [],
      units: 'claim',
    } as const;
    const taken = {
      Put: { TableName: 'payments', Item: { orderId: 'p', paymentId: 'p' }, ConditionExpression: 'attribute_exists(orderId)' },
    };
    expect(await orders().transition(order, claim, [taken])).toStrictEqual({ outcome: 'refused-by-extra' });
  });
});
