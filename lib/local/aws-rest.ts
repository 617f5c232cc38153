import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, type JsonServer, listenLocally, readBody, ServiceError } from './aws-json.ts';

/** AWS' REST-JSON protocol, for services of our own: what to do is said by method and path. */
export interface RestCall {
  /** What the path's pattern has found, decoded. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export interface RestAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RestAction {
  readonly method: string;
  readonly path: RegExp;
  /** Refuses by throwing `ServiceError`. */
  readonly run: (call: RestCall) => Promise<RestAnswer>;
}

const statusOf: Readonly<Record<string, number>> = {
  ConflictException: 409,
  ResourceNotFoundException: 404,
  ProvisionedConcurrencyConfigNotFoundException: 404,
};

/** Serves actions on a free port of 127.0.0.1. */
export async function serveRest(actions: readonly RestAction[]): Promise<JsonServer> {
  const server = createServer((incoming, response) => void answer(actions, incoming, response));
  server.keepAliveTimeout = 60_000;
  return { url: await listenLocally(server), stop: () => closeServer(server) };
}

async function answer(actions: readonly RestAction[], incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}) =>
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body === undefined ? '' : JSON.stringify(body));
  try {
    const { pathname, searchParams: query } = new URL(incoming.url ?? '/', 'http://127.0.0.1');
    const text = await readBody(incoming);
    for (const { method, path, run } of actions) {
      const found = incoming.method === method ? path.exec(pathname) : null;
      if (!found) continue;
      const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
      const done = await run({ path: found.slice(1).map(decodeURIComponent), query, headers: incoming.headers, body });
      return void reply(done.status, done.body, done.headers);
    }
    throw new ServiceError('UnknownOperationException', `The embedded runtime does not know ${incoming.method} ${pathname}.`);
  } catch (error) {
    if (!(error instanceof ServiceError)) return void reply(500, { message: String(error) }, { 'x-amzn-errortype': 'ServiceException' });
    reply(statusOf[error.code] ?? 400, { Message: error.message, message: error.message }, { 'x-amzn-errortype': error.code });
  }
}
