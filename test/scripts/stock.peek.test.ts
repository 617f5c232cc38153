import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import * as scripts from '../../functions/stock/stock.definitions.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import type { StockLine } from '../../functions/stock/stock.model.ts';
import { type Engine, startEngine } from '../support/engine.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

let sales = 0;
const freshHall = (changes: Parameters<Engine['openHall']>[2] = {}) =>
  engine.openHall(`peek-${++sales}`, ['A', 'B', 'C'], { units: 4, ...changes });
let holds = 0;
const reserve = (saleId: string, buyerId: string, lines: readonly StockLine[]) =>
  engine.stock.reserve({ saleId, holdId: `hold-${++holds}`, buyerId, payloadHash: 'hash', lines });

describe('a look at the stock', () => {
  it('holds nothing, and gives the time by which a hold would be made and end', async () => {
    const sale = await freshHall();
    const beforeMs = await engine.stock.nowMs();
    const seen = await engine.stock.peek({ saleId: sale.saleId, buyerId: 'ada', lines: [{ sku: 'tee', quantity: 4 }] });
    if (seen.outcome !== 'AVAILABLE') throw new Error(seen.outcome);
    expect(seen.nowUs).toBeGreaterThanOrEqual(beforeMs * 1000);
    expect(seen.expiresAtMs).toBe(Math.floor(seen.nowUs / 1000) + 300_000);
    expect(await engine.available(sale.saleId)).toBe(7);
    const keys = await engine.redis.hkeys(stockKeys(sale.saleId).sale);
    expect(keys.filter((key) => key.startsWith('h:') || key.startsWith('b:'))).toEqual([]);
  });

  it('answers in the very words in which a reserve of the same would, whatever was sold, and in every state of the sale', async () => {
    const line = fc.oneof(
      fc.record({ sku: fc.constantFrom('tee', 'hall', 'cap'), quantity: fc.integer({ min: 1, max: 6 }) }),
      fc
        .record({
          sku: fc.constantFrom('hall', 'tee'),
          seats: fc.uniqueArray(fc.constantFrom('A', 'B', 'C', 'D'), { minLength: 1, maxLength: 3 }),
        })
        .map(({ sku, seats }) => ({ sku, seats, quantity: seats.length })),
    );
    const request = fc.uniqueArray(line, { minLength: 1, maxLength: 2, selector: ({ sku }) => sku });
    const wishes = fc.record({
      limit: fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined }),
      control: fc.constantFrom('open', 'open', 'open', 'paused', 'closed' as const),
      opensInMs: fc.constantFrom(-60_000, -60_000, 60_000),
      requests: fc.array(request, { minLength: 1, maxLength: 5 }),
    });
    await fc.assert(
      fc.asyncProperty(wishes, async ({ limit, control, opensInMs, requests }) => {
        const sale = await freshHall(limit === undefined ? {} : { perBuyerLimit: limit });
        const [last, ...before] = requests;
        for (const lines of before) await reserve(sale.saleId, 'ada', lines);
        await engine.stock.update({ ...sale, version: 2, control: control as 'open', opensAtMs: Date.now() + opensInMs });
        const lines = last ?? [];
        const seen = await engine.stock.peek({ saleId: sale.saleId, buyerId: 'ada', lines });
        const { behind: _, ...reserved } = { behind: false, ...(await reserve(sale.saleId, 'ada', lines)) };
        if (seen.outcome === 'AVAILABLE') expect(reserved.outcome).toBe('RESERVED');
        else expect(seen).toEqual(reserved);
      }),
      { numRuns: 150 },
    );
  });

  it('says nothing of a sale that is not loaded', async () => {
    expect(await engine.stock.peek({ saleId: 'nowhere', buyerId: 'ada', lines: [{ sku: 'tee', quantity: 1 }] })).toEqual({
      outcome: 'NOT_LOADED',
    });
  });

  it.each([
    ['no lines', []],
    ['a line twice', [1, 1].map((wanted) => ({ sku: 'tee', wanted }))],
    [
      'more than a hold may have',
      [
        { sku: 'tee', wanted: 11 },
        { sku: 'hall', wanted: 10 },
      ],
    ],
    ['no number', [{ sku: 'tee', wanted: '1.5' }]],
    ['a seat twice', [{ sku: 'hall', wanted: '@A,A' }]],
    ['a sku that would break a record', [{ sku: 'tee|x', wanted: 1 }]],
  ])('is refused as a bad call with %s', async (_, each) => {
    const sale = await freshHall();
    await expect(scripts.peek(engine.redis, { keys: stockKeys(sale.saleId), args: { buyerId: 'ada' }, each })).rejects.toBeInstanceOf(
      BadCall,
    );
  });
});
