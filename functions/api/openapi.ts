import * as z from 'zod';
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject, type ZodOpenApiResponseObject } from 'zod-openapi';
import { ProblemDocument } from '../shared/problem.schemas.ts';
import { Problem, type ProblemCode, problemResponse, problemStatus } from '../shared/problems.ts';
import type { Route } from '../shared/route.ts';
import { bodyExamples } from './openapi.examples.ts';
import { problemCodesOf } from './problem-codes.ts';

const bearer = 'bearer';
const scopesOf = { public: [], buy: ['sale:buy'], operate: ['sale:operate'], 'buy-or-operate': ['sale:buy', 'sale:operate'] } as const;

const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/)
  .meta({
    description:
      'Names this request: a repeat with the same key and payload gets the first answer again and changes nothing. Its scope is caller, ' +
      'method and path. Honoured for at least 24 hours.',
    example: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
  });

const headers = {
  'X-Request-Id': z.string().meta({ description: 'Names this answer in the service’s logs.', example: 'JKJaXmPLvHcESHA=' }),
  'Idempotency-Replayed': z.literal('true').optional().meta({ description: 'Present when this is the first answer again.' }),
  ETag: z.string().meta({ description: 'Send it as `If-None-Match`. `serverTime` does not count.', example: 'W/"mHcBvGJ0Q2yQxg5vJ6yYdw"' }),
  'Cache-Control': z.string().meta({ example: 'public, max-age=1' }),
  'Retry-After': z.string().meta({ description: 'Seconds to wait before the next attempt.', example: '1' }),
  'WWW-Authenticate': z.literal('Bearer'),
  Location: z.string().meta({ description: 'Where the new resource is read.' }),
};

const description = `
Sells limited stock to a crowd that arrives all at once.

Money is an integer in minor units beside its ISO 4217 \`currency\`; times are RFC 3339 in UTC; identifiers are opaque strings. A refusal is
an RFC 9457 problem document whose \`code\` is one of a closed list and whose \`retryable\` says whether the same request may succeed later;
\`429\` and \`503\` carry \`Retry-After\`. Unknown members and query parameters are refused. What no route serves is \`NOT_FOUND\`, a path that
knows other methods \`METHOD_NOT_ALLOWED\` with \`Allow\`.

**To buy**: read a sale, place an order with a token of scope \`sale:buy\` and an \`Idempotency-Key\` of your own, and read the order until its
status rests. When no answer comes, or one that is \`retryable\`, send the same request with the same key: it is never done twice.

**To try it from nothing**, with a token that has both scopes: send the first examples of creating a product, a sale and a user, and then
that of placing an order.
`.trim();

/** What each tag gathers, in the order in which somebody reads who wants to buy, then to sell, then to run the service. */
const tagWords: Readonly<Record<string, string>> = {
  Catalogue: 'Products: what sales sell.',
  Sales: 'Sales with their windows, limits and stock; what is left of it, and whether every unit is accounted for.',
  Orders: 'Placing, following, cancelling and refunding orders.',
  Carts: 'What a buyer has set aside and not ordered yet.',
  Tickets: 'What a fulfilled order is shown by at the door.',
  Accounts: 'Buyers’ balances.',
  Payments: 'Money from outside, as payment providers tell of it.',
  Operations: 'For whoever runs the service.',
  GraphQL: 'The same reading and buying in another language.',
  Service: 'The service itself: its health, and this document.',
};

/** The tags that routes use, in the order above; one that nobody described comes last. */
function tagsOf(routes: readonly Route[]): { name: string; description?: string }[] {
  const used = new Set(routes.map(({ tag }) => tag));
  const described = Object.entries(tagWords).filter(([name]) => used.has(name));
  return [
    ...described.map(([name, words]) => ({ name, description: words })),
    ...[...used].filter((name) => !Object.hasOwn(tagWords, name)).map((name) => ({ name })),
  ];
}

