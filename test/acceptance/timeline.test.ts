import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import type { TimelineEntryBody } from '../../lib/client/contract.ts';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const secrets = inject('webhookSecrets').slice(0, 1);
const named = (items: readonly TimelineEntryBody[]) =>
  items.map(({ kind, name, status }) => [kind, name ?? status].filter(Boolean).join(' '));

describe('the timeline of an order', () => {
  it('tells all that happened from its placing to its refund, in order and with times', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const shopper = await shop.shopper(5_000);
    const { orderId } = granted(await shopper.buy(sale, 2), 201);
    await shop.atRest(orderId);
    granted(await shop.operator.refund(orderId, { reason: 'the show was moved', returnUnits: true }, randomUUID()), 202);
    await shop.atRest(orderId);
    const timeline = await until('its units are free again', async () => {
      const answer = granted(await shop.operator.timeline(orderId));
      return answer.items.some(({ name }) => name === 'StockReleased') ? answer : undefined;
    });

    expect(timeline).toMatchObject({ orderId, complete: true });
    expect(named(timeline.items)).toEqual([
      ...['transition RESERVED', 'stock', 'event OrderPlaced', 'event StockReserved'],
      ...['transition RESERVED', 'movement authorise', 'event PaymentAuthorised'],
      ...['transition CONFIRMED', 'stock', 'event OrderConfirmed'],
      ...['transition CONFIRMED', 'movement capture', 'event PaymentCaptured'],
      ...['transition FULFILLED', 'fulfilment', 'event OrderFulfilled'],
      ...['transition REFUNDING', 'event RefundRequested'],
      ...['transition REFUNDED', 'stock', 'movement refund', 'event PaymentRefunded'],
      ...['transition REFUNDED', 'event StockReleased'],
    ]);
    for (const { at } of timeline.items) expect(new Date(at).toISOString()).toBe(at);
    const stock = timeline.items.filter(({ kind }) => kind === 'stock');
    expect(stock.map(({ items }) => items)).toEqual([
      [{ sku: sale.sku, held: 2, sold: 0, retired: 0 }],
      [{ sku: sale.sku, held: -2, sold: 2, retired: 0 }],
      [{ sku: sale.sku, held: 0, sold: -2, retired: 0 }],
    ]);
    expect(timeline.items.find(({ name }) => name === 'RefundRequested')).toMatchObject({ data: { reason: 'the show was moved' } });
    const captured = timeline.items.find(({ name }) => name === 'capture');
    expect(captured).toMatchObject({ currency: 'EUR', entries: [{ amountMinor: -1_400 }, { amountMinor: 1_400 }] });
  });

  it('says why an order failed', async () => {
    const sale = await shop.sale();
    const { orderId } = granted(await (await shop.shopper('no account')).buy(sale), 201);
    await shop.atRest(orderId);
    const { items } = granted(await shop.operator.timeline(orderId));
    expect(items.find(({ name }) => name === 'OrderFailed')).toMatchObject({ kind: 'event', data: { failure: 'PAYMENT_DECLINED' } });
    expect(named(items)).toContain('transition FAILED');
  });

  it.skipIf(secrets.length === 0)('tells of payments from outside, the one that paid and one that went back', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const { orderId } = granted(await (await shop.shopper('no account')).buy(sale, 1, { method: 'external' }), 201);
    for (const paymentId of ['first', 'second']) {
      const data = { paymentId, orderId, amountMinor: 700, currency: 'EUR' };
      granted(await shop.client.tellOfPayment({ type: 'payment.succeeded', data }, { secrets }), 204);
    }
    await shop.atRest(orderId);
    const { items } = granted(await shop.operator.timeline(orderId));
    const of = (kind: string) => items.filter((entry) => entry.kind === kind);
    expect(of('payment')).toMatchObject([
      { paymentId: 'first', state: 'kept', amountMinor: 700, currency: 'EUR' },
      { paymentId: 'second', state: 'returned' },
    ]);
    const moved = of('movement').map(({ name, paymentId }) => `${name} ${paymentId}`);
    expect(moved.toSorted()).toEqual(['capture first', 'receive first', 'receive second', 'return second']);
    expect(named(items).at(0)).toBe('transition RESERVED');
  });

  it('is for operators alone, and there is none of an order that is not there', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const { orderId } = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    refused(await shopper.client.timeline(orderId), 'FORBIDDEN');
    refused(await shop.client.timeline(orderId), 'UNAUTHENTICATED');
    refused(await shop.operator.timeline(`ord_${'A'.repeat(22)}`), 'NOT_FOUND');
    refused(await shop.operator.timeline('nothing-like-it'), 'NOT_FOUND');
  });
});
