import { describe, expect, it } from 'vitest';
import type { HoldSeen } from '../../../functions/reconciliation/drift.model.ts';
import { identityOf, unitNames } from '../../../functions/reconciliation/drift.model.ts';
import { HoldTable, nobody } from '../../../functions/reconciliation/holds.model.ts';
import { type ComparedRow, SalePicture } from '../../../functions/reconciliation/sale-picture.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import type { SeatPlace } from '../../../functions/stock/stock.model.ts';

const nowMs = 1_000_000;
const recentMs = 10;
const tee = { sku: 'tee', seated: false, total: 10, next: 6, free: 0 };
const hall = { sku: 'hall', seated: true, total: 3, next: 0, free: 0 };
const tees = (...units: number[]) => ({ sku: 'tee', units: units.map(String) });
const seats = (...units: string[]) => ({ sku: 'hall', units, seated: true as const });
const hold = (holdId: string, changes: Partial<HoldSeen> = {}): HoldSeen => ({
  holdId,
  buyerId: 'ada',
  payloadHash: 'hash',
  bornUs: 1,
  expiresAtMs: nowMs + 1_000,
  lines: [],
  slots: [],
  state: 'acknowledged',
  ...changes,
});
const row = (holdId: string, unit: string | number, changes: Partial<ComparedRow> = {}): ComparedRow => ({
  sku: 'tee',
  unit: String(unit),
  orderId: orderIdOf(holdId),
  buyerId: 'ada',
  state: 'HELD',
  atMs: 0,
  ...changes,
});
const place = (seat: string, state: 'free' | 'suspect' | 'retired' | { readonly heldBy: string }): SeatPlace =>
  typeof state === 'string' ? { sku: 'hall', seat, state } : { sku: 'hall', seat, state: 'held', holdId: state.heldBy };
const of = (holdId: string, hold = holdId) => ({ orderId: orderIdOf(holdId), holdId: hold });

function pictured(see: (picture: SalePicture) => void, items = [tee]) {
  const picture = new SalePicture(items, nowMs, recentMs);
  see(picture);
  return { orders: [...picture.orders()], drift: [...picture.drift()], counted: picture.counted };
}
/** All of `tee` that was given out is somewhere, so nothing is leaked. */
const rest = (picture: SalePicture, first: number) => picture.seeSuspects({ sku: 'tee', first, last: 5 });

