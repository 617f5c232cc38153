import { describe, expect, it } from 'vitest';
import { driftOfCounted, type OwnedUnits } from '../../../functions/operations/drift.model.ts';
import { Findings } from '../../../functions/operations/findings.model.ts';
import { ItemPicture } from '../../../functions/operations/stock-picture.model.ts';

const tee = { sku: 'tee', total: 10 };
const ofOrder = (orderId: string, hasOrder = true) => ({ orderId, hasOrder });
const rows = (owners: Readonly<Record<string, string>>, state: 'HELD' | 'RETIRED' = 'HELD'): OwnedUnits =>
  new Map(Object.entries(owners).map(([unit, orderId]) => [unit, { orderId, state }]));

interface Stock {
  total?: number;
  available: number;
  given: number;
  held?: Readonly<Record<string, readonly ReturnType<typeof ofOrder>[]>>;
  free?: readonly (readonly [number, number])[];
  suspects?: readonly (readonly [number, number])[];
}
function pictureOf({ held = {}, free = [], suspects = [], total = 10, ...read }: Stock): ItemPicture {
  const picture = new ItemPicture({ sku: 'tee', total, ...read });
  for (const [unit, holders] of Object.entries(held)) for (const holder of holders) picture.seeHeld(unit, holder);
  for (const [first, last] of free) picture.seeFree({ sku: 'tee', first, last });
  for (const [first, last] of suspects) picture.seeSuspects({ sku: 'tee', first, last });
  return picture;
}
function judged(owned: OwnedUnits, stock: Stock) {
  const findings = new Findings(100);
  const addsUp = driftOfCounted(tee, owned, pictureOf(stock), findings);
  return { addsUp, drift: [...findings.shown] };
}

describe('a counted item in Redis, held against its rows', () => {
  it('adds up when each row’s unit is held for its order, and the rest is for sale', () => {
    const stock = { available: 8, given: 2, held: { 1: [ofOrder('a')], 2: [ofOrder('b')] } };
    expect(judged(rows({ 1: 'a', 2: 'b' }), stock)).toStrictEqual({ addsUp: true, drift: [] });
  });

  it('adds up while holds have units without a row: their orders are being written, or they expire', () => {
    expect(judged(rows({ 1: 'a' }), { available: 8, given: 2, held: { 1: [ofOrder('a')], 2: [ofOrder('b', false)] } })).toStrictEqual({
      addsUp: true,
      drift: [],
    });
  });

  it('adds up when units that came back are for sale beside those never given out', () => {
    expect(judged(rows({ 4: 'a' }), { available: 9, given: 1, free: [[1, 3]], held: { 4: [ofOrder('a')] } })).toStrictEqual({
      addsUp: true,
      drift: [],
    });
  });

  it('has no hold of a unit that is out of sale', () => {
    expect(judged(rows({ 1: 'a' }, 'RETIRED'), { available: 9, given: 1 })).toStrictEqual({ addsUp: true, drift: [] });
    expect(judged(rows({ 1: 'a' }, 'RETIRED'), { available: 9, given: 1, held: { 1: [ofOrder('a')] } }).drift).toStrictEqual([
      'tee 1 is out of sale, and Redis holds it for a',
    ]);
    expect(judged(rows({ 1: 'a' }, 'RETIRED'), { available: 10, given: 0 })).toStrictEqual({
      addsUp: false,
      drift: ['tee 1 is out of sale, and is for sale in Redis', 'of tee, Redis has 1 units more to sell than there are'],
    });
  });

  it('names another total', () => {
    expect(judged(rows({}), { total: 11, available: 10, given: 0 })).toStrictEqual({
      addsUp: true,
      drift: ['tee has a total of 11 in Redis, of 10 in the sale'],
    });
  });

  it.each([
    [
      'held for others',
      { available: 9, given: 1, held: { 1: [ofOrder('b'), ofOrder('a'), ofOrder('c')] } },
      'tee 1 belongs to a, and Redis holds it for b, c',
    ],
    [
      'for sale, having come back',
      { available: 9, given: 0, free: [[1, 1]] as const, held: { 1: [ofOrder('a')] } },
      'tee 1 belongs to a, and is for sale in Redis',
    ],
    ['for sale, never given out', { available: 9, given: 0, held: { 1: [ofOrder('a')] } }, 'tee 1 belongs to a, and is for sale in Redis'],
    ['unknown', { available: 9, given: 1 }, 'tee 1 belongs to a, of which Redis does not know'],
  ])('names a unit with a row that is %s', (_, stock, words) => {
    expect(judged(rows({ 1: 'a' }), stock).drift).toStrictEqual([words]);
  });

  it('does not call a unit unknown that is under suspicion', () => {
    expect(judged(rows({ 1: 'a' }), { available: 9, given: 1, suspects: [[1, 1]] })).toStrictEqual({
      addsUp: true,
      drift: ['tee 1 is under suspicion in Redis, and belongs to a'],
    });
    expect(judged(rows({ 2: 'a' }), { available: 8, given: 2, suspects: [[1, 1]], held: { 2: [ofOrder('a')] } })).toStrictEqual({
      addsUp: true,
      drift: ['tee 1 is under suspicion in Redis, and nobody has it'],
    });
  });

  it('counts a unit once that is under suspicion and held', () => {
    const stock = { available: 9, given: 1, suspects: [[1, 1]] as const, held: { 1: [ofOrder('a', false)] } };
    expect(judged(rows({}), stock).addsUp).toBe(true);
  });

  it('names a unit without a row that is held twice, is for sale, or is held for an order', () => {
    const held = { 2: [ofOrder('a', false), ofOrder('b', false)], 3: [ofOrder('c', false), ofOrder('d')] };
    expect(judged(rows({}), { available: 8, given: 1, free: [[1, 1]], held }).drift).toStrictEqual([
      'tee 2 is held 2 times in Redis',
      'tee 3 is held 2 times in Redis',
      'tee 3 is held and for sale in Redis',
      'tee 3 is held in Redis for d, which has no row of it',
    ]);
  });

  it('says how many units are nowhere, or too many', () => {
    expect(judged(rows({}), { available: 8, given: 0 })).toStrictEqual({
      addsUp: false,
      drift: ["of tee, 2 units are neither for sale in Redis nor anybody's"],
    });
    expect(judged(rows({}), { available: 13, given: 0 })).toStrictEqual({
      addsUp: false,
      drift: ['of tee, Redis has 3 units more to sell than there are'],
    });
  });
});

describe('where Redis has a counted unit', () => {
  const picture = pictureOf({
    available: 5,
    given: 5,
    free: [
      [2, 3],
      [5, 5],
      [7, 9],
    ],
    suspects: [[11, 12]],
  });

  it('is for sale in one of the ranges that came back, both ends included, or beyond what was given out', () => {
    // Five were given out, and six came back: what is above eleven never was.
    const free = Array.from({ length: 14 }, (_, index) => index + 1).filter((serial) => picture.isFree(String(serial)));
    expect(free).toStrictEqual([2, 3, 5, 7, 8, 9, 12, 13, 14]);
  });

  it('is under suspicion in one of the other ranges', () => {
    expect([10, 11, 12, 13].filter((serial) => picture.isSuspect(String(serial)))).toStrictEqual([11, 12]);
    expect([...picture.suspects()]).toStrictEqual(['11', '12']);
    expect(pictureOf({ available: 0, given: 0 }).isSuspect('1')).toBe(false);
  });
});
