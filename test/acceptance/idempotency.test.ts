import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import type { Answer } from '../../lib/client/connection.ts';
import { granted, openShop, patient, refused, type Shopper, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const isReplay = (answer: Answer<unknown>): boolean => answer.headers['idempotency-replayed'] === 'true';

function expectReplay(answer: Answer<unknown>, first: Answer<unknown>): void {
  expect({ status: answer.status, body: answer.text, replayed: isReplay(answer) }).toEqual({
    status: first.status,
    body: first.text,
    replayed: true,
  });
}

const ordersOf = async (shopper: Shopper, sale: TestSale) => granted(await shopper.client.orders({ saleId: sale.saleId })).items;

describe('one idempotency key', () => {
  it('raced by 20 requests makes one order, and everyone is told of that one', async () => {
    const sale = await shop.sale({ units: 50 });
    const shopper = await shop.shopper();
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 20 }, () => shopper.buy(sale, 2, { key })));

    const told = answers.filter(({ ok }) => ok);
    for (const answer of answers)
      if (!answer.ok) expect(refused(answer, 'REQUEST_IN_FLIGHT') && answer.headers['retry-after']).toMatch(/^\d+$/);
    expect(told.filter((answer) => !isReplay(answer))).toHaveLength(1);
    expect(new Set(told.map(({ text }) => text)).size).toBe(1);
    expect(new Set(told.map(({ status }) => status))).toEqual(new Set([201]));

    const first = told[0] ?? expect.fail('nobody was told of an order');
    expectReplay(await shopper.buy(sale, 2, { key }), first);
    await shop.atRest(granted(first, 201).orderId);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 2, held: 0, available: 48 }]);
    await until('the list shows the order', async () => ((await ordersOf(shopper, sale)).length > 0 ? true : undefined));
    expect(await ordersOf(shopper, sale)).toHaveLength(1);
  });

  it('with another payload is refused, and nothing moves', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const key = randomUUID();
    const first = await shopper.buy(sale, 1, { key });
    granted(first, 201);
    refused(await shopper.buy(sale, 2, { key }), 'IDEMPOTENCY_KEY_REUSED');
    refused(await shopper.buy(sale, 1, { key, method: 'external' }), 'IDEMPOTENCY_KEY_REUSED');
    expectReplay(await shopper.buy(sale, 1, { key }), first);
    await shop.atRest(granted(first, 201).orderId);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 1, held: 0, available: 9 }]);
  });

  it('stands for the same payload with a default left out or written', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const key = randomUUID();
    const first = await shopper.buy(sale, 1, { key });
    granted(first, 201);
    expectReplay(await shopper.buy(sale, 1, { key, method: 'balance' }), first);
  });

  it('of two callers makes two orders, and neither sees the other', async () => {
    const sale = await shop.sale();
    const key = randomUUID();
    const [one, other] = [await shop.shopper(), await shop.shopper()];
    const [first, second] = [await one.buy(sale, 1, { key }), await other.buy(sale, 1, { key })];
    expect(granted(second, 201).buyerId).toBe(other.userId);
    expect(granted(second, 201).orderId).not.toBe(granted(first, 201).orderId);
    expect(isReplay(second)).toBe(false);
  });

  it('on two sales makes two orders', async () => {
    const [one, other] = [await shop.sale(), await shop.sale()];
    const shopper = await shop.shopper();
    const key = randomUUID();
    const [first, second] = [await shopper.buy(one, 1, { key }), await shopper.buy(other, 1, { key })];
    expect(granted(second, 201).orderId).not.toBe(granted(first, 201).orderId);
    expect(isReplay(second)).toBe(false);
  });

  it('that was refused is a fresh attempt, which may succeed', async () => {
    const sale = await shop.sale({ units: 1 });
    const [holder, latecomer] = [await shop.shopper(), await shop.shopper()];
    const held = granted(await holder.buy(sale, 1, { method: 'external' }), 201);
    const key = randomUUID();
    refused(await latecomer.buy(sale, 1, { key }), 'SOLD_OUT');
    granted(await holder.client.cancelOrder(held.orderId));
    const second = await latecomer.buy(sale, 1, { key });
    granted(second, 201);
    expect(isReplay(second)).toBe(false);
    expectReplay(await latecomer.buy(sale, 1, { key }), second);
  });
});

