import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../../lib/client/connection.ts';
import type { OrderBody, ProblemBody } from '../../../lib/client/contract.ts';
import { buySeats, pickBlindly, pickFree, type SeatBuyer, seatNames } from '../../../lib/client/seating.ts';
import { anOrder } from './evidence.ts';

const received = { headers: {}, text: '' };
const granted = (seats: readonly string[]): Answer<OrderBody> => ({ ...received, status: 201, ok: true, body: anOrder(1, seats) });
const refused = (code: ProblemBody['code'], seats: readonly string[] = []): Answer<OrderBody> => ({
  ...{ ...received, status: 409, ok: false },
  body: { code, seats, status: 409, retryable: false, type: '', title: '', detail: '', instance: '' },
});
const seats = seatNames(6);

/** Buys two of six seats; `taken` are somebody else's, and the list shows `shown` as free. */
async function buy(taken: readonly string[], shown: readonly string[] | undefined, changes: Partial<SeatBuyer> = {}) {
  const sent: (readonly string[])[] = [];
  const seating = await buySeats({
    ...{ seats, quantity: 2, policy: { attemptsMax: 1, waitMsMax: 0 }, random: () => 0 },
    chart: { look: async () => shown && new Set(shown) },
    async send(wanted) {
      sent.push(wanted);
      const others = wanted.filter((seat) => taken.includes(seat));
      return others.length > 0 ? refused('SEAT_TAKEN', others) : granted(wanted);
    },
    ...changes,
  });
  return { seating, sent };
}

describe('the names of seats', () => {
  it('run in rows, are all different, and are such as a sale takes', () => {
    expect([1, 25, 26, 650, 651, 20_000].map((count) => seatNames(count).at(-1))).toEqual(['A-1', 'A-25', 'B-1', 'Z-25', 'AA-1', 'ADT-25']);
    const all = seatNames(20_000);
    expect(new Set(all).size).toBe(20_000);
    expect(all.filter((seat) => !/^[A-Za-z0-9._-]{1,32}$/.test(seat))).toEqual([]);
  });
});

const unit = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a pick of seats', () => {
  it('without looking is always of neighbours', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 20 }), unit, (count, quantity, random) => {
        const all = seatNames(count);
        const picked = pickBlindly(all, quantity, random);
        expect(picked).toHaveLength(Math.min(count, quantity));
        expect(all.join()).toContain(picked.join());
      }),
    );
  });

  it('by the list is of free seats alone, of neighbours if there are any, and there is one whenever enough are free', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 29 })), fc.integer({ min: 1, max: 5 }), unit, (places, quantity, random) => {
        const all = seatNames(30);
        const free = new Set(places.map((place) => all[place] ?? ''));
        const picked = pickFree(all, free, quantity, random);
        expect(picked?.length).toBe(free.size < quantity ? undefined : quantity);
        if (!picked) return;
        expect(new Set(picked).size).toBe(quantity);
        expect(picked.filter((seat) => !free.has(seat))).toEqual([]);
        const isFree = (at: number) => free.has(all[at] ?? '');
        const areSideBySide = all.some((_, at) => Array.from({ length: quantity }, (__, step) => at + step).every(isFree));
        if (areSideBySide) expect(all.join()).toContain(picked.join());
      }),
    );
  });
});

describe('a buyer of seats', () => {
  it('who finds them taken asks for others that are free, as another order', async () => {
    const { seating, sent } = await buy(['A-1'], ['A-4', 'A-5']);
    expect(sent).toEqual([
      ['A-1', 'A-2'],
      ['A-4', 'A-5'],
    ]);
    expect(seating).toMatchObject({ picks: 2, asked: ['A-4', 'A-5'], refused: ['A-1'], gaveUp: false, answer: { status: 201 } });
  });

  it('ends once too few are free', async () => {
    const { seating } = await buy(seats, ['A-6']);
    expect(seating).toMatchObject({ picks: 1, gaveUp: false, answer: { body: { code: 'SEAT_TAKEN' } } });
  });

  it('gives up after a number of picks, or when the list can’t be read, and says that it was so', async () => {
    const { seating, sent } = await buy(seats, seats);
    expect([seating.picks, sent.length, seating.gaveUp]).toEqual([20, 20, true]);
    expect((await buy(seats, undefined)).seating).toMatchObject({ picks: 1, gaveUp: true });
  });

  it('takes every other refusal as the end', async () => {
    const { seating } = await buy([], seats, { send: async () => refused('BUYER_LIMIT') });
    expect(seating).toMatchObject({ picks: 1, gaveUp: false, answer: { body: { code: 'BUYER_LIMIT' } } });
  });
});
