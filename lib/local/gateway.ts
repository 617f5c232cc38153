import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Problem } from '../../functions/shared/problems.ts';
import { listenLocally } from './aws-json.ts';
import { type HostedFunction, Overloaded } from './containers.ts';
import { type Cors, corsHeaders, preflight } from './cors.ts';
import { eventOf, type HttpReply, replyOf } from './http-event.ts';
import type { Verify } from './issuer.ts';
import type { RouteTable } from './routing.ts';
import type { Throttle } from './throttle.ts';
import { HungUp, readBody, refusal, refuseMalformed, refuseTunnel, send, splitTarget } from './wire.ts';

export interface RouteTarget {
  readonly function: Pick<HostedFunction, 'invoke' | 'name'>;
  readonly timeoutMs: number;
  /** Absent on routes that need no token. */
  readonly verify: Verify | undefined;
  /** One of them is needed beside a valid token; none when empty. */
  readonly scopes: readonly string[];
}

/** Paths below `/local/`, which no template has. Undefined when it knows no such path. */
export type LocalRoutes = (method: string, path: string, body: Buffer) => Promise<HttpReply | undefined>;

export interface Api {
  readonly id: string;
  readonly routes: RouteTable<RouteTarget>;
  readonly cors: Cors | undefined;
  readonly mayPass: Throttle;
  readonly local: LocalRoutes;
}

export interface Gateway {
  readonly url: string;
  /** Serves the API; until then everything is answered with 503. */
  open(api: Api): void;
  /** Takes no new connections, lets requests under way finish for at most 5 s, and closes. */
  stop(): Promise<void>;
}

const stopMs = 5_000;

export interface GatewayOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly nowMs: () => number;
  readonly onLog: (line: string) => void;
}

/** The front door: an HTTP API's routes, authorizer, CORS and events over `node:http` on 127.0.0.1. */
export async function startGateway({ port, nowMs, onLog }: GatewayOptions): Promise<Gateway> {
  let api: Api | undefined;
  let underWay = 0;
  let idle = () => {};

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    underWay++;
    const requestId = randomUUID();
    const { path, queryString } = splitTarget(incoming.url ?? '/');
    const reply = await answer(api, incoming, { path, queryString, requestId, nowMs: nowMs() }).catch((error: unknown) => {
      // Whoever hung up is nobody's failure.
      if (!(error instanceof Problem || error instanceof HungUp) && !response.destroyed)
        onLog(`${incoming.method} ${path}: ${error instanceof Error ? error.message : String(error)}`);
      return refusal(problemOf(error), path);
    });
    const headers = { ...reply.headers, 'x-request-id': requestId, ...corsHeaders(api?.cors, incoming.headers.origin) };
    send(incoming, response, { ...reply, headers });
    if (--underWay === 0) idle();
  }

  // Node's own refusals have no problem document and no request id, so what it would refuse is let through or refused here.
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000, requireHostHeader: false }, serve);
  server.on('checkExpectation', serve);
  server.on('clientError', refuseMalformed);
  server.on('connect', refuseTunnel);
  // Longer than clients keep theirs, so that none sends into a connection that is being closed.
  server.keepAliveTimeout = 75_000;
  const url = await listenLocally(server, port);

  return {
    url,
    open(opened) {
      api = opened;
    },
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      if (underWay > 0)
        await Promise.race([
          new Promise<void>((resolve) => (idle = resolve)),
          new Promise((resolve) => setTimeout(resolve, stopMs).unref()),
        ]);
      server.closeAllConnections();
      await closed;
    },
  };
}

interface Arrival {
  readonly path: string;
  readonly queryString: string;
  readonly requestId: string;
  readonly nowMs: number;
}

async function answer(
  api: Api | undefined,
  incoming: IncomingMessage,
  { path, queryString, requestId, nowMs }: Arrival,
): Promise<HttpReply> {
  const method = incoming.method ?? 'GET';
  if (!api) throw new Problem('TRY_AGAIN', 'The runtime is still starting.');
  const body = await readBody(incoming);
  if (incoming.headers.host === undefined && incoming.httpVersion !== '1.0')
    throw new Problem('INVALID_REQUEST', 'The Host header is missing.');
  if (path.startsWith('/local/')) {
    const reply = await api.local(method, path, body);
    if (!reply) throw new Problem('NOT_FOUND', 'There is nothing at this path.');
    return reply;
  }
  const allowed = preflight(api.cors, method, incoming.headers);
  if (allowed) return allowed;
  const match = api.routes.match(method, path);
  if (!match) throw new Problem('NOT_FOUND', 'There is nothing at this path.');
  if (!api.mayPass(nowMs)) throw new Problem('RATE_LIMITED', 'Too many requests at once; try again in a second.');
  const { target } = match;
  const authorised = target.verify && (await target.verify(incoming.headers.authorization, nowMs));
  if (target.verify && !authorised) throw new Problem('UNAUTHENTICATED', 'Send a valid token: Authorization: Bearer <JWT>.');
  if (authorised && target.scopes.length > 0 && !target.scopes.some((scope) => authorised.scopes.has(scope))) {
    throw new Problem('FORBIDDEN', `This needs the scope ${target.scopes.join(' or ')}.`);
  }
  const event = eventOf({
    ...{ method, path, queryString, body, requestId, authorised, nowMs },
    headers: incoming.headers,
    routeKey: match.routeKey,
    pathParameters: decoded(match.parameters),
    apiId: api.id,
    sourceIp: incoming.socket.remoteAddress ?? '',
  });
  return replyOf(await within(target.timeoutMs, target.function.invoke(event)));
}

/** The integration's own timeout, beside the function's. */
function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`the integration took over ${ms} ms`)), ms);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function decoded(parameters: Readonly<Record<string, string>>): Record<string, string> {
  try {
    return Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, decodeURIComponent(value)]));
  } catch {
    throw new Problem('INVALID_REQUEST', 'The path is not encoded properly.');
  }
}

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Overloaded) return new Problem('RATE_LIMITED', 'Too many requests at once; try again in a second.');
  // A function that failed or took too long: what it did is not known, and every request here is safe to repeat with its key.
  return new Problem('TRY_AGAIN', 'The request could not be finished; send it again with the same Idempotency-Key.');
}
