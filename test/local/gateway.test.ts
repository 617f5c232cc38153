import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { route, startSmallApp, tokenOf } from './small-app.ts';

const echo = { code: 'export const handler = async (event) => event;' };
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a request through the gateway', () => {
  it('reaches its function as an HTTP API’s event, format 2.0', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('POST /v1/things/{thingId}', 'Echo', { needsToken: true }));
    const response = await fetch(`${url}/v1/things/a%20b?one=1&two=2&one=3`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokenOf(url)}`,
        'content-type': 'application/json',
        'Idempotency-Key': 'K',
        cookie: 'a=1; b=2',
      },
      body: '{"ä":1}',
    });
    expect(response.status).toBe(200);
    const event = await response.json();
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'POST /v1/things/{thingId}',
      rawPath: '/v1/things/a%20b',
      rawQueryString: 'one=1&two=2&one=3',
      queryStringParameters: { one: '1,3', two: '2' },
      pathParameters: { thingId: 'a b' },
      cookies: ['a=1', 'b=2'],
      headers: { 'idempotency-key': 'K', 'content-type': 'application/json' },
      body: '{"ä":1}',
      isBase64Encoded: false,
      requestContext: {
        http: { method: 'POST', path: '/v1/things/a%20b', sourceIp: '127.0.0.1' },
        authorizer: { jwt: { claims: { sub: 'ada', scope: 'sale:buy' } } },
        routeKey: 'POST /v1/things/{thingId}',
        requestId: response.headers.get('x-request-id'),
      },
    });
  });

  it('gets its function’s status, headers, cookies and binary body back', async () => {
    const code = `export const handler = async () => ({ statusCode: 418, headers: { 'X-Own': 'yes' }, cookies: ['a=1', 'b=2'], body: 'AAEC', isBase64Encoded: true });`;
    const { url } = await startSmallApp({ Teapot: { code } }, route('GET /', 'Teapot'));
    const response = await fetch(url);
    expect(response.status).toBe(418);
    expect(response.headers.get('x-own')).toBe('yes');
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(new Uint8Array([0, 1, 2]));
  });

  it('is a problem in words, and never a stack, when its function throws, dies, or is too slow', async () => {
    const code = `export const handler = async ({ rawPath }) => {
      if (rawPath === '/throws') throw new Error('inner secret');
      if (rawPath === '/dies') process.exit(1);
      await new Promise((resolve) => setTimeout(resolve, 10_000));
    };`;
    const routes = { ...route('GET /throws', 'Bad'), ...route('GET /dies', 'Bad'), ...route('GET /slow', 'Bad', { timeoutMs: 100 }) };
    const { url } = await startSmallApp({ Bad: { code } }, routes);
    for (const path of ['/throws', '/dies', '/slow', '/throws']) {
      const response = await fetch(url + path);
      const text = await response.text();
      expect(response.status).toBe(503);
      expect(response.headers.get('retry-after')).toBe('1');
      expect(JSON.parse(text)).toMatchObject({ code: 'TRY_AGAIN', retryable: true, instance: path });
      expect(text).not.toContain('secret');
    }
  });

  it('is refused with 413 when its body is over 1 MiB, and cut off when it goes on for ten times that', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('POST /', 'Echo'));
    const refused = await fetch(url, { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) });
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: 'BODY_TOO_LARGE' });

    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.resume();
    socket.write(`POST / HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n`);
    const piece = 'x'.repeat(65_536);
    const more = () => {
      while (socket.writable && socket.write(`10000\r\n${piece}\r\n`));
    };
    socket.on('drain', more);
    more();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(socket.bytesWritten).toBeLessThan(64 * 1024 * 1024);
  });

  it('is answered in the problem form whatever it is: no route, no HTTP, a path that can’t be decoded', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('GET /v1/things/{thingId}', 'Echo'));
    const nowhere = await fetch(`${url}/nowhere`);
    expect([nowhere.status, await nowhere.json()]).toMatchObject([404, { code: 'NOT_FOUND', type: '/problems/not-found' }]);
    expect(nowhere.headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    const undecodable = await fetch(`${url}/v1/things/%zz`);
    expect([undecodable.status, await undecodable.json()]).toMatchObject([400, { code: 'INVALID_REQUEST' }]);

    const socket = connect(Number(new URL(url).port), '127.0.0.1', () => socket.write('NOT HTTP AT ALL\r\n\r\n'));
    const [answer] = (await once(socket.setEncoding('utf8'), 'data')) as [string];
    expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*x-request-id: [\s\S]*"code":"INVALID_REQUEST"/);
    socket.destroy();
  });

  it('from a browser is allowed for the configured origin and no other', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('POST /', 'Echo'));
    const ask = (origin: string) => fetch(url, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const allowed = await ask('https://shop.example');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://shop.example');
    expect(allowed.headers.get('access-control-allow-headers')).toBe('idempotency-key');
    expect((await ask('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const real = await fetch(url, { method: 'POST', headers: { origin: 'https://shop.example' } });
    expect(real.headers.get('access-control-expose-headers')).toBe('x-request-id');
  });
});

describe('a token', () => {
  it('is taken only with the issuer’s own signature, name, audience and times', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('GET /mine', 'Echo', { needsToken: true }));
    const other = await startSmallApp({ Echo: echo }, route('GET /mine', 'Echo', { needsToken: true }));
    const statusOf = async (token: string | undefined) => {
      const response = await fetch(`${url}/mine`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
      if (response.status !== 200) expect(await response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
      return response.status;
    };
    const good = await tokenOf(url);
    const [header = '', payload = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const { keys } = (await (await fetch(`${url}/local/.well-known/jwks.json`)).json()) as { keys: [{ kid: string; n: string }] };
    const unsigned = `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`;
    // The public key as an HMAC secret: the oldest trick against verifiers that believe the header.
    const hmacHead = `${part({ alg: 'HS256', kid: keys[0].kid })}.${payload}`;
    const hmac = `${hmacHead}.${createHmac('sha256', keys[0].n).update(hmacHead).digest('base64url')}`;

    expect(await statusOf(good)).toBe(200);
    expect(await statusOf(good)).toBe(200);
    const refused = {
      nothing: undefined,
      garbage: 'abc',
      unsigned,
      hmac,
      anotherSubject: `${header}.${part({ ...claims, sub: 'eve' })}.${signature}`,
      cutSignature: `${header}.${payload}.${signature.slice(0, -8)}`,
      expired: await tokenOf(url, { expiresInSeconds: -1 }),
      anotherAudience: await tokenOf(url, { audience: 'somebody-else' }),
      anotherIssuer: await tokenOf(other.url),
    };
    const statuses = await Promise.all(Object.entries(refused).map(async ([name, token]) => [name, await statusOf(token)]));
    expect(Object.fromEntries(statuses)).toEqual(Object.fromEntries(Object.keys(refused).map((name) => [name, 401])));
  });

  it('without the scope that a route asks for is refused with 403', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('GET /books', 'Echo', { needsToken: true, scopes: ['read', 'write'] }));
    const ask = async (scope: string) => fetch(`${url}/books`, { headers: { authorization: `Bearer ${await tokenOf(url, { scope })}` } });
    expect((await ask('other write')).status).toBe(200);
    const refused = await ask('other');
    expect([refused.status, await refused.json()]).toMatchObject([403, { code: 'FORBIDDEN' }]);
  });

  it('is no longer taken once it has expired, though it was taken before', async () => {
    const { url } = await startSmallApp({ Echo: echo }, route('GET /mine', 'Echo', { needsToken: true }));
    let token = '';
    const ask = async () => (await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${token}` } })).status;
    // It ends with the second after the one that it was made in, and may be over before it is shown: then the next one is not.
    const askWithAnother = async () => {
      token = await tokenOf(url, { expiresInSeconds: 1 });
      return ask();
    };
    await expect.poll(askWithAnother, { timeout: 50_000 }).toBe(200);
    await expect.poll(ask, { timeout: 50_000 }).toBe(401);
  });

  it('is given out by the issuer for a proper request alone, and OIDC clients find the issuer’s keys', async () => {
    const { url } = await startSmallApp({ Echo: echo });
    for (const body of ['', '[]', '{}', '{"sub":1}', '{"sub":"a","role":"admin"}', '{"sub":"a","expiresInSeconds":1.5}']) {
      const response = await fetch(`${url}/local/token`, { method: 'POST', body });
      expect([response.status, await response.json()]).toMatchObject([400, { code: 'INVALID_REQUEST' }]);
    }
    expect((await fetch(`${url}/local/token`)).status).toBe(405);
    const found = (await (await fetch(`${url}/local/.well-known/openid-configuration`)).json()) as { issuer: string; jwks_uri: string };
    expect(found.issuer).toBe(`${url}/local`);
    expect(await (await fetch(found.jwks_uri)).json()).toMatchObject({ keys: [{ alg: 'RS256', kty: 'RSA' }] });
  });
});
