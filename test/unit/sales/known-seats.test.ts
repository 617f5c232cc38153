import { describe, expect, it } from 'vitest';
import { knownSeats } from '../../../functions/sales/known-seats.ts';

function remembering(seatsOf: (saleId: string, chunks: number) => string[]) {
  const reads: string[] = [];
  const known = knownSeats(async ({ saleId, seatChunks = 0 }) => {
    reads.push(`${saleId}:${seatChunks}`);
    return new Map([['hall', seatsOf(saleId, seatChunks)]]);
  });
  return { known, reads };
}

describe('seats that a container remembers', () => {
  it('are read again only for a sale that has more rows of them', async () => {
    const { known, reads } = remembering((_, chunks) => Array.from({ length: chunks }, (_, index) => `A-${index}`));
    const seatsAt = async (seatChunks: number) => (await known.list({ saleId: 'gig', seatChunks })).get('hall')?.length;
    expect(await seatsAt(1)).toBe(1);
    expect(await seatsAt(1)).toBe(1);
    expect(await seatsAt(2)).toBe(2);
    // A copy of the sale that is older than what is known is no reason to forget.
    expect(await seatsAt(1)).toBe(2);
    expect((await known.names({ saleId: 'gig', seatChunks: 2 })).get('hall')?.has('A-1')).toBe(true);
    expect(reads).toEqual(['gig:1', 'gig:2']);
  });

  it('are so many at most, and the oldest go first', async () => {
    const many = Array.from({ length: 600_000 }, (_, index) => String(index));
    const { known, reads } = remembering(() => many);
    for (const saleId of ['one', 'two', 'two', 'one']) await known.list({ saleId, seatChunks: 1 });
    expect(reads).toEqual(['one:1', 'two:1', 'one:1']);
  });
});
