import type { Context } from 'aws-lambda';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { routes } from '../../../functions/api/routes.ts';
import { type Endpoint, endpoint, httpHandler, keyedRequest } from '../../../functions/shared/http.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { defineRoute, type Route } from '../../../functions/shared/route.ts';
import { answerOf, buyer, type Call, eventOf, operator } from '../../support/api.ts';

const notFound = async () => {
  throw new Problem('NOT_FOUND', 'Nothing here.');
};

/** Sends a request to one endpoint, past the gateway. */
async function send(served: Endpoint, call: Call & { path?: string; params?: Record<string, string>; raw?: Record<string, unknown> } = {}) {
  const { method, path } = served.route;
  const event = { ...eventOf(method, call.path ?? path, call), routeKey: `${method} ${path}`, ...call.raw };
  const claims = call.as ? { authorizer: { jwt: { claims: { ...call.as }, scopes: null } } } : {};
  const { requestContext, ...rest } = event;
  const full = { ...rest, ...(call.params ? { pathParameters: call.params } : {}), requestContext: { ...requestContext, ...claims } };
  return answerOf(await httpHandler([served], notFound)(full as typeof event, {} as Context));
}

const post = (changes: Partial<Route> = {}) =>
  defineRoute({
    operationId: 'test',
    method: 'POST',
    path: '/v1/things/{id}',
    access: 'buy',
    tag: 'Test',
    summary: 'Test',
    keyed: true,
    params: z.strictObject({ id: z.string().regex(/^[a-z]+$/) }),
    body: z.strictObject({ count: z.int().min(1).default(1), note: z.string().optional() }),
    status: 201,
    servedBy: 'api',
    ...changes,
  } as Route);

const echo = (changes: Partial<Route> = {}) =>
  endpoint(post(changes), async ({ params, body, key, caller, path, query }) => ({ body: { params, body, key, caller, path, query } }));
const ada = buyer('ada');
const good = { as: ada, key: 'k', params: { id: 'x' }, body: { count: 2 } };

describe('every route of the contract', () => {
  const scopes = ['', 'sale:buy', 'sale:operate', 'openid', 'sale:buyer', 'presale:buy', 'sale', 'shop/sale:buy', 'shop/sale:operate'];
  const opened: Record<Route['access'], readonly string[]> = {
    public: scopes,
    buy: ['sale:buy', 'shop/sale:buy'],
    operate: ['sale:operate', 'shop/sale:operate'],
    'buy-or-operate': ['sale:buy', 'sale:operate', 'shop/sale:buy', 'shop/sale:operate'],
  };
  const served = (route: Route) => ({ route, serve: endpoint({ ...route, keyed: false } as Route, async () => ({})).serve });
  // What lies behind the door does not matter here: the door is first.
  const isRefused = (code: unknown) => code === 'FORBIDDEN' || code === 'UNAUTHENTICATED';

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))('%s opens to its scopes alone', async (_, route) => {
    for (const scope of scopes) {
      const answer = await send(served(route), { as: { sub: 'ada', scope } });
      expect(isRefused(answer.body?.code), `${scope}: ${answer.text}`).toBe(!opened[route.access].includes(scope));
    }
  });

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s asks for a token unless it is public',
    async (_, route) => {
      for (const as of [undefined, { sub: '', scope: 'sale:buy sale:operate' }]) {
        const answer = await send(served(route), as ? { as } : {});
        expect(answer.body?.code === 'UNAUTHENTICATED').toBe(route.access !== 'public');
        expect(answer.headers['www-authenticate']).toBe(route.access === 'public' ? undefined : 'Bearer');
      }
    },
  );
});

