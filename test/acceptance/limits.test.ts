import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, patient, refused, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const becomes = (sale: TestSale, state: string) =>
  until(`the sale becomes ${state}`, async () => ((await shop.view(sale)).state === state ? true : undefined), {
    ...patient,
    everyMs: 200,
  });

describe('the limit per buyer', () => {
  it('holds over several orders, and is given back by a cancelled one', async () => {
    const sale = await shop.sale({ units: 20, perBuyerLimit: 3 });
    const [shopper, other] = [await shop.shopper(), await shop.shopper()];
    const pair = granted(await shopper.buy(sale, 2, { method: 'external' }), 201);
    refused(await shopper.buy(sale, 2), 'BUYER_LIMIT');
    granted(await shopper.buy(sale, 1), 201);
    refused(await shopper.buy(sale, 1), 'BUYER_LIMIT');
    granted(await other.buy(sale, 3), 201);

    granted(await shopper.client.cancelOrder(pair.orderId));
    const again = granted(await shopper.buy(sale, 2), 201);
    refused(await shopper.buy(sale, 1), 'BUYER_LIMIT');
    expect((await shop.atRest(again.orderId)).status).toBe('FULFILLED');
  });

  it('holds when all orders come at one moment', async () => {
    const sale = await shop.sale({ units: 50, perBuyerLimit: 3 });
    const shopper = await shop.shopper();
    const answers = await Promise.all(Array.from({ length: 20 }, () => shopper.buy(sale)));
    for (const answer of answers) if (!answer.ok) refused(answer, 'BUYER_LIMIT');
    const orders = answers.flatMap((answer) => (answer.ok ? [answer.body] : []));
    expect(orders).toHaveLength(3);
    await Promise.all(orders.map(({ orderId }) => shop.atRest(orderId)));
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 3, available: 47 }]);
  });

  it('counts all items of the sale together', async () => {
    const sale = await shop.sale({ units: [10, 10], perBuyerLimit: 3 });
    const shopper = await shop.shopper();
    const [one = '', other = ''] = sale.skus;
    granted(await shopper.buy(sale, 2, { sku: one }), 201);
    refused(await shopper.buy(sale, 2, { sku: other }), 'BUYER_LIMIT');
    granted(await shopper.buy(sale, 1, { sku: other }), 201);
  });

  it('is given back when the payment was declined', async () => {
    const sale = await shop.sale({ perBuyerLimit: 1 });
    const poor = await shop.shopper(1);
    const declined = granted(await poor.buy(sale), 201);
    expect((await shop.atRest(declined.orderId)).status).toBe('FAILED');
    granted(await shop.operator.credit(poor.userId, 10_000, declined.orderId));
    const order = await until('the allowance is back', async () => {
      const answer = await poor.buy(sale);
      if (!answer.ok) refused(answer, 'BUYER_LIMIT');
      return answer.ok ? answer.body : undefined;
    });
    expect((await shop.atRest(order.orderId)).status).toBe('FULFILLED');
  });
});

describe('the window of a sale', () => {
  it('sells nothing before it opens', async () => {
    const sale = await shop.sale({ opensInMs: 3_600_000, closesInMs: 7_200_000 });
    expect((await shop.view(sale)).state).toBe('scheduled');
    refused(await (await shop.shopper()).buy(sale), 'SALE_NOT_OPEN');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ available: 10, held: 0, sold: 0 }]);
  });

  it('opens by itself', async () => {
    const sale = await shop.sale({ opensInMs: 2_500 });
    const shopper = await shop.shopper();
    const early = await shopper.buy(sale);
    // A slow machine may have come late already; then there is nothing to be seen here.
    if (!early.ok) refused(early, 'SALE_NOT_OPEN');
    await becomes(sale, 'open');
    granted(await shopper.buy(sale), 201);
  });

  it('sells nothing after it has closed, and what was held before can still be cancelled', async () => {
    const sale = await shop.sale({ units: 2 });
    const [holder, late] = [await shop.shopper(), await shop.shopper()];
    const held = granted(await holder.buy(sale, 1, { method: 'external' }), 201);
    granted(await shop.operator.patchSale(sale.saleId, { closesAt: new Date(Date.now() + 1_500).toISOString() }));
    await becomes(sale, 'closed');
    refused(await late.buy(sale), 'SALE_NOT_OPEN');
    expect(granted(await holder.client.order(held.orderId)).status).toBe('RESERVED');
    expect(granted(await holder.client.cancelOrder(held.orderId)).status).toBe('CANCELLED');
    refused(await late.buy(sale), 'SALE_NOT_OPEN');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ available: 2, held: 0, sold: 0 }]);
  });
});
