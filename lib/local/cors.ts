import type { IncomingHttpHeaders } from 'node:http';
import type { HttpReply } from './http-event.ts';
import type { Hosted } from './resources.ts';

export type Cors = NonNullable<Hosted<'AWS::ApiGatewayV2::Api'>['CorsConfiguration']>;

/** The answer to a browser's preflight, which an HTTP API gives by itself once CORS is configured. Undefined for any other request. */
export function preflight(cors: Cors | undefined, method: string, headers: IncomingHttpHeaders): HttpReply | undefined {
  const isPreflight = method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
  if (!cors || !isPreflight) return undefined;
  if (allowedOrigin(cors, headers.origin) === undefined) return { status: 204, headers: {}, body: '' };
  return {
    status: 204,
    headers: {
      'access-control-allow-methods': cors.AllowMethods.join(','),
      'access-control-allow-headers': cors.AllowHeaders.join(','),
      ...(cors.MaxAge === undefined ? {} : { 'access-control-max-age': String(cors.MaxAge) }),
    },
    body: '',
  };
}

/** What every answer to an allowed origin carries. */
export function corsHeaders(cors: Cors | undefined, origin: string | undefined): Record<string, string> {
  const allowed = cors && allowedOrigin(cors, origin);
  if (!cors || allowed === undefined) return {};
  return {
    'access-control-allow-origin': allowed,
    ...(allowed === '*' ? {} : { vary: 'origin' }),
    ...(cors.AllowCredentials ? { 'access-control-allow-credentials': 'true' } : {}),
    ...(cors.ExposeHeaders.length > 0 ? { 'access-control-expose-headers': cors.ExposeHeaders.join(',') } : {}),
  };
}

function allowedOrigin(cors: Cors, origin: string | undefined): string | undefined {
  if (origin === undefined) return undefined;
  if (cors.AllowOrigins.includes('*')) return '*';
  return cors.AllowOrigins.find((each) => each === origin);
}
