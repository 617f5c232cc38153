import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BadRecord,
  formatSlots,
  formatUnits,
  parseHold,
  parseLines,
  parseRange,
  parseSlots,
  parseUnits,
} from '../../../functions/stock/stock.records.ts';

describe('units as text', () => {
  it('join neighbours, in order, each once', () => {
    expect(formatUnits(['7', '2', '1', '3', '2'])).toBe('1-3,7');
    expect(formatUnits([])).toBe('');
  });

  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (serials) => {
        const ascending = [...serials].sort((a, b) => a - b).map(String);
        expect(parseUnits(formatUnits(serials.map(String)))).toEqual(ascending);
      }),
    );
  });

  it.each(['x', '3-1', '1.5', '1-x'])('are refused when malformed: %j', (text) => {
    expect(() => parseUnits(text)).toThrow(BadRecord);
  });
});

describe('slots as a mask', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 20 })), (slots) => {
        expect(parseSlots(formatSlots(slots))).toEqual([...slots].sort((a, b) => a - b));
      }),
    );
  });

  it.each([0, 21, 1.5, -1])('do not take %d for a slot', (slot) => {
    expect(() => formatSlots([slot])).toThrow(RangeError);
  });
});

describe('records', () => {
  it('of holds are read whole', () => {
    expect(parseHold('h1', 'A|1700000000000001|1700000300000|hash-_|ada|5|tee=1-2,9;mug=')).toEqual({
      holdId: 'h1',
      buyerId: 'ada',
      payloadHash: 'hash-_',
      bornUs: 1_700_000_000_000_001,
      expiresAtMs: 1_700_000_300_000,
      slots: [1, 3],
      lines: [
        { sku: 'tee', units: ['1', '2', '9'] },
        { sku: 'mug', units: [] },
      ],
      state: 'acknowledged',
    });
  });

  it('in another form are a broken invariant, not a guess', () => {
    expect(() => parseHold('h1', 'X|1|1|p|ada|0|')).toThrow(BadRecord);
    expect(() => parseLines('tee')).toThrow(BadRecord);
    expect(() => parseRange('tee 1-2')).toThrow(BadRecord);
  });

  it('of ranges are read whole', () => {
    expect(parseRange('tee-1|0000017-0000020')).toEqual({ sku: 'tee-1', first: 17, last: 20 });
  });
});
