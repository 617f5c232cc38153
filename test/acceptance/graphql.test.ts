import { randomUUID } from 'node:crypto';
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import type { OrderBody, ProductBody } from '../../lib/client/contract.ts';
import { granted, openShop, refused, type Shopper, speakThrough } from '../support/acceptance.ts';
import { type GraphqlBody, GraphqlClient } from '../support/graphql.ts';

speakThrough((connection) => new GraphqlClient(connection));
const shop = await openShop();
afterAll(() => shop.close());

const viaGraphql = ({ client }: Pick<Shopper, 'client'>): GraphqlClient => client as GraphqlClient;
const viaRoutes = ({ client, token }: Shopper): Client => new Client(client.connection, token);
const isReplay = (answer: { headers: Readonly<Record<string, string>> }) => answer.headers['idempotency-replayed'] === 'true';

// The very cases of the other routes, by another driver: what holds there for placing, reading and cancelling holds here.
describe('through GraphQL', async () => {
  await import('./cancel.test.ts');
  await import('./idempotency.test.ts');
  await import('./limits.test.ts');
  await import('./payment.test.ts');
  await import('./race.test.ts');
  await import('./seats.test.ts');
  await import('./access.test.ts');
});

describe('GraphQL and the other routes', () => {
  it('know each other’s keys: an order that was placed by one is replayed by the other', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const order = { items: [{ sku: sale.sku, quantity: 2 }] };
    const [key, another] = [randomUUID(), randomUUID()];
    const placed = granted(await shopper.client.placeOrder(sale.saleId, order, key), 201);
    const replayed = await viaRoutes(shopper).placeOrder(sale.saleId, order, key);
    expect(isReplay(replayed)).toBe(true);
    expect(granted(replayed, 201)).toEqual(placed);
    refused(await viaRoutes(shopper).placeOrder(sale.saleId, { items: [{ sku: sale.sku, quantity: 1 }] }, key), 'IDEMPOTENCY_KEY_REUSED');

    const first = granted(await viaRoutes(shopper).placeOrder(sale.saleId, order, another), 201);
    const second = await shopper.client.placeOrder(sale.saleId, order, another);
    expect(isReplay(second)).toBe(true);
    expect(granted(second, 201)).toEqual(first);
    await Promise.all([placed, first].map(({ orderId }) => shop.atRest(orderId)));
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 4, available: 6 }]);
  });

  it('show the same orders, sales, products and accounts', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const { orderId } = granted(await shopper.buy(sale), 201);
    await shop.atRest(orderId);
    const rest = viaRoutes(shopper);
    expect(granted(await shopper.client.order(orderId))).toEqual(granted(await rest.order(orderId)));
    expect(granted(await shopper.client.me())).toEqual(granted(await rest.me()));
    const { serverTime: _, ...seen } = granted(await shopper.client.sale(sale.saleId));
    expect(granted(await rest.sale(sale.saleId))).toMatchObject(seen);
    const listed = await until('the list shows the order as it is', async () => {
      const page = granted(await shopper.client.orders({ saleId: sale.saleId, status: 'FULFILLED' }));
      return page.items.length > 0 ? page : undefined;
    });
    expect(listed).toEqual(granted(await rest.orders({ saleId: sale.saleId, status: 'FULFILLED' })));

    const query = `query ($sku: String!, $cursor: String) { product(sku: $sku) { sku name description priceMinor currency imageUrl }
      products(limit: 1) { items { sku } nextCursor } more: products(limit: 2, cursor: $cursor) { items { sku } } sales(limit: 1) { items { saleId } nextCursor } }`;
    const { nextCursor: cursor } = granted(await shop.client.products({ limit: 1 }));
    const { data, errors } = granted(
      await viaGraphql(shopper).graphql<Record<string, ProductBody>>({ query, variables: { sku: sale.sku, cursor } }),
    );
    expect(errors).toBeUndefined();
    const { description: __, imageUrl: ___, ...product } = data?.product ?? expect.fail();
    expect(granted(await shop.client.product(sale.sku))).toMatchObject(product);
    expect(data).toMatchObject({
      products: { items: [{}] },
      more: { items: [{}, {}] },
      sales: { items: [{}], nextCursor: expect.any(String) },
    });
  });

  it('page through the same list', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const placed = await Promise.all(Array.from({ length: 5 }, () => shopper.buy(sale, 1, { method: 'external' })));
    const ids = placed.map((answer) => granted(answer, 201).orderId).toSorted();
    await until('the list shows all', async () =>
      granted(await shopper.client.orders({ saleId: sale.saleId })).items.length === 5 ? true : undefined,
    );
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = granted(await shopper.client.orders({ saleId: sale.saleId, limit: 2, ...(cursor ? { cursor } : {}) }));
      seen.push(...page.items.map(({ orderId }) => orderId));
      cursor = page.nextCursor ?? undefined;
    } while (cursor && seen.length < 10);
    expect(seen.toSorted()).toEqual(ids);
  });
});

