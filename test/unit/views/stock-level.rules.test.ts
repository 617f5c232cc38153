import { describe, expect, it } from 'vitest';
import { availableOf, changesOf, groupsOf, type StockMessage, totalsOf } from '../../../functions/views/stock-level.model.ts';

const moved = (eventId: string, skus: readonly string[], held = 1, saleId = 's'): StockMessage => ({
  eventId,
  saleId,
  kind: 'moved',
  moved: skus.map((sku) => ({ sku, held, sold: 0, retired: 0 })),
});
const totals = (eventId: string, saleVersion: number, total: number): StockMessage => ({
  eventId,
  saleId: 's',
  kind: 'totals',
  saleVersion,
  totals: [{ sku: 'tee', total }],
});

describe('messages about the stock of a sale', () => {
  it('come to what they move together, each once, item by item', () => {
    const messages = [
      moved('a', ['tee', 'cap'], 2),
      moved('a', ['tee', 'cap'], 2),
      moved('b', ['tee']),
      totals('c', 1, 9),
      moved('d', ['tee'], 1, 'other'),
    ];
    expect(changesOf(messages)).toStrictEqual([
      { saleId: 's', sku: 'tee', held: 3, sold: 0, retired: 0 },
      { saleId: 's', sku: 'cap', held: 2, sold: 0, retired: 0 },
      { saleId: 'other', sku: 'tee', held: 1, sold: 0, retired: 0 },
    ]);
    expect(changesOf([moved('a', ['tee'], 1), moved('b', ['tee'], -1)])).toStrictEqual([]);
    expect(changesOf([totals('c', 1, 9)])).toStrictEqual([]);
  });

  it('tell of the newest total of each item, and the first of those that are as new', () => {
    expect(totalsOf([totals('a', 2, 20), totals('b', 1, 10), moved('c', ['tee']), totals('d', 2, 21)])).toStrictEqual([
      { saleId: 's', sku: 'tee', total: 20, saleVersion: 2 },
    ]);
    expect(totalsOf([moved('c', ['tee'])])).toStrictEqual([]);
  });

  it('leave between nothing and the total, as soon as that is known', () => {
    const level = { saleId: 's', sku: 'tee', held: 1, sold: 2, retired: 3 };
    expect(availableOf(level)).toBeUndefined();
    expect([10, 6, 5].map((total) => availableOf({ ...level, total }))).toStrictEqual([4, 0, 0]);
    expect(availableOf({ ...level, total: 10, held: -9 })).toBe(10);
  });

  it('are grouped so that each group is one transaction: a row for each, and one for each item that changes', () => {
    const ids = (messages: readonly StockMessage[], writesMax: number) =>
      groupsOf(messages, writesMax).map((group) => group.map(({ eventId }) => eventId));
    const same = ['a', 'b', 'c'].map((id) => moved(id, ['tee']));
    expect(ids(same, 4)).toStrictEqual([['a', 'b', 'c']]);
    expect(ids(same, 3)).toStrictEqual([['a', 'b'], ['c']]);
    const others = [moved('a', ['tee']), moved('b', ['cap']), moved('c', ['tee', 'cap'])];
    expect(ids(others, 5)).toStrictEqual([['a', 'b', 'c']]);
    expect(ids(others, 4)).toStrictEqual([['a', 'b'], ['c']]);
    expect(ids([...others, moved('d', ['tee'])], 4)).toStrictEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(ids([totals('x', 1, 1), totals('y', 1, 1), moved('z', ['tee'])], 3)).toStrictEqual([['x', 'y'], ['z']]);
    // One that does not fit even alone is a group of its own.
    expect(ids([moved('a', ['1', '2', '3', '4'])], 2)).toStrictEqual([['a']]);
    expect(ids([], 2)).toStrictEqual([]);
  });
});
