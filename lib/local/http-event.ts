import { isUtf8 } from 'node:buffer';
import type { IncomingHttpHeaders } from 'node:http';
import { account } from './intrinsics.ts';
import type { Authorised } from './issuer.ts';

export interface HttpReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string | Buffer;
}

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly queryString: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly requestId: string;
  readonly routeKey: string;
  readonly pathParameters: Readonly<Record<string, string>>;
  readonly authorised: Authorised | undefined;
  readonly apiId: string;
  readonly sourceIp: string;
  readonly nowMs: number;
}

/** An HTTP API's event, payload format 2.0. Source: "Working with AWS Lambda proxy integrations for HTTP APIs" in the API Gateway guide. */
export function eventOf(call: HttpCall): object {
  const { cookie, ...others } = call.headers;
  const headers = Object.fromEntries(Object.entries(others).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : value]));
  // What only claims to be text goes on as its bytes: as a string, it would be something else already.
  const isText = isTextual(headers['content-type']) && isUtf8(call.body);
  return {
    version: '2.0',
    routeKey: call.routeKey,
    rawPath: call.path,
    rawQueryString: call.queryString,
    ...(cookie === undefined ? {} : { cookies: cookie.split(/; */) }),
    headers,
    ...(call.queryString === '' ? {} : { queryStringParameters: queryOf(call.queryString) }),
    ...(Object.keys(call.pathParameters).length === 0 ? {} : { pathParameters: call.pathParameters }),
    requestContext: {
      accountId: account,
      apiId: call.apiId,
      ...(call.authorised ? { authorizer: { jwt: { claims: call.authorised.claims, scopes: null } } } : {}),
      domainName: headers.host ?? '',
      domainPrefix: call.apiId,
      http: { method: call.method, path: call.path, protocol: 'HTTP/1.1', sourceIp: call.sourceIp, userAgent: headers['user-agent'] ?? '' },
      requestId: call.requestId,
      routeKey: call.routeKey,
      stage: '$default',
      time: commonLogTime(call.nowMs),
      timeEpoch: call.nowMs,
    },
    ...(call.body.length === 0 ? {} : { body: call.body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: call.body.length > 0 && !isText,
  };
}

const isTextual = (contentType: string | undefined): boolean =>
  contentType === undefined ||
  /^text\/|^application\/(.*\+)?(json|xml|javascript)\b|^application\/x-www-form-urlencoded/i.test(contentType);

/** Values of one name are joined with commas. */
function queryOf(queryString: string): Record<string, string> {
  const query = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(queryString)) {
    const others = query.get(name);
    query.set(name, others === undefined ? value : `${others},${value}`);
  }
  // Not by assignment: a parameter may be called `__proto__`.
  return Object.fromEntries(query);
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `12/Mar/2020:19:03:58 +0000` */
function commonLogTime(ms: number): string {
  const [date = '', time = ''] = new Date(ms).toISOString().split('T');
  const [year, month, day] = date.split('-');
  return `${day}/${months[Number(month) - 1]}/${year}:${time.slice(0, 8)} +0000`;
}

interface Result {
  readonly statusCode?: unknown;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly cookies?: readonly string[];
  readonly body?: unknown;
  readonly isBase64Encoded?: unknown;
}

/** What an HTTP API answers for a function's result: a result without a status is the body itself. */
export function replyOf(result: unknown): HttpReply {
  if (!isResult(result)) {
    const body = typeof result === 'string' ? result : JSON.stringify(result);
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const { statusCode, headers = {}, cookies = [], body = '', isBase64Encoded } = result;
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return {
    status: Number(statusCode),
    headers: {
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)])),
      ...(cookies.length > 0 ? { 'set-cookie': cookies } : {}),
    },
    body: isBase64Encoded === true ? Buffer.from(text, 'base64') : text,
  };
}

const isResult = (result: unknown): result is Result => typeof result === 'object' && result !== null && 'statusCode' in result;
