import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { pause, until } from '../../lib/client/bounded.ts';
import type { RestockRequest } from '../../lib/client/contract.ts';
import { granted, openShop, patient, refused, type TestSale, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const external = { method: 'external' } as const;
const restock = (sale: TestSale, delivery: Omit<RestockRequest, 'reason'>, key: string = randomUUID()) =>
  shop.operator.restock(sale.saleId, { ...delivery, reason: 'more came' }, key);

describe('a restock', () => {
  it('of a sale that is sold out, under load and with its key sent twice, sells exactly that many more', { timeout: 240_000 }, async () => {
    const sale = await shop.sale({ units: 30 });
    const shoppers = await shop.shoppers(40, 'no account');
    const sold: string[] = [];
    let goesOn = true;
    const crowd = Promise.all(
      shoppers.map(async (shopper) => {
        while (goesOn) {
          const answer = await shopper.buy(sale, 1, external);
          if (answer.ok) sold.push(...unitsOf(answer.body));
          else {
            refused(answer, 'SOLD_OUT');
            await pause(10);
          }
        }
      }),
    );
    await until('it is sold out', async () => (sold.length === 30 ? true : undefined), patient);
    const key = randomUUID();
    const [one, other] = await Promise.all([
      restock(sale, { sku: sale.sku, units: 25 }, key),
      restock(sale, { sku: sale.sku, units: 25 }, key),
    ]);
    expect(granted(one).items).toMatchObject([{ total: 55 }]);
    expect(other.text).toBe(one.text);
    expect([one, other].filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(1);
    await until('it is sold out again', async () => (sold.length >= 55 ? true : undefined), patient);
    // Long enough for one unit too many.
    await pause(500);
    goesOn = false;
    await crowd;

    expect(sold.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 55 }, (_, index) => index + 1));
    expect(await shop.view(sale)).toMatchObject({ state: 'sold-out', items: [{ total: 55, available: 0 }] });
    expect((await restock(sale, { sku: sale.sku, units: 25 }, key)).text).toBe(one.text);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 55, held: 55, available: 0 }]);
  });

  it('adds seats after those that are there, and they can be bought when it has answered', async () => {
    const sale = await shop.sale({ seats: ['B-1', 'A-1'] });
    const shopper = await shop.shopper('no account');
    refused(await shopper.buySeats(sale, ['C-1'], external), 'INVALID_REQUEST');
    const restocked = granted(await restock(sale, { sku: sale.sku, seats: ['C-1', 'A-2'] }));
    expect(restocked.items).toMatchObject([{ sku: sale.sku, total: 4, available: 4, seated: true }]);
    expect(unitsOf(granted(await shopper.buySeats(sale, ['C-1', 'B-1'], external), 201))).toEqual(['C-1', 'B-1']);
    expect(granted(await shop.client.seats(sale.saleId, sale.sku)).items).toEqual([
      { seat: 'B-1', state: 'held' },
      { seat: 'A-1', state: 'free' },
      { seat: 'C-1', state: 'held' },
      { seat: 'A-2', state: 'free' },
    ]);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 4, held: 2, available: 2 }]);
  });

  it('adds no seat at all when one of them is there already, and names it', async () => {
    const sale = await shop.sale({ seats: ['A-1', 'A-2'] });
    const problem = refused(await restock(sale, { sku: sale.sku, seats: ['A-3', 'A-2'] }), 'ALREADY_EXISTS');
    expect(problem.detail).toContain('A-2');
    expect(problem.detail).not.toContain('A-3');
    expect((await shop.view(sale)).items).toMatchObject([{ total: 2, available: 2 }]);
  });

  it('of a sale that is paused, or is to open, is there when it sells', async () => {
    const sale = await shop.sale({ units: 1, opensInMs: 3_000_000 });
    granted(await shop.operator.patchSale(sale.saleId, { state: 'paused' }));
    granted(await restock(sale, { sku: sale.sku, units: 2 }));
    granted(await shop.operator.patchSale(sale.saleId, { state: 'open', opensAt: new Date(Date.now() - 1_000).toISOString() }));
    granted(await (await shop.shopper('no account')).buy(sale, 3, external), 201);
  });

  it('with its key used for another delivery is refused, and after a refusal the key is fresh', async () => {
    const sale = await shop.sale({ units: [1, 1] });
    const [first = '', second = ''] = sale.skus;
    const key = randomUUID();
    refused(await restock(sale, { sku: first, units: 1_000_000 }, key), 'INVALID_REQUEST');
    granted(await restock(sale, { sku: first, units: 2 }, key));
    refused(await restock(sale, { sku: second, units: 2 }, key), 'IDEMPOTENCY_KEY_REUSED');
    refused(await restock(sale, { sku: first, units: 3 }, key), 'IDEMPOTENCY_KEY_REUSED');
    expect((await shop.view(sale)).items).toMatchObject([{ total: 3 }, { total: 1 }]);
  });

  it('is refused when it is not what the item is sold by, or not well said', async () => {
    const sale = await shop.sale({ units: 1, seats: ['A-1'] });
    const [tee = '', hall = ''] = sale.skus;
    const wrong: Omit<RestockRequest, 'reason'>[] = [
      { sku: 'nobody-sells', units: 1 },
      { sku: hall, units: 1 },
      { sku: tee, seats: ['A-2'] },
      { sku: tee },
      { sku: hall, seats: [] },
      { sku: hall, units: 1, seats: ['A-2'] },
      { sku: hall, seats: ['A 2'] },
      { sku: tee, units: 0 },
      { sku: tee, units: -1 },
      { sku: tee, units: 1.5 },
    ];
    for (const delivery of wrong) refused(await restock(sale, delivery), 'INVALID_REQUEST');
    expect(refused(await restock(sale, { sku: hall, seats: ['A-2', 'A-2'] }), 'INVALID_REQUEST').detail).toContain('A-2');
    const raw = { method: 'POST', path: `/v1/sales/${sale.saleId}/restock`, headers: { 'content-type': 'application/json' } } as const;
    refused(await shop.operator.raw({ ...raw, body: JSON.stringify({ sku: tee, units: 1, reason: 'more' }) }), 'IDEMPOTENCY_KEY_REQUIRED');
    const keyed = { ...raw, headers: { ...raw.headers, 'idempotency-key': randomUUID() } };
    refused(await shop.operator.raw({ ...keyed, body: JSON.stringify({ sku: tee, units: 1 }) }), 'INVALID_REQUEST');
    expect((await shop.view(sale)).items).toMatchObject([{ total: 1 }, { total: 1 }]);
  });
});
