import { describe, expect, it } from 'vitest';
import { Answers } from './answers.ts';
import { Findings } from './findings.ts';
import type { Exchange, Reply } from './history.ts';

describe('what the checker finds in answers', () => {
  const order = { orderId: 'ord_1', buyerId: 'ada', items: [{ sku: 'tee', units: ['1'] }] };
  const answersOf = (stored: object | undefined) => {
    const findings = new Findings();
    const answers = new Answers({ call: () => ({ Item: stored }) }, findings);
    return { answers, found: () => findings.list.map(({ invariant }) => invariant) };
  };
  const answered = (status: number, body: unknown, isReplay = false): Reply => ({
    outcome: 'answered',
    status,
    body,
    text: JSON.stringify(body),
    isReplay,
  });
  const placed = (reply: Reply, payload: unknown = { items: [] }): Exchange => ({
    request: {
      id: 'a1',
      deed: 'place',
      method: 'POST',
      path: '/v1/sales/sale/orders',
      who: { sub: 'ada', scope: 'sale:buy' },
      key: 'k',
      body: payload,
    },
    fromMs: 10,
    toMs: 20,
    reply,
  });

  it('nothing in an order and its replay', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(201, order)));
    answers.see(placed(answered(201, order, true)));
    expect(found()).toEqual([]);
  });
  it('an order that is not stored', () => {
    const { answers, found } = answersOf(undefined);
    answers.see(placed(answered(201, order)));
    expect(found()).toEqual(['2 nothing acknowledged is lost']);
  });
  it('an order that is stored with other units', () => {
    const { answers, found } = answersOf({ ...order, items: [{ sku: 'tee', units: ['2'] }] });
    answers.see(placed(answered(201, order)));
    expect(found()).toEqual(['2 nothing acknowledged is lost']);
  });
  it('a replay that says something else', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(201, order)));
    answers.see(placed(answered(201, { ...order, version: 2 }, true)));
    expect(found()).toEqual(['answers']);
  });
  it('another payload under the same key', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(201, order)));
    answers.see(placed(answered(201, order), { items: ['another'] }));
    expect(found()).toEqual(['answers']);
  });
  it('a failure that the contract does not know', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(500, { code: 'TRY_AGAIN', retryable: true })));
    expect(found()).toEqual(['answers']);
  });
  it('a status that such a request is never answered with', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(403, { code: 'FORBIDDEN', retryable: false })));
    expect(found()).toEqual(['answers']);
  });
  const refusedWith = (code: string, retryable = false) => answered(409, { code, retryable });
  it('an order that is refused when its key comes again', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(201, order)));
    answers.see({ ...placed(refusedWith('SOLD_OUT')), fromMs: 30, toMs: 40 });
    expect(found()).toEqual(['2 nothing acknowledged is lost']);
  });
  it('nothing in a refusal for now', () => {
    const { answers, found } = answersOf(order);
    answers.see(placed(answered(201, order)));
    answers.see({ ...placed(refusedWith('SALE_PAUSED', true)), fromMs: 30, toMs: 40 });
    expect(found()).toEqual([]);
  });
  it('a key that is said to be another’s though it came with one payload', () => {
    const { answers, found } = answersOf(order);
    const refused = placed({ ...refusedWith('IDEMPOTENCY_KEY_REUSED'), status: 422 } as Reply);
    answers.begins(refused.request, 1);
    answers.see(refused);
    expect(found()).toEqual(['answers']);
  });
  it('an order, or its refusal, out of a Redis that does not have the sale', () => {
    for (const reply of [answered(201, order), refusedWith('SOLD_OUT')]) {
      const { answers, found } = answersOf(order);
      answers.seeLost(placed(reply));
      expect(found()).toEqual(['7 it fails closed']);
    }
    const { answers, found } = answersOf(order);
    answers.seeLost(placed(answered(201, order, true)));
    answers.seeLost(placed(refusedWith('STOCK_NOT_READY', true)));
    expect(found()).toEqual([]);
  });
  it('something sold after a pause was answered', () => {
    const { answers, found } = answersOf(order);
    answers.paused({ ...placed(answered(200, {})), toMs: 5 });
    answers.begins({ key: 'k', id: 'a1' }, 10);
    answers.see(placed(answered(201, order)));
    expect(found()).toEqual(['answers']);
  });
});
