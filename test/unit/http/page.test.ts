import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { DeadLettersQuery } from '../../../functions/operations/dead-letter.schemas.ts';
import { decodeCursor, encodeCursor, pageQuery } from '../../../functions/shared/page.ts';

const Query = z.strictObject(pageQuery('things'));

describe('a cursor', () => {
  it('leads back to where its page ended, whatever the key', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (position) => {
        expect(decodeCursor('things', encodeCursor('things', position))).toBe(position);
      }),
    );
  });

  it('can be sent in a query as it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (position) => {
        expect(encodeCursor('things', position)).toMatch(/^[A-Za-z0-9_-]+$/);
      }),
    );
  });

  it('that this list never gave out is refused', () => {
    const given = new Set(['a', 'b'].map((position) => encodeCursor('things', position)));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.base64String(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (cursor) => {
          fc.pre(!given.has(cursor));
          expect(decodeCursor('things', cursor)).toBeUndefined();
        },
      ),
    );
  });

  it('has one spelling', () => {
    const cursor = encodeCursor('things', 'a');
    for (const spelled of [`${cursor}=`, `${cursor} `, `${cursor}!`, cursor.slice(0, -1)])
      expect(decodeCursor('things', spelled)).toBeUndefined();
  });

  it('to a place that no list has is refused: half a character is in no key', () => {
    expect(decodeCursor('things', encodeCursor('things', 'a\ud800'))).toBeUndefined();
  });

  it('to nowhere is refused', () => {
    expect(decodeCursor('things', encodeCursor('things', ''))).toBeUndefined();
  });

  it('of another list is refused', () => {
    expect(decodeCursor('things', encodeCursor('others', 'a'))).toBeUndefined();
  });
});

describe('a page', () => {
  it('has 20 items unless 1 to 100 are asked for', () => {
    expect(Query.parse({})).toEqual({ limit: 20 });
    fc.assert(
      fc.property(fc.integer({ min: -1_000, max: 1_000 }), (limit) => {
        const parsed = Query.safeParse({ limit: String(limit) });
        expect(parsed.success).toBe(limit >= 1 && limit <= 100);
        if (parsed.success) expect(parsed.data.limit).toBe(limit);
      }),
    );
  });

  it.each(['1e1', '0x10', '+5', ' 5', '5 ', '٥', '1.0', ''])('does not take %j for a number', (limit) => {
    for (const query of [Query, DeadLettersQuery]) expect(query.safeParse({ limit }).success).toBe(false);
  });
});
