import { afterAll, describe, expect, it } from 'vitest';
import { type CrowdPlan, gather, rush, settle } from '../../lib/client/crowd.ts';
import { outcomeCounts } from '../../lib/client/report.ts';
import { verdictOf } from '../../lib/client/verdict.ts';
import { granted, openShop, refused, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

async function crowdOf(wishes: Partial<CrowdPlan>) {
  const plan = { buyers: 300, units: 100, quantity: 1, concurrency: 100, priceMinor: 1_000, currency: 'EUR', ...wishes };
  const crowd = await gather(shop.client, shop.callers, plan, Date.now());
  const run = await rush(shop.client, crowd);
  const { orders, audit } = await settle(crowd, run.purchases, 240_000);
  const findings = verdictOf({ ...plan, sku: crowd.sku, purchases: run.purchases, orders, audit });
  return { run, orders, audit, broken: findings.filter(({ holds }) => !holds), outcomes: Object.fromEntries(outcomeCounts(run.purchases)) };
}

describe('a crowd', () => {
  it('of 500 that races for one unit has one winner, and 499 are told that it is sold out', { timeout: 360_000 }, async () => {
    const { run, orders, broken, outcomes } = await crowdOf({ buyers: 500, units: 1 });
    expect(outcomes).toEqual({ ORDERED: 1, SOLD_OUT: 499 });
    expect(orders.map(({ status }) => status)).toEqual(['FULFILLED']);
    expect(broken).toEqual([]);
    expect(run.failedAnswers).toBe(0);
  });

  it('of 300 for 100 units buys all of them, once, and pays for what it got', { timeout: 360_000 }, async () => {
    const { run, audit, broken, outcomes } = await crowdOf({});
    expect(outcomes).toEqual({ ORDERED: 100, SOLD_OUT: 200 });
    expect(audit.items).toMatchObject([{ total: 100, sold: 100, available: 0, held: 0, conserved: true }]);
    expect(audit.money).toMatchObject({ capturedMinor: 100_000, fulfilledMinor: 100_000, authorisedMinor: 0, balanced: true });
    expect(broken).toEqual([]);
    expect(run.failedAnswers).toBe(0);
  });

  it('that asks for several units each never gets one unit twice, and leaves less than any refused buyer asked for', async () => {
    const units = 90;
    const sale = await shop.sale({ units });
    const shoppers = await shop.shoppers(60);
    const wanted = shoppers.map((_, index) => (index % 4) + 1);
    const answers = await Promise.all(shoppers.map((shopper, index) => shopper.buy(sale, wanted[index])));

    const orders = answers.flatMap((answer) => (answer.ok ? [answer.body] : []));
    const given = orders.flatMap(unitsOf);
    expect(new Set(given).size).toBe(given.length);
    for (const unit of given)
      expect(Number(unit)).toSatisfy((serial: number) => Number.isInteger(serial) && serial >= 1 && serial <= units);
    for (const [index, answer] of answers.entries()) {
      if (answer.ok) expect(unitsOf(answer.body)).toHaveLength(wanted[index] ?? 0);
      else expect(refused(answer, 'SOLD_OUT').available).toBeLessThan(wanted[index] ?? 0);
    }
    const leastRefused = Math.min(...answers.flatMap((answer, index) => (answer.ok ? [] : [wanted[index] ?? 0])));
    expect(units - given.length).toBeLessThan(leastRefused);

    await Promise.all(orders.map(({ orderId }) => shop.atRest(orderId)));
    const audit = await shop.cleanAudit(sale);
    expect(audit.items[0]?.sold).toBe(given.length);
  });
});

describe('what is left', () => {
  it('is named to whoever asks for more, and sold to whoever asks for just that', async () => {
    const sale = await shop.sale({ units: 5 });
    const [first, second] = [await shop.shopper(), await shop.shopper()];
    granted(await first.buy(sale, 3), 201);
    expect(refused(await second.buy(sale, 3), 'SOLD_OUT').available).toBe(2);
    expect(unitsOf(granted(await second.buy(sale, 2), 201))).toHaveLength(2);
    expect(refused(await second.buy(sale, 1), 'SOLD_OUT').available).toBe(0);
  });

  it('of one item is untouched by an order that could not have the other', async () => {
    const sale = await shop.sale({ units: [5, 1] });
    const shopper = await shop.shopper();
    const [plenty = '', scarce = ''] = sale.skus;
    const both = { items: [plenty, scarce].map((sku) => ({ sku, quantity: 2 })) };
    refused(await shopper.client.placeOrder(sale.saleId, both, 'both'), 'SOLD_OUT');
    expect((await shop.cleanAudit(sale)).items.map(({ available }) => available)).toEqual([5, 1]);
    const order = granted(await shopper.buy(sale, 5), 201);
    expect(unitsOf(order)).toHaveLength(5);
  });
});
