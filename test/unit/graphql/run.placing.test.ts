import { describe, expect, it } from 'vitest';
import { type AnyHandle, failures, invalid, me, order, served } from './run.harness.ts';

describe('placing an order by GraphQL', () => {
  const query = `mutation ($key: String!, $items: [OrderLineInput!]!, $payment: PaymentInput) {
    placeOrder(saleId: "launch", idempotencyKey: $key, items: $items, payment: $payment) { orderId } }`;

  it('hands on what the route would have been sent, and leaves out what is null', async () => {
    const seen: unknown[] = [];
    const placeOrder: AnyHandle = async ({ params, key, body, caller, path }) => {
      seen.push({ params, key, body, userId: caller.userId, path });
      return { body: order };
    };
    const items = [{ sku: 'tee', quantity: 2, seats: null }];
    const { graphql, headers } = await served({ placeOrder })({ query, variables: { key: 'k', items, payment: null } });
    expect(graphql).toEqual({ data: { placeOrder: { orderId: order.orderId } } });
    expect(headers).not.toHaveProperty('idempotency-replayed');
    const body = expect.objectContaining({ items: [{ sku: 'tee', quantity: 2 }], payment: { method: 'balance' } });
    expect(seen).toEqual([{ params: { saleId: 'launch' }, key: 'k', userId: 'ada', path: '/v1/sales/launch/orders', body }]);
  });

  it('tells of a replay, by the name in the answer', async () => {
    const placeOrder: AnyHandle = async ({ key }) => ({ body: order, replayed: key === 'old' });
    const send = served({ placeOrder });
    const items = '[{ sku: "tee", quantity: 1 }]';
    const place = (name: string, key: string) =>
      `${name}: placeOrder(saleId: "launch", idempotencyKey: "${key}", items: ${items}) { orderId }`;
    const replay = await send({ query: `mutation { ${place('one', 'old')} }` });
    expect(replay.headers['idempotency-replayed']).toBe('true');
    expect(replay.graphql.extensions).toEqual({ replayed: ['one'] });
    const mixed = await send({ query: `mutation { ${place('one', 'old')} ${place('two', 'new')} }` });
    expect(mixed.headers).not.toHaveProperty('idempotency-replayed');
    expect(mixed.graphql.extensions).toEqual({ replayed: ['one'] });
  });

  it.each([
    ['null', 'null', {}],
    ['a variable that is not there', '$key', {}],
    ['a variable that is null', '$key', { key: null }],
  ])('needs a key and says so with the contract’s code, also where it is %s', async (_, key, variables) => {
    const send = served({ readMe: me, placeOrder: async () => ({ body: order }) });
    const query = `query Who { me { userId } }
      mutation Buy${key === '$key' ? '($key: String!)' : ''} { placeOrder(saleId: "launch", idempotencyKey: ${key}, items: []) { orderId } }`;
    const { graphql } = await send({ query, operationName: 'Buy', variables });
    expect(graphql).not.toHaveProperty('data');
    expect(failures(graphql)[0]).toEqual({ code: 'IDEMPOTENCY_KEY_REQUIRED', status: 400, retryable: false });
  });

  it('asks for the key of the operation that is meant, and takes one that its variable begins with', async () => {
    const send = served({ readMe: me, placeOrder: async () => ({ body: order }) });
    const buy = (variable: string) =>
      `mutation Buy(${variable}) { placeOrder(saleId: "launch", idempotencyKey: $key, items: [{ sku: "tee", quantity: 1 }]) { orderId } }`;
    const other = await send({ query: `query Who { me { userId } } ${buy('$key: String!')}`, operationName: 'Who' });
    expect(other.graphql).toEqual({ data: { me: { userId: 'ada' } } });
    expect((await send({ query: buy('$key: String! = "k"') })).graphql).toEqual({ data: { placeOrder: { orderId: order.orderId } } });
  });

  it('needs a key, and says so with the contract’s code', async () => {
    const { graphql } = await served({})({ query: 'mutation { placeOrder(saleId: "launch", items: []) { orderId } }' });
    expect(graphql).not.toHaveProperty('data');
    expect(failures(graphql)[0]).toEqual({ code: 'IDEMPOTENCY_KEY_REQUIRED', status: 400, retryable: false });
    const variables = { items: [{ sku: 'tee', quantity: 1 }] };
    for (const key of ['', 'two words', 'k'.repeat(256), 'schlüssel']) {
      const refused = await served({})({ query, variables: { ...variables, key } });
      expect(failures(refused.graphql), key).toMatchObject([invalid]);
    }
    expect(failures((await served({})({ query, variables: { ...variables, key: 1 } })).graphql)).toEqual([invalid]);
  });

  it('of a quantity that is none is refused at the door of the route, or before', async () => {
    let placed = 0;
    const placeOrder: AnyHandle = async () => {
      placed += 1;
      return { body: order };
    };
    const send = served({ placeOrder });
    for (const quantity of [-1, 0, 1.5, 21, 1e9, 1e308, '2', [2], true, null]) {
      const { graphql } = await send({ query, variables: { key: 'k', items: [{ sku: 'tee', quantity }] } });
      expect(failures(graphql), String(quantity)).toMatchObject([invalid]);
    }
    const { graphql } = await send({ query, variables: { key: 'k', items: [{ sku: 'tee', quantity: 1, priceMinor: 1 }] } });
    expect(failures(graphql)).toEqual([invalid]);
    expect(placed).toBe(0);
  });

  it('goes one after the other, and begins nothing that could not be answered any more', async () => {
    let nowMs = 0;
    const begun: string[] = [];
    const placeOrder: AnyHandle = async ({ key }) => {
      begun.push(key);
      nowMs += 9_000;
      return { body: order };
    };
    const fields = ['a', 'b', 'c'].map((key) => `${key}: placeOrder(saleId: "launch", idempotencyKey: "${key}", items: []) { orderId }`);
    const send = served({ placeOrder }, () => nowMs);
    const { graphql } = await send({ query: `mutation { ${fields.join(' ').replaceAll('[]', '[{ sku: "tee", quantity: 1 }]')} }` });
    expect(begun).toEqual(['a', 'b']);
    expect(graphql.errors).toMatchObject([{ path: ['c'], extensions: { code: 'TRY_AGAIN', status: 503, retryable: true } }]);
  });
});
