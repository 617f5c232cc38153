import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../functions/api/openapi.ts';
import { routes } from '../../functions/api/routes.ts';
import { Problem, problemResponse } from '../../functions/shared/problems.ts';
import { boundsOf, type RawDocument, readDocument } from './document.ts';
import { faultOf } from './json-schema.ts';
import { judge } from './judge.ts';
import { randomFrom } from './random.ts';
import type { Draft } from './reasons.ts';
import { reasonToRefuse } from './reasons.ts';
import { shrunk } from './shrink.ts';
import { mangled, spoiled } from './spoil.ts';
import { valueFor } from './values.ts';
import { readAnswer, type WireAnswer } from './wire.ts';

// The fuzzer is only worth what it notices: here it is given what is wrong.

const raw = JSON.parse(JSON.stringify(openApiDocument(routes))) as RawDocument;
const document = readDocument(raw);
const operationOf = (wanted: string) => {
  const found = document.operations.find(({ operationId }) => operationId === wanted);
  if (!found) throw new Error(wanted);
  return found;
};

const buyer = { name: 'sale:buy', userId: 'ada', scopes: ['sale:buy'], authorization: 'Bearer x' };
function draft(operationId: string, body: unknown, changes: Partial<Draft> = {}): Draft {
  const operation = operationOf(operationId);
  const headers = [
    ['content-type', 'application/json'],
    ['idempotency-key', 'k'],
  ] as const;
  const wire = { method: operation.method, target: operation.path, headers, body: Buffer.from(JSON.stringify(body)) };
  return { operation, meant: operation, caller: buyer, params: { saleId: 'a-sale' }, query: [], wire, ...changes };
}
const order = draft('placeOrder', { items: [{ sku: 'tee', quantity: 1 }] });

function refusal(code: ConstructorParameters<typeof Problem>[0], changes: object = {}, status?: number): WireAnswer {
  const answer = problemResponse(new Problem(code, 'So.'), '/v1/sales');
  const headers = { ...(answer.headers as Record<string, string>), 'x-request-id': 'r' };
  return { status: status ?? answer.status, headers, text: JSON.stringify({ ...answer.body, ...changes }) };
}

describe('the judge', () => {
  it('lets a refusal pass that is as the document says', () => {
    for (const code of ['INVALID_REQUEST', 'SOLD_OUT', 'FORBIDDEN', 'NOT_FOUND'] as const)
      expect(judge(refusal(code), order, document)).toBeUndefined();
  });

  const wrong: [what: string, answer: WireAnswer][] = [
    ['a server error', { ...refusal('TRY_AGAIN'), status: 500 }],
    ['a refusal for now', refusal('TRY_AGAIN')],
    ['a code that nobody knows', refusal('NOT_FOUND', { code: 'GONE' })],
    ['a code under another status', refusal('NOT_FOUND', {}, 400)],
    ['a code that the route does not have', refusal('PRODUCT_IN_USE')],
    ['a refusal that says that it may be repeated', refusal('SOLD_OUT', { retryable: true })],
    ['plain JSON', { ...refusal('NOT_FOUND'), headers: { 'x-request-id': 'r', 'content-type': 'application/json' } }],
    ['an answer without an id', { ...refusal('NOT_FOUND'), headers: { 'content-type': 'application/problem+json' } }],
    ['a stack', refusal('NOT_FOUND', { detail: 'Error at serve (/var/task/index.mjs:12:3)' })],
    [
      'an order that lacks its members',
      { status: 201, headers: { 'content-type': 'application/json', 'x-request-id': 'r' }, text: '{"orderId":"x"}' },
    ],
    ['a success by another status', { status: 200, headers: { 'content-type': 'application/json', 'x-request-id': 'r' }, text: '{}' }],
  ];
  it.each(wrong)('objects to %s', (_, answer) => {
    expect(judge(answer, order, document)).toBeDefined();
  });

  it('objects to a success of what had to be refused, and to nothing else about it', () => {
    const created = { status: 204, headers: { 'x-request-id': 'r' }, text: '' };
    const removal = draft('deleteProduct', {}, { params: { sku: 'tee' }, caller: { ...buyer, scopes: ['sale:operate'] } });
    expect(judge(created, removal, document)).toBeUndefined();
    expect(judge(created, { ...removal, caller: buyer }, document)).toMatchObject({ kind: 'deleteProduct takes what it has to refuse' });
  });

  it('objects to a failure that stands within an answer', () => {
    const errors = [{ message: 'So.', extensions: { code: 'TRY_AGAIN', status: 503, retryable: true } }];
    const answer = { status: 200, headers: { 'content-type': 'application/json', 'x-request-id': 'r' }, text: JSON.stringify({ errors }) };
    expect(judge(answer, draft('graphql', { query: '{ me { userId } }' }), document)).toMatchObject({
      kind: expect.stringContaining('503'),
    });
  });
});

