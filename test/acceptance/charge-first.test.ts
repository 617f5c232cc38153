import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { inParallel } from '../../functions/shared/parallel.ts';
import type { OrderBody } from '../../lib/client/contract.ts';
import { granted, openShop, refused, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const strategy = 'charge-first' as const;
const [secret = ''] = inject('webhookSecrets');

/** The order's price comes from outside. */
async function pay({ orderId, totalMinor: amountMinor, currency }: OrderBody): Promise<void> {
  const data = { paymentId: `pay_${randomUUID()}`, orderId, amountMinor, currency };
  granted(await shop.client.tellOfPayment({ type: 'payment.succeeded', data }, { secrets: [secret] }), 204);
}

describe('a sale that charges first', () => {
  it('says so, takes orders without units, and hands units over once they are paid', async () => {
    const sale = await shop.sale({ units: 3, strategy });
    expect(await shop.view(sale)).toMatchObject({ strategy, items: [{ available: 3 }] });
    const shopper = await shop.shopper(5_000);
    const placed = await shopper.buy(sale, 2, { key: 'once' });
    const order = granted(placed, 201);
    expect(order).toMatchObject({
      status: 'PENDING',
      displayStatus: 'AWAITING_PAYMENT',
      version: 1,
      items: [{ quantity: 2, units: [] }],
      payment: { method: 'balance', state: 'none' },
    });
    expect(Date.parse(order.holdExpiresAt ?? '')).toBe(Date.parse(order.createdAt) + 300_000);

    const end = await shop.atRest(order.orderId);
    expect(end).toMatchObject({ status: 'FULFILLED', displayStatus: 'COMPLETED', payment: { state: 'captured' } });
    expect(new Set(unitsOf(end)).size).toBe(2);
    expect(end.tickets).toHaveLength(2);
    expect(granted(await shopper.client.me())).toMatchObject({ balanceMinor: 5_000 - 2 * sale.priceMinor });

    const replayed = await shopper.buy(sale, 2, { key: 'once' });
    expect(replayed.headers['idempotency-replayed']).toBe('true');
    expect(granted(replayed, 201)).toEqual(order);
    refused(await shopper.buy(sale, 1, { key: 'once' }), 'IDEMPOTENCY_KEY_REUSED');
    await shop.cleanAudit(sale);
  });

  it('sells exactly what there is to a storm, returns the others’ money, and shows each on its way', { timeout: 240_000 }, async () => {
    const units = 20;
    const sale = await shop.sale({ units, strategy });
    const shoppers = await shop.shoppers(80, 5_000);
    const shown = new Set<string>();
    const answers = await inParallel(shoppers, 80, (shopper) => shopper.buy(sale));
    const orders = answers.flatMap((answer) => (answer.ok ? [answer.body] : []));
    for (const answer of answers) if (!answer.ok) refused(answer, 'SOLD_OUT');
    expect(orders.length).toBeGreaterThanOrEqual(units);
    for (const { displayStatus } of orders) shown.add(displayStatus);

    const ends = await inParallel(orders, 8, ({ orderId }) => shop.atRest(orderId));
    const sold = ends.filter(({ status }) => status === 'FULFILLED');
    for (const { displayStatus } of ends) shown.add(displayStatus);
    expect(sold).toHaveLength(units);
    expect(new Set(sold.flatMap(unitsOf)).size).toBe(units);
    for (const end of ends.filter(({ status }) => status !== 'FULFILLED')) {
      expect(end).toMatchObject({
        status: 'FAILED',
        failure: 'OUT_OF_STOCK',
        displayStatus: 'FAILED_OUT_OF_STOCK',
        payment: { state: 'voided' },
        items: [{ units: [] }],
      });
    }
    const balances = await inParallel(shoppers, 8, async ({ client }) => granted(await client.me()).balanceMinor);
    const spent = balances.map((balanceMinor) => 5_000 - balanceMinor);
    expect(spent.filter((minor) => minor === sale.priceMinor)).toHaveLength(units);
    expect(spent.reduce((sum, minor) => sum + minor, 0)).toBe(units * sale.priceMinor);
    expect([...shown]).toEqual(expect.arrayContaining(['AWAITING_PAYMENT', 'COMPLETED']));

    const audit = await shop.cleanAudit(sale);
    expect(audit.items).toMatchObject([{ total: units, sold: units, available: 0, held: 0 }]);
    expect(audit.money).toMatchObject({
      capturedMinor: units * sale.priceMinor,
      fulfilledMinor: units * sale.priceMinor,
      authorisedMinor: 0,
    });
    refused(await (await shop.shopper()).buy(sale), 'SOLD_OUT');
  });

  it('declines who cannot pay, without ever having kept a unit from anybody', async () => {
    const sale = await shop.sale({ units: 1, strategy });
    const [poor, rich] = [await shop.shopper(1), await shop.shopper()];
    const [refusedLater, bought] = [granted(await poor.buy(sale), 201), granted(await rich.buy(sale), 201)];
    expect(await shop.atRest(refusedLater.orderId)).toMatchObject({
      status: 'FAILED',
      displayStatus: 'FAILED_PAYMENT',
      failure: 'PAYMENT_DECLINED',
    });
    expect(await shop.atRest(bought.orderId)).toMatchObject({ status: 'FULFILLED' });
    await shop.cleanAudit(sale);
  });

  it.skipIf(secret === '')(
    'keeps a paid order waiting for its units while it is paused, and returns the money of one that is cancelled',
    async () => {
      const sale = await shop.sale({ units: 2, strategy });
      const shopper = await shop.shopper('no account');
      const order = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
      granted(await shop.operator.patchSale(sale.saleId, { state: 'paused' }));
      refused(await shopper.buy(sale), 'SALE_PAUSED');
      await pay(order);
      expect(granted(await shopper.client.order(order.orderId))).toMatchObject({
        status: 'PENDING',
        displayStatus: 'AWAITING_INVENTORY',
        payment: { state: 'captured' },
      });
      granted(await shopper.client.cancelOrder(order.orderId));
      expect(await shop.atRest(order.orderId)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' } });
      granted(await shop.operator.patchSale(sale.saleId, { state: 'open' }));
      expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: sale.priceMinor, refundedMinor: sale.priceMinor });
    },
  );

  it.skipIf(secret === '')('gives units to whoever pays from outside, and the money back when there are none left', async () => {
    const sale = await shop.sale({ units: 1, strategy });
    const shoppers = await shop.shoppers(2, 'no account');
    const orders = await inParallel(shoppers, 2, async (shopper) => granted(await shopper.buy(sale, 1, { method: 'external' }), 201));
    await inParallel(orders, 2, pay);
    const ends = await inParallel(orders, 2, ({ orderId }) => shop.atRest(orderId));
    expect(ends.map(({ status }) => status).sort()).toEqual(['FULFILLED', 'REFUNDED']);
    expect(ends.find(({ status }) => status === 'REFUNDED')).toMatchObject({ failure: 'OUT_OF_STOCK', payment: { state: 'refunded' } });
    expect((await shop.cleanAudit(sale)).money).toMatchObject({
      capturedMinor: 2 * sale.priceMinor,
      fulfilledMinor: sale.priceMinor,
      refundedMinor: sale.priceMinor,
    });
  });

  it('lets an order be cancelled before its payment, and expires it by nobody’s hold', async () => {
    const sale = await shop.sale({ units: 1, strategy });
    const shopper = await shop.shopper();
    const order = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    expect(order).toMatchObject({ status: 'PENDING', displayStatus: 'AWAITING_PAYMENT' });
    expect((await shop.view(sale)).items[0]?.available).toBe(1);
    for (let times = 0; times < 2; times++) {
      expect(granted(await shopper.client.cancelOrder(order.orderId))).toMatchObject({ status: 'CANCELLED', payment: { state: 'none' } });
    }
    await shop.cleanAudit(sale);
  });
});
