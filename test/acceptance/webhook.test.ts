import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import type { OrderBody } from '../../lib/client/contract.ts';
import { type PaymentNotice, type Signing, webhookHeaders } from '../../lib/client/webhooks.ts';
import { granted, openShop, patient, refused, type Shopper, type TestSale, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const [newest = '', older = ''] = inject('webhookSecrets');
const path = '/v1/webhooks/payments';
const external = { method: 'external' } as const;

const noticeOf = (order: OrderBody, changes: Partial<PaymentNotice['data']> = {}, type: PaymentNotice['type'] = 'payment.succeeded') => ({
  type,
  data: { paymentId: `pay_${randomUUID()}`, orderId: order.orderId, amountMinor: order.totalMinor, currency: order.currency, ...changes },
});
const tell = (notice: PaymentNotice, signing: Partial<Signing> = {}) =>
  shop.client.tellOfPayment(notice, { secrets: [newest], ...signing });

async function taken(notice: PaymentNotice, signing: Partial<Signing> = {}) {
  const answer = await tell(notice, signing);
  granted(answer, 204);
  expect(answer.text).toBe('');
}

const buys = async (shopper: Shopper, sale: TestSale, quantity = 1) => granted(await shopper.buy(sale, quantity, external), 201);
const seen = async (order: Pick<OrderBody, 'orderId'>) => granted(await shop.operator.order(order.orderId));

/** Past the hold of an order, with the sweeper's work done. */
async function expired(sale: TestSale, order: OrderBody): Promise<OrderBody> {
  // The sweeper leaves a second of grace: Redis' clock may step at a failover.
  const endMs = Date.parse(order.holdExpiresAt ?? '') + 1_500;
  const isOver = async () => (Date.parse((await shop.view(sale)).serverTime) >= endMs ? true : undefined);
  await until('the hold is over', isOver, { ...patient, everyMs: 200 });
  granted(await shop.operator.localRun('sweeper'));
  return seen(order);
}

describe.skipIf(newest === '')('an order paid from outside', () => {
  it('waits for its payment until the signed webhook, and is fulfilled with tickets then', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const shopper = await shop.shopper('no account');
    const placed = await buys(shopper, sale, 2);
    expect(placed).toMatchObject({ status: 'RESERVED', displayStatus: 'AWAITING_PAYMENT', payment: { method: 'external', state: 'none' } });

    await taken(noticeOf(placed));
    const order = await shop.atRest(placed.orderId);
    expect(order).toMatchObject({
      status: 'FULFILLED',
      displayStatus: 'COMPLETED',
      items: placed.items,
      payment: { method: 'external', state: 'captured' },
    });
    expect(order.tickets).toHaveLength(2);
    for (const { code } of order.tickets ?? []) expect(granted(await shop.client.ticket(code))).toMatchObject({ valid: true });
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 1_400, fulfilledMinor: 1_400, refundedMinor: 0 });
    refused(await shopper.client.me(), 'NOT_FOUND');
  });

  it('is paid once: the same webhook again, at once or later, changes nothing, and another payment goes back', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const placed = await buys(await shop.shopper('no account'), sale);
    const notice = noticeOf(placed);
    const same = { webhookId: 'msg_same' };
    await Promise.all([taken(notice, same), taken(notice, same), taken(notice, same), taken(notice)]);
    const order = await shop.atRest(placed.orderId);
    await taken(notice, same);
    expect(await seen(order)).toEqual(order);
    await taken(noticeOf(placed));
    expect(await seen(order)).toMatchObject({ status: 'FULFILLED', payment: { state: 'captured' } });
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 700, fulfilledMinor: 700, refundedMinor: 0 });
  });

  it('is confirmed by no other amount or currency; the right payment follows, and an operator refunds it once', async () => {
    const sale = await shop.sale({ priceMinor: 700 });
    const placed = await buys(await shop.shopper('no account'), sale);
    for (const wrong of [{ amountMinor: 699 }, { amountMinor: 70_000 }, { currency: 'USD' }]) await taken(noticeOf(placed, wrong));
    expect(await seen(placed)).toMatchObject({ status: 'RESERVED', displayStatus: 'AWAITING_PAYMENT', payment: { state: 'none' } });

    await taken(noticeOf(placed));
    const { tickets = [] } = await shop.atRest(placed.orderId);
    granted(await shop.operator.refund(placed.orderId, { reason: 'the show was moved', returnUnits: true }, randomUUID()), 202);
    const refundedOrder = await until('the order is refunded', async () => {
      const order = await seen(placed);
      return order.status === 'REFUNDED' ? order : undefined;
    });
    expect(refundedOrder).toMatchObject({ displayStatus: 'REFUNDED', payment: { method: 'external', state: 'refunded' } });
    expect(granted(await shop.client.ticket(tickets[0]?.code ?? ''))).toMatchObject({ valid: false });
    const audit = await shop.cleanAudit(sale);
    expect(audit.money).toMatchObject({ capturedMinor: 700, fulfilledMinor: 0, refundedMinor: 700, authorisedMinor: 0 });
    expect(audit.items).toMatchObject([{ available: 10, held: 0, sold: 0 }]);
  });

  it('ends with a payment that failed, its units are free, and a success that comes late buys them again', async () => {
    const sale = await shop.sale({ units: 1 });
    const [shopper, other] = await shop.shoppers(2, 'no account');
    if (!shopper || !other) throw new Error('two were asked for');
    const placed = await buys(shopper, sale);
    await taken(noticeOf(placed, {}, 'payment.failed'));
    await taken(noticeOf(placed, {}, 'payment.failed'));
    const failed = await shop.atRest(placed.orderId);
    expect(failed).toMatchObject({
      status: 'FAILED',
      failure: 'PAYMENT_DECLINED',
      displayStatus: 'FAILED_PAYMENT',
      payment: { state: 'declined' },
    });

    const between = await until('the unit is free', async () => {
      const answer = await other.buy(sale, 1, external);
      return answer.ok ? answer.body : undefined;
    });
    await taken(noticeOf(placed));
    expect(await seen(placed), 'no unit is left').toMatchObject({ status: 'FAILED', payment: { state: 'declined' } });

    granted(await other.client.cancelOrder(between.orderId));
    await taken(noticeOf(placed));
    const bought = await until('late money has bought the unit', async () => {
      const order = await seen(placed);
      return order.status === 'FULFILLED' ? order : undefined;
    });
    expect(bought).toMatchObject({ displayStatus: 'COMPLETED', payment: { state: 'captured' } });
    expect(bought.failure).toBeUndefined();
    expect(unitsOf(bought)).toEqual(['1']);
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 1_000, fulfilledMinor: 1_000, refundedMinor: 0 });
  });

  it('whose money comes after its expiry gets units again, or the money back', { timeout: 240_000 }, async (test) => {
    test.skip(!shop.isLocal, 'needs /local/run/sweeper');
    const sale = await shop.sale({ units: 2, holdSeconds: 5 });
    const buyers = await shop.shoppers(3, 'no account');
    const [lucky, unlucky] = await Promise.all(buyers.slice(0, 2).map((shopper) => buys(shopper, sale)));
    if (!lucky || !unlucky) throw new Error('two were placed');
    await expired(sale, lucky);
    expect(await expired(sale, unlucky)).toMatchObject({ status: 'EXPIRED', payment: { state: 'none' } });
    const quicker = await buys(buyers[2] as Shopper, sale);
    await taken(noticeOf(quicker));

    const notice = noticeOf(lucky);
    await Promise.all([taken(notice), taken(notice)]);
    expect(
      await until('late money has bought a unit', async () => {
        const order = await seen(lucky);
        return order.status === 'FULFILLED' ? order : undefined;
      }),
    ).toMatchObject({ payment: { state: 'captured' } });
    await taken(noticeOf(unlucky));
    expect(await seen(unlucky)).toMatchObject({ status: 'EXPIRED', payment: { state: 'none' } });
    await shop.atRest(quicker.orderId);
    const audit = await shop.cleanAudit(sale);
    expect(audit.money).toMatchObject({ authorisedMinor: 0, capturedMinor: 2_000, fulfilledMinor: 2_000, refundedMinor: 0 });
    expect(audit.items).toMatchObject([{ available: 0, held: 0, sold: 2 }]);
  });
});