describe('an order’s units, held against Redis', () => {
  it('are right when its hold has them and they are not for sale', () => {
    const found = pictured((picture) => {
      picture.seeHold(hold('a', { lines: [tees(1, 2)] }));
      rest(picture, 3);
      picture.seeRow(row('a', 1));
      picture.seeRow(row('a', 2, { state: 'SOLD' }));
      picture.seeOrder(orderIdOf('a'), 0);
    });
    expect(found).toStrictEqual({ orders: [], drift: [], counted: { rows: 2, holds: 1 } });
  });

  it.each([
    ['no hold has them', () => {}],
    ['another hold has them', (picture: SalePicture) => picture.seeHold(hold('b', { lines: [tees(1)], state: 'held' }))],
    ['its hold has ended', (picture: SalePicture) => picture.seeHold(hold('a', { lines: [tees(1)], state: 'ended' }))],
    [
      'they are for sale, having come back',
      (picture: SalePicture) => {
        picture.seeHold(hold('a', { lines: [tees(1)], state: 'held' }));
        picture.seeFree({ sku: 'tee', first: 1, last: 1 });
      },
    ],
  ])('are looked into when %s', (_, see) => {
    const { orders } = pictured((picture) => {
      see(picture);
      rest(picture, 2);
      picture.seeRow(row('a', 1));
    });
    expect(orders).toStrictEqual([of('a')]);
  });

  it('are looked into when they were never given out, or are of an item that Redis does not have', () => {
    const lookedInto = (unit: number, sku: string) =>
      pictured((picture) => {
        picture.seeHold(hold('a', { lines: [{ sku, units: [String(unit)] }], state: 'held' }));
        rest(picture, 1);
        picture.seeRow(row('a', unit, { sku }));
      }).orders;
    expect(lookedInto(5, 'tee')).toStrictEqual([]);
    expect(lookedInto(6, 'tee')).toStrictEqual([of('a')]);
    expect(lookedInto(5, 'cap')).toStrictEqual([of('a')]);
  });

  it('are nobody’s and not for sale when they are out of sale', () => {
    const lookedInto = (see: (picture: SalePicture) => void) =>
      pictured((picture) => {
        picture.seeHold(hold('a', { state: 'ended' }));
        see(picture);
        rest(picture, 2);
        picture.seeRow(row('a', 1, { state: 'RETIRED' }));
      }).orders;
    expect(lookedInto(() => {})).toStrictEqual([]);
    expect(lookedInto((picture) => picture.seeFree({ sku: 'tee', first: 1, last: 1 }))).toStrictEqual([of('a')]);
    expect(lookedInto((picture) => picture.seeHold(hold('b', { lines: [tees(1)], state: 'held' })))).toStrictEqual([of('a')]);
  });

  it('are left alone when they were written a moment ago', () => {
    const lookedInto = (atMs: number) => pictured((picture) => picture.seeRow(row('a', 1, { atMs }))).orders;
    expect(lookedInto(nowMs - recentMs)).toStrictEqual([of('a')]);
    expect(lookedInto(nowMs - recentMs + 1)).toStrictEqual([]);
  });

  it('are those of the hold that the row names, where it names one', () => {
    const { orders } = pictured((picture) => {
      picture.seeHold(hold('later', { lines: [tees(1)], state: 'held' }));
      rest(picture, 2);
      picture.seeRow(row('a', 1, { holdId: 'later' }));
      picture.seeRow(row('b', 2, { holdId: 'gone' }));
    });
    expect(orders).toStrictEqual([of('b', 'gone')]);
  });

  it('are the acknowledged hold’s where two holds name them', () => {
    const lookedInto = (holds: readonly HoldSeen[]) =>
      pictured((picture) => {
        for (const each of holds) picture.seeHold(each);
        rest(picture, 2);
        picture.seeRow(row('a', 1));
      }).orders;
    const [acknowledged, held] = [hold('a', { lines: [tees(1)] }), hold('b', { lines: [tees(1)], state: 'held' })];
    expect(lookedInto([acknowledged, held])).toStrictEqual([]);
    expect(lookedInto([held, acknowledged])).toStrictEqual([]);
  });

  it('are all of what an acknowledged hold has: one whose rows are missing is looked into, once', () => {
    const { orders } = pictured((picture) => {
      picture.seeHold(hold('a', { lines: [tees(1, 2)] }));
      picture.seeHold(hold('b', { lines: [tees(3)], state: 'confirmed' }));
      picture.seeHold(hold('c', { lines: [tees(4)], state: 'held' }));
      picture.seeHold(hold('d', { lines: [tees(5)], state: 'cart' }));
      picture.seeRow(row('a', 1));
      picture.seeOrder(orderIdOf('e'), 0);
      picture.seeOrder(orderIdOf('a'), 0);
    });
    expect(orders).toStrictEqual([of('e'), of('a'), of('b')]);
  });

  it('are looked into once where both a row and the hold are wrong', () => {
    const { orders } = pictured((picture) => {
      picture.seeHold(hold('a', { lines: [tees(1, 2)] }));
      rest(picture, 3);
      picture.seeFree({ sku: 'tee', first: 1, last: 1 });
      picture.seeRow(row('a', 1));
    });
    expect(orders).toStrictEqual([of('a')]);
  });
});

describe('an order without a hold or a mark', () => {
  it('is looked into unless it was made a moment ago', () => {
    const lookedInto = (atMs: number) => pictured((picture) => picture.seeOrder(orderIdOf('a'), atMs)).orders;
    expect(lookedInto(nowMs - recentMs)).toStrictEqual([of('a')]);
    expect(lookedInto(nowMs - recentMs + 1)).toStrictEqual([]);
  });
});

