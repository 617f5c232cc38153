import { afterAll, describe, expect, it } from 'vitest';
import { granted, openShop, refused, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

describe('cancelling', () => {
  it('gives the unit to the next buyer', async () => {
    const sale = await shop.sale({ units: 1 });
    const [first, next] = [await shop.shopper(), await shop.shopper()];
    const held = granted(await first.buy(sale, 1, { method: 'external' }), 201);
    refused(await next.buy(sale), 'SOLD_OUT');

    const cancelled = granted(await first.client.cancelOrder(held.orderId));
    expect(cancelled).toMatchObject({ orderId: held.orderId, status: 'CANCELLED', displayStatus: 'CANCELLED', payment: { state: 'none' } });
    const order = granted(await next.buy(sale), 201);
    expect(unitsOf(order)).toEqual(unitsOf(held));
    await shop.atRest(order.orderId);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 1, sold: 1, held: 0, available: 0 }]);
  });

  it('a second time changes nothing, even when its unit is another buyer’s by then', async () => {
    const sale = await shop.sale({ units: 1 });
    const [first, next] = [await shop.shopper(), await shop.shopper()];
    const held = granted(await first.buy(sale, 1, { method: 'external' }), 201);
    const cancelled = granted(await first.client.cancelOrder(held.orderId));
    const taken = granted(await next.buy(sale, 1, { method: 'external' }), 201);
    const again = granted(await first.client.cancelOrder(held.orderId));
    expect(again).toMatchObject({ status: 'CANCELLED', payment: cancelled.payment, items: cancelled.items });
    expect(granted(await next.client.order(taken.orderId))).toMatchObject({ status: 'RESERVED' });
    refused(await first.buy(sale), 'SOLD_OUT');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: 1, sold: 0, available: 0 }]);
  });

  it('by ten requests at one moment cancels once', async () => {
    const sale = await shop.sale({ units: 3 });
    const shopper = await shop.shopper();
    const held = granted(await shopper.buy(sale, 2, { method: 'external' }), 201);
    const answers = await Promise.all(Array.from({ length: 10 }, () => shopper.client.cancelOrder(held.orderId)));
    for (const answer of answers) expect(granted(answer).status).toBe('CANCELLED');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 3, held: 0, sold: 0, available: 3 }]);
    expect(unitsOf(granted(await shopper.buy(sale, 3), 201))).toHaveLength(3);
  });

  it('is refused once the order is fulfilled, and the buyer keeps units and tickets', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const placed = granted(await shopper.buy(sale), 201);
    const fulfilled = await shop.atRest(placed.orderId);
    expect(fulfilled.status).toBe('FULFILLED');
    refused(await shopper.client.cancelOrder(placed.orderId), 'NOT_CANCELLABLE');
    expect(granted(await shopper.client.order(placed.orderId))).toEqual(fulfilled);
  });

  it('of a declined order is refused', async () => {
    const sale = await shop.sale();
    const poor = await shop.shopper(1);
    const placed = granted(await poor.buy(sale), 201);
    expect((await shop.atRest(placed.orderId)).status).toBe('FAILED');
    refused(await poor.client.cancelOrder(placed.orderId), 'NOT_CANCELLABLE');
  });

  it('while the order is being paid either wins and returns every penny, or loses and the order is fulfilled', async () => {
    const sale = await shop.sale({ units: 30, priceMinor: 1_000 });
    const shoppers = await shop.shoppers(15, 1_000);
    const ends = await Promise.all(
      shoppers.map(async (shopper) => {
        const placed = granted(await shopper.buy(sale), 201);
        const answer = await shopper.client.cancelOrder(placed.orderId);
        if (!answer.ok) refused(answer, 'NOT_CANCELLABLE');
        const order = await shop.atRest(placed.orderId);
        expect(order.status).toBeOneOf(answer.ok ? ['CANCELLED', 'REFUNDED'] : ['FULFILLED']);
        expect(granted(await shopper.client.me()).balanceMinor).toBe(answer.ok ? 1_000 : 0);
        return order;
      }),
    );
    const sold = ends.filter(({ status }) => status === 'FULFILLED').length;
    const audit = await shop.cleanAudit(sale);
    expect(audit.items).toMatchObject([{ sold, held: 0, available: 30 - sold }]);
    expect(audit.money).toMatchObject({ authorisedMinor: 0, fulfilledMinor: sold * 1_000 });
    expect(audit.money.capturedMinor - audit.money.refundedMinor).toBe(sold * 1_000);
  });

  it('is open to an operator for any order', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const held = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    expect(granted(await shop.operator.cancelOrder(held.orderId)).status).toBe('CANCELLED');
  });

  it('of an order that does not exist is 404', async () => {
    const shopper = await shop.shopper();
    refused(await shopper.client.cancelOrder(`ord_${'x'.repeat(22)}`), 'NOT_FOUND');
  });
});
