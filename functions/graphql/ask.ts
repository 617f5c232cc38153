import type { Endpoint, HttpEvent } from '../shared/http.ts';
import { type Route, routeKeyOf } from '../shared/route.ts';

/** The operations of the HTTP contract that stand behind the fields of the GraphQL schema. */
export const operations = [
  'listProducts',
  'readProduct',
  'listSales',
  'readSale',
  'readOrder',
  'listOrders',
  'readMe',
  'placeOrder',
  'cancelOrder',
] as const;
export type Operation = (typeof operations)[number];

/** Nobody has put an operation there that a field asks for. Said at cold start. */
export class MissingOperation extends Error {
  override readonly name = 'MissingOperation';
}

/** What one operation of the HTTP contract is asked with: what stands in the path, in the query, in the body and in `Idempotency-Key`. */
export interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly key?: string;
}

export interface Answered {
  readonly body: unknown;
  /** Whether this is the first answer again. */
  readonly replayed: boolean;
}

/** Throws a `Problem` for a refusal, as an endpoint does. */
export type Ask = (operation: Operation, asked: Asked) => Promise<Answered>;

/** A variable may have half of a surrogate pair, which no path can: the door then refuses the id as it was given. */
const filled = (route: Route, params: Readonly<Record<string, string>>): string =>
  route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent((params[name] ?? '').toWellFormed()));

/**
 * Asks operations of the HTTP contract within this process: each through the very endpoint that serves it over HTTP, with the event that the
 * gateway would have made of it. So its door, its bounds, its keys and its refusals are the same, because they are it. Throws
 * `MissingOperation` when an endpoint is missing.
 */
export function operationsOf(endpoints: readonly Endpoint[]): (event: HttpEvent) => Ask {
  const byOperation = new Map(operations.map((operation) => [operation, endpointOf(operation, endpoints)]));
  return (event) => async (operation, asked) => {
    const { route, serve } = byOperation.get(operation) ?? endpointOf(operation, endpoints);
    const result = await serve(eventOf(route, asked, event));
    return { body: JSON.parse(result.body ?? 'null'), replayed: result.headers?.['idempotency-replayed'] === 'true' };
  };
}

function endpointOf(operation: Operation, endpoints: readonly Endpoint[]): Endpoint {
  const found = endpoints.find(({ route }) => route.operationId === operation);
  if (!found) throw new MissingOperation(operation);
  return found;
}

/** The event of this operation, sent by whoever sent `event`. */
function eventOf(route: Route, { params = {}, query = {}, body, key }: Asked, event: HttpEvent): HttpEvent {
  const given = Object.entries(query).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, String(value)]]));
  return {
    version: event.version,
    requestContext: event.requestContext,
    routeKey: routeKeyOf(route),
    rawPath: filled(route, params),
    rawQueryString: new URLSearchParams(given).toString(),
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { 'idempotency-key': key }) },
    pathParameters: { ...params },
    ...(given.length === 0 ? {} : { queryStringParameters: Object.fromEntries(given) }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
