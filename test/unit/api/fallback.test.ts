import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fallback, matchPath } from '../../../functions/api/fallback.ts';
import { checkHealth } from '../../../functions/api/health.ts';
import { routes } from '../../../functions/api/routes.ts';
import { endpoint } from '../../../functions/shared/http.ts';
import { Problem } from '../../../functions/shared/problems.ts';
import { eventOf } from '../../support/api.ts';

const served = routes
  .filter(({ access }) => access === 'public')
  .map((route) => endpoint(route, async ({ params }) => ({ body: { params } })));
const ask = (method: string, path: string) => fallback(routes, served)(eventOf(method, path));

async function problemOf(answering: Promise<unknown>): Promise<Problem> {
  const error = await answering.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Problem)) throw new Error('was not refused');
  return error;
}

describe('what no route serves', () => {
  it.each([
    '/',
    '/v1',
    '/v2/sales',
    '/v1/sales/',
    '/v1//sales',
    '/v1/sales/x/',
    '/favicon.ico',
    '/v1/orders/a/b',
    '/v1/sales/%',
    '/v1/%73ales',
    '/%76%31/health',
  ])('%s is not found', async (path) => {
    for (const method of ['GET', 'POST', 'HEAD', 'OPTIONS', 'BREW']) expect((await problemOf(ask(method, path))).code).toBe('NOT_FOUND');
  });

  it('a known path with another method is refused, naming those it knows', async () => {
    const problem = await problemOf(ask('DELETE', '/v1/sales/x/orders'));
    expect(problem).toMatchObject({ code: 'METHOD_NOT_ALLOWED', headers: { allow: 'OPTIONS, POST' } });
    expect(await problemOf(ask('PATCH', '/v1/products/x'))).toMatchObject({ headers: { allow: 'DELETE, GET, HEAD, OPTIONS, PUT' } });
  });

  it('HEAD of what anybody may read is its answer without the body', async () => {
    expect(await ask('HEAD', '/v1/sales/launch')).toEqual({
      statusCode: 200,
      headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    });
  });

  it('HEAD of anything else is refused: nobody has checked the token', async () => {
    expect((await problemOf(ask('HEAD', '/v1/me'))).code).toBe('METHOD_NOT_ALLOWED');
  });

  it('OPTIONS says what is allowed', async () => {
    expect(await ask('OPTIONS', '/v1/health')).toMatchObject({ statusCode: 204, headers: { allow: 'GET, HEAD, OPTIONS' } });
  });
});

describe('matching a path', () => {
  it('finds the parameters that were put into it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), fc.string({ minLength: 1 }), (saleId, sku) => {
        const path = `/v1/sales/${encodeURIComponent(saleId)}/items/${encodeURIComponent(sku)}`;
        expect(matchPath('/v1/sales/{saleId}/items/{sku}', path)).toEqual({ saleId, sku });
      }),
    );
  });

  it('is never in doubt: no path fits two routes of one method', () => {
    for (const route of routes) {
      const fitting = routes.filter((each) => each.method === route.method && matchPath(each.path, route.path.replaceAll(/[{}]/g, '')));
      expect(fitting.map(({ path }) => path)).toEqual([route.path]);
    }
  });
});

describe('the state of health', () => {
  const alive = async () => 'PONG';
  const away: string[] = [];
  const ports = { waitMsMax: 50, onAway: (dependency: string) => void away.push(dependency) };

  it('says which dependency is away, whether it fails or is silent', async () => {
    const failing = async () => {
      throw new Error('connection refused');
    };
    expect(await checkHealth({ ...ports, checks: { redis: alive, dynamodb: alive } })).toEqual({ redis: 'ok', dynamodb: 'ok' });
    expect(await checkHealth({ ...ports, checks: { redis: failing, dynamodb: alive } })).toEqual({ redis: 'away', dynamodb: 'ok' });
    const silent = () => new Promise(() => {});
    expect(await checkHealth({ ...ports, checks: { redis: silent, dynamodb: silent } })).toEqual({ redis: 'away', dynamodb: 'away' });
    expect(away.sort()).toEqual(['dynamodb', 'redis', 'redis']);
  });
});
