import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BadRecord,
  formatLine,
  formatSeats,
  formatSlots,
  formatUnits,
  parseHold,
  parseLines,
  parseRange,
  parseSeat,
  parseSlots,
  parseSuspectSeat,
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

describe('seats as text', () => {
  const seat = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);

  it('come back as they were, in their order, beside serials', () => {
    fc.assert(
      fc.property(fc.uniqueArray(seat, { maxLength: 20 }), (units) => {
        const text = `tee=1-2;hall:${units.join(',')};mug=4`;
        const lines = [
          { sku: 'tee', units: ['1', '2'] },
          { sku: 'hall', units, seated: true },
          { sku: 'mug', units: ['4'] },
        ];
        expect(parseLines(text)).toEqual(lines);
      }),
    );
  });

  it('are told from serials as arguments, also when they look like some', () => {
    expect(formatLine({ units: ['2', '1'], seated: true })).toBe('@2,1');
    expect(formatLine({ units: ['2', '1'] })).toBe('1-2');
    expect(formatSeats(['B-1', '3-5'])).toBe('@B-1,3-5');
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
    expect(parseHold('h2', 'H|1|2|p|ada|0|hall:3-5,A-1;box:').lines).toEqual([
      { sku: 'hall', units: ['3-5', 'A-1'], seated: true },
      { sku: 'box', units: [], seated: true },
    ]);
  });

  it('in another form are a broken invariant, not a guess', () => {
    expect(() => parseHold('h1', 'X|1|1|p|ada|0|')).toThrow(BadRecord);
    expect(() => parseLines('tee')).toThrow(BadRecord);
    expect(() => parseLines(':A-1')).toThrow(BadRecord);
    expect(() => parseSeat('A-1', '')).toThrow(BadRecord);
    expect(() => parseRange('tee 1-2')).toThrow(BadRecord);
  });

  it('of seats say who has them', () => {
    const seat = { sku: 'hall', seat: 'A-1' };
    expect(parseSeat('hall|A-1', '')).toEqual({ ...seat, state: 'free' });
    expect(parseSeat('hall|A-1', '?')).toEqual({ ...seat, state: 'suspect' });
    expect(parseSeat('hall|A-1', '-')).toEqual({ ...seat, state: 'retired' });
    expect(parseSeat('hall|A-1', 'hold-1')).toEqual({ ...seat, state: 'held', holdId: 'hold-1' });
    expect(parseSeat('hall|A-1', 'constructor')).toEqual({ ...seat, state: 'held', holdId: 'constructor' });
  });

  it('of suspects tell seats from ranges', () => {
    expect(parseSuspectSeat('hall|:A-1')).toEqual({ sku: 'hall', seat: 'A-1' });
    expect(parseSuspectSeat('tee-1|0000017-0000020')).toBeUndefined();
  });

  it('of ranges are read whole', () => {
    expect(parseRange('tee-1|0000017-0000020')).toEqual({ sku: 'tee-1', first: 17, last: 20 });
  });
});