describe('a buyer’s slots', () => {
  const drift = (see: (picture: SalePicture) => void) =>
    pictured((picture) => {
      rest(picture, 1);
      see(picture);
    }).drift;

  it('are too many where nothing uses them', () => {
    const tooMany = (...slots: number[]) => ({
      kind: 'allowance-too-high',
      subject: 'ada',
      detail: `slots ${slots.join(', ')} are used by nothing`,
      about: 'slots',
      buyerId: 'ada',
      slots,
    });
    expect(drift((picture) => picture.seeUsed('ada', [1, 3, 20]))).toStrictEqual([tooMany(1, 3, 20)]);
    expect(
      drift((picture) => {
        picture.seeUsed('ada', [1, 2, 3, 4, 20]);
        picture.seeHold(hold('a', { slots: [1], state: 'held' }));
        picture.seeHold(hold('b', { slots: [2], state: 'cart' }));
        picture.seeHold(hold('c', { slots: [3], state: 'ended' }));
        picture.seeHold(hold('d', { slots: [20], buyerId: 'bob', state: 'held' }));
        picture.seeRow(row('e', 1, { slot: 4, state: 'RETIRED' }));
      }),
    ).toStrictEqual([tooMany(3, 20)]);
    expect(drift((picture) => picture.seeUsed('ada', []))).toStrictEqual([]);
  });

  it('are looked into where a row’s slot is not used', () => {
    const lookedInto = (...slots: number[]) =>
      pictured((picture) => {
        picture.seeUsed('ada', slots);
        picture.seeUsed('bob', [2]);
        picture.seeHold(hold('a', { lines: [tees(1)], state: 'held' }));
        picture.seeRow(row('a', 1, { slot: 2 }));
      }).orders;
    expect(lookedInto(2)).toStrictEqual([]);
    expect(lookedInto(1, 3)).toStrictEqual([of('a')]);
  });
});

describe('counted units', () => {
  it('are leaked when they were given out and are in no place', () => {
    const { drift } = pictured((picture) => {
      picture.seeHold(hold('a', { lines: [tees(2)], state: 'held' }));
      picture.seeSuspects({ sku: 'tee', first: 4, last: 4 });
      picture.seeRow(row('b', 5, { state: 'RETIRED' }));
    });
    expect(drift).toStrictEqual([{ kind: 'unit-leaked', subject: 'tee', detail: '2 units', about: 'units', sku: 'tee', serials: [1, 3] }]);
  });

  it('are not leaked beyond the total, whatever was given out', () => {
    const { drift } = pictured((picture) => picture.seeSuspects({ sku: 'tee', first: 1, last: 2 }), [{ ...tee, total: 3, next: 9 }]);
    expect(drift).toMatchObject([{ kind: 'unit-leaked', serials: [3] }]);
  });

  it('are counted as they are in the pool, unless they move meanwhile', () => {
    const drift = (...again: readonly (typeof tee)[]) =>
      pictured(
        (picture) => {
          picture.seeFree({ sku: 'tee', first: 1, last: 3 });
          picture.seeFree({ sku: 'tee', first: 5, last: 5 });
          picture.seeFree({ sku: 'cap', first: 1, last: 5 });
          picture.seeSuspects({ sku: 'cap', first: 1, last: 5 });
          picture.seeSuspects({ sku: 'tee', first: 4, last: 4 });
          picture.seeCountersAgain(again);
        },
        [{ ...tee, free: 6 }],
      ).drift;
    const wrong = {
      kind: 'counter-wrong',
      subject: 'tee',
      detail: '6 by the counter, 4 in the pool',
      about: 'item',
      sku: 'tee',
      off: { total: 0, free: 2 },
    };
    expect(drift()).toStrictEqual([wrong]);
    expect(drift({ ...tee, free: 6 })).toStrictEqual([wrong]);
    expect(drift({ ...tee, free: 5 })).toStrictEqual([]);
    expect(drift({ ...tee, free: 6, total: 11 })).toStrictEqual([]);
    expect(drift({ ...tee, sku: 'cap' })).toStrictEqual([wrong]);
  });
});

