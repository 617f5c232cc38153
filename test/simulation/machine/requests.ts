import type { Invocation, Machine } from './machine.ts';

// Requests as the gateway hands them to a function, for tests of the machine alone.

export const operator = { sub: 'olga', scope: 'sale:operate' } as const;
export const buyer = (sub: string) => ({ sub, scope: 'sale:buy' }) as const;

interface Asked {
  readonly routeKey: `${string} /${string}`;
  readonly caller: { readonly sub: string; readonly scope: string };
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly key?: string;
}

/** The event of an HTTP API for this request (payload format 2.0), as far as the functions look into it. */
export function requestOf({ routeKey, caller, params = {}, body, key }: Asked): object {
  const [method = '', path = ''] = routeKey.split(' ');
  const rawPath = path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] ?? '');
  return {
    version: '2.0',
    routeKey,
    rawPath,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    pathParameters: params,
    requestContext: {
      authorizer: { jwt: { claims: caller, scopes: null } },
      http: { method, path: rawPath },
      requestId: `${caller.sub} ${key ?? ''}`,
      routeKey,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}

export const placing = (who: string, key: string, quantity = 1): object =>
  requestOf({
    routeKey: 'POST /v1/sales/{saleId}/orders',
    caller: buyer(who),
    params: { saleId: 'launch' },
    body: { items: [{ sku: 'tee', quantity }] },
    key,
  });

/** Makes the sale `launch` of so many units of `tee`, open for an hour, by the real API. Throws when it refuses. */
export async function openLaunch(machine: Machine, units = 10): Promise<void> {
  const product = { sku: 'tee', name: 'Tee', priceMinor: 1_500, currency: 'EUR' };
  const [opensAt, closesAt] = [-60_000, 3_600_000].map((ms) => new Date(machine.nowMs() + ms).toISOString());
  const sale = { saleId: 'launch', name: 'Launch', opensAt, closesAt, items: [{ sku: 'tee', units }] };
  for (const [routeKey, body] of [['POST /v1/products', product] as const, ['POST /v1/sales', sale] as const]) {
    const answer = await machine.invoke('api/api', requestOf({ routeKey, caller: operator, body, key: routeKey.slice(-5) }));
    if (statusOf(answer) !== 201) throw new Error(`${routeKey}: ${JSON.stringify(answer)}`);
  }
}

/** The status that the function answered, or how it ended otherwise. */
export function statusOf(ended: Invocation): number | string {
  if (ended.outcome !== 'returned') return ended.outcome;
  return (ended.result as { readonly statusCode?: number }).statusCode ?? 'no status';
}
