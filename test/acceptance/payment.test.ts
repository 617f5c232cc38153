import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, refused, type TestSale, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const balanceOf = async (shopper: { client: (typeof shop)['client'] }) => granted(await shopper.client.me()).balanceMinor;

/** Awaits the service's own clock: the test's may differ. */
const clockReaches = (sale: TestSale, ms: number) =>
  until(
    `the service's clock reaches ${new Date(ms).toISOString()}`,
    async () => (Date.parse((await shop.view(sale)).serverTime) >= ms ? true : undefined),
    { withinMs: 90_000, everyMs: 200 },
  );

describe('an order paid by balance', () => {
  it('is fulfilled: the price is taken once, and each unit has a ticket that is valid', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const shopper = await shop.shopper(5_000);
    const placed = granted(await shopper.buy(sale, 3), 201);
    expect(placed).toMatchObject({
      saleId: sale.saleId,
      buyerId: shopper.userId,
      status: 'RESERVED',
      displayStatus: 'PROCESSING',
      items: [{ sku: sale.sku, quantity: 3, priceMinor: 700 }],
      totalMinor: 2_100,
      currency: 'EUR',
      payment: { method: 'balance', state: 'none' },
    });

    await shop.atRest(placed.orderId);
    const order = granted(await shopper.client.order(placed.orderId));
    expect(order).toMatchObject({
      status: 'FULFILLED',
      displayStatus: 'COMPLETED',
      payment: { method: 'balance', state: 'captured' },
      totalMinor: 2_100,
    });
    expect(unitsOf(order)).toEqual(unitsOf(placed));
    expect(await balanceOf(shopper)).toBe(2_900);

    expect(order.tickets?.map(({ unit }) => unit).toSorted()).toEqual(unitsOf(order).toSorted());
    for (const { sku, unit, code } of order.tickets ?? [])
      expect(granted(await shop.client.ticket(code))).toEqual({ valid: true, saleId: sale.saleId, sku, unit });

    const audit = await shop.cleanAudit(sale);
    expect(audit.items).toMatchObject([{ sold: 3, held: 0, available: 7 }]);
    expect(audit.money).toMatchObject({ authorisedMinor: 0, capturedMinor: 2_100, fulfilledMinor: 2_100, refundedMinor: 0 });
  });

  it('has tickets that nobody can forge', async () => {
    const sale = await shop.sale();
    const placed = granted(await (await shop.shopper()).buy(sale), 201);
    const code = (await shop.atRest(placed.orderId)).tickets?.[0]?.code ?? expect.fail('no ticket');
    const middle = Math.floor(code.length / 2);
    const swapped = code[middle] === 'A' ? 'B' : 'A';
    for (const forged of [code.slice(0, middle) + swapped + code.slice(middle + 1), code.slice(0, -4), `${code}x`, 'x', placed.orderId])
      refused(await shop.client.ticket(forged), 'NOT_FOUND');
  });

  it('that the balance does not cover ends as declined: nothing is charged, and the units are free again', async () => {
    const sale = await shop.sale({ units: 4, priceMinor: 1_000 });
    const [poor, other] = [await shop.shopper(2_999), await shop.shopper()];
    const placed = granted(await poor.buy(sale, 3), 201);
    expect(await shop.atRest(placed.orderId)).toMatchObject({
      status: 'FAILED',
      failure: 'PAYMENT_DECLINED',
      displayStatus: 'FAILED_PAYMENT',
      payment: { state: 'declined' },
    });
    expect(await balanceOf(poor)).toBe(2_999);

    const all = await until('all units are free', async () => {
      const answer = await other.buy(sale, 4);
      return answer.ok ? answer.body : undefined;
    });
    expect(unitsOf(all).toSorted()).toEqual(['1', '2', '3', '4']);
    await shop.atRest(all.orderId);
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 4_000, fulfilledMinor: 4_000, authorisedMinor: 0 });
  });

  it('is declined for a buyer without an account', async (test) => {
    test.skip(!shop.isLocal, 'the buyers whose tokens are given may have accounts');
    const sale = await shop.sale({ units: 1 });
    const stranger = await shop.shopper('no account');
    refused(await stranger.client.me(), 'NOT_FOUND');
    const placed = granted(await stranger.buy(sale), 201);
    expect(await shop.atRest(placed.orderId)).toMatchObject({
      status: 'FAILED',
      failure: 'PAYMENT_DECLINED',
      displayStatus: 'FAILED_PAYMENT',
    });
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ available: 1, held: 0, sold: 0 }]);
  });

  it('never takes more than the balance, whatever is bought at one moment', async () => {
    const sale = await shop.sale({ units: 20, priceMinor: 1_000 });
    const shopper = await shop.shopper(3_500);
    const answers = await Promise.all(Array.from({ length: 10 }, () => shopper.buy(sale)));
    const orders = await Promise.all(answers.map((answer) => shop.atRest(granted(answer, 201).orderId)));
    expect(orders.filter(({ status }) => status === 'FULFILLED')).toHaveLength(3);
    expect(orders.filter(({ failure }) => failure === 'PAYMENT_DECLINED')).toHaveLength(7);
    expect(await balanceOf(shopper)).toBe(500);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 3, held: 0, available: 17 }]);
  });
});

describe('an order that is paid elsewhere', () => {
  it('waits for its payment and takes nothing from the balance', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper(5_000);
    const placed = granted(await shopper.buy(sale, 2, { method: 'external' }), 201);
    expect(placed).toMatchObject({ status: 'RESERVED', displayStatus: 'AWAITING_PAYMENT', payment: { method: 'external', state: 'none' } });
    expect(Date.parse(placed.holdExpiresAt ?? '')).toBeGreaterThan(Date.parse(placed.createdAt));
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: 2, sold: 0, available: 8 }]);
    expect(await balanceOf(shopper)).toBe(5_000);
    expect(granted(await shopper.client.order(placed.orderId))).toMatchObject({ status: 'RESERVED', displayStatus: 'AWAITING_PAYMENT' });
  });

  it('and that nobody pays gives its units back within one sweep, once', { timeout: 240_000 }, async (test) => {
    test.skip(!shop.isLocal, 'needs /local/run/sweeper');
    // Long enough for those who come next to be paid for before their own holds are over.
    const sale = await shop.sale({ units: 2, holdSeconds: 15 });
    const [idle, next, last] = [await shop.shopper(), await shop.shopper(), await shop.shopper()];
    const placed = granted(await idle.buy(sale, 2, { method: 'external' }), 201);
    refused(await next.buy(sale), 'SOLD_OUT');

    // The sweeper leaves a second of grace: Redis' clock may step at a failover.
    await clockReaches(sale, Date.parse(placed.holdExpiresAt ?? '') + 1_500);
    granted(await shop.operator.localRun('sweeper'));
    const expired = granted(await idle.client.order(placed.orderId));
    expect(expired).toMatchObject({ status: 'EXPIRED', displayStatus: 'EXPIRED', payment: { state: 'none' } });

    await Promise.all(Array.from({ length: 3 }, () => shop.operator.localRun('sweeper')));
    const orders = [granted(await next.buy(sale), 201), granted(await last.buy(sale), 201)];
    expect(orders.flatMap(unitsOf).toSorted()).toEqual(['1', '2']);
    refused(await idle.buy(sale), 'SOLD_OUT');
    await Promise.all(orders.map(({ orderId }) => shop.atRest(orderId)));
    granted(await shop.operator.localRun('sweeper'));
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 2, sold: 2, held: 0, available: 0 }]);
    refused(await idle.client.cancelOrder(placed.orderId), 'NOT_CANCELLABLE');
  });
});
