import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern } from '../../../lib/local/pattern.ts';

const matches = (pattern: unknown, event: Record<string, unknown>) => compilePattern(pattern, 'a rule')(event);

const name = fc.constantFrom('source', 'detail-type', 'saleId', 'status');
const scalar = fc.oneof(fc.string({ maxLength: 8 }), fc.integer({ min: -50, max: 50 }), fc.boolean(), fc.constant(null));
const flatEvent = fc.dictionary(name, scalar, { minKeys: 1, noNullPrototype: true });

describe('an event pattern', () => {
  it('matches every event that it was taken from, value by value', () => {
    fc.assert(
      fc.property(flatEvent, (event) => {
        const pattern = Object.fromEntries(Object.entries(event).map(([field, value]) => [field, ['another', value]]));
        expect(matches(pattern, event)).toBe(true);
      }),
    );
  });

  it('never matches once one field has none of its values', () => {
    fc.assert(
      fc.property(flatEvent, scalar, (event, other) => {
        const [[field, value] = ['', '']] = Object.entries(event);
        fc.pre(value !== other);
        expect(matches({ ...Object.fromEntries(Object.entries(event).map(([key, each]) => [key, [each]])), [field]: [other] }, event)).toBe(
          false,
        );
      }),
    );
  });

  it('says the opposite with anything-but, of any value that is there', () => {
    fc.assert(
      fc.property(scalar, scalar, (value, refused) => {
        expect(matches({ field: [{ 'anything-but': refused }] }, { field: value })).toBe(value !== refused);
        expect(matches({ field: [{ 'anything-but': [refused, 'x'] }] }, { field: value })).toBe(value !== refused && value !== 'x');
      }),
    );
    expect(matches({ field: [{ 'anything-but': 'x' }] }, {})).toBe(false);
  });

  it('finds prefixes and suffixes exactly where they are, and is strict about case unless told otherwise', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (head, tail) => {
        expect(matches({ field: [{ prefix: head }] }, { field: head + tail })).toBe(true);
        expect(matches({ field: [{ suffix: tail }] }, { field: head + tail })).toBe(true);
        expect(matches({ field: [{ prefix: `${head}!` }] }, { field: head })).toBe(false);
      }),
    );
    expect(matches({ field: [{ prefix: 'ab' }] }, { field: 'ABc' })).toBe(false);
    expect(matches({ field: [{ prefix: { 'equals-ignore-case': 'ab' } }] }, { field: 'ABc' })).toBe(true);
    expect(matches({ field: [{ 'equals-ignore-case': 'abc' }] }, { field: 'AbC' })).toBe(true);
    expect(matches({ field: [{ prefix: '1' }] }, { field: 12 })).toBe(false);
  });

  it('compares numbers within ranges, and never text with numbers', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), fc.integer(), (value, low, high) => {
        expect(matches({ field: [{ numeric: ['>', low, '<=', high] }] }, { field: value })).toBe(value > low && value <= high);
        expect(matches({ field: [{ numeric: ['=', low] }] }, { field: value })).toBe(value === low);
      }),
    );
    expect(matches({ field: [{ numeric: ['>', 0] }] }, { field: '5' })).toBe(false);
  });

  it('tells what is there from what is not, however deep', () => {
    expect(matches({ detail: { data: { note: [{ exists: false }] } } }, { detail: {} })).toBe(true);
    expect(matches({ detail: { note: [{ exists: true }] } }, { detail: { note: null } })).toBe(true);
    expect(matches({ detail: { note: [{ exists: false }] } }, { detail: { note: 'here' } })).toBe(false);
    expect(matches({ tags: [{ exists: true }] }, { tags: [] })).toBe(false);
  });

  it('takes an array in the event when one of its elements matches, also of objects', () => {
    expect(matches({ tags: ['b'] }, { tags: ['a', 'b'] })).toBe(true);
    expect(matches({ tags: ['c'] }, { tags: ['a', 'b'] })).toBe(false);
    expect(matches({ lines: { sku: ['tee'] } }, { lines: [{ sku: 'cap' }, { sku: 'tee' }] })).toBe(true);
  });

  it('joins fields by and, and the branches of $or by or', () => {
    const pattern = { source: ['shop'], $or: [{ kind: ['a'] }, { count: [{ numeric: ['>', 9] }] }] };
    expect(matches(pattern, { source: 'shop', kind: 'a' })).toBe(true);
    expect(matches(pattern, { source: 'shop', kind: 'b', count: 10 })).toBe(true);
    expect(matches(pattern, { source: 'shop', kind: 'b', count: 9 })).toBe(false);
    expect(matches(pattern, { source: 'other', kind: 'a' })).toBe(false);
  });

  it.each([
    { pattern: { ip: [{ cidr: '10.0.0.0/8' }] }, named: 'cidr' },
    { pattern: { path: [{ wildcard: '*.png' }] }, named: 'wildcard' },
    { pattern: { detail: { count: [{ numeric: ['~', 3] }] } }, named: 'numeric' },
    { pattern: { field: [{ prefix: 'a', suffix: 'b' }] }, named: 'prefix, suffix' },
    { pattern: { field: [{ 'anything-but': { wildcard: 'x*' } }] }, named: 'wildcard' },
    { pattern: {}, named: 'pattern' },
  ])('is refused at start, by name, when it uses what this runtime does not know: $named', ({ pattern, named }) => {
    expect(() => compilePattern(pattern, 'Stampede/Rule')).toThrow(new RegExp(`^Stampede/Rule.*${named}`));
  });
});
