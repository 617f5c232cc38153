import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { cartsIn } from './cart.harness.ts';
import { history, items, limit, Model, seats, take } from './cart.histories.ts';
import { expectConserved, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();

describe('carts beside orders', () => {
  it('answer as the rules say and keep every unit in one place, through thousands of random steps', async () => {
    const met = new Map<string, number>();
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(history(60), async (drawn) => {
        const { saleId } = await openSale(bench, { items, perBuyerLimit: limit }, new Map([['hall', seats]]));
        const model = new Model();
        for (const [index, step] of drawn.entries()) {
          await take(bench, saleId, model, step);
          if (index % 4 === 0) await expectConserved(bench, saleId, limit);
        }
        const { items: places } = await expectConserved(bench, saleId, limit);
        for (const { sku } of items) expect(places[sku]?.available, sku).toBe(model.left(sku));
        const { recorded, due } = await cartsIn(bench, saleId);
        expect(due).toEqual(recorded);
        expect(Object.keys(due)).toHaveLength(model.carts.size);
        steps += drawn.length;
        for (const [word, count] of model.met) met.set(word, (met.get(word) ?? 0) + count);
        await bench.redis.del(...Object.values(stockKeys(saleId)));
      }),
      { numRuns: 120 },
    );
    // A property that never got to an answer would say nothing about it.
    expect(steps).toBeGreaterThan(3_000);
    const words = ['CART', 'BUYER_LIMIT', 'SOLD_OUT', 'SEAT_TAKEN'].map((word) => `set ${word}`);
    const checkouts = ['RESERVED', 'RESERVED replayed', 'CART_EMPTY', 'CART_EXPIRED', 'ENDED', 'KEY_REUSED'].map(
      (word) => `checkout ${word}`,
    );
    const returns = ['return RETURNED', 'return ORDER_EXISTS', 'return ALREADY_ENDED'];
    const others = ['drop', 'clear', 'read', 'sweep 1', 'order', 'end order', 'end hold', 'reserve RESERVED', 'reserve KEY_REUSED'];
    expect([...met.keys()]).toEqual(expect.arrayContaining([...words, ...checkouts, ...returns, ...others]));
  });
});
