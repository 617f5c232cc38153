import { describe, expect, it } from 'vitest';
import { faultsOf, type Told, verdictOf } from '../../bench/mechanisms/check.ts';
import { attemptsOf } from '../../bench/mechanisms/load.ts';
import type { StoredOrder } from '../../bench/mechanisms/mechanism.ts';
import { randomOf } from '../simulation/random.ts';

let number = 0;
const asked = (key: string, [invokedMs, respondedMs]: readonly [number, number], answer: Told['answer'], quantity = 1): Told => {
  return { attempt: { number: number++, key, buyerId: key, quantity, stalls: false }, answer, invokedMs, respondedMs };
};
const sold = (key: string, times: readonly [number, number], quantity = 1): Told =>
  asked(key, times, { sold: true, orderId: `order-${key}` }, quantity);
const refused = (key: string, times: readonly [number, number], quantity = 1): Told =>
  asked(key, times, { sold: false, because: 'sold-out' }, quantity);
const order = (key: string, changes: Partial<StoredOrder> = {}): StoredOrder => ({ orderId: `order-${key}`, key, quantity: 1, ...changes });

describe('the judge of mechanisms', () => {
  it('finds nothing wrong with a sale that sold each unit once and turned the rest away', () => {
    const told = [sold('a', [0, 1]), sold('b', [0, 2]), sold('a', [3, 4]), refused('c', [2, 5])];
    const orders = [order('a', { units: ['1'] }), order('b', { units: ['2'] })];
    const verdict = verdictOf(2, told, orders);
    expect(verdict).toEqual({ sold: 2, left: 0, oversold: 0, duplicates: 0, wrongRefusals: 0, lost: 0, wrongUnits: 0 });
    expect(faultsOf(verdict)).toBe(0);
  });

  it('finds units sold beyond the stock', () => {
    const told = [sold('a', [0, 1], 2), sold('b', [0, 1], 2)];
    expect(verdictOf(3, told, [order('a', { quantity: 2 }), order('b', { quantity: 2 })])).toMatchObject({ oversold: 1, left: 0 });
  });

  it('finds a key that was sold twice', () => {
    const again = asked('a', [2, 3], { sold: true, orderId: 'order-a2' });
    const verdict = verdictOf(5, [sold('a', [0, 1]), again], [order('a'), order('a', { orderId: 'order-a2' })]);
    expect(verdict).toMatchObject({ duplicates: 1, oversold: 0 });
  });

  it('finds a refusal that was given while enough was left, and not one that may have been right', () => {
    const early = refused('b', [0, 1]);
    // The last unit was asked for before this one was turned away: it may have been gone by then.
    const late = refused('c', [1, 3]);
    const told = [early, late, sold('a', [2, 9])];
    expect(verdictOf(1, told, [order('a')])).toMatchObject({ wrongRefusals: 1 });
  });

  it('finds a refusal of few units that were left when many had been asked for', () => {
    const told = [sold('a', [0, 1], 2), refused('b', [2, 3], 2), refused('c', [4, 5], 1)];
    expect(verdictOf(3, told, [order('a', { quantity: 2 })])).toMatchObject({ wrongRefusals: 1, left: 1 });
  });

  it('finds an order that a buyer was told of and nobody stored', () => {
    expect(verdictOf(2, [sold('a', [0, 1])], [])).toMatchObject({ lost: 1, sold: 0 });
  });

  it('finds a unit that two orders have, and one that the sale does not have', () => {
    const orders = [order('a', { units: ['1'] }), order('b', { units: ['1'] }), order('c', { units: ['4'] })];
    expect(verdictOf(3, [], orders)).toMatchObject({ wrongUnits: 2 });
  });
});

describe('what buyers ask of every mechanism', () => {
  const sizes = { attempts: 1_000, stock: 10, lanes: 4, quantityMax: 3 };

  it('is the same for the same seed', () => {
    expect(attemptsOf(sizes, randomOf(7))).toEqual(attemptsOf(sizes, randomOf(7)));
  });

  it('repeats an earlier wish with every fifth attempt', () => {
    const attempts = attemptsOf(sizes, randomOf(7));
    expect(new Set(attempts.map(({ key }) => key)).size).toBe(800);
    for (const { number: at, key, buyerId, quantity } of attempts) {
      const first = attempts.find((attempt) => attempt.key === key);
      expect(first).toMatchObject({ buyerId, quantity });
      expect(first?.number).toBeLessThanOrEqual(at);
    }
  });
});
