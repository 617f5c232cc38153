import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SerialSet, serialMax } from '../../../functions/stock/serial-set.model.ts';

const setOf = (serials: readonly number[], expected = 10) => {
  const set = new SerialSet(expected);
  for (const serial of serials) set.add(serial);
  return set;
};

describe('a set of serials', () => {
  it('knows its members, its gaps and its highest as a plain set would', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 300 })),
        fc.integer({ min: 0, max: 320 }),
        fc.nat({ max: 400 }),
        (serials, limit, expected) => {
          const set = setOf(serials, expected);
          const plain = new Set(serials);
          for (let serial = 0; serial <= 320; serial++) expect(set.has(serial)).toBe(plain.has(serial));
          expect(set.highestUpTo(limit)).toBe(Math.max(0, ...serials.filter((serial) => serial <= limit)));
          expect(set.countAbove(limit)).toBe([...plain].filter((serial) => serial > limit).length);
          const gaps = [...set.gapsUpTo(limit)];
          const missing = gaps.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, n) => first + n));
          expect(missing).toEqual(Array.from({ length: limit }, (_, n) => n + 1).filter((serial) => !plain.has(serial)));
          // Neighbours are one gap.
          for (const [index, { first }] of gaps.entries()) expect(first).toBeGreaterThan((gaps[index - 1]?.last ?? -1) + 1);
        },
      ),
    );
  });

  it('takes serials beyond what was expected, up to the highest that there can be', () => {
    const set = setOf([1, 5_000, serialMax], 3);
    expect([set.has(5_000), set.has(serialMax), set.has(serialMax - 1)]).toEqual([true, true, false]);
    expect(set.highestUpTo(serialMax)).toBe(serialMax);
  });

  it.each([0, -1, 1.5, serialMax + 1, Number.NaN])('takes nothing that is no serial: %j', (wrong) => {
    expect(() => setOf([wrong])).toThrow(RangeError);
  });
});
