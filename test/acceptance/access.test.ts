import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, refused, type Shopper, type TestSale } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

let sale: TestSale;
let shopper: Shopper;
beforeAll(async () => {
  sale = await shop.sale({ units: 20 });
  shopper = await shop.shopper();
});

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const decoded = (part: string | undefined) => JSON.parse(Buffer.from(part ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;

/** A valid token taken apart, to be put together wrongly. */
function partsOf(token: string) {
  const [header, claims, signature = ''] = token.split('.');
  return { header: decoded(header), claims: decoded(claims), signature };
}

const unsigned = (token: string, alg: string) => {
  const { header, claims } = partsOf(token);
  return `${encoded({ ...header, alg })}.${encoded(claims)}.`;
};

function signedByAnother(token: string): string {
  const { header, claims } = partsOf(token);
  const content = `${encoded(header)}.${encoded(claims)}`;
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return `${content}.${sign('RSA-SHA256', Buffer.from(content), privateKey).toString('base64url')}`;
}

function withClaims(token: string, changes: Record<string, unknown>): string {
  const { header, claims, signature } = partsOf(token);
  return `${encoded(header)}.${encoded({ ...claims, ...changes })}.${signature}`;
}

const buyWith = (token: string) => shop.client.as(token).placeOrder(sale.saleId, { items: [{ sku: sale.sku, quantity: 1 }] }, randomUUID());

describe('without a valid token nobody buys', () => {
  const forgeries: [what: string, forge: (token: string) => string][] = [
    ['of alg none', (token) => unsigned(token, 'none')],
    ['of alg None', (token) => unsigned(token, 'None')],
    ['signed by another key', signedByAnother],
    ['whose claims were changed', (token) => withClaims(token, { sub: 'somebody-else' })],
    ['without a signature', (token) => token.split('.').slice(0, 2).join('.')],
    ['that is no token', () => 'x'],
    ['that is empty', () => ''],
  ];

  it.each(forgeries)('a token %s is refused, and no stock moves', async (_, forge) => {
    const before = await shop.cleanAudit(sale);
    refused(await buyWith(forge(shopper.token)), 'UNAUTHENTICATED');
    refused(await shop.client.as(forge(shopper.token)).me(), 'UNAUTHENTICATED');
    expect((await shop.cleanAudit(sale)).items).toEqual(before.items);
  });

  it('no token at all is refused, and so is another scheme', async () => {
    const order = { items: [{ sku: sale.sku, quantity: 1 }] };
    refused(await shop.client.placeOrder(sale.saleId, order, randomUUID()), 'UNAUTHENTICATED');
    const headers = { authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}` };
    refused(await shop.client.raw({ method: 'GET', path: '/v1/me', headers }), 'UNAUTHENTICATED');
  });

  it('a token for another audience is refused', async (test) => {
    test.skip(!shop.isLocal, 'needs /local/token');
    const { access_token } = granted(await shop.client.localToken({ sub: shopper.userId, scope: 'sale:buy', audience: 'another-service' }));
    refused(await buyWith(access_token), 'UNAUTHENTICATED');
  });

  it('a token is refused once it has expired', async (test) => {
    test.skip(!shop.isLocal, 'needs /local/token');
    const { access_token } = granted(await shop.client.localToken({ sub: shopper.userId, scope: 'sale:buy', expiresInSeconds: 1 }));
    const late = await until('the token expires', async () => {
      const answer = await shop.client.as(access_token).me();
      return answer.ok ? undefined : answer;
    });
    refused(late, 'UNAUTHENTICATED');
    refused(await buyWith(access_token), 'UNAUTHENTICATED');
    const stale = granted(await shop.client.localToken({ sub: shopper.userId, scope: 'sale:buy', expiresInSeconds: -60 }));
    refused(await buyWith(stale.access_token), 'UNAUTHENTICATED');
  });
});

describe('a token opens only what its scope says', () => {
  it("a buyer is kept from operators' routes", async () => {
    const { client, userId } = shopper;
    const times = { opensAt: new Date().toISOString(), closesAt: new Date(Date.now() + 60_000).toISOString() };
    refused(await client.createSale({ name: 'Mine', ...times, items: [{ sku: sale.sku, units: 1 }] }, randomUUID()), 'FORBIDDEN');
    refused(await client.createProduct({ sku: randomUUID(), name: 'Mine', priceMinor: 1, currency: 'EUR' }), 'FORBIDDEN');
    refused(await client.createUser({ userId: randomUUID(), balanceMinor: 1, currency: 'EUR' }), 'FORBIDDEN');
    refused(await client.credit(userId, 1_000, randomUUID()), 'FORBIDDEN');
    refused(await client.user(userId), 'FORBIDDEN');
    refused(await client.audit(sale.saleId), 'FORBIDDEN');
    refused(await client.reconcile({ saleId: sale.saleId }), 'FORBIDDEN');
    refused(await client.reconciliations(), 'FORBIDDEN');
    refused(await client.deleteProduct(sale.sku), 'FORBIDDEN');
    refused(await client.orders({ buyerId: 'somebody-else' }), 'FORBIDDEN');
  });

  it('an operator does not buy', async () => {
    const order = { items: [{ sku: sale.sku, quantity: 1 }] };
    refused(await shop.operator.placeOrder(sale.saleId, order, randomUUID()), 'FORBIDDEN');
  });

  it('a scope with a prefix counts, a scope that only looks alike does not', async (test) => {
    test.skip(!shop.isLocal, 'needs /local/token');
    const tokenFor = async (scope: string) => granted(await shop.client.localToken({ sub: shopper.userId, scope })).access_token;
    granted(await shop.client.as(await tokenFor('openid https://stampede.example/sale:buy')).me());
    for (const scope of ['sale:buyer', 'presale:buy', 'sale', 'openid']) refused(await buyWith(await tokenFor(scope)), 'FORBIDDEN');
  });
});

describe("another's order", () => {
  it('is as if it did not exist: not read, not listed, not cancelled', async () => {
    const other = await shop.shopper();
    const placed = granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    refused(await other.client.order(placed.orderId), 'NOT_FOUND');
    refused(await other.client.cancelOrder(placed.orderId), 'NOT_FOUND');
    expect(granted(await other.client.orders({ saleId: sale.saleId })).items).toEqual([]);
    expect(granted(await shopper.client.order(placed.orderId)).status).toBe('RESERVED');
    expect(granted(await shop.operator.order(placed.orderId))).toMatchObject({ orderId: placed.orderId, buyerId: shopper.userId });
  });
});
