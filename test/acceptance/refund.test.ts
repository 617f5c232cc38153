import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import type { OrderBody } from '../../lib/client/contract.ts';
import { granted, openShop, refused, type Shopper, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const reason = 'the show was moved';
const balanceOf = async (shopper: Shopper) => granted(await shopper.client.me()).balanceMinor;
const refund = (order: OrderBody, returnUnits?: boolean, key = randomUUID() as string, by = shop.operator) =>
  by.refund(order.orderId, { reason, ...(returnUnits === undefined ? {} : { returnUnits }) }, key);

async function fulfilled(sale: TestSale, shopper: Shopper, quantity = 1): Promise<OrderBody> {
  const order = await shop.atRest(granted(await shopper.buy(sale, quantity), 201).orderId);
  expect(order.status).toBe('FULFILLED');
  return order;
}
const ticketsAreValid = async (order: OrderBody) =>
  Promise.all((order.tickets ?? []).map(async ({ code }) => granted(await shop.client.ticket(code)).valid));

describe('a refund of a fulfilled order', () => {
  it('makes its tickets invalid at once, returns every penny, and takes its units out of sale', async () => {
    const sale = await shop.sale({ units: 3, perBuyerLimit: 2, priceMinor: 700 });
    const shopper = await shop.shopper(5_000);
    const order = await fulfilled(sale, shopper, 2);
    expect(await ticketsAreValid(order)).toEqual([true, true]);

    const accepted = granted(await refund(order), 202);
    expect(accepted).toMatchObject({ orderId: order.orderId, status: 'REFUNDING', displayStatus: 'REFUND_IN_PROGRESS' });
    expect(await ticketsAreValid(order)).toEqual([false, false]);

    expect(await shop.atRest(order.orderId)).toMatchObject({
      status: 'REFUNDED',
      displayStatus: 'REFUNDED',
      items: order.items,
      totalMinor: 1_400,
      payment: { method: 'balance', state: 'refunded' },
    });
    expect(await balanceOf(shopper)).toBe(5_000);
    expect(await ticketsAreValid(order)).toEqual([false, false]);
    const audit = await shop.cleanAudit(sale);
    expect(audit.items).toMatchObject([{ total: 3, sold: 0, held: 0, retired: 2, available: 1 }]);
    expect(audit.money).toMatchObject({ authorisedMinor: 0, capturedMinor: 1_400, fulfilledMinor: 0, refundedMinor: 1_400 });
    // Only units that come back give the allowance back.
    refused(await shopper.buy(sale), 'BUYER_LIMIT');
    const next = await shop.shopper();
    expect(refused(await next.buy(sale, 2), 'SOLD_OUT')).toMatchObject({ available: 1 });
    granted(await next.buy(sale), 201);
  });

  it('with returnUnits puts them on sale again, and gives the buyer’s allowance back', async () => {
    const sale = await shop.sale({ units: 2, perBuyerLimit: 2 });
    const shopper = await shop.shopper();
    const order = await fulfilled(sale, shopper, 2);
    refused(await shopper.buy(sale), 'BUYER_LIMIT');
    granted(await refund(order, true), 202);
    await shop.atRest(order.orderId);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 0, retired: 0, available: 2 }]);
    const again = await fulfilled(sale, shopper, 2);
    expect(await ticketsAreValid(again)).toEqual([true, true]);
    expect(await ticketsAreValid(order)).toEqual([false, false]);
  });

  it('of seats retires or returns those very seats', async () => {
    const sale = await shop.sale({ seats: ['A-1', 'A-2'] });
    const [first, second, next] = await shop.shoppers(3);
    const retiring = granted(await (first ?? expect.fail()).buySeats(sale, ['A-1']), 201);
    const returning = granted(await (second ?? expect.fail()).buySeats(sale, ['A-2']), 201);
    for (const { orderId } of [retiring, returning]) await shop.atRest(orderId);
    granted(await refund(retiring), 202);
    granted(await refund(returning, true), 202);
    for (const { orderId } of [retiring, returning]) expect(await shop.atRest(orderId)).toMatchObject({ status: 'REFUNDED' });
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ retired: 1, available: 1 }]);
    expect(refused(await (next ?? expect.fail()).buySeats(sale, ['A-1', 'A-2']), 'SEAT_TAKEN')).toMatchObject({ seats: ['A-1'] });
    granted(await (next ?? expect.fail()).buySeats(sale, ['A-2']), 201);
  });
});

describe('a refund under one key', () => {
  it('is one refund with one answer, at once and after it is done, and under another payload a mistake', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper(1_000);
    const order = await fulfilled(sale, shopper);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => refund(order, true, key)));
    await shop.atRest(order.orderId);
    answers.push(await refund(order, true, key));
    for (const answer of answers) expect([answer.status, answer.text]).toEqual([202, answers[0]?.text]);
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(8);
    expect(await balanceOf(shopper)).toBe(1_000);
    refused(await refund(order, false, key), 'IDEMPOTENCY_KEY_REUSED');
    expect(refused(await refund(order, true), 'NOT_REFUNDABLE')).toMatchObject({ orderStatus: 'REFUNDED' });
  });
});

describe('two operators', () => {
  it('who refund one order at one moment refund it once, and one of them is told so', async () => {
    const sale = await shop.sale({ units: 20 });
    const other = shop.client.as(await shop.callers.operator());
    const shoppers = await shop.shoppers(10, 1_000);
    await Promise.all(
      shoppers.map(async (shopper) => {
        const order = await fulfilled(sale, shopper);
        const answers = await Promise.all([refund(order, true), refund(order, false, randomUUID(), other)]);
        expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
        for (const answer of answers.filter(({ ok }) => !ok)) refused(answer, 'NOT_REFUNDABLE');
        expect(await shop.atRest(order.orderId)).toMatchObject({ status: 'REFUNDED' });
        expect(await balanceOf(shopper)).toBe(1_000);
      }),
    );
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 10_000, refundedMinor: 10_000, fulfilledMinor: 0 });
  });
});

describe('what cannot be refunded', () => {
  it('is an order that nobody paid, one that has ended, and one that is not there', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper('no account');
    const held = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    expect(refused(await refund(held), 'NOT_REFUNDABLE')).toMatchObject({ orderStatus: 'RESERVED' });
    granted(await shopper.client.cancelOrder(held.orderId));
    expect(refused(await refund(held), 'NOT_REFUNDABLE')).toMatchObject({ orderStatus: 'CANCELLED' });
    refused(await refund({ ...held, orderId: `ord_${'x'.repeat(22)}` }), 'NOT_FOUND');
  });

  it('is anything at all for a buyer, or without a key or a reason', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const order = await fulfilled(sale, shopper);
    refused(await refund(order, false, randomUUID(), shopper.client), 'FORBIDDEN');
    const post = (headers: Record<string, string>, body: unknown) =>
      shop.operator.raw({
        method: 'POST',
        path: `/v1/orders/${order.orderId}/refund`,
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
    refused(await post({}, { reason }), 'IDEMPOTENCY_KEY_REQUIRED');
    refused(await post({ 'idempotency-key': randomUUID() }, {}), 'INVALID_REQUEST');
    refused(await post({ 'idempotency-key': randomUUID() }, { reason, amountMinor: 1 }), 'INVALID_REQUEST');
    expect(granted(await shopper.client.order(order.orderId))).toEqual(order);
  });
});