describe.skipIf(newest === '')('an order that is charged first, from outside', () => {
  it('gets its units after the webhook', async () => {
    const sale = await shop.sale({ units: 1, strategy: 'charge-first' });
    const placed = await buys(await shop.shopper('no account'), sale);
    expect(placed).toMatchObject({ status: 'PENDING', displayStatus: 'AWAITING_PAYMENT', payment: { state: 'none' } });
    await taken(noticeOf(placed));
    const order = await shop.atRest(placed.orderId);
    expect(order).toMatchObject({ status: 'FULFILLED', displayStatus: 'COMPLETED', payment: { state: 'captured' } });
    expect(unitsOf(order)).toEqual(['1']);
    await shop.cleanAudit(sale);
  });

  it('awaits its units while the sale is paused, and its cancellation gives all back', async () => {
    const sale = await shop.sale({ units: 1, strategy: 'charge-first' });
    const shopper = await shop.shopper('no account');
    const placed = await buys(shopper, sale);
    granted(await shop.operator.patchSale(sale.saleId, { state: 'paused' }));
    await taken(noticeOf(placed));
    expect(await seen(placed)).toMatchObject({ status: 'PENDING', displayStatus: 'AWAITING_INVENTORY', payment: { state: 'captured' } });
    expect((await shop.audit(sale)).money).toMatchObject({ capturedMinor: 1_000, balanced: true });
    granted(await shopper.client.cancelOrder(placed.orderId));
    expect(await shop.atRest(placed.orderId)).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' } });
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 1_000, refundedMinor: 1_000 });
  });

  it('is refunded exactly once when its money is there and no unit is left', async () => {
    const sale = await shop.sale({ units: 1, strategy: 'charge-first' });
    const shoppers = await shop.shoppers(3, 'no account');
    const placed = await Promise.all(shoppers.map((shopper) => buys(shopper, sale)));
    const notices = placed.map((order) => noticeOf(order));
    await Promise.all([...notices, ...notices].map((notice) => taken(notice)));
    const orders = await Promise.all(placed.map(({ orderId }) => shop.atRest(orderId)));
    expect(orders.filter(({ status }) => status === 'FULFILLED')).toHaveLength(1);
    for (const order of orders.filter(({ status }) => status !== 'FULFILLED')) {
      expect(order).toMatchObject({
        status: 'REFUNDED',
        failure: 'OUT_OF_STOCK',
        displayStatus: 'REFUNDED',
        payment: { state: 'refunded' },
      });
    }
    for (const notice of notices) await taken(notice);
    expect((await shop.cleanAudit(sale)).money).toMatchObject({ capturedMinor: 3_000, fulfilledMinor: 1_000, refundedMinor: 2_000 });
  });
});

