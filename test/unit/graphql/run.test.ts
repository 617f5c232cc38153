import type { Context } from 'aws-lambda';
import fc from 'fast-check';
import { getIntrospectionQuery } from 'graphql';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '../../../functions/api/routes.ts';
import { MissingOperation, operations, operationsOf } from '../../../functions/graphql/ask.ts';
import { callsMax, costMax, depthMax, tokensMax } from '../../../functions/graphql/bounds.model.ts';
import { graphqlEndpoints } from '../../../functions/graphql/graphql.endpoints.ts';
import { type Endpoint, endpoint, type Handle, httpHandler } from '../../../functions/shared/http.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { answerOf, buyer, type Call, eventOf, operator } from '../../support/api.ts';
import type { GraphqlBody } from '../../support/graphql.ts';

type AnyHandle = Handle<unknown, unknown, unknown, unknown>;

const order = {
  ...{ orderId: `ord_${'a'.repeat(22)}`, saleId: 'launch', buyerId: 'ada', status: 'RESERVED', displayStatus: 'PROCESSING', version: 1 },
  ...{ items: [{ sku: 'tee', quantity: 1, units: ['1'], priceMinor: 2_500 }], totalMinor: 20_000_000_000, currency: 'EUR' },
  ...{ payment: { method: 'balance', state: 'none' }, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' },
};

/** The doors of the real routes, and behind each of them what a test puts there. */
function served(handles: Partial<Record<(typeof operations)[number], AnyHandle>>, nowMs = () => 0) {
  const endpoints: Endpoint[] = operations.map((operation) => {
    const route = routes.find(({ operationId }) => operationId === operation);
    if (!route) throw new Error(operation);
    return endpoint(
      route,
      handles[operation] ??
        (async () => {
          throw new Problem('NOT_FOUND', 'Nothing here.');
        }),
    );
  });
  const notFound = async () => {
    throw new Problem('NOT_FOUND', 'Nothing here.');
  };
  const handler = httpHandler(graphqlEndpoints(endpoints, { clock: { nowMs } }), notFound);
  return async (body: unknown, call: Call = { as: buyer('ada') }) => {
    const answer = answerOf(await handler(eventOf('POST', '/v1/graphql', { ...call, body }), {} as Context));
    return { ...answer, graphql: answer.body as unknown as GraphqlBody };
  };
}

const me: AnyHandle = async ({ caller }) => ({ body: { userId: caller.userId, balanceMinor: 9_007_199_254_740_991, currency: 'EUR' } });
const failures = ({ errors = [] }: GraphqlBody) => errors.map(({ extensions }) => extensions);
const invalid = { code: 'INVALID_REQUEST', status: 400, retryable: false };

describe('a GraphQL request', () => {
  it('is answered by the endpoint of the route, in the caller’s name', async () => {
    const answer = await served({ readMe: me })({ query: '{ me { userId balanceMinor } again: me { currency } }' });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/json', 'x-request-id': 'request-of-a-test' } });
    expect(answer.graphql).toEqual({
      data: { me: { userId: 'ada', balanceMinor: 9_007_199_254_740_991 }, again: { currency: 'EUR' } },
    });
  });

  it('may have variables, several operations and fragments, and gets what the named one asks for', async () => {
    const seen: unknown[] = [];
    const listOrders: AnyHandle = async ({ query }) => {
      seen.push(query);
      return { body: { items: [order], nextCursor: null } };
    };
    const send = served({ readMe: me, listOrders });
    const query = `query Who { me { userId } }
      query List($status: OrderStatus, $limit: Int = 5) { orders(status: $status, limit: $limit, saleId: null) { items { ...Money } nextCursor } }
      fragment Money on Order { totalMinor status items { units } tickets { code } }`;
    const { graphql } = await send({ query, operationName: 'List', variables: { status: 'RESERVED' }, extensions: {} });
    expect(graphql).toEqual({
      data: {
        orders: { items: [{ totalMinor: 20_000_000_000, status: 'RESERVED', items: [{ units: ['1'] }], tickets: null }], nextCursor: null },
      },
    });
    expect(seen).toEqual([{ status: 'RESERVED', limit: 5 }]);
    expect((await send({ query, operationName: null })).graphql).toMatchObject({ errors: [{ extensions: invalid }] });
    expect((await send({ query, operationName: 'Nobody' })).graphql).toMatchObject({ errors: [{ extensions: invalid }] });
  });

  it.each(['RESERVED', '"RESERVED"'])('may write a word as %s', async (word) => {
    const listOrders: AnyHandle = async () => ({ body: { items: [], nextCursor: null } });
    const { graphql } = await served({ listOrders })({ query: `{ orders(status: ${word}) { nextCursor } }` });
    expect(graphql).toEqual({ data: { orders: { nextCursor: null } } });
  });

  it('gets what the other routes say of a bad argument: the same code and the same place', async () => {
    const listOrders: AnyHandle = async () => ({ body: { items: [], nextCursor: null } });
    const send = served({ listOrders });
    const wrong = ['status: LOST', 'limit: 0', 'limit: 101', 'cursor: "x"', 'saleId: "a b"'];
    for (const argument of wrong) {
      const { graphql } = await send({ query: `{ orders(${argument}) { nextCursor } }` });
      expect(graphql, argument).toMatchObject({ data: { orders: null }, errors: [{ path: ['orders'], extensions: invalid }] });
      expect(graphql.errors?.[0]?.message, argument).toContain(`query.${argument.split(':')[0]}`);
    }
  });

  it('is told that half of a surrogate pair is no id, as no path could name it', async () => {
    const query = 'query ($id: String!) { order(orderId: $id) { orderId } }';
    const { graphql } = await served({})({ query, variables: { id: '\ud800' } });
    expect(failures(graphql)).toMatchObject([{ status: expect.toSatisfy((status: number) => status < 500), retryable: false }]);
  });

  it('keeps each field’s refusal to that field', async () => {
    const { status, graphql } = await served({ readMe: me })({ query: '{ me { userId } order(orderId: "x") { status } }' });
    expect(status).toBe(200);
    expect(graphql).toMatchObject({
      data: { me: { userId: 'ada' }, order: null },
      errors: [{ path: ['order'], extensions: { code: 'NOT_FOUND', status: 404, retryable: false } }],
    });
  });

  it('is held to the scope of each route that it asks for', async () => {
    const send = served({ readMe: me });
    const query = '{ me { userId } }';
    expect(failures((await send({ query }, { as: operator })).graphql)).toMatchObject([{ code: 'FORBIDDEN', status: 403 }]);
    for (const as of [undefined, { sub: 'ada', scope: 'openid' }]) {
      const answer = await send({ query }, as ? { as } : {});
      expect(answer).toMatchObject({ status: as ? 403 : 401, headers: { 'content-type': 'application/problem+json' } });
    }
  });

  it('tells of a problem’s further members, and when to come again', async () => {
    const sale: AnyHandle = async () => {
      throw new Problem('STOCK_NOT_READY', 'Not yet.', { saleId: 'launch' });
    };
    const { graphql } = await served({ readSale: sale })({ query: '{ sale(saleId: "launch") { state } }' });
    expect(graphql.errors).toEqual([
      {
        message: 'Not yet.',
        locations: [{ line: 1, column: 3 }],
        path: ['sale'],
        extensions: { code: 'STOCK_NOT_READY', status: 503, retryable: true, saleId: 'launch', retryAfterSeconds: 1 },
      },
    ]);
  });

  it('never tells what went wrong inside', async () => {
    const broken: AnyHandle = async () => {
      throw new Error('connect ECONNREFUSED 10.0.0.1:6379');
    };
    const odd: AnyHandle = async () => ({ body: { userId: 'ada', balanceMinor: 0.5, currency: null } });
    for (const readMe of [broken, odd]) {
      const answer = await served({ readMe })({ query: '{ me { userId balanceMinor currency } }' });
      expect(answer.status).toBe(200);
      for (const failure of failures(answer.graphql)) expect(failure).toMatchObject({ code: 'TRY_AGAIN', status: 503, retryable: true });
      expect(answer.text).not.toMatch(/ECONN|10\.0|\.ts|stack|non-null|whole number/i);
    }
  });

  it.each([
    ['a document that cannot be read', '{ me {'],
    ['an unknown field', '{ me { password } }'],
    ['an unknown query', '{ users { userId } }'],
    ['an argument of another kind', '{ product(sku: 1) { name } }'],
    ['no operation', 'fragment F on Me { userId }'],
    ['a fragment in itself', '{ me { ...A } } fragment A on Me { ...B } fragment B on Me { ...A }'],
    ['a subscription', 'subscription { me { userId } }'],
    ['nothing but blanks', '   '],
  ])('with %s is refused in the answer, and nothing is done', async (_, query) => {
    const { status, graphql } = await served({})({ query });
    expect(status).toBe(200);
    expect(graphql).not.toHaveProperty('data');
    expect(failures(graphql).length).toBeGreaterThan(0);
    for (const failure of failures(graphql)) expect(failure).toEqual(invalid);
  });

  it.each([
    ['no document', {}],
    ['an empty document', { query: '' }],
    ['a batch', [{ query: '{ me { userId } }' }]],
    ['a document that is no text', { query: 1 }],
    ['variables that are none', { query: '{ me { userId } }', variables: 'x' }],
    ['an unknown member', { query: '{ me { userId } }', id: 1 }],
    ['text', '{ me { userId } }'],
  ])('that is none, with %s, is a problem document', async (_, body) => {
    const answer = await served({ readMe: me })(body);
    expect(answer).toMatchObject({
      status: 400,
      headers: { 'content-type': 'application/problem+json' },
      body: { code: 'INVALID_REQUEST' },
    });
  });

  it('of any text is answered, and never with a failure of ours', async () => {
    const send = served({ readMe: me });
    const word = fc.constantFrom(
      '{',
      '}',
      '(',
      ')',
      'me',
      'userId',
      '...',
      'on',
      'Me',
      'query',
      '$a',
      ':',
      'Int',
      '"x"',
      '1',
      '@skip',
      '!',
      '__typename',
      'fragment',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 30 }), async (words) => {
        const { status, graphql, body } = await send({ query: words.join(' ') });
        expect(status).toBeOneOf([200, 400]);
        for (const { code } of status === 200 ? failures(graphql) : [body]) expect(code).toBe('INVALID_REQUEST');
      }),
      { numRuns: 200 },
    );
  });
});

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