describe('what is sent', () => {
  it('fits the schemas when it is to be valid', () => {
    const random = randomFrom(7);
    for (const { body, operationId } of document.operations) {
      if (!body) continue;
      for (let count = 0; count < 50; count++) {
        const value = valueFor(body, random, document.resolve, () => undefined);
        expect(
          faultOf(body, JSON.parse(JSON.stringify(value)), document.resolve),
          `${operationId} ${JSON.stringify(value)}`,
        ).toBeUndefined();
      }
    }
  });

  it('is known to have to be refused, when it has to be', () => {
    const reason = (changes: Partial<Draft['wire']>, others: Partial<Draft> = {}) =>
      reasonToRefuse({ ...order, ...others, wire: { ...order.wire, ...changes } }, document.resolve);
    expect(reason({})).toBeUndefined();
    const bodies = [
      '{',
      '[]',
      '{"items":[]}',
      '{"items":[{"sku":"tee","quantity":21}]}',
      '{"items":[{"sku":"tee","quantity":1}],"__proto__":1}',
    ];
    for (const text of bodies) expect(reason({ body: Buffer.from(text) }), text).toBeDefined();
    expect(reason({ body: Buffer.from([0x22, 0xff, 0x22]) })).toBe('the body is not UTF-8');
    expect(reason({ headers: [['content-type', 'application/json']] })).toBe('the Idempotency-Key');
    expect(reason({}, { query: [['colour', 'red']] })).toBe('the query has colour besides');
    expect(reason({}, { caller: { ...buyer, scopes: [] } })).toBe(`called by ${buyer.name}`);
    expect(reason({}, { params: { saleId: 'a|b' } })).toContain('saleId');
  });

  it('is spoiled by the same seed in the same way, and in many ways by many', () => {
    const value = { items: [{ sku: 'tee', quantity: 1 }] };
    const texts = (seed: number) => {
      const random = randomFrom(seed);
      return Array.from(
        { length: 200 },
        () => `${JSON.stringify(spoiled(value, random, boundsOf(raw)))} ${mangled(JSON.stringify(value), random).toString('hex')}`,
      );
    };
    expect(texts(1)).toEqual(texts(1));
    expect(new Set(texts(2)).size).toBeGreaterThan(150);
  });

  it('is shrunk to what the fault needs', async () => {
    const large = {
      items: [
        { sku: 'tee', quantity: 7 },
        { sku: 'cap', quantity: 3 },
      ],
      payment: { method: 'external' },
      note: 'x'.repeat(50),
    };
    const smallest = await shrunk(draft('placeOrder', large), async ({ wire }) => wire.body?.includes('"quantity":7') ?? false);
    expect(JSON.parse(String(smallest.wire.body))).toEqual({ items: [{ quantity: 7 }] });
    expect(smallest.wire.headers).toEqual([]);
  });
});

describe('an answer on the wire', () => {
  it('is read once it is whole, whatever comes before and after it', () => {
    const whole = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: b\r\n\r\nhiHTTP';
    for (let size = 0; size < whole.length - 4; size++) expect(readAnswer(Buffer.from(whole.slice(0, size)), false, false)).toBeUndefined();
    const read = readAnswer(Buffer.from(whole), false, false);
    expect(read).toEqual({ answer: { status: 200, headers: { 'content-length': '2', 'x-a': 'b' }, text: 'hi' }, length: whole.length - 4 });
    expect(readAnswer(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'), false, false)?.answer.status).toBe(204);
  });
});
