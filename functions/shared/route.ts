import type * as z from 'zod';
import type { ProblemCode } from './problems.ts';

export type Access = 'public' | 'buy' | 'operate' | 'buy-or-operate';
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Bodies of buyers' routes, and of operators' routes, in bytes. */
export const bodyBytesMax = { buyer: 8 * 1024, operator: 1024 * 1024 } as const;

/**
 * One route of the HTTP contract. The lists of routes are the one source for the gateway's template, the OpenAPI document,
 * request validation and the tests of who may call what.
 */
export interface Route<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly operationId: string;
  readonly method: Method;
  readonly path: `/${string}`;
  readonly access: Access;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** Whether an `Idempotency-Key` is required. */
  readonly keyed?: boolean;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Headers that a request must carry besides, for the OpenAPI document: whoever serves the route checks them. */
  readonly requestHeaders?: z.ZodObject;
  /** What success answers with; `answer` is left out for an empty body. */
  readonly status: 200 | 201 | 202 | 204;
  readonly answer?: Answer;
  /** The media type of the answer, where it is not JSON. */
  readonly mediaType?: 'text/html';
  /** Whether it serves a file of a page: no operation of the API, so the OpenAPI document does not have it. */
  readonly partOfPage?: boolean;
  /** Whether the answer carries an `ETag` and may be 304. */
  readonly cacheable?: boolean;
  /** Refusals of this route beyond those that every route of its kind has. */
  readonly problems?: readonly ProblemCode[];
  /**
   * The function that serves it: `reserve` is the hot path, `cart` fills carts, `audit` counts sales, `docs` the page at /docs, `graphql`
   * that language, `webhook` what payment providers tell, `operations` dead letters, `reconciliation` reconciliations, `api` the rest.
   */
  readonly servedBy: 'reserve' | 'api' | 'audit' | 'docs' | 'graphql' | 'webhook' | 'operations' | 'cart' | 'reconciliation';
}

export const defineRoute = <P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  route: Route<P, Q, B, A>,
): Route<P, Q, B, A> => route;

/** The key that API Gateway gives a route: `POST /v1/sales`. */
export const routeKeyOf = (route: Pick<Route, 'method' | 'path'>): string => `${route.method} ${route.path}`;