describe('the door of a route', () => {
  it('hands on what was parsed, with its defaults', async () => {
    const answer = await send(echo(), { ...good, body: {} });
    expect(answer).toMatchObject({
      status: 201,
      headers: { 'content-type': 'application/json', 'x-request-id': 'request-of-a-test', 'cache-control': 'no-store' },
      body: { params: { id: 'x' }, body: { count: 1 }, key: 'k', caller: { userId: 'ada', mayBuy: true, mayOperate: false } },
    });
  });

  it('refuses a body that is too large, by the bytes of it, before it is read', async () => {
    const note = (bytes: number) => ({ ...good, body: JSON.stringify({ note: 'ü'.repeat(bytes / 2) }) });
    expect(await send(echo(), note(8_000))).toMatchObject({ status: 201 });
    expect(await send(echo(), note(8_200))).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
    expect(await send(echo(), { ...good, body: '{'.repeat(9_000) })).toMatchObject({ status: 413 });
    const forOperators = { ...note(1_000_000), as: operator };
    expect(await send(echo({ access: 'operate' }), forOperators)).toMatchObject({ status: 201 });
    expect(await send(echo({ access: 'operate' }), { ...note(1_050_000), as: operator })).toMatchObject({ status: 413 });
  });

  it('reads a body that the gateway has put into base64', async () => {
    const raw = { body: Buffer.from('{"count":3}').toString('base64'), isBase64Encoded: true };
    expect(await send(echo(), { ...good, raw })).toMatchObject({ status: 201, body: { body: { count: 3 } } });
  });

  it.each([[0xff], [0xc3], [0xc0, 0xaf], [0xed, 0xa0, 0x80]])(
    'refuses a body whose bytes are no UTF-8 (%i …), rather than to guess what they say',
    async (...bytes) => {
      const body = Buffer.concat([Buffer.from('{"note":"'), Buffer.from(bytes), Buffer.from('"}')]).toString('base64');
      const answer = await send(echo(), { ...good, raw: { body, isBase64Encoded: true } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST', detail: expect.stringContaining('UTF-8') } });
    },
  );

  it('takes JSON alone, whatever it is called', async () => {
    const as = (mediaType: string) => send(echo(), { ...good, headers: { 'content-type': mediaType } });
    expect(await as('application/json; charset=utf-8')).toMatchObject({ status: 201 });
    expect(await as('Application/JSON')).toMatchObject({ status: 201 });
    for (const mediaType of ['text/json', 'application/jsonp', 'application/json-patch+json', '']) {
      expect(await as(mediaType)).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    }
  });

  it.each(['', '{', 'undefined', '[1,]', '\u0000', '{"count":1}{"count":1}', 'NaN'])('refuses the body %j', async (body) => {
    expect(await send(echo(), { ...good, body })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('names each place that is wrong', async () => {
    const { body } = await send(echo(), { ...good, body: { count: 0, extra: 1 } });
    expect(body).toMatchObject({ code: 'INVALID_REQUEST', errors: [{ at: 'body.count' }, { at: 'body' }] });
    expect(body.detail).toContain('extra');
  });

  it('refuses query parameters that the route does not know, on every route', async () => {
    expect(await send(echo(), { ...good, path: '/v1/things/x?debug=1' })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('refuses a query parameter or a member called __proto__ as any other that it does not know', async () => {
    const queryStringParameters = JSON.parse('{"__proto__":"1"}') as object;
    const refused = { status: 400, body: { code: 'INVALID_REQUEST' } };
    expect(await send(echo(), { ...good, raw: { queryStringParameters } })).toMatchObject(refused);
    expect(await send(echo(), { ...good, body: '{"count":1,"__proto__":{"count":2}}' })).toMatchObject(refused);
  });

  it('says of a path that could name nothing that there is nothing', async () => {
    for (const id of ['X', '', '../x', 'é', '__proto__']) {
      expect(await send(echo(), { ...good, params: { id } })).toMatchObject({ status: 404, body: { code: 'NOT_FOUND' } });
    }
  });

  it.each(['', 'two words', 'schlüssel', 'k'.repeat(256), 'tab\t'])('refuses the key %j', async (key) => {
    expect(await send(echo(), { ...good, key })).toMatchObject({ status: 400, body: { code: 'INVALID_REQUEST' } });
  });

  it('takes any key of 1 to 255 visible characters', async () => {
    for (const key of ['!', '~'.repeat(255), '"quoted"'])
      expect(await send(echo(), { ...good, key })).toMatchObject({ status: 201, body: { key } });
  });

  it('takes no buyer whose name could not be one', async () => {
    for (const sub of ['auth0|5f7c', 'a b', 'x'.repeat(65), 'ada#ben']) {
      expect(await send(echo(), { ...good, as: buyer(sub) })).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    const asOperator = { ...good, as: { sub: 'machine@clients', scope: 'sale:operate' } };
    expect(await send(echo({ access: 'operate' }), asOperator)).toMatchObject({ status: 201 });
  });

  it('gives one resource one path, so that a key means the same however the path was spelled', async () => {
    const keyOf = endpoint(post(), async (request) => ({ body: keyedRequest(request) }));
    const plain = await send(keyOf, { ...good, path: '/v1/things/x' });
    const spelled = await send(keyOf, { ...good, path: '/v1/things/%78' });
    expect(spelled.body).toEqual(plain.body);
    const other = await send(keyOf, { ...good, as: buyer('ben') });
    expect(other.body.scope).not.toBe(plain.body.scope);
    expect(other.body.payloadHash).toBe(plain.body.payloadHash);
  });

  it('lets nothing internal out when something breaks', async () => {
    const broken = endpoint(post(), async () => {
      throw new Error('secret: table orders at 10.0.0.1');
    });
    const answer = await send(broken, good);
    expect(answer).toMatchObject({
      status: 503,
      body: { code: 'TRY_AGAIN', retryable: true },
      headers: { 'retry-after': '1', 'x-request-id': 'request-of-a-test' },
    });
    expect(answer.text).not.toMatch(/secret|10\.0\.0\.1|orders/);
  });

  it('answers a problem in the form of RFC 9457', async () => {
    const refusing = endpoint(post(), async () => {
      throw new Problem('SOLD_OUT', 'None left.', { available: 0 });
    });
    expect(await send(refusing, { ...good, path: '/v1/things/x' })).toMatchObject({
      status: 409,
      headers: { 'content-type': 'application/problem+json', 'x-request-id': 'request-of-a-test' },
      body: {
        type: '/problems/sold-out',
        title: expect.any(String),
        status: 409,
        detail: 'None left.',
        instance: '/v1/things/x',
        code: 'SOLD_OUT',
        retryable: false,
        available: 0,
      },
    });
  });
});
