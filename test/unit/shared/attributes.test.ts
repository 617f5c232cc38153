import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Attributes, marshalled, NotAnAttribute, unmarshalled } from '../../../functions/shared/attributes.ts';

// Names that JavaScript has a meaning for are no names of ours, and the SDK stumbles over them.
const name = fc.string({ minLength: 1 }).filter((text) => text !== '__proto__' && text !== 'constructor');
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
const items = fc.dictionary(name, values.value, { maxKeys: 8, noNullPrototype: true });

describe('an item in DynamoDB’s form', () => {
  it('is what the SDK makes of it, and comes back as the SDK gives it back', () => {
    fc.assert(
      fc.property(items, (item) => {
        const theirs = marshall(item, { removeUndefinedValues: true });
        expect(marshalled(item)).toEqual(theirs);
        expect(unmarshalled(theirs as Attributes)).toEqual(unmarshall(theirs));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['a number that is none', Number.NaN],
    ['a number without an end', Number.POSITIVE_INFINITY],
    ['an integer that would change', 2 ** 53],
    ['bytes', new Uint8Array(1)],
    ['a set', new Set(['a'])],
    ['a date', new Date(0)],
    ['a function', () => 1],
    ['a big integer', 1n],
  ])('is none with %s, which nothing of ours stores', (_, value) => {
    expect(() => marshalled({ value })).toThrow(NotAnAttribute);
    expect(() => marshalled({ list: [value] })).toThrow(NotAnAttribute);
  });

  it.each([{ SS: ['a'] }, { B: 'AA==' }, { NS: ['1'] }])('is not read where it has %j', (value) => {
    expect(() => unmarshalled({ value } as unknown as Attributes)).toThrow(NotAnAttribute);
  });

  it('is not read where a number in it would change', () => {
    expect(() => unmarshalled({ value: { N: '9007199254740993' } })).toThrow(NotAnAttribute);
  });
});