describe('seats', () => {
  const wrong = (seat: string, owner: string) => ({
    kind: 'seat-wrong',
    subject: `hall ${seat}`,
    detail: `its field has ${owner}`,
    about: 'seat',
    sku: 'hall',
    seat,
    owner,
  });
  const drift = (places: readonly SeatPlace[], counters: Partial<typeof hall>, see: (picture: SalePicture) => void = () => {}) =>
    pictured(
      (picture) => {
        for (const each of places) picture.seeSeat(each);
        see(picture);
      },
      [{ ...hall, total: places.length, ...counters }],
    ).drift;

  it('without a row are free, of a hold that names them, or under suspicion and listed', () => {
    const places = [place('A-1', 'free'), place('A-2', { heldBy: 'a' }), place('A-3', 'suspect')];
    expect(
      drift(places, { free: 1 }, (picture) => {
        picture.seeHold(hold('a', { lines: [seats('A-2')], state: 'held' }));
        picture.seeSuspectSeat('hall', 'A-3');
        picture.seeSuspectSeat('cap', 'A-3');
        picture.seeSeat({ sku: 'cap', seat: 'A-1', state: 'free' });
      }),
    ).toStrictEqual([]);
  });

  it('are wrong when nothing stands behind what their fields have', () => {
    const places = [place('A-1', { heldBy: 'a' }), place('A-2', { heldBy: 'b' }), place('A-3', 'suspect'), place('A-4', 'retired')];
    const found = drift(places, {}, (picture) => {
      picture.seeHold(hold('a', { lines: [seats('A-9')], state: 'held' }));
      picture.seeHold(hold('b', { lines: [seats('A-2')], state: 'ended' }));
      picture.seeSuspectSeat('hall', 'A-1');
      picture.seeSuspectSeat('hall', 'A-4');
    });
    expect(found).toStrictEqual([wrong('A-1', 'a'), wrong('A-2', 'b'), wrong('A-3', '?'), wrong('A-4', '-')]);
  });

  it('with a row are the row’s order’s to be judged by', () => {
    const lookedInto = (at: SeatPlace, holds: readonly HoldSeen[], state: ComparedRow['state'] = 'HELD') => {
      const found = pictured(
        (picture) => {
          for (const each of holds) picture.seeHold(each);
          picture.seeSeat(at);
          picture.seeRow(row('a', 'A-1', { sku: 'hall', seated: true, state }));
        },
        [{ ...hall, total: 1, free: at.state === 'free' ? 1 : 0 }],
      );
      expect(found.drift).toStrictEqual([]);
      return found.orders;
    };
    const own = hold('a', { lines: [seats('A-1')] });
    expect(lookedInto(place('A-1', { heldBy: 'a' }), [own])).toStrictEqual([]);
    expect(lookedInto(place('A-1', { heldBy: 'a' }), [])).toStrictEqual([of('a')]);
    expect(lookedInto(place('A-1', { heldBy: 'b' }), [own])).toStrictEqual([of('a')]);
    for (const state of ['free', 'suspect', 'retired'] as const) expect(lookedInto(place('A-1', state), [own])).toStrictEqual([of('a')]);
    expect(lookedInto(place('A-1', 'retired'), [hold('a', { state: 'ended' })], 'RETIRED')).toStrictEqual([]);
    expect(lookedInto(place('A-1', 'free'), [hold('a', { state: 'ended' })], 'RETIRED')).toStrictEqual([of('a')]);
  });

  it('of an order that Redis does not have are looked into', () => {
    const seated = { sku: 'hall', seated: true } as const;
    expect(pictured((picture) => picture.seeRow(row('a', 'A-1', seated)), []).orders).toStrictEqual([of('a')]);
    expect(pictured((picture) => picture.seeRow(row('a', 'A-1', { ...seated, state: 'RETIRED' })), []).orders).toStrictEqual([of('a')]);
    expect(pictured((picture) => picture.seeRow(row('a', 'A-1', seated)), [hall]).orders).toStrictEqual([of('a')]);
  });

  it('are as many as the counters say, free ones and all', () => {
    const places = [place('A-1', 'free'), place('A-2', 'free')];
    const counterWrong = (total: number, free: number) => ({
      kind: 'counter-wrong',
      subject: 'hall',
      detail: `${free} free of ${total} by the counters, 2 of 2 by the seats`,
      about: 'item',
      sku: 'hall',
      off: { total: total - 2, free: free - 2 },
    });
    expect(drift(places, { free: 2 })).toStrictEqual([]);
    expect(drift(places, { free: 1 })).toStrictEqual([counterWrong(2, 1)]);
    expect(drift(places, { free: 2, total: 5 })).toStrictEqual([counterWrong(5, 2)]);
    const moved = (picture: SalePicture) => picture.seeCountersAgain([{ ...hall, total: 5, free: 2 }]);
    expect(drift(places, { free: 1, total: 5 }, moved)).toStrictEqual([]);
  });
});