describe.skipIf(newest === '')('the webhook', () => {
  it('takes what is signed with any of its secrets, or with an old and a new one together', async () => {
    const sale = await shop.sale({ units: 3 });
    const stranger = `whsec_${Buffer.from(randomUUID()).toString('base64')}`;
    for (const secrets of [[older], [stranger, newest], [older, newest]]) {
      const placed = await buys(await shop.shopper('no account'), sale);
      await taken(noticeOf(placed), { secrets });
      expect(await shop.atRest(placed.orderId)).toMatchObject({ status: 'FULFILLED' });
    }
  });

  it('believes nobody else: forged, tampered with, too old or too new, unsigned', async () => {
    const sale = await shop.sale();
    const placed = await buys(await shop.shopper('no account'), sale);
    const notice = noticeOf(placed);
    const body = JSON.stringify(notice);
    const nowMs = Date.now();
    const send = (headers: Record<string, string>, sent = body) =>
      shop.client.connection.send({ method: 'POST', path, headers: { 'content-type': 'application/json', ...headers }, body: sent });
    const signed = { ...webhookHeaders(body, { secrets: [newest] }) };
    const stranger = `whsec_${Buffer.from(randomUUID()).toString('base64')}`;
    refused(await tell(notice, { secrets: [stranger] }), 'UNAUTHENTICATED');
    refused(await tell(notice, { nowMs: nowMs - 330_000 }), 'UNAUTHENTICATED');
    refused(await tell(notice, { nowMs: nowMs + 330_000 }), 'UNAUTHENTICATED');
    refused(await send(signed, body.replace('"EUR"', '"USD"')), 'UNAUTHENTICATED');
    refused(await send({ ...signed, 'webhook-id': 'msg_other' }), 'UNAUTHENTICATED');
    refused(await send({}), 'UNAUTHENTICATED');
    refused(await send({ authorization: `Bearer ${await shop.callers.operator()}` }), 'UNAUTHENTICATED');
    expect(await seen(placed)).toMatchObject({ status: 'RESERVED', version: placed.version });
    granted(await send(signed), 204);
  });

  it('refuses a signed body that is none, and takes one that a provider has added to', async () => {
    const sale = await shop.sale();
    const placed = await buys(await shop.shopper('no account'), sale);
    const notice = noticeOf(placed);
    const send = (body: string, headers: Record<string, string> = {}) =>
      shop.client.connection.send({ method: 'POST', path, headers: { ...webhookHeaders(body, { secrets: [newest] }), ...headers }, body });
    for (const wrong of ['', 'nonsense', '[]', '{}', JSON.stringify({ ...notice, type: 'payment.disputed' })])
      refused(await send(wrong), 'INVALID_REQUEST');
    refused(await send(JSON.stringify(notice), { 'content-type': 'text/plain' }), 'UNSUPPORTED_MEDIA_TYPE');
    refused(await send(JSON.stringify({ ...notice, padding: 'x'.repeat(9_000) })), 'BODY_TOO_LARGE');
    refused(await shop.client.connection.send({ method: 'GET', path }), 'METHOD_NOT_ALLOWED');
    const spelled = JSON.stringify(
      { timestamp: new Date().toISOString(), ...notice, data: { ...notice.data, customer: 'Zoë €' } },
      null,
      2,
    );
    granted(await send(spelled), 204);
    expect(await shop.atRest(placed.orderId)).toMatchObject({ status: 'FULFILLED' });
  });

  it('takes money for an order that nobody knows, so that its provider need not ask for ever', async () => {
    const notice: PaymentNotice = {
      type: 'payment.succeeded',
      data: { paymentId: `pay_${randomUUID()}`, orderId: `ord_${'A'.repeat(22)}`, amountMinor: 1, currency: 'EUR' },
    };
    await taken(notice);
    await taken(notice);
    await taken({ ...notice, type: 'payment.failed' });
  });
});
