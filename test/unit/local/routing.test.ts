import { describe, expect, it } from 'vitest';
import { RouteTable } from '../../../lib/local/routing.ts';

const keys = [
  '$default',
  'ANY /v1/{proxy+}',
  'GET /v1/orders/{orderId}',
  'GET /v1/orders/mine',
  'ANY /v1/orders/{id}',
  'POST /v1/orders',
  'POST /v1/{kind}/{id}/cancel',
];
const table = new RouteTable(keys.map((routeKey) => ({ routeKey, target: routeKey })));
const picked = (method: string, path: string) => table.match(method, path)?.routeKey;

describe('the route of a request', () => {
  it('is the most specific one, whatever order the template has', () => {
    expect(picked('GET', '/v1/orders/mine')).toBe('GET /v1/orders/mine');
    expect(picked('GET', '/v1/orders/17')).toBe('GET /v1/orders/{orderId}');
    expect(picked('POST', '/v1/orders/17/cancel')).toBe('POST /v1/{kind}/{id}/cancel');
    expect(picked('GET', '/v1/orders/17/more')).toBe('ANY /v1/{proxy+}');
  });

  it('prefers a method to any method', () => {
    expect(picked('GET', '/v1/orders/17')).toBe('GET /v1/orders/{orderId}');
    expect(picked('DELETE', '/v1/orders/17')).toBe('ANY /v1/orders/{id}');
  });

  it('is $default for what nothing else takes: another path, another method, an empty parameter', () => {
    expect(picked('GET', '/')).toBe('$default');
    expect(picked('GET', '/v2')).toBe('$default');
    expect(picked('GET', '/v1/orders/')).toBe('ANY /v1/{proxy+}');
    expect(picked('GET', '/v1/')).toBe('$default');
  });

  it('is found for the root too, also for any method', () => {
    expect(new RouteTable([{ routeKey: 'ANY /', target: 1 }]).match('PUT', '/')).toMatchObject({ routeKey: 'ANY /' });
  });

  it('gives parameters as they stand in the path', () => {
    expect(table.match('GET', '/v1/orders/a%2Fb')?.parameters).toEqual({ orderId: 'a%2Fb' });
    expect(table.match('GET', '/v1/a/b/c')?.parameters).toEqual({ proxy: 'a/b/c' });
  });

  it('is nothing at all in a table without $default', () => {
    expect(new RouteTable([{ routeKey: 'GET /a', target: 1 }]).match('GET', '/b')).toBeUndefined();
  });

  it('is refused at start when its key can’t be read', () => {
    expect(() => new RouteTable([{ routeKey: 'FETCH /a', target: 1 }])).toThrow(/FETCH \/a/);
  });
});