describe('what is to end', () => {
  const drift = (changes: Partial<HoldSeen>, see: (picture: SalePicture) => void = () => {}) =>
    pictured((picture) => {
      rest(picture, 1);
      picture.seeHold(hold('a', changes));
      see(picture);
    }).drift;

  it('is a hold without an order whose time is up, when nothing leads to it', () => {
    const overdue = { state: 'held', expiresAtMs: nowMs - recentMs - 1 } as const;
    const listed = { kind: 'hold-not-listed', subject: 'a', detail: 'its time is up', about: 'hold', hold: hold('a', overdue) };
    expect(drift(overdue)).toStrictEqual([listed]);
    expect(drift({ ...overdue, expiresAtMs: nowMs - recentMs })).toStrictEqual([]);
    expect(drift({ ...overdue, state: 'confirmed' })).toStrictEqual([]);
    expect(drift(overdue, (picture) => picture.seeListed('a'))).toStrictEqual([]);
    expect(drift(overdue, (picture) => picture.seeListed('b'))).toStrictEqual([listed]);
  });

  it('is a cart with units, when nothing leads to it at its time', () => {
    const cart = { state: 'cart', lines: [tees(1)] } as const;
    const listed = { kind: 'cart-not-listed', subject: 'a', detail: 'it would not end', about: 'cart', holdId: 'a' };
    expect(drift(cart)).toStrictEqual([listed]);
    expect(drift({ ...cart, lines: [] })).toStrictEqual([]);
    expect(drift({ ...cart, state: 'held' })).toStrictEqual([]);
    expect(drift(cart, (picture) => picture.seeCartListed('a', nowMs + 1_000))).toStrictEqual([]);
    expect(drift(cart, (picture) => picture.seeCartListed('a', nowMs + 1_001))).toStrictEqual([listed]);
    expect(drift(cart, (picture) => picture.seeCartListed('b', nowMs + 1_000))).toStrictEqual([listed]);
  });
});

describe('holds by small numbers', () => {
  it('are found by their ids, and nobody’s number is no hold’s', () => {
    const holds = new HoldTable();
    const number = holds.add(hold('a'));
    expect(number).not.toBe(nobody);
    expect([holds.numberOf('a'), holds.idOf(number), holds.size]).toStrictEqual([number, 'a', 1]);
    expect([holds.numberOf('b'), holds.idOf(nobody), holds.idOf(99)]).toStrictEqual([nobody, '', '']);
  });

  it('are unmatched while a unit of an order’s hold has no row, or a row too many', () => {
    const holds = new HoldTable();
    const a = holds.add(hold('a', { lines: [tees(1, 2), seats('A-1')] }));
    holds.add(hold('b', { lines: [tees(3)], state: 'held' }));
    const unmatched = () => [...holds.unmatched()];
    expect(unmatched()).toStrictEqual([{ holdId: 'a', orderId: orderIdOf('a') }]);
    for (let unit = 0; unit < 3; unit++) holds.match(a);
    expect(unmatched()).toStrictEqual([]);
    holds.match(a);
    expect(unmatched()).toHaveLength(1);
  });
});

describe('the names of what is wrong', () => {
  it('are its kind and its subject, and units by their items in one order', () => {
    expect(identityOf({ kind: 'unit-leaked', subject: 'tee' })).toBe('unit-leaked tee');
    expect(unitNames([tees(2, 1), seats('A-1')])).toStrictEqual(['hall A-1', 'tee 1', 'tee 2']);
  });
});
