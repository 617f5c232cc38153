import { afterAll, describe, expect, it } from 'vitest';
import { granted, openShop, refused } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

describe('the list of seats', () => {
  it('shows every seat once over its pages, in the order in which they were put on sale', async () => {
    const seats = Array.from({ length: 250 }, (_, index) => `${String.fromCharCode(90 - (index % 26))}-${index}`);
    const sale = await shop.sale({ units: 3, seats });
    const sku = sale.skus.at(-1) ?? '';
    for (const limit of [100, 33]) {
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = granted(await shop.client.seats(sale.saleId, sku, { limit, ...(cursor === undefined ? {} : { cursor }) }));
        expect(page.items.length).toBeLessThanOrEqual(limit);
        seen.push(...page.items.map(({ seat }) => seat));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(seen).toEqual(seats);
    }
    expect(granted(await shop.client.seats(sale.saleId, sku)).items).toHaveLength(20);
  });

  it('shows what became of each', async () => {
    const sale = await shop.sale({ seats: ['A-1', 'A-2', 'A-3', 'A-4'] });
    const shopper = await shop.shopper();
    const bought = granted(await shopper.buySeats(sale, ['A-2']), 201);
    await shop.atRest(bought.orderId);
    const held = granted(await shopper.buySeats(sale, ['A-3'], { method: 'external' }), 201);
    const given = granted(await shopper.buySeats(sale, ['A-4'], { method: 'external' }), 201);
    granted(await shopper.client.cancelOrder(given.orderId));
    const { items } = granted(await shop.client.seats(sale.saleId, sale.sku));
    expect(held.status).toBe('RESERVED');
    expect(items.map(({ seat, state }) => `${seat} ${state}`)).toEqual(['A-1 free', 'A-2 sold', 'A-3 held', 'A-4 free']);
  });

  it('may be kept for a second, and says when nothing has changed', async () => {
    const sale = await shop.sale({ seats: ['A-1', 'A-2'] });
    const first = await shop.client.seats(sale.saleId, sale.sku);
    expect(first.headers['cache-control']).toBe('public, max-age=1');
    const etag = String(first.headers.etag);
    const path = `/v1/sales/${sale.saleId}/seats?sku=${sale.sku}`;
    expect((await shop.client.raw({ method: 'GET', path, headers: { 'if-none-match': etag } })).status).toBe(304);
    granted(await (await shop.shopper('no account')).buySeats(sale, ['A-1'], { method: 'external' }), 201);
    expect((await shop.client.raw({ method: 'GET', path, headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  it('is there for seated items of sales that there are, and goes on only where it stopped', async () => {
    const sale = await shop.sale({ units: 1, seats: ['A-1', 'A-2'] });
    const [tee = '', hall = ''] = sale.skus;
    refused(await shop.client.seats(sale.saleId, tee), 'INVALID_REQUEST');
    refused(await shop.client.seats(sale.saleId, 'nobody-sells'), 'INVALID_REQUEST');
    refused(await shop.client.seats('nobody-made', hall), 'NOT_FOUND');
    const path = `/v1/sales/${sale.saleId}/seats`;
    refused(await shop.client.raw({ method: 'GET', path }), 'INVALID_REQUEST');
    refused(await shop.client.raw({ method: 'GET', path: `${path}?sku=${hall}&state=free` }), 'INVALID_REQUEST');
    const word = (position: unknown) => Buffer.from(JSON.stringify(['seats', position])).toString('base64url');
    for (const cursor of ['nonsense', word('2'), word('-1'), word('x'), word('99999')]) {
      refused(await shop.client.seats(sale.saleId, hall, { cursor }), 'INVALID_REQUEST');
    }
    expect(granted(await shop.client.seats(sale.saleId, hall, { cursor: word('1') })).items).toMatchObject([{ seat: 'A-2' }]);
  });
});
