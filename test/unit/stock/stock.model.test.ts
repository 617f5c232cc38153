import { describe, expect, it } from 'vitest';
import { mergeLines, serialBuckets, unitBucket, unitBuckets } from '../../../functions/stock/stock.model.ts';

describe('lines of a request', () => {
  it('with the same item become one, in order of first mention', () => {
    const lines = [
      { sku: 'mug', quantity: 1 },
      { sku: 'tee', quantity: 2 },
      { sku: 'mug', quantity: 3 },
    ];
    expect(mergeLines(lines)).toEqual([
      { sku: 'mug', quantity: 4 },
      { sku: 'tee', quantity: 2 },
    ]);
  });

  it('name all its seats, and are no request when some name seats and others a number', () => {
    const seats = (...names: string[]) => ({ sku: 'hall', quantity: names.length, seats: names });
    expect(mergeLines([seats('A-1'), seats('B-1', '17')])).toEqual([seats('A-1', 'B-1', '17')]);
    expect(() => mergeLines([seats('A-1'), { sku: 'hall', quantity: 1 }])).toThrow(RangeError);
  });
});

describe('the partition of a unit', () => {
  it('is one of its item’s, and neighbours are spread over all of them', () => {
    const buckets = unitBuckets('sale', 'tee');
    const used = Array.from({ length: 64 }, (_, index) => unitBucket('sale', 'tee', String(index + 1)));
    expect(new Set(used)).toEqual(new Set(buckets));
    expect(buckets).toContain(unitBucket('sale', 'tee', 'A-12'));
  });

  it.each([1, 2, 63, 64, 65, 1_000])('is among those of %i serials for each of them, and no other is', (total) => {
    const used = Array.from({ length: total }, (_, index) => unitBucket('sale', 'tee', String(index + 1)));
    const buckets = serialBuckets('sale', 'tee', total);
    expect(new Set(buckets)).toEqual(new Set(used));
    expect(buckets).toHaveLength(Math.min(64, total));
  });
});