/** The OpenAPI 3.1 document of the routes, made from the very schemas that validate requests. */
export function openApiDocument(routes: readonly Route[]) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const operations = routes.filter(({ partOfPage }) => !partOfPage);
  for (const route of operations) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  const document: ZodOpenApiObject = {
    openapi: '3.1.0',
    info: { title: 'Stampede', version: '1.0.0', description, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [{ url: '/' }],
    tags: tagsOf(operations),
    paths,
    components: {
      securitySchemes: {
        [bearer]: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description:
            'A token of the OIDC issuer, without the word Bearer. Buyers need the scope `sale:buy`, operators `sale:operate`; a scope that ends in either after a slash counts too.',
        },
      },
    },
  };
  return createDocument(document, {
    // `format` says it; the pattern that checks it would fill the document.
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
    },
  });
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const scopes = scopesOf[route.access];
  const header = {
    ...route.requestHeaders?.shape,
    ...(route.keyed ? { 'Idempotency-Key': IdempotencyKey } : {}),
    ...(route.cacheable
      ? { 'If-None-Match': z.string().optional().meta({ description: 'The `ETag` of an answer that is at hand.' }) }
      : {}),
  };
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    security: scopes.map((scope) => ({ [bearer]: [scope] })),
    requestParams: {
      ...(route.params ? { path: objectSchema(route, route.params) } : {}),
      ...(route.query ? { query: objectSchema(route, route.query) } : {}),
      ...(Object.keys(header).length === 0 ? {} : { header: z.object(header) }),
    },
    ...(route.body ? { requestBody: { required: true, content: { 'application/json': bodyOf(route, route.body) } } } : {}),
    responses: responsesOf(route),
  };
}

function bodyOf({ operationId }: Route, schema: z.ZodType) {
  const examples = bodyExamples[operationId];
  return { schema, ...(examples ? { examples: { ...examples } } : {}) };
}

/** A route's parameters are an object schema; anything else is a mistake in its list. */
function objectSchema(route: Route, schema: z.ZodType): z.ZodObject {
  if (schema instanceof z.ZodObject) return schema;
  throw new TypeError(`${route.operationId}: parameters must be an object schema`);
}

function responsesOf(route: Route): ZodOpenApiOperationObject['responses'] {
  const { 'X-Request-Id': requestId, ETag, 'Cache-Control': cacheControl } = headers;
  const cached = route.cacheable ? { ETag, 'Cache-Control': cacheControl } : {};
  const success: ZodOpenApiResponseObject = {
    description: successWords[route.status],
    headers: z.object({
      'X-Request-Id': requestId,
      ...cached,
      ...(route.keyed ? { 'Idempotency-Replayed': headers['Idempotency-Replayed'] } : {}),
      ...(route.status === 201 ? { Location: headers.Location } : {}),
    }),
    ...(route.answer ? { content: { [route.mediaType ?? 'application/json']: { schema: route.answer } } } : {}),
  };
  const notModified: ZodOpenApiResponseObject = {
    description: 'Nothing changed since the answer that `If-None-Match` names.',
    headers: z.object({ 'X-Request-Id': requestId, ...cached }),
  };
  return { [route.status]: success, ...(route.cacheable ? { 304: notModified } : {}), ...refusalsOf(route) };
}

const successWords: Record<Route['status'], string> = { 200: 'Done.', 201: 'Created.', 202: 'Taken; it goes on by itself.', 204: 'Done.' };

function refusalsOf(route: Route): Record<string, ZodOpenApiResponseObject> {
  const byStatus = Object.groupBy(problemCodesOf(route), (code) => String(problemStatus[code])) as Record<string, ProblemCode[]>;
  const instance = route.path.replaceAll(/[{}]/g, '');
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, codes]) => {
      const examples = codes.map(
        (code) => [code, problemResponse(new Problem(code, 'What is wrong with this very request.'), instance)] as const,
      );
      const waits = examples.some(([, { headers }]) => 'retry-after' in headers);
      return [
        status,
        {
          description: codes.map((code) => `\`${code}\``).join(', '),
          headers: z.object({
            'X-Request-Id': headers['X-Request-Id'],
            ...(status === '401' ? { 'WWW-Authenticate': route.access === 'public' ? z.string() : headers['WWW-Authenticate'] } : {}),
            ...(waits ? { 'Retry-After': status === '409' ? headers['Retry-After'].optional() : headers['Retry-After'] } : {}),
          }),
          content: {
            'application/problem+json': {
              schema: ProblemDocument,
              examples: Object.fromEntries(examples.map(([code, { body }]) => [code, { value: body }])),
            },
          },
        },
      ];
    }),
  );
}
