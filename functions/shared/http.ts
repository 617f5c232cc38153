import { isUtf8 } from 'node:buffer';
import middy from '@middy/core';
import type { APIGatewayProxyEventV2WithJWTAuthorizer, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod';
import { type Caller, callerFrom } from './caller.ts';
import { type KeyedRequest, scopeOf } from './idempotency.ts';
import { payloadHashOf, UserId } from './ids.ts';
import { Problem, problemResponse } from './problems.ts';
import { bodyBytesMax, type Route } from './route.ts';
import { log } from './telemetry.ts';

export type HttpEvent = APIGatewayProxyEventV2WithJWTAuthorizer;
export type HttpResult = APIGatewayProxyStructuredResultV2;

/** A request that has passed the door: token, scope, key, media type, size and schema are checked. */
export interface Request<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Present on every route that is not public. */
  readonly caller: Caller;
  /** The `Idempotency-Key`; empty on routes that ignore it. */
  readonly key: string;
  readonly method: string;
  /** The route's path with the parameters as they were parsed: one resource has one path, however it was spelled. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly requestId: string;
}

export interface Reply<Answer> {
  readonly body?: Answer;
  /** The body as JSON text, in place of `body`: an answer that was stored. */
  readonly text?: string;
  /** Whether this is the first answer again. */
  readonly replayed?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  /** The status, where it is not the route's own (304). */
  readonly status?: number;
}

export type Handle<P, Q, B, A> = (request: Request<P, Q, B>) => Promise<Reply<A>>;

/** A request before anybody has looked into it: `raw` is the body's bytes as they came. */
export interface Arrival {
  readonly raw: Buffer;
  readonly headers: Readonly<Record<string, string | undefined>>;
}

const idempotencyKey = /^[\x21-\x7e]{1,255}$/;
const nobody: Caller = { userId: '', mayBuy: false, mayOperate: false };

function allowedCaller(route: Route, event: HttpEvent): Caller {
  if (route.access === 'public') return nobody;
  const caller = callerFrom(event.requestContext.authorizer?.jwt?.claims ?? {});
  if (!caller) throw new Problem('UNAUTHENTICATED', 'Send a valid token: Authorization: Bearer <JWT>.');
  const allowed = {
    buy: caller.mayBuy,
    operate: caller.mayOperate,
    'buy-or-operate': caller.mayBuy || caller.mayOperate,
  }[route.access];
  if (!allowed) throw new Problem('FORBIDDEN', `This needs the scope ${route.access === 'operate' ? 'sale:operate' : 'sale:buy'}.`);
  // A buyer's name becomes part of keys; an issuer that names people otherwise has no buyers here.
  if (route.access === 'buy' && !UserId.safeParse(caller.userId).success) {
    throw new Problem('FORBIDDEN', 'The sub of a buyer’s token must be 1 to 64 of A-Z a-z 0-9 - _ .');
  }
  return caller;
}

function keyOf(route: Route, event: HttpEvent): string {
  if (!route.keyed) return '';
  const key = event.headers['idempotency-key'];
  if (key === undefined) throw new Problem('IDEMPOTENCY_KEY_REQUIRED', 'Send an Idempotency-Key header, and the same one when you retry.');
  if (!idempotencyKey.test(key)) throw new Problem('INVALID_REQUEST', 'The Idempotency-Key must be 1 to 255 visible ASCII characters.');
  return key;
}

/** Parses with a schema; a mismatch is a problem that names each place. */
export function parse<S extends z.ZodType>(schema: S | undefined, value: unknown, where: string): z.output<S> {
  if (!schema) return undefined as z.output<S>;
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.slice(0, 20).map((issue) => ({ at: [where, ...issue.path].join('.'), message: issue.message }));
  throw new Problem('INVALID_REQUEST', errors.map((error) => `${error.at}: ${error.message}`).join('; '), { errors });
}

/** The body's bytes, however the gateway has handed them over. */
function bytesOf(route: Route, event: HttpEvent): Buffer {
  const raw = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  const bytesMax = route.access === 'operate' ? bodyBytesMax.operator : bodyBytesMax.buyer;
  if (raw.length > bytesMax) throw new Problem('BODY_TOO_LARGE', `A body may have at most ${bytesMax} bytes.`);
  return raw;
}

