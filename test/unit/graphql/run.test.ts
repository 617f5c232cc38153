import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { MissingOperation, operationsOf } from '../../../functions/graphql/ask.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { buyer, operator } from '../../support/api.ts';
import { type AnyHandle, failures, invalid, me, order, served } from './run.harness.ts';

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
