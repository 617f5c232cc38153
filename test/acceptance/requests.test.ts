import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Outgoing } from '../../lib/client/connection.ts';
import { granted, openShop, refused, type Shopper, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

let sale: TestSale;
let shopper: Shopper;
beforeAll(async () => {
  sale = await shop.sale({ units: 20 });
  shopper = await shop.shopper();
});

/** The sale's stock and money, which no refused request may move. */
const standing = async () => {
  const { items, money } = await shop.cleanAudit(sale);
  return { items, money };
};

const json = { 'content-type': 'application/json' };

/** A request to place an order, with `change` where it is wrong. */
const order = (body: unknown, change: Partial<Outgoing> = {}): Outgoing => ({
  method: 'POST',
  path: `/v1/sales/${sale.saleId}/orders`,
  headers: { ...json, 'idempotency-key': randomUUID(), ...change.headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
  ...(change.path && { path: change.path }),
});

async function refusesWithoutMoving(request: () => Outgoing, code: string) {
  const before = await standing();
  const problem = refused(await shopper.client.raw(request()), code);
  expect(await standing()).toEqual(before);
  return problem;
}

const asking = (quantity: unknown) => ({ items: [{ sku: sale.sku, quantity }] });

describe('a quantity', () => {
  it.each([-1, 0, 1.5, 21, 1e9, 1e308, '2', null, [2], true])('of %j is refused, and no stock moves', async (quantity) => {
    const problem = await refusesWithoutMoving(() => order(asking(quantity)), 'INVALID_REQUEST');
    expect(problem.detail).toContain('quantity');
  });

  it('is the sum over the lines with the same SKU', async () => {
    const one = await shop.sale({ units: 20 });
    const twice = { items: [1, 2].map((quantity) => ({ sku: one.sku, quantity })) };
    const placed = granted(await shopper.client.placeOrder(one.saleId, twice, randomUUID()), 201);
    expect(placed.items).toMatchObject([{ sku: one.sku, quantity: 3 }]);
    expect(new Set(placed.items[0]?.units).size).toBe(3);
    expect(placed.totalMinor).toBe(3 * one.priceMinor);
    await shop.atRest(placed.orderId);
    expect((await shop.cleanAudit(one)).items).toMatchObject([{ sold: 3, available: 17 }]);
  });

  it('of 20 in all is the most, however it is spread over lines', async () => {
    const lines = (...quantities: number[]) => ({ items: quantities.map((quantity) => ({ sku: sale.sku, quantity })) });
    await refusesWithoutMoving(() => order(lines(20, 1)), 'INVALID_REQUEST');
    await refusesWithoutMoving(() => order(lines(...Array.from({ length: 21 }, () => 1))), 'INVALID_REQUEST');
    const other = await shop.sale({ units: 20 });
    granted(await shopper.buy(other, 20), 201);
  });
});

describe('a body', () => {
  const wrong: [what: string, body: () => unknown][] = [
    ['without items', () => ({})],
    ['with no line', () => ({ items: [] })],
    ['that is null', () => null],
    ['that is a list', () => [asking(1)]],
    ['that is a string', () => '"items"'],
    ['with an unknown field', () => ({ ...asking(1), coupon: 'FREE' })],
    ['with a price', () => ({ items: [{ sku: sale.sku, quantity: 1, priceMinor: 1 }] })],
    ['with an unknown payment method', () => ({ ...asking(1), payment: { method: 'gift' } })],
    ['with an unknown field in the payment', () => ({ ...asking(1), payment: { method: 'balance', account: 'x' } })],
    ['with a SKU that the sale has not', () => ({ items: [{ sku: 'another', quantity: 1 }] })],
    ['with an impossible SKU', () => ({ items: [{ sku: 'a b\n', quantity: 1 }] })],
    ['with a SKU named like an internal field', () => ({ items: [{ sku: '__proto__', quantity: 1 }] })],
    ['with seats for a counted item', () => ({ items: [{ sku: sale.sku, seats: ['A-1'] }] })],
    ['that is malformed', () => '{"items": [{'],
    ['that is empty', () => ''],
  ];

  it.each(wrong)('%s is refused, and no stock moves', async (_, body) => {
    await refusesWithoutMoving(() => order(body()), 'INVALID_REQUEST');
  });

  it('of 20 kB is refused', async () => {
    await refusesWithoutMoving(() => order({ ...asking(1), note: 'x'.repeat(20_000) }), 'BODY_TOO_LARGE');
  });

  it('over a mebibyte is refused on an operator’s route too', async () => {
    const body = JSON.stringify({ sku: 'x', name: 'x'.repeat(1_100_000), priceMinor: 1, currency: 'EUR' });
    refused(await shop.operator.raw({ method: 'POST', path: '/v1/products', headers: json, body }), 'BODY_TOO_LARGE');
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])('called "%s" is refused', async (mediaType) => {
    await refusesWithoutMoving(() => order(asking(1), { headers: { 'content-type': mediaType } }), 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('may name its charset', async () => {
    const other = await shop.sale();
    const request = order({ items: [{ sku: other.sku, quantity: 1 }] }, { path: `/v1/sales/${other.saleId}/orders` });
    const headers = { ...request.headers, 'content-type': 'application/json; charset=utf-8' };
    granted(await shopper.client.raw({ ...request, headers }), 201);
  });
});

describe('free text', () => {
  it.each(['\ud800', 'a\u0000b'])('such as %j is refused wherever a name can be given', async (name) => {
    const post = (path: string, body: unknown): Outgoing => ({
      method: 'POST',
      path,
      headers: { ...json, 'idempotency-key': randomUUID() },
      body: JSON.stringify(body),
    });
    const times = { opensAt: new Date().toISOString(), closesAt: new Date(Date.now() + 60_000).toISOString() };
    const product = { sku: randomUUID(), name: 'A name', priceMinor: 1, currency: 'EUR' };
    const requests = [
      post('/v1/products', { ...product, name }),
      post('/v1/products', { ...product, description: name }),
      post('/v1/users', { userId: randomUUID(), name, currency: 'EUR' }),
      post('/v1/sales', { name, ...times, items: [{ sku: sale.sku, units: 1 }] }),
    ];
    for (const request of requests) expect(refused(await shop.operator.raw(request), 'INVALID_REQUEST').detail).toMatch(/name|description/);
  });
});

describe('an idempotency key', () => {
  it('is required to place an order, to make a sale and to credit an account', async () => {
    await refusesWithoutMoving(() => {
      const { 'idempotency-key': _, ...headers } = order(asking(1)).headers ?? {};
      return { ...order(asking(1)), headers };
    }, 'IDEMPOTENCY_KEY_REQUIRED');
    const post = (path: string, body: unknown): Outgoing => ({ method: 'POST', path, headers: json, body: JSON.stringify(body) });
    const times = { opensAt: new Date().toISOString(), closesAt: new Date(Date.now() + 60_000).toISOString() };
    const aSale = { name: 'Keyless', ...times, items: [{ sku: sale.sku, units: 1 }] };
    refused(await shop.operator.raw(post('/v1/sales', aSale)), 'IDEMPOTENCY_KEY_REQUIRED');
    refused(await shop.operator.raw(post(`/v1/users/${shopper.userId}/credits`, { amountMinor: 1 })), 'IDEMPOTENCY_KEY_REQUIRED');
  });

  it.each([
    ['of 256 characters', 'k'.repeat(256)],
    ['with a space', 'two words'],
    ['beyond ASCII', 'schl\u00fcssel'],
  ])('%s is refused', async (_, key) => {
    await refusesWithoutMoving(() => order(asking(1), { headers: { 'idempotency-key': key } }), 'INVALID_REQUEST');
  });

  it('of 255 characters is taken', async () => {
    const other = await shop.sale();
    granted(await shopper.buy(other, 1, { key: 'k'.repeat(255) }), 201);
  });
});

describe('a path', () => {
  it('that leads to no sale, order, product, ticket or route is 404 in the problem form', async () => {
    refused(await shopper.client.placeOrder('no-such-sale', asking(1) as never, randomUUID()), 'NOT_FOUND');
    refused(await shop.client.sale('no-such-sale'), 'NOT_FOUND');
    refused(await shop.client.product('no-such-product'), 'NOT_FOUND');
    refused(await shopper.client.order(`ord_${'0'.repeat(22)}`), 'NOT_FOUND');
    refused(await shop.operator.audit('no-such-sale'), 'NOT_FOUND');
    for (const path of ['/', '/v1', '/v2/sales', '/v1/sales/', '/favicon.ico', '/v1/orders/a/b/c'])
      refused(await shopper.client.raw({ method: 'GET', path }), 'NOT_FOUND');
  });

  it('with another method is 405 in the problem form', async () => {
    refused(await shopper.client.raw({ method: 'DELETE', path: `/v1/sales/${sale.saleId}/orders` }), 'METHOD_NOT_ALLOWED');
    refused(await shopper.client.raw({ method: 'PUT', path: '/v1/health' }), 'METHOD_NOT_ALLOWED');
  });

  it.each(['/v1/sales/%00', '/v1/sales/%E0%A4%A', '/v1/orders/..%2F..%2Fetc', `/v1/sales/${'x'.repeat(2_000)}`, '/v1/tickets/%20'])(
    'such as %s is a typed problem, never a failure',
    async (path) => {
      const answer = await shopper.client.raw({ method: 'GET', path });
      expect(answer.status).toBeOneOf([400, 404]);
      refused(answer, answer.status === 400 ? 'INVALID_REQUEST' : 'NOT_FOUND');
    },
  );

  it.each(['limit=0', 'limit=101', 'limit=x', 'cursor=nonsense', 'cursor=', 'status=LOST', 'colour=red', '__proto__=1'])(
    'with ?%s on a list is refused',
    async (query) => {
      refused(await shopper.client.raw({ method: 'GET', path: `/v1/orders?${query}` }), 'INVALID_REQUEST');
    },
  );
});
