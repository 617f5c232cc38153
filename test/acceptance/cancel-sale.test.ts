import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const external = { method: 'external' } as const;

describe('calling a sale off', () => {
  it('ends every order that lives, gives all money back, and sells nothing any more', { timeout: 240_000 }, async () => {
    // Long enough for what is bought to be paid, or called off, before its hold is over.
    const sale = await shop.sale({ units: 10, seats: ['A-1', 'A-2'], holdSeconds: 15, priceMinor: 1_000 });
    const shopper = await shop.shopper(10_000);
    const forgotten = granted(await shopper.buy(sale, 1, external), 201);
    await until(
      'the first order has expired',
      async () => {
        if (shop.isLocal) await shop.client.localRun('sweeper');
        return granted(await shopper.client.order(forgotten.orderId)).status === 'EXPIRED' ? true : undefined;
      },
      { withinMs: 180_000, everyMs: 500 },
    );
    const fulfilled = await shop.atRest(granted(await shopper.buySeats(sale, ['A-1'], { quantity: 2 }), 201).orderId);
    expect(fulfilled.status).toBe('FULFILLED');
    const reserved = granted(await shopper.buySeats(sale, ['A-2'], external), 201);

    const key = randomUUID();
    const answer = await shop.operator.cancelSale(sale.saleId, 'rain', key);
    expect(granted(answer, 202)).toMatchObject({ saleId: sale.saleId, state: 'closed' });
    expect(await shop.atRest(reserved.orderId)).toMatchObject({ status: 'CANCELLED', payment: { state: 'none' } });
    expect(await shop.atRest(forgotten.orderId)).toMatchObject({ status: 'EXPIRED' });
    const refunded = await until('the paid order is refunded', async () => {
      const order = granted(await shopper.client.order(fulfilled.orderId));
      return order.status === 'REFUNDED' ? order : undefined;
    });
    expect(refunded.payment.state).toBe('refunded');
    expect(granted(await shopper.client.me()).balanceMinor).toBe(10_000);

    expect(refused(await shopper.buy(sale, 1, external), 'SALE_NOT_OPEN')).toMatchObject({ state: 'closed' });
    refused(await shopper.buySeats(sale, ['A-2'], external), 'SALE_NOT_OPEN');
    refused(await shop.operator.patchSale(sale.saleId, { state: 'open' }), 'SALE_NOT_OPEN');
    refused(await shop.operator.restock(sale.saleId, { sku: sale.sku, units: 1, reason: 'more' }, randomUUID()), 'SALE_NOT_OPEN');
    expect((await shop.view(sale)).state).toBe('closed');
    // What an order had been sold or promised is out of sale; what nobody had is left over.
    const audit = await shop.cleanAudit(sale);
    expect(audit.items).toMatchObject([
      { total: 10, available: 8, held: 0, sold: 0, retired: 2 },
      { total: 2, available: 0, held: 0, sold: 0, retired: 2 },
    ]);
    expect(audit.money).toMatchObject({ capturedMinor: 3_000, refundedMinor: 3_000, authorisedMinor: 0, fulfilledMinor: 0 });

    const replay = await shop.operator.cancelSale(sale.saleId, 'rain', key);
    expect([replay.status, replay.text, replay.headers['idempotency-replayed']]).toEqual([202, answer.text, 'true']);
    refused(await shop.operator.cancelSale(sale.saleId, 'snow', key), 'IDEMPOTENCY_KEY_REUSED');
  });

  it('a second time, under another key, answers with the sale and changes nothing', async () => {
    const sale = await shop.sale({ units: 3 });
    const shopper = await shop.shopper('no account');
    const order = granted(await shopper.buy(sale, 1, external), 201);
    granted(await shop.operator.cancelSale(sale.saleId, 'rain', randomUUID()), 202);
    const ended = await shop.atRest(order.orderId);
    expect(granted(await shop.operator.cancelSale(sale.saleId, 'snow', randomUUID()), 202)).toMatchObject({ state: 'closed' });
    expect(granted(await shopper.client.order(order.orderId))).toEqual(ended);
  });

  it('that is over already ends what is left of its orders', async () => {
    const sale = await shop.sale({ units: 3, priceMinor: 1_000 });
    const shopper = await shop.shopper(1_000);
    const placed = granted(await shopper.buy(sale), 201);
    expect((await shop.atRest(placed.orderId)).status).toBe('FULFILLED');
    granted(await shop.operator.patchSale(sale.saleId, { closesAt: new Date(Date.now() - 1_000).toISOString() }));
    granted(await shop.operator.cancelSale(sale.saleId, 'nobody played', randomUUID()), 202);
    await until('the order is refunded', async () =>
      granted(await shopper.client.order(placed.orderId)).status === 'REFUNDED' ? true : undefined,
    );
    expect(granted(await shopper.client.me()).balanceMinor).toBe(1_000);
  });

  it('while a crowd buys leaves no order alive and no penny behind', { timeout: 360_000 }, async () => {
    const sale = await shop.sale({ units: 200, priceMinor: 1_000 });
    const shoppers = await shop.shoppers(60, 1_000);
    const buying = Promise.all(shoppers.map((shopper) => shopper.buy(sale)));
    const cancelled = shop.operator.cancelSale(sale.saleId, 'rain', randomUUID());
    const answers = await buying;
    granted(await cancelled, 202);
    for (const answer of answers) if (!answer.ok) refused(answer, 'SALE_NOT_OPEN');
    const orders = answers.flatMap((answer) => (answer.ok ? [answer.body] : []));
    // An order that was on its way when the sale was called off is ended by the last pass, a minute later.
    await until(
      'every order has ended',
      async () => {
        if (shop.isLocal) await shop.client.localRun('sweeper');
        const statuses = await Promise.all(orders.map(async ({ orderId }) => granted(await shop.operator.order(orderId)).status));
        return statuses.every((status) => status === 'CANCELLED' || status === 'REFUNDED') ? true : undefined;
      },
      { withinMs: 300_000, everyMs: 1_000 },
    );
    for (const shopper of shoppers) expect(granted(await shopper.client.me()).balanceMinor).toBe(1_000);
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ authorisedMinor: 0, fulfilledMinor: 0 });
  });
});
