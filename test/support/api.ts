import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Context } from 'aws-lambda';
import { matchPath } from '../../functions/api/fallback.ts';
import { routes } from '../../functions/api/routes.ts';
import { auditSaleRoute } from '../../functions/operations/audit.routes.ts';
import type { HttpEvent, HttpResult } from '../../functions/shared/http.ts';
import { connectRedis } from '../../functions/shared/redis.ts';
import { routeKeyOf } from '../../functions/shared/route.ts';
import { tables } from '../../functions/shared/tables.ts';
import { stockScripts } from '../../functions/stock/stock.scripts.ts';
import { startRedis } from '../../lib/local/redis.ts';
import { startTables } from './database.ts';

export const ticketSecret = 'the secret that tickets of a test are signed with';

export interface Call {
  /** Who calls and with which scopes; nobody when left out. */
  readonly as?: { readonly sub: string; readonly scope: string } | undefined;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What tests look at in an answer: of the members of all answers, those that the route has are there. */
export interface AnswerBody {
  readonly code: string;
  readonly detail: string;
  readonly items: readonly AnswerItem[];
  readonly nextCursor: string | null;
  readonly saleId: string;
  readonly opensAt: string;
  readonly balanceMinor: number;
  /** Of the doors that tests put up themselves. */
  readonly scope: string;
  readonly payloadHash: string;
}

/** An item of a list, or of a sale. */
interface AnswerItem {
  readonly sku: string;
  readonly saleId: string;
  readonly state: string;
  readonly available: number;
  readonly items: AnswerItem[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  readonly body: AnswerBody;
}

export const operator = { sub: 'olga', scope: 'sale:operate' };
export const buyer = (sub: string) => ({ sub, scope: 'sale:buy' });

/** The event that an HTTP API with payload version 2.0 makes of a request. */
export function eventOf(method: string, target: string, { as, body, key, headers }: Call = {}): HttpEvent {
  const { pathname, searchParams } = new URL(target, 'http://localhost');
  const route = routes.find((each) => each.method === method && matchPath(each.path, pathname));
  const query = Object.fromEntries([...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name).join(',')]));
  return {
    version: '2.0',
    routeKey: route ? `${route.method} ${route.path}` : '$default',
    rawPath: pathname,
    rawQueryString: searchParams.toString(),
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...headers,
    },
    ...(searchParams.size === 0 ? {} : { queryStringParameters: query }),
    ...(route?.params ? { pathParameters: matchPath(route.path, pathname) } : {}),
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    isBase64Encoded: false,
    requestContext: {
      requestId: 'request-of-a-test',
      http: { method, path: pathname, protocol: 'HTTP/1.1', sourceIp: '127.0.0.1', userAgent: 'test' },
      ...(as && route && route.access !== 'public' ? { authorizer: { jwt: { claims: { ...as }, scopes: null } } } : {}),
    },
  } as unknown as HttpEvent;
}

export const answerOf = ({ statusCode, headers, body = '' }: HttpResult): Answer => ({
  status: Number(statusCode),
  headers: (headers ?? {}) as Record<string, string>,
  text: body,
  body: (body === '' ? undefined : JSON.parse(body)) as AnswerBody,
});

/** Answers `GetSecretValue` with the one secret that there is, and takes any message for any queue. */
async function startSecrets() {
  const server = createServer(async (request, response) => {
    const { MessageBody = '' } = JSON.parse(await text(request)) as { MessageBody?: string };
    const sent = { MessageId: '1', MD5OfMessageBody: createHash('md5').update(MessageBody).digest('hex') };
    response.setHeader('content-type', 'application/x-amz-json-1.1');
    response.end(JSON.stringify({ SecretString: JSON.stringify({ current: ticketSecret }), ...sent }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The API function itself, and beside it the audit's, as they are deployed, on a real Redis and a real DynamoDB server: one test file's own. */
export async function startApi() {
  const [rows, server, secrets] = await Promise.all([startTables(), startRedis(), startSecrets()]);
  Object.assign(process.env, {
    ...Object.fromEntries(Object.entries(tables).map(([name, { environment }]) => [environment, name])),
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_DYNAMODB: rows.endpoint,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.endpoint,
    // Rebuilds can be asked for, and nobody rebuilds.
    AWS_ENDPOINT_URL_SQS: secrets.endpoint,
    REBUILD_QUEUE_URL: `${secrets.endpoint}/rebuilds`,
    REDIS_URL: server.url,
    TICKET_SECRET: 'tickets',
  });
  const { handler } = await import('../../functions/api/api.handler.ts');
  const { handler: audit } = await import('../../functions/operations/audit.handler.ts');
  const redis = connectRedis({ url: server.url, mode: 'single' });

  return {
    database: rows.database,
    redis,
    stock: stockScripts(redis),
    async call(method: string, target: string, call: Call = {}): Promise<Answer> {
      const event = eventOf(method, target, call);
      const isAudit = event.routeKey === routeKeyOf(auditSaleRoute);
      return answerOf(await (isAudit ? audit : handler)(event, {} as Context));
    },
    /** Redis is gone, and stays away. */
    stopRedis: () => server.stop(),
    async stop() {
      redis.disconnect();
      await Promise.all([rows.stop(), server.stop(), secrets.stop()]);
    },
  };
}

export type Api = Awaited<ReturnType<typeof startApi>>;