describe('the first answer comes again', () => {
  it('after the last unit is gone', async () => {
    const sale = await shop.sale({ units: 1 });
    const [winner, loser] = [await shop.shopper(), await shop.shopper()];
    const key = randomUUID();
    const first = await winner.buy(sale, 1, { key });
    granted(first, 201);
    refused(await loser.buy(sale), 'SOLD_OUT');
    expectReplay(await winner.buy(sale, 1, { key }), first);
    refused(await winner.buy(sale), 'SOLD_OUT');
  });

  it('after the order has come to rest, and after it was cancelled', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const [paidKey, cancelledKey] = [randomUUID(), randomUUID()];
    const paid = await shopper.buy(sale, 1, { key: paidKey });
    await shop.atRest(granted(paid, 201).orderId);
    expectReplay(await shopper.buy(sale, 1, { key: paidKey }), paid);

    const waiting = await shopper.buy(sale, 1, { key: cancelledKey, method: 'external' });
    granted(await shopper.client.cancelOrder(granted(waiting, 201).orderId));
    expectReplay(await shopper.buy(sale, 1, { key: cancelledKey, method: 'external' }), waiting);
    // A replay holds nothing: what the cancelled order had is free.
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 1, held: 0, available: 9 }]);
  });

  it('when the buyer has reached the limit', async () => {
    const sale = await shop.sale({ perBuyerLimit: 1 });
    const shopper = await shop.shopper();
    const key = randomUUID();
    const first = await shopper.buy(sale, 1, { key });
    granted(first, 201);
    refused(await shopper.buy(sale), 'BUYER_LIMIT');
    expectReplay(await shopper.buy(sale, 1, { key }), first);
  });

  it('after the sale has closed, where a new request is refused', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const key = randomUUID();
    const first = await shopper.buy(sale, 1, { key });
    granted(first, 201);
    granted(await shop.operator.patchSale(sale.saleId, { closesAt: new Date(Date.now() + 1_500).toISOString() }));
    await until('the sale closes', async () => ((await shop.view(sale)).state === 'closed' ? true : undefined), {
      ...patient,
      everyMs: 200,
    });
    expectReplay(await shopper.buy(sale, 1, { key }), first);
    refused(await shopper.buy(sale, 2, { key }), 'IDEMPOTENCY_KEY_REUSED');
    refused(await shopper.buy(sale), 'SALE_NOT_OPEN');
  });
});

describe("an operator's key", () => {
  it('makes one sale however often it is sent', async () => {
    const { sku } = await shop.sale();
    const nowMs = Date.now();
    const key = randomUUID();
    const request = {
      name: 'Once',
      opensAt: new Date(nowMs - 1_000).toISOString(),
      closesAt: new Date(nowMs + 60_000).toISOString(),
      items: [{ sku, units: 3 }],
    };
    const first = await shop.operator.createSale(request, key);
    granted(first, 201);
    expectReplay(await shop.operator.createSale(request, key), first);
    refused(await shop.operator.createSale({ ...request, name: 'Twice' }, key), 'IDEMPOTENCY_KEY_REUSED');
  });

  it('credits an account once however often it is sent, also at one moment', async () => {
    const shopper = await shop.shopper(100);
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => shop.operator.credit(shopper.userId, 50, key)));
    for (const answer of answers) if (!answer.ok) refused(answer, 'REQUEST_IN_FLIGHT');
    expect(answers.filter((answer) => answer.ok && !isReplay(answer)).length).toBeLessThanOrEqual(1);
    expect(granted(await shop.operator.credit(shopper.userId, 50, key)).balanceMinor).toBe(150);
    expect(granted(await shopper.client.me()).balanceMinor).toBe(150);
    refused(await shop.operator.credit(shopper.userId, 51, key), 'IDEMPOTENCY_KEY_REUSED');
  });
});
