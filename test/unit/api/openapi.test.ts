import { describe, expect, it } from 'vitest';
import { bodyExamples } from '../../../functions/api/openapi.examples.ts';
import { openApiDocument } from '../../../functions/api/openapi.ts';
import { problemCodesOf } from '../../../functions/api/problem-codes.ts';
import { routes } from '../../../functions/api/routes.ts';
import { problemStatus } from '../../../functions/shared/problems.ts';
import { routeKeyOf } from '../../../functions/shared/route.ts';

type Json = { readonly [member: string]: Json } & { readonly $ref?: string };
const document = JSON.parse(JSON.stringify(openApiDocument(routes))) as Json;
const operationRoutes = routes.filter(({ partOfPage }) => !partOfPage);
const operations = operationRoutes.map((route) => ({
  route,
  operation: document.paths?.[route.path]?.[route.method.toLowerCase()] as Json,
}));

const every = (value: unknown, visit: (member: string, value: unknown) => void): void => {
  if (typeof value !== 'object' || value === null) return;
  for (const [member, inner] of Object.entries(value)) {
    visit(member, inner);
    every(inner, visit);
  }
};

describe('the OpenAPI document', () => {
  it('is of version 3.1 and describes exactly the routes there are, but not the files of a page', () => {
    expect(document.openapi).toBe('3.1.0');
    const described = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
      Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(operationRoutes.map(routeKeyOf).sort());
  });

  it('names each operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operationRoutes.length);
  });

  it('has a component behind each reference', () => {
    const missing: string[] = [];
    every(document, (member, value) => {
      if (member !== '$ref') return;
      const found = String(value)
        .replace('#/', '')
        .split('/')
        .reduce<Json | undefined>((at, part) => at?.[part], document);
      if (!found) missing.push(String(value));
    });
    expect(missing).toEqual([]);
  });

  it('declares each parameter of a path, and no other', () => {
    for (const { route, operation } of operations) {
      const declared = ((operation.parameters ?? []) as unknown as { in: string; name: string; required: boolean }[]).filter(
        (each) => each.in === 'path',
      );
      expect(declared.map(({ name }) => `{${name}}`).sort()).toEqual([...route.path.matchAll(/\{\w+\}/g)].map(([part]) => part).sort());
      for (const { required } of declared) expect(required).toBe(true);
    }
  });

  it('asks for an Idempotency-Key where the route does', () => {
    for (const { route, operation } of operations) {
      const keys = ((operation.parameters ?? []) as unknown as { name: string; required: boolean }[]).filter(
        ({ name }) => name === 'Idempotency-Key',
      );
      expect(
        keys.map(({ required }) => required),
        routeKeyOf(route),
      ).toEqual(route.keyed ? [true] : []);
    }
  });

  it('asks for a token with the scope that the door asks for', () => {
    const scopes = { public: [], buy: ['sale:buy'], operate: ['sale:operate'], 'buy-or-operate': ['sale:buy', 'sale:operate'] };
    for (const { route, operation } of operations) {
      expect((operation.security as unknown as { bearer: string[] }[]).flatMap(({ bearer }) => bearer)).toEqual(scopes[route.access]);
    }
  });

  it('names every code that a route may refuse with under its status, with an example of it', () => {
    for (const { route, operation } of operations) {
      for (const code of problemCodesOf(route)) {
        const refusal = operation.responses?.[String(problemStatus[code])];
        expect(refusal?.description, `${routeKeyOf(route)} ${code}`).toContain(`\`${code}\``);
        expect(refusal?.content?.['application/problem+json']?.examples?.[code]?.value).toMatchObject({
          code,
          status: problemStatus[code],
        });
      }
    }
  });

  it('says what every route answers: a schema, unless there is no body', () => {
    for (const { route, operation } of operations) {
      const success = operation.responses?.[String(route.status)];
      expect(success, routeKeyOf(route)).toBeDefined();
      const mediaType = route.mediaType ?? 'application/json';
      expect(success?.content?.[mediaType]?.schema !== undefined, routeKeyOf(route)).toBe(route.status !== 204);
    }
  });

  it('promises waiting times for 429 and 503, and a request id everywhere', () => {
    for (const { operation } of operations) {
      for (const [status, response] of Object.entries((operation.responses ?? {}) as Record<string, Json>)) {
        expect(response.headers?.['X-Request-Id']).toBeDefined();
        if (status === '429' || status === '503') expect(response.headers?.['Retry-After']?.required).toBe(true);
      }
    }
  });

  it('says on every route that a body may be too large: what no route asks for is not read without end either', () => {
    for (const { route, operation } of operations) expect(operation.responses?.[413], routeKeyOf(route)).toBeDefined();
  });

  it('describes each member that a problem may have beyond those of every problem, and requires none of them', () => {
    const { properties, required } = document.components?.schemas?.Problem ?? {};
    const further = ['sku', 'seats', 'available', 'limit', 'state', 'orderStatus', 'saleId', 'errors', 'checks'];
    for (const member of further) expect(properties?.[member]?.description, member).toBeTruthy();
    expect((required as unknown as string[]).filter((member) => further.includes(member))).toEqual([]);
  });

  it('shows which dependency is away in the example of a 503 of the health route', () => {
    const away = document.paths?.['/v1/health']?.get?.responses?.[503];
    expect(away?.content?.['application/problem+json']?.schema?.$ref).toContain('Problem');
    expect(document.components?.schemas?.Problem?.properties?.checks?.properties).toHaveProperty('redis');
  });

  it('tells a 401 with the scheme that is asked for', () => {
    for (const { operation } of operations.filter(({ route }) => route.access !== 'public')) {
      expect(operation.responses?.[401]?.headers?.['WWW-Authenticate']).toBeDefined();
    }
  });

  it('says the bounds that no schema can: of a sale’s times, and of the live sales that a product may be in', () => {
    const { opensAt, closesAt } = document.components?.schemas?.NewSale?.properties ?? {};
    for (const time of [opensAt, closesAt]) expect(time?.description).toMatch(/1970.*2286/);
    expect(document.paths?.['/v1/sales']?.post?.description).toMatch(/1,?000/);
  });

  it('lists the currencies that there are', () => {
    const { enum: codes } = document.components?.schemas?.Currency ?? {};
    expect(codes).toEqual(expect.arrayContaining(['EUR', 'JPY', 'USD']));
    expect(codes).not.toContain('ZZZ');
  });

  it('refuses unknown members of requests by its schemas too, but for what a payment provider may add', () => {
    const ours = operations.filter(({ route: { body, operationId } }) => body && operationId !== 'takePaymentWebhook');
    for (const { route, operation } of ours) {
      const { $ref = '' } = operation.requestBody?.content?.['application/json']?.schema ?? {};
      expect(document.components?.schemas?.[$ref.split('/').at(-1) ?? '']?.additionalProperties, routeKeyOf(route)).toBe(false);
    }
  });

  it('has an example of every request body, which the door takes as it stands', () => {
    for (const { route, operation } of operations) {
      if (!route.body) continue;
      const examples = Object.entries((operation.requestBody?.content?.['application/json']?.examples ?? {}) as Record<string, Json>);
      expect(examples, routeKeyOf(route)).not.toHaveLength(0);
      for (const [name, { summary, value }] of examples) {
        expect(summary, `${routeKeyOf(route)} ${name}`).toBeTruthy();
        expect(route.body.safeParse(value), `${routeKeyOf(route)} ${name}`).toMatchObject({ success: true });
      }
    }
  });

  it('has no example for an operation that there is not', () => {
    expect(Object.keys(bodyExamples).filter((id) => !operationRoutes.some(({ operationId }) => operationId === id))).toEqual([]);
  });

  it('describes every tag, in an order that somebody reads who wants to buy', () => {
    const tags = document.tags as unknown as { name: string; description?: string }[];
    for (const { name, description } of tags) expect(description, name).toBeTruthy();
    const used = new Set(operationRoutes.map(({ tag }) => tag));
    expect(new Set(tags.map(({ name }) => name))).toEqual(used);
    expect(tags.slice(0, 3).map(({ name }) => name)).toEqual(['Catalogue', 'Sales', 'Orders']);
  });

  it('says of every operation what it is for', () => {
    for (const { route, operation } of operations) {
      expect(String(operation.summary).length, routeKeyOf(route)).toBeGreaterThan(5);
      for (const each of (operation.parameters ?? []) as unknown as { in: string; name: string; description?: string; schema: Json }[]) {
        const words = each.description ?? each.schema.description ?? each.schema.$ref;
        if (each.in !== 'path') expect(words, `${routeKeyOf(route)} ${each.name}`).toBeTruthy();
      }
    }
  });

  it('never speaks of the embedded runtime’s own routes', () => {
    expect(JSON.stringify(document)).not.toContain('/local/');
  });
});
