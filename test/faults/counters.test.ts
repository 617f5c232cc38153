import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';

// What counters in a cache are known to get wrong.

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const times = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('a sale whose counter is missing', () => {
  it('is not left at zero by those who ask: it sells in full once it is there', async () => {
    const sale = await engine.openSale('late', 5);
    await engine.redis.flushall();
    const early = await Promise.all(times(10).map((n) => engine.place('late', `early-${n}`)));
    expect(new Set(early.map(({ outcome }) => outcome))).toEqual(new Set(['stock-not-ready']));
    expect(await engine.redis.keys('*')).toEqual([]);

    await engine.stock.load(sale);
    const placed = await Promise.all(times(5).map((n) => engine.place('late', `early-${n}`)));
    expect(placed.map(({ outcome }) => outcome)).toEqual(times(5).map(() => 'placed'));
  });
});

describe('asking for more than there is', () => {
  it('leaks no unit, however often it is refused', async () => {
    await engine.openSale('greedy', 2);
    await Promise.all(times(40).map((n) => engine.place('greedy', `greedy-${n}`, { quantity: 3 })));
    expect(await engine.available('greedy')).toBe(2);
    expect((await engine.place('greedy', 'modest', { quantity: 2 })).outcome).toBe('placed');
  });

  it('makes no smaller request fail that comes at the same moment', async () => {
    await engine.openSale('crowd', 10);
    const placed = await Promise.all(
      times(60).map((n) =>
        n % 6 === 0 ? engine.place('crowd', `modest-${n}`, { quantity: 1 }) : engine.place('crowd', `greedy-${n}`, { quantity: 11 }),
      ),
    );
    expect(placed.filter(({ outcome }) => outcome === 'placed')).toHaveLength(10);
    expect(await engine.available('crowd')).toBe(0);
  });
});

describe('a unit on its way from held to sold', () => {
  it('is never free in between, by Redis or by its row', async () => {
    await engine.openSale('moving', 10);
    const orders = await Promise.all(
      times(10).map(async (n) => {
        await engine.fund(`buyer-${n}`, 2_500);
        return orderOf(await engine.place('moving', `buyer-${n}`));
      }),
    );
    const confirming = Promise.all(orders.map(async (order) => engine.steps.confirm((await engine.steps.charge(order)).order))).then(
      (steps) => steps.map(({ order }) => order.status),
    );
    let isDone = false;
    confirming.finally(() => {
      isDone = true;
    });
    const seen = new Set<string>();
    do {
      seen.add(`${await engine.available('moving')} free, ${(await engine.unitRows('moving')).size} rows`);
    } while (!isDone);
    expect(await confirming).toEqual(times(10).map(() => 'CONFIRMED'));
    expect([...seen]).toEqual(['0 free, 10 rows']);
  });
});