describe('what a request may ask for', () => {
  const quiet = async (query: string, variables?: Record<string, unknown>) => {
    let calls = 0;
    const count: AnyHandle = async () => {
      calls += 1;
      return { body: { items: [], nextCursor: null } };
    };
    const whoAmI: AnyHandle = (request) => {
      calls += 1;
      return me(request);
    };
    const send = served({ listOrders: count, listProducts: count, listSales: count, readMe: whoAmI });
    const { status, graphql } = await send({ query, ...(variables && { variables }) });
    expect(status).toBe(200);
    return { graphql, calls };
  };
  const expectRefusal = async (query: string, says: RegExp, variables?: Record<string, unknown>) => {
    const { graphql, calls } = await quiet(query, variables);
    expect(graphql).not.toHaveProperty('data');
    expect(failures(graphql)).toEqual([invalid]);
    expect(graphql.errors?.[0]?.message).toMatch(says);
    expect(calls).toBe(0);
  };

  it('includes the whole schema, as tools ask for it', async () => {
    for (const options of [
      {},
      { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true },
    ]) {
      const { graphql } = await quiet(getIntrospectionQuery(options));
      expect(graphql.errors).toBeUndefined();
      expect(graphql.data).toHaveProperty('__schema');
    }
  });

  it('includes every list with all that its items have, at its longest', async () => {
    const order =
      'orderId saleId buyerId status displayStatus failure version items { sku quantity units priceMinor } totalMinor currency holdExpiresAt payment { method state } tickets { sku unit code } createdAt updatedAt';
    const sale =
      'saleId name state serverTime opensAt closesAt perBuyerLimit holdSeconds strategy items { sku name priceMinor currency total available seated }';
    const product = 'sku name description priceMinor currency imageUrl createdAt updatedAt';
    for (const [list, fields] of [
      ['orders', order],
      ['sales', sale],
      ['products', product],
    ])
      expect((await quiet(`{ ${list}(limit: 100) { items { ${fields} } nextCursor } }`)).graphql, list).not.toHaveProperty('errors');
  });

  it(`ends at ${tokensMax} tokens`, async () => {
    const names = (count: number) => Array.from({ length: count }, (_, n) => `a${n}: userId`).join(' ');
    await expectRefusal(`{ me { ${names(tokensMax / 3)} } }`, /tokens/);
    expect((await quiet(`{ me { ${names(tokensMax / 3 - 5)} } }`)).graphql).toHaveProperty('data');
  });

  it(`ends ${depthMax} fields deep, also in introspection and by fragments`, async () => {
    const deep = (levels: number) =>
      `{ __type(name: "Order") { fields { type { ${'ofType { '.repeat(levels)} name ${'} '.repeat(levels)} } } } }`;
    expect((await quiet(deep(depthMax - 4))).graphql).toHaveProperty('data');
    await expectRefusal(deep(depthMax - 3), /deep/);
    await expectRefusal(`{ ${'a { '.repeat(100)} b ${'} '.repeat(100)} }`, /deep/);
    const half = depthMax / 2 + 1;
    const fragment = `fragment F on __Type { ${'ofType { '.repeat(half)} name ${'} '.repeat(half)} }`;
    await expectRefusal(`{ __type(name: "Order") { ${'ofType { '.repeat(half)} ...F ${'} '.repeat(half)} } } ${fragment}`, /deep/);
  });

  it(`ends at ${callsMax.query} queries and ${callsMax.mutation} mutations, whatever they are called`, async () => {
    const names = (count: number, field: string, prefix = 'a') =>
      Array.from({ length: count }, (_, n) => `${prefix}${n}: ${field}`).join(' ');
    expect((await quiet(`{ ${names(callsMax.query, 'me { userId }')} __typename }`)).calls).toBe(callsMax.query);
    await expectRefusal(`{ ${names(callsMax.query + 1, 'me { userId }')} }`, /at once/);
    const spread = `{ ...F ... on Query { ${names(6, 'me { userId }')} } }`;
    await expectRefusal(`${spread} fragment F on Query { ${names(callsMax.query - 5, 'me { userId }', 'b')} }`, /at once/);
    await expectRefusal(`mutation { ${names(callsMax.mutation + 1, `cancelOrder(orderId: "${order.orderId}") { status }`)} }`, /at once/);
  });

  it(`ends at an answer of ${costMax} points, by what lists may hold and not by what they do`, async () => {
    const descriptions = Array.from({ length: 20 }, (_, n) => `d${n}: description`).join(' ');
    await expectRefusal(`{ products(limit: 100) { items { ${descriptions} } } }`, /points/);
    expect((await quiet(`{ products(limit: 20) { items { ${descriptions} } } }`)).graphql).toHaveProperty('data');
    expect((await quiet(`{ products { items { ${descriptions} } } }`)).graphql).toHaveProperty('data');
    const byVariable = `query ($n: Int) { products(limit: $n) { items { ${descriptions} } } }`;
    await expectRefusal(byVariable, /points/, { n: 100 });
    // What is not known, or is no length, counts as the longest.
    await expectRefusal(byVariable, /points/);
    await expectRefusal(byVariable, /points/, { n: 1e9 });
    expect((await quiet(byVariable, { n: 3 })).graphql).toHaveProperty('data');
    await expectRefusal(
      `{ a: sales(limit: 100) { ...S } b: sales(limit: 100) { ...S } } fragment S on SalePage { items { items { sku name priceMinor currency total available } } }`,
      /points/,
    );
    await expectRefusal(
      `{ __schema { types { fields { type { fields { ${Array.from({ length: 90 }, (_, n) => `n${n}: name`).join(' ')} } } } } } }`,
      /points/,
    );
  });

  it('is counted without being walked through, where fragments multiply', async () => {
    const fragments = Array.from({ length: 60 }, (_, n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`).join('\n');
    await expectRefusal(`{ ...F0 } ${fragments} fragment F60 on Query { me { userId } }`, /at once/);
    await expectRefusal(`{ ...F0 } ${fragments} fragment F60 on Query { __typename }`, /points/);
  });
});

describe('the operations behind the fields', () => {
  it('are all there, or the function does not start', () => {
    expect(() => operationsOf([])).toThrow(MissingOperation);
  });

  it('are asked with the very claims of the request, and none of its headers', async () => {
    const seen: unknown[] = [];
    const readOrder: AnyHandle = async ({ headers, caller, params, requestId }) => {
      seen.push({ headers, caller, params, requestId });
      return { body: order };
    };
    const headers = { 'idempotency-key': 'not this', 'if-none-match': '*', 'content-type': 'application/json' };
    await served({ readOrder })({ query: `{ order(orderId: "${order.orderId}") { status } }` }, { as: buyer('ada'), headers });
    expect(seen).toEqual([
      {
        headers: { 'content-type': 'application/json' },
        caller: { userId: 'ada', mayBuy: true, mayOperate: false },
        params: { orderId: order.orderId },
        requestId: 'request-of-a-test',
      },
    ]);
    expect(z.string().safeParse(order.orderId).success).toBe(true);
  });
});
