import { describe, expect, it } from 'vitest';
import { stockProblem, type UnitsRefused } from '../../../functions/stock/refusal.model.ts';

const refusals: [refused: UnitsRefused, code: string, words: RegExp, extensions?: object][] = [
  [{ outcome: 'unknown-sale' }, 'NOT_FOUND', /no such sale/],
  [{ outcome: 'unknown-sku', sku: 'tee' }, 'INVALID_REQUEST', /does not sell tee/],
  [{ outcome: 'unknown-seat', sku: 'hall', seat: 'A-1' }, 'INVALID_REQUEST', /hall has no seat A-1/],
  [{ outcome: 'wrong-kind', sku: 'hall', kind: 'seated' }, 'INVALID_REQUEST', /hall is sold by seats: name them/],
  [{ outcome: 'wrong-kind', sku: 'tee', kind: 'counted' }, 'INVALID_REQUEST', /tee has no seats: say how many/],
  [
    { outcome: 'seat-taken', sku: 'hall', seats: ['A-1', 'A-2'] },
    'SEAT_TAKEN',
    /hall these seats are taken: A-1, A-2\./,
    { sku: 'hall', seats: ['A-1', 'A-2'] },
  ],
  [{ outcome: 'not-open', state: 'scheduled' }, 'SALE_NOT_OPEN', /has not opened yet/, { state: 'scheduled' }],
  [{ outcome: 'not-open', state: 'closed' }, 'SALE_NOT_OPEN', /is closed/, { state: 'closed' }],
  [{ outcome: 'paused' }, 'SALE_PAUSED', /paused/],
  [{ outcome: 'stock-not-ready' }, 'STOCK_NOT_READY', /not ready/],
];

describe('why there are no units', () => {
  it.each(refusals)('is said in the words of the contract: %j is %s', (refused, code, words, extensions) => {
    const problem = stockProblem(refused);
    expect(problem).toMatchObject({ code, message: expect.stringMatching(words) });
    expect(problem.extensions).toStrictEqual(extensions ?? {});
  });
});
