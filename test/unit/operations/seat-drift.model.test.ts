import { describe, expect, it } from 'vitest';
import { Findings } from '../../../functions/operations/findings.model.ts';
import { driftOfSeated } from '../../../functions/operations/seat-drift.model.ts';
import { ItemPicture } from '../../../functions/operations/stock-picture.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import type { UnitState } from '../../../functions/stock/stock.model.ts';

const seats = ['A-1', 'A-2', 'A-3'];
const [ada, bob] = ['AAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBA'];
const [adas, bobs] = [orderIdOf(ada), orderIdOf(bob)];

type Place = 'free' | 'suspect' | 'retired' | { readonly heldBy: string };
interface Hall {
  total?: number;
  available: number;
  places: Readonly<Record<string, Place>>;
  named?: readonly (readonly [seat: string, orderId: string, hasOrder: boolean])[];
  rows?: Readonly<Record<string, readonly [orderId: string, state: UnitState]>>;
}

function judged({ total = 3, available, places, named = [], rows = {} }: Hall) {
  const picture = new ItemPicture({ sku: 'hall', total, available, given: 0 });
  for (const [seat, place] of Object.entries(places)) {
    picture.places.set(
      seat,
      typeof place === 'string' ? { sku: 'hall', seat, state: place } : { sku: 'hall', seat, state: 'held', holdId: place.heldBy },
    );
  }
  for (const [seat, orderId, hasOrder] of named) picture.seeHeld(seat, { orderId, hasOrder });
  const findings = new Findings(100);
  const owned = new Map(Object.entries(rows).map(([seat, [orderId, state]]) => [seat, { orderId, state }]));
  return { addsUp: driftOfSeated({ sku: 'hall', total: 3 }, seats, owned, picture, findings), drift: [...findings.shown] };
}
const free = { 'A-1': 'free', 'A-2': 'free', 'A-3': 'free' } as const;
const adasSeat = { ...free, 'A-1': { heldBy: ada } };

describe('a seated item in Redis, held against its rows', () => {
  it('adds up when all is for sale', () => {
    expect(judged({ available: 3, places: free })).toStrictEqual({ addsUp: true, drift: [] });
  });

  it('adds up when a seat is held for the order that has its row, and one is out of sale by both', () => {
    expect(
      judged({
        available: 1,
        places: { ...adasSeat, 'A-2': 'retired' },
        named: [['A-1', adas, true]],
        rows: { 'A-1': [adas, 'SOLD'], 'A-2': [bobs, 'RETIRED'] },
      }),
    ).toStrictEqual({ addsUp: true, drift: [] });
  });

  it('adds up while a hold has no order yet', () => {
    expect(judged({ available: 2, places: adasSeat, named: [['A-1', adas, false]] })).toStrictEqual({ addsUp: true, drift: [] });
  });

  it('names another total, seats that are missing and seats that were never listed', () => {
    expect(judged({ total: 4, available: 3, places: { 'A-1': 'free', 'A-2': 'free', 'B-9': 'free' } })).toStrictEqual({
      addsUp: true,
      drift: [
        'hall has a total of 4 in Redis, of 3 in the sale',
        'hall A-3 is not in Redis',
        'hall B-9 is in Redis, and was never put on sale',
      ],
    });
  });

  it('names a counter that differs from what is free, and does not add up', () => {
    expect(judged({ available: 2, places: free })).toStrictEqual({
      addsUp: false,
      drift: ['of hall, Redis counts 2 free seats and has 3', "of hall, 1 units are neither for sale in Redis nor anybody's"],
    });
    // Not even where what is counted is what the rows leave.
    expect(judged({ available: 2, places: free, rows: { 'A-1': [adas, 'SOLD'] } }).addsUp).toBe(false);
  });

  it.each([
    ['free', 'is for sale in Redis'],
    ['suspect', 'is under suspicion in Redis'],
    ['retired', 'is out of sale in Redis'],
  ] as const)('names an order’s seat that is %s', (place, where) => {
    const { drift } = judged({ available: place === 'free' ? 3 : 2, places: { ...free, 'A-1': place }, rows: { 'A-1': [adas, 'SOLD'] } });
    expect(drift[0]).toBe(`hall A-1 belongs to ${adas}, and ${where}`);
  });

  it('names an order’s seat that is held for another', () => {
    const stock = { available: 2, places: { ...free, 'A-1': { heldBy: bob } }, named: [['A-1', bobs, true]] as const };
    expect(judged({ ...stock, rows: { 'A-1': [adas, 'SOLD'] } })).toStrictEqual({
      addsUp: true,
      drift: [`hall A-1 belongs to ${adas}, and Redis holds it for ${bobs}`],
    });
  });

  it('names a seat that is out of sale by its row and not in Redis', () => {
    const { drift } = judged({ available: 3, places: free, rows: { 'A-1': [adas, 'RETIRED'] } });
    expect(drift).toStrictEqual([
      'hall A-1 is out of sale, and is for sale in Redis',
      'of hall, Redis has 1 units more to sell than there are',
    ]);
  });

  it('names a seat without a row that is under suspicion, which still adds up', () => {
    expect(judged({ available: 2, places: { ...free, 'A-2': 'suspect' } })).toStrictEqual({
      addsUp: true,
      drift: ['hall A-2 is under suspicion in Redis, and nobody has it'],
    });
  });

  it('names a seat without a row that is out of sale, which is then nowhere', () => {
    expect(judged({ available: 2, places: { ...free, 'A-2': 'retired' } })).toStrictEqual({
      addsUp: false,
      drift: [
        'hall A-2 is out of sale in Redis, and has no row that says so',
        "of hall, 1 units are neither for sale in Redis nor anybody's",
      ],
    });
  });

  it('names a seat without a row that an order’s hold has', () => {
    const named = [
      ['A-1', bobs, true],
      ['A-1', adas, true],
    ] as const;
    expect(judged({ available: 2, places: adasSeat, named })).toStrictEqual({
      addsUp: true,
      drift: [
        `hall A-1 is held in Redis for ${adas}, which has no row of it`,
        `hall A-1 is named by the hold of ${bobs} in Redis, which does not have it`,
      ],
    });
  });

  it('names a seat whose hold does not name it, and holds that name a seat they do not have', () => {
    expect(judged({ available: 2, places: adasSeat })).toStrictEqual({
      addsUp: true,
      drift: [`hall A-1 is held in Redis for ${adas}, whose hold does not name it`],
    });
    expect(judged({ available: 3, places: free, named: [['A-2', bobs, true]] })).toStrictEqual({
      addsUp: true,
      drift: [`hall A-2 is named by the hold of ${bobs} in Redis, which does not have it`],
    });
  });
});
