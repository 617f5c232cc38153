import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { type CrowdPlan, gather, rush, settle } from '../../lib/client/crowd.ts';
import { outcomeCounts } from '../../lib/client/report.ts';
import { verdictOf } from '../../lib/client/verdict.ts';
import { granted, openShop, refused, type Shopper, type TestSale, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const shards = 4;
const external = { method: 'external' } as const;

/** Buys, and asks again for as long as the last units are on their way. */
async function bought(shopper: Shopper, sale: TestSale, quantity = 1) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const answer = await shopper.buy(sale, quantity, external);
    if (answer.ok || (answer.body as { code?: string }).code !== 'TRY_AGAIN') return answer;
  }
  throw new Error('50 attempts were not enough');
}

describe('a sale over four shards', () => {
  it.each([
    ['reserve-first', { buyers: 120, units: 50 }],
    ['charge-first', { buyers: 30, units: 12 }],
  ] as const)(
    'sells every unit once to a crowd, and takes the money for what it sold: %s',
    { timeout: 120_000 },
    async (strategy, sizes) => {
      const plan: CrowdPlan = { ...sizes, quantity: 1, concurrency: 100, priceMinor: 1_000, currency: 'EUR', strategy, shards };
      const crowd = await gather(shop.client, shop.callers, plan, Date.now());
      const run = await rush(shop.client, crowd);
      const { orders, audit } = await settle(crowd, run.purchases, 60_000);
      const findings = verdictOf({ ...plan, sku: crowd.sku, purchases: run.purchases, orders, audit });
      expect(findings.filter(({ holds }) => !holds)).toEqual([]);
      const { units, buyers } = sizes;
      expect(audit.items).toMatchObject([{ total: units, sold: units, available: 0, held: 0, conserved: true }]);
      const outcomes = Object.fromEntries(outcomeCounts(run.purchases));
      if (strategy === 'reserve-first') expect(outcomes).toEqual({ ORDERED: units, SOLD_OUT: buyers - units });
    },
  );

  it('says so, and is refused where seats are sold', async () => {
    const sale = await shop.sale({ units: 8, shards });
    expect(await shop.view(sale)).toMatchObject({ shards, items: [{ total: 8, available: 8 }] });
    expect(await shop.view(await shop.sale({ units: 8, shards: 1 }))).not.toHaveProperty('shards');
    const hours = { opensAt: new Date(Date.now() - 1_000).toISOString(), closesAt: new Date(Date.now() + 3_600_000).toISOString() };
    for (const wrong of [{ shards: 0 }, { shards: 65 }, { shards: 1.5 }, { shards, items: [{ sku: sale.sku, seats: ['A-1'] }] }]) {
      const request = { name: 'wrong', ...hours, items: [{ sku: sale.sku, units: 1 }], ...wrong };
      refused(await shop.operator.createSale(request, randomUUID()), 'INVALID_REQUEST');
    }
  });

  it('sells its last units, wherever they are, to whoever asks for just those', async () => {
    const sale = await shop.sale({ units: 5, shards, perBuyerLimit: 4 });
    const [ada, bob] = [await shop.shopper('no account'), await shop.shopper('no account')];
    const order = granted(await bought(ada, sale, 4), 201);
    expect(refused(await bought(bob, sale, 2), 'SOLD_OUT').available).toBe(1);
    expect(unitsOf(granted(await bought(bob, sale), 201))).toHaveLength(1);
    refused(await bought(ada, sale), 'BUYER_LIMIT');
    granted(await ada.client.cancelOrder(order.orderId));
    const late = await shop.shopper('no account');
    await expect.poll(async () => (await bought(late, sale, 4)).status, { timeout: 10_000 }).toBe(201);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 5, held: 5, available: 0, conserved: true }]);
  });

  it('keeps carts, takes a restock, pauses, and is called off, all of it', { timeout: 60_000 }, async () => {
    const sale = await shop.sale({ units: 6, shards });
    const [ada, bob] = [await shop.shopper('no account'), await shop.shopper('no account')];
    expect(granted(await ada.client.setCartItem(sale.saleId, sale.sku, { quantity: 5 })).items).toEqual([{ sku: sale.sku, quantity: 5 }]);
    expect(refused(await bought(bob, sale, 2), 'SOLD_OUT').available).toBe(1);
    const fromCart = granted(await ada.client.placeOrder(sale.saleId, { fromCart: true, payment: external }, randomUUID()), 201);
    expect(unitsOf(fromCart)).toHaveLength(5);
    const restocked = await shop.operator.restock(sale.saleId, { sku: sale.sku, units: 70, reason: 'more came' }, randomUUID());
    expect(granted(restocked).items).toMatchObject([{ total: 76, available: 71 }]);
    granted(await shop.operator.patchSale(sale.saleId, { state: 'paused' }));
    refused(await bought(bob, sale), 'SALE_PAUSED');
    granted(await shop.operator.patchSale(sale.saleId, { state: 'open' }));
    expect(unitsOf(granted(await bought(bob, sale, 20), 201))).toHaveLength(20);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 76, held: 25, available: 51, conserved: true }]);
    granted(await shop.operator.cancelSale(sale.saleId, 'called off', randomUUID()), 202);
    refused(await bought(bob, sale), 'SALE_NOT_OPEN');
    expect((await shop.atRest(fromCart.orderId)).status).toBe('CANCELLED');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 76, retired: 25, available: 51, conserved: true }]);
  });
});