function bodyOf(route: Route, event: HttpEvent, raw: Buffer): unknown {
  if (!route.body) return undefined;
  const text = raw.toString('utf8');
  const mediaType = (event.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (text === '') throw new Problem('INVALID_REQUEST', 'A JSON body is needed.');
  if (mediaType !== 'application/json') throw new Problem('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  // Read all the same, each wrong byte would become U+FFFD, and that would be stored as what the caller has said.
  if (!isUtf8(raw)) throw new Problem('INVALID_REQUEST', 'The body is not valid UTF-8.');
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem('INVALID_REQUEST', 'The body is not valid JSON.');
  }
}

/** Parses the path's parameters. What could not name a resource names none: that is a 404, as for any other name that is not there. */
function paramsOf<S extends z.ZodType>(route: Route<S>, event: HttpEvent): z.output<S> {
  if (!route.params) return undefined as z.output<S>;
  const parsed = route.params.safeParse(event.pathParameters ?? {});
  if (!parsed.success) throw new Problem('NOT_FOUND', 'There is nothing under this path.');
  return parsed.data;
}

const NoQuery = z.strictObject({});

const pathOf = (route: Route, params: unknown): string =>
  route.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String((params as Record<string, unknown>)[name])));

/** One route and what serves it, as the Lambda handler takes it. */
export interface Endpoint {
  readonly route: Route;
  readonly serve: (event: HttpEvent) => Promise<HttpResult>;
}

/**
 * Binds a route to its use case: checks the door, calls, and maps the reply. `admit` is a door of its own, for who is known by other things than a
 * token: it throws a problem, and until it has not, nothing looks into the body.
 */
export function endpoint<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  route: Route<P, Q, B, A>,
  handle: Handle<z.output<P>, z.output<Q>, z.output<B>, z.input<A>>,
  admit?: (arrival: Arrival) => Promise<void>,
): Endpoint {
  return {
    route,
    async serve(event) {
      const caller = allowedCaller(route, event);
      const params = paramsOf(route, event);
      const raw = bytesOf(route, event);
      await admit?.({ raw, headers: event.headers });
      const body = bodyOf(route, event, raw);
      const reply = await handle({
        caller,
        key: keyOf(route, event),
        params,
        query: parse(route.query ?? NoQuery, event.queryStringParameters ?? {}, 'query') as z.output<Q>,
        body: parse(route.body, body, 'body'),
        method: route.method,
        path: pathOf(route, params),
        headers: event.headers,
        requestId: event.requestContext.requestId,
      });
      const text = reply.text ?? (reply.body === undefined ? undefined : JSON.stringify(reply.body));
      return {
        statusCode: reply.status ?? route.status,
        headers: {
          ...(text === undefined ? {} : { 'content-type': 'application/json' }),
          'cache-control': 'no-store',
          ...(reply.replayed ? { 'idempotency-replayed': 'true' } : {}),
          ...reply.headers,
        },
        ...(text === undefined ? {} : { body: text }),
      };
    },
  };
}

/** What a keyed request is known by: its caller, route and key, and what it says. */
export const keyedRequest = (request: Request<unknown, unknown, unknown>): KeyedRequest => ({
  scope: scopeOf(request.caller.userId, request.method, request.path, request.key),
  payloadHash: payloadHashOf(request.body),
});

/** A middleware: whatever is thrown becomes a problem document, and nothing internal gets out. */
const problems = (): middy.MiddlewareObj<HttpEvent, HttpResult> => ({
  onError(request) {
    const problem = problemOf(request.error, request.event.requestContext.requestId);
    const { status, headers, body } = problemResponse(problem, request.event.rawPath);
    request.response = { statusCode: status, headers, body: JSON.stringify(body) };
  },
});

/** What is answered for whatever was thrown. A problem is itself; of anything else only the log says what it was. */
export function problemOf(error: unknown, requestId: string): Problem {
  if (error instanceof Problem) return error;
  // A 500 would tell a buyer nothing about what to do; every operation here is safe to retry with its key.
  log.error('request failed', { requestId, error });
  return new Problem('TRY_AGAIN', 'The request could not be finished; send it again, with the same Idempotency-Key if it had one.');
}

/** A middleware: every answer carries the request's id. */
const requestId = (): middy.MiddlewareObj<HttpEvent, HttpResult> => {
  const stamp = (request: { event: HttpEvent; response?: HttpResult | null | undefined }) => {
    if (request.response)
      request.response.headers = { ...request.response.headers, 'x-request-id': request.event.requestContext.requestId };
  };
  return { after: stamp, onError: stamp };
};

/**
 * The Lambda handler for some endpoints: picks by the gateway's route key, and gives `fallback` what no route serves.
 * Every answer, also of a failure, is JSON or a problem document and carries `X-Request-Id`.
 */
export function httpHandler(endpoints: readonly Endpoint[], fallback: (event: HttpEvent) => Promise<HttpResult>) {
  const byKey = new Map(endpoints.map((each) => [`${each.route.method} ${each.route.path}`, each]));
  // Middy runs `after` and `onError` in reverse order, so the id is stamped last.
  return middy<HttpEvent, HttpResult>()
    .use(requestId())
    .use(problems())
    .handler(async (event) => (byKey.get(event.routeKey)?.serve ?? fallback)(event));
}