describe('a GraphQL request', () => {
  const post = (shopper: Shopper, body: string, contentType = 'application/json') =>
    shopper.client.raw<GraphqlBody>({ method: 'POST', path: '/v1/graphql', headers: { 'content-type': contentType }, body });

  it('tells the schema to the tools that ask for it', async () => {
    const shopper = await shop.shopper('no account');
    const { data, errors } = granted(await viaGraphql(shopper).graphql<IntrospectionQuery>({ query: getIntrospectionQuery() }));
    expect(errors).toBeUndefined();
    const schema = buildClientSchema(data ?? expect.fail());
    expect(Object.keys(schema.getQueryType()?.getFields() ?? {})).toEqual([
      'products',
      'product',
      'sales',
      'sale',
      'order',
      'orders',
      'me',
    ]);
    expect(Object.keys(schema.getMutationType()?.getFields() ?? {})).toEqual(['placeOrder', 'cancelOrder']);
  });

  it('always needs a token, also for what is public elsewhere', async () => {
    refused(await viaGraphql(shop).graphql({ query: '{ products { items { sku } } }' }), 'UNAUTHENTICATED');
    refused(await viaGraphql(shop).graphql({ query: '{ __typename }' }), 'UNAUTHENTICATED');
  });

  it('that is none is refused in the problem form', async () => {
    const shopper = await shop.shopper('no account');
    for (const body of [
      '',
      '{',
      '[]',
      '{}',
      '{"query":1}',
      '"{ __typename }"',
      '[{"query":"{ __typename }"}]',
      '{"query":"{ __typename }","id":1}',
    ])
      refused(await post(shopper, body), 'INVALID_REQUEST');
    refused(await post(shopper, '{ __typename }', 'application/graphql'), 'UNSUPPORTED_MEDIA_TYPE');
    refused(await post(shopper, JSON.stringify({ query: `{ __typename } ${'#'.repeat(9_000)}` })), 'BODY_TOO_LARGE');
    refused(await shopper.client.raw({ method: 'GET', path: '/v1/graphql?query=%7B__typename%7D' }), 'METHOD_NOT_ALLOWED');
  });

  it('that is wrong, too deep or too much is answered without doing anything', async () => {
    const sale = await shop.sale({ units: 5 });
    const shopper = await shop.shopper();
    const place = (name: string) =>
      `${name}: placeOrder(saleId: "${sale.saleId}", idempotencyKey: "${randomUUID()}", items: [{ sku: "${sale.sku}", quantity: 1 }]) { orderId }`;
    const wrong = [
      `mutation { ${place('good')} nonsense }`,
      `mutation { ${['a', 'b', 'c', 'd', 'e', 'f'].map(place).join(' ')} }`,
      `mutation { ${place('good')} { password } }`,
      `{ ${'a { '.repeat(200)} b ${'} '.repeat(200)} }`,
      `{ ${Array.from({ length: 11 }, (_, n) => `a${n}: me { userId }`).join(' ')} }`,
      `{ a: sales(limit: 100) { ...S } b: sales(limit: 100) { ...S } } fragment S on SalePage { items { name items { sku name total available } } }`,
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
    ];
    for (const query of wrong) {
      const { data, errors } = granted(await viaGraphql(shopper).graphql({ query }));
      expect(data, query).toBeUndefined();
      expect(
        errors?.map(({ extensions }) => extensions),
        query,
      ).toContainEqual({ code: 'INVALID_REQUEST', status: 400, retryable: false });
    }
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ available: 5, held: 0, sold: 0 }]);
  });

  it.each([-1, 0, 1.5, 21, 1e9, 1e308, '2', null, [2], true])('for a quantity of %j is refused, and no stock moves', async (quantity) => {
    const sale = await shop.sale();
    const shopper = await shop.shopper('no account');
    const items = [{ sku: sale.sku, quantity }] as never;
    expect(refused(await shopper.client.placeOrder(sale.saleId, { items }, randomUUID()), 'INVALID_REQUEST').detail).toMatch(/quantity/);
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ available: 10, held: 0, sold: 0 }]);
  });

  it('places several orders one after the other, each for itself', async () => {
    const sale = await shop.sale({ units: 2 });
    const shopper = await shop.shopper();
    const keys = [randomUUID(), randomUUID(), randomUUID()];
    const fields = keys.map(
      (key, n) =>
        `o${n}: placeOrder(saleId: "${sale.saleId}", idempotencyKey: "${key}", items: [{ sku: "${sale.sku}", quantity: 1 }]) { orderId }`,
    );
    const query = `mutation { ${fields.join(' ')} }`;
    const { data, errors } = granted(await viaGraphql(shopper).graphql<Record<string, OrderBody | null>>({ query }));
    expect(data).toMatchObject({ o0: { orderId: expect.any(String) }, o1: { orderId: expect.any(String) }, o2: null });
    expect(errors).toMatchObject([
      { path: ['o2'], extensions: { code: 'SOLD_OUT', status: 409, retryable: false, sku: sale.sku, available: 0 } },
    ]);
    const again = granted(await viaGraphql(shopper).graphql({ query }));
    expect(again).toMatchObject({ data, extensions: { replayed: ['o0', 'o1'] } });
  });
});
