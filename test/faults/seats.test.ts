import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { advance } from '../../functions/orders/advance.ts';
import { eventsGraceMs, type Order } from '../../functions/orders/order.model.ts';
import { knownSales } from '../../functions/sales/known-sales.ts';
import { knownSeats } from '../../functions/sales/known-seats.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(() => engine.stop());

const hall = (...seats: string[]) => ({ sku: 'hall', seats });
const tees = (quantity: number) => ({ sku: 'tee', quantity });
const unitsOf = (order: Order) => order.items.flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit}`));
const taken = (...seats: string[]) => ({ outcome: 'seat-taken', sku: 'hall', seats });

/** Who owns which unit by its row, of all items of the sale. */
async function owners(saleId: string): Promise<Map<string, string>> {
  const { Items = [] } = await engine.database.send(
    new ScanCommand({
      TableName: 'units',
      ConsistentRead: true,
      FilterExpression: 'saleId = :sale',
      ExpressionAttributeValues: { ':sale': saleId },
    }),
  );
  return new Map(Items.map(({ sku, unit, orderId }) => [`${sku} ${unit}`, String(orderId)]));
}
async function states(saleId: string, ...seats: string[]): Promise<readonly string[]> {
  const read = await engine.stock.seatStates(saleId, 'hall', seats);
  if (read.outcome !== 'STATES') throw new Error(`${saleId} is not loaded`);
  return read.states;
}
async function free(saleId: string, sku: string): Promise<number | undefined> {
  const read = await engine.stock.read(saleId);
  return read.outcome === 'READ' ? read.items.find((item) => item.sku === sku)?.available : undefined;
}
/** Who has holds that did not end. */
async function holders(saleId: string): Promise<string[]> {
  const found: string[] = [];
  for await (const hold of engine.stock.holds(saleId)) if (hold.state !== 'ended') found.push(hold.buyerId);
  return found.sort();
}

describe('sets of seats', () => {
  it('that overlap never both win, and the loser holds nothing, neither in Redis nor in rows', async () => {
    const saleId = 'overlap';
    const rounds = 40;
    await engine.openHall(saleId, Array.from({ length: rounds }, (_, n) => [`A-${n}`, `B-${n}`, `C-${n}`]).flat());
    for (let n = 0; n < rounds; n++) {
      const [left, right] = [hall(`A-${n}`, `B-${n}`), hall(`B-${n}`, `C-${n}`)];
      const both = await Promise.all([engine.order(saleId, `left-${n}`, [left]), engine.order(saleId, `right-${n}`, [right])]);
      expect(both.map(({ outcome }) => outcome).sort()).toEqual(['placed', 'seat-taken']);
      expect(both.find(({ outcome }) => outcome === 'seat-taken')).toEqual(taken(`B-${n}`));
      const leftWon = both[0].outcome === 'placed';
      expect(await states(saleId, `A-${n}`, `B-${n}`, `C-${n}`)).toEqual(leftWon ? ['held', 'held', 'free'] : ['free', 'held', 'held']);
    }
    expect((await owners(saleId)).size).toBe(2 * rounds);
    expect(await holders(saleId)).toHaveLength(rounds);
  });

  it('are all or nothing together with counted units, and refusals name every seat that is taken', async () => {
    const saleId = 'mixed';
    await engine.openHall(saleId, ['A', 'B', 'C'], { units: 5 });
    const first = orderOf(await engine.order(saleId, 'ada', [tees(2), hall('A', 'C')]));
    expect(unitsOf(first)).toEqual(['tee 1', 'tee 2', 'hall A', 'hall C']);
    expect(first.items.map(({ seated }) => seated)).toEqual([undefined, true]);
    expect(await engine.order(saleId, 'bob', [tees(2), hall('A', 'B', 'C')])).toEqual(taken('A', 'C'));
    expect(await engine.order(saleId, 'bob', [hall('B'), tees(4)])).toMatchObject({ outcome: 'sold-out', sku: 'tee', available: 3 });
    expect([await free(saleId, 'tee'), await free(saleId, 'hall')]).toEqual([3, 1]);
    expect((await owners(saleId)).size).toBe(4);
  });

  it('under one key make one order, and another set under it is another payload', async () => {
    await engine.openHall('seat-key', ['A', 'B']);
    const same = await Promise.all(Array.from({ length: 12 }, () => engine.order('seat-key', 'ada', [hall('A', 'B')])));
    expect(new Set(same.map((each) => orderOf(each).orderId)).size).toBe(1);
    expect(same.filter(({ outcome }) => outcome === 'placed')).toHaveLength(1);
    expect(await engine.order('seat-key', 'ada', [hall('A')])).toEqual({ outcome: 'key-reused' });
  });

  it('that are not there, or asked for by number, are refused in words, and so are seats of a counted item', async () => {
    await engine.openHall('words', ['A']);
    expect(await engine.order('words', 'ada', [hall('A', 'Z')])).toEqual({ outcome: 'unknown-seat', sku: 'hall', seat: 'Z' });
    expect(await engine.order('words', 'ada', [{ sku: 'hall', quantity: 1 }])).toEqual({
      outcome: 'wrong-kind',
      sku: 'hall',
      kind: 'seated',
    });
    expect(await engine.order('words', 'ada', [{ sku: 'tee', seats: ['1'] }])).toEqual({
      outcome: 'wrong-kind',
      sku: 'tee',
      kind: 'counted',
    });
    expect(await states('words', 'A')).toEqual(['free']);
  });

  it('named like serial numbers are seats all the same', async () => {
    await engine.openHall('numbered', ['17', '-5', '1e3', '1'], { units: 1 });
    const order = orderOf(await engine.order('numbered', 'ada', [hall('17', '-5', '1e3', '1'), tees(1)]));
    expect(unitsOf(order).sort()).toEqual(['hall -5', 'hall 1', 'hall 17', 'hall 1e3', 'tee 1']);
    await engine.cancel(order);
    expect((await owners('numbered')).size).toBe(0);
    expect(await states('numbered', '17', '-5', '1e3', '1')).toEqual(['free', 'free', 'free', 'free']);
  });

  it('count against the limit per buyer, seat by seat', async () => {
    await engine.openHall('limited', ['A', 'B', 'C'], { perBuyerLimit: 2 });
    orderOf(await engine.order('limited', 'ada', [hall('A')], { key: '1' }));
    expect(await engine.order('limited', 'ada', [hall('B', 'C')], { key: '2' })).toEqual({ outcome: 'buyer-limit', limit: 2 });
    orderOf(await engine.order('limited', 'ada', [hall('B')], { key: '3' }));
    expect(await engine.claims.usedSlots('limited', 'ada')).toEqual([1, 2]);
  });
});

describe('a Redis that has lost its last writes', () => {
  it('sells no seat twice, and who is refused by the rows holds nothing, not even the counted units', async () => {
    const saleId = 'rolled-back';
    await engine.openHall(saleId, ['A', 'B'], { units: 4 });
    const rollBack = await engine.snapshot();
    const first = orderOf(await engine.order(saleId, 'ada', [hall('A')]));
    await rollBack();
    expect(await engine.order(saleId, 'bob', [tees(2), hall('A', 'B')])).toEqual(taken('A'));
    expect(await holders(saleId)).toEqual([]);
    expect([await free(saleId, 'tee'), ...(await states(saleId, 'A', 'B'))]).toEqual([4, 'held', 'free']);
    expect([...(await owners(saleId))]).toEqual([['hall A', first.orderId]]);
    // It has been caught: from now on a winner is looked for before a seat is called taken.
    expect(await engine.order(saleId, 'ada', [hall('A')])).toMatchObject({ outcome: 'replayed', order: { orderId: first.orderId } });
    await engine.sweep();
    expect(await states(saleId, 'A', 'B')).toEqual(['held', 'free']);
    orderOf(await engine.order(saleId, 'bob', [hall('B')], { key: 'again' }));
  });

  it('and a process that dies between the refusal by the rows and the end of its hold leave nothing to the next attempt', async () => {
    const saleId = 'died';
    await engine.openHall(saleId, ['A', 'B']);
    const rollBack = await engine.snapshot();
    orderOf(await engine.order(saleId, 'ada', [hall('A')]));
    await rollBack();
    const tombstone = () => Promise.reject(new Error('the function died'));
    const dying = { ...engine.placePorts, claims: { ...engine.claims, tombstone } };
    await expect(engine.order(saleId, 'bob', [hall('A', 'B')], { ports: dying })).rejects.toThrow('died');
    expect(await engine.order(saleId, 'bob', [hall('A', 'B')])).toEqual(taken('A'));
    expect(await states(saleId, 'A', 'B')).toEqual(['held', 'free']);
    expect(await holders(saleId)).toEqual([]);
  });

  it('sells no seat that the sale’s list does not name', async () => {
    await engine.openHall('unlisted', ['A']);
    await engine.stock.addSeats('unlisted', 'hall', ['Z']);
    expect(await engine.order('unlisted', 'ada', [hall('A', 'Z')])).toEqual(taken('Z'));
    expect((await owners('unlisted')).size).toBe(0);
    expect(await states('unlisted', 'A')).toEqual(['free']);
  });

  it('sells each seat to one order in any crowd of overlapping sets, before and after it falls back', async () => {
    let sales = 0;
    const seats = ['A', 'B', 'C', 'D', 'E', 'F'];
    const sets = fc.array(fc.subarray(seats, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sets, sets, async (before, after) => {
        const saleId = `crowd-${++sales}`;
        await engine.openHall(saleId, seats);
        const rollBack = await engine.snapshot();
        const crowd = (name: string, wanted: string[][]) =>
          Promise.all(wanted.map(async (set, n) => ({ set, outcome: await engine.order(saleId, `${name}-${n}`, [hall(...set)]) })));
        const first = await crowd('first', before);
        await rollBack();
        const placed = [...first, ...(await crowd('second', after))].filter(({ outcome }) => outcome.outcome === 'placed');
        const owned = await owners(saleId);
        expect(owned.size).toBe(placed.reduce((sum, { set }) => sum + set.length, 0));
        for (const { set, outcome } of placed) for (const seat of set) expect(owned.get(`hall ${seat}`)).toBe(orderOf(outcome).orderId);
        // The losers hold nothing: whoever comes later gets every seat that no order has, and no other.
        await engine.sweep();
        for (const seat of seats) {
          const { outcome } = await engine.order(saleId, `late-${seat}`, [hall(seat)]);
          expect(outcome, seat).toBe(owned.has(`hall ${seat}`) ? 'seat-taken' : 'placed');
        }
      }),
      { numRuns: 25 },
    );
  });

  it('behind a restock keeps the answer of whoever bought a seat that it has forgotten', async () => {
    const saleId = 'restocked';
    const sale = await engine.openHall(saleId, ['A']);
    orderOf(await engine.order(saleId, 'ann', [hall('A')]));
    const rollBack = await engine.snapshot();
    const grown = sale.items.map((item) => (item.seated ? { ...item, total: 2 } : item));
    await engine.restockHall({ ...sale, version: 2, seatChunks: 2, items: grown }, ['A', 'B']);
    // The container has the sale in memory without the seat, and asks again before it refuses.
    const order = orderOf(await engine.order(saleId, 'ada', [hall('B')]));
    await rollBack();
    expect(await engine.order(saleId, 'ada', [hall('B')])).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect((await owners(saleId)).get('hall B')).toBe(order.orderId);
    expect(await states(saleId, 'B')).toEqual(['held']);
  });
});

describe('a seat of an order that is taken back', () => {
  const fulfilled = async (saleId: string, buyerId: string, ...seats: string[]) => {
    await engine.fund(buyerId, 10_000);
    const order = await advance(orderOf(await engine.order(saleId, buyerId, [hall(...seats)])), engine.steps, Date.now);
    expect(order.status).toBe('FULFILLED');
    return order;
  };

  it('is for sale again when it returns, and for nobody when it retires, whatever Redis remembers', async () => {
    const saleId = 'taken-back';
    await engine.openHall(saleId, ['A', 'B', 'C']);
    const rollBack = await engine.snapshot();
    const returning = await fulfilled(saleId, 'rita', 'A');
    const retiring = await fulfilled(saleId, 'remy', 'B');
    await engine.refund(returning.orderId, { returnUnits: true });
    await engine.refund(retiring.orderId);
    await engine.sweep({ laterMs: eventsGraceMs });
    expect(await states(saleId, 'A', 'B', 'C')).toEqual(['free', 'sold', 'free']);
    orderOf(await engine.order(saleId, 'next', [hall('A')]));
    expect(await engine.order(saleId, 'next', [hall('B')], { key: 'other' })).toEqual(taken('B'));

    await rollBack();
    expect(await engine.order(saleId, 'late', [hall('B', 'C')])).toEqual(taken('B'));
    expect(await engine.order(saleId, 'late', [hall('A')], { key: 'other' })).toEqual(taken('A'));
    await engine.sweep();
    expect(await states(saleId, 'A', 'B', 'C')).toEqual(['held', 'sold', 'free']);
  });

  it('retires although Redis gave it to another hold meanwhile, which then holds nothing of it', async () => {
    const saleId = 'given-away';
    await engine.openHall(saleId, ['A', 'B']);
    const rollBack = await engine.snapshot();
    const order = await fulfilled(saleId, 'rob', 'A');
    await rollBack();
    const reserved = await engine.stock.reserve({
      saleId,
      holdId: 'x'.repeat(22),
      buyerId: 'eve',
      payloadHash: 'hash',
      lines: [{ ...hall('A', 'B'), quantity: 2 }],
    });
    expect(reserved.outcome).toBe('RESERVED');
    await engine.endForGood(order);
    expect(await states(saleId, 'A', 'B')).toEqual(['sold', 'held']);
    await engine.stock.release(saleId, { holdId: 'x'.repeat(22), bornUs: Number.MAX_SAFE_INTEGER, cause: 'tombstone' });
    expect(await states(saleId, 'A', 'B')).toEqual(['sold', 'free']);
    expect(await engine.redis.hget(stockKeys(saleId).seats, 'hall|A')).toBe('-');
  });
});

describe('a seat that Redis does not know', () => {
  it('is no bad request where the sale lists it, and one elsewhere, for one read of the list as long as it does not grow', async () => {
    const saleId = 'on-its-way';
    let stored = { sale: await engine.openHall(saleId, ['A']), names: ['A'] };
    let lists = 0;
    const list = async () => {
      lists += 1;
      return new Map([['hall', stored.names]]);
    };
    const ports = { ...engine.placePorts, sales: knownSales(async () => stored.sale), seats: knownSeats(list) };
    const order = (seat: string) => engine.order(saleId, 'ada', [hall(seat)], { key: seat, ports });
    const unknown = (seat: string) => ({ outcome: 'unknown-seat', sku: 'hall', seat });
    for (const seat of ['B', 'C', 'B']) expect(await order(seat)).toEqual(unknown(seat));
    expect(lists).toBe(1);
    // A restock is committed, and Redis yet to be told.
    stored = { sale: { ...stored.sale, version: 2, seatChunks: 2 }, names: ['A', 'B'] };
    for (let n = 0; n < 2; n++) expect(await order('B')).toEqual({ outcome: 'try-again' });
    expect(await order('C')).toEqual(unknown('C'));
    expect(lists).toBe(2);
    await engine.restockHall(stored.sale, stored.names);
    expect(await order('B')).toMatchObject({ outcome: 'placed' });
  });
});

describe('a seat under suspicion', () => {
  it('returns to the sale within one sweep when no order owns it, and goes to the order that does', async () => {
    const saleId = 'suspected';
    await engine.openHall(saleId, ['A', 'B']);
    const rollBack = await engine.snapshot();
    const order = orderOf(await engine.order(saleId, 'owner', [hall('A')], { method: 'external' }));
    await rollBack();
    const hold = { holdId: 'y'.repeat(22), buyerId: 'eve', payloadHash: 'hash', lines: [{ ...hall('A', 'B'), quantity: 2 }] };
    const reserved = await engine.stock.reserve({ saleId, ...hold });
    if (reserved.outcome !== 'RESERVED') throw new Error(reserved.outcome);
    // B is suspected wrongly: its row was gone by the time it was looked at.
    const owned = [{ sku: 'hall', units: ['A', 'B'], seated: true }] as const;
    await engine.stock.swap(saleId, { holdId: hold.holdId, bornUs: reserved.hold.bornUs, lines: hold.lines, owned });
    expect(await states(saleId, 'A', 'B')).toEqual(['held', 'held']);
    expect(await engine.sweep()).toMatchObject({ failed: 0 });
    expect(await states(saleId, 'A', 'B')).toEqual(['held', 'free']);
    expect(await engine.redis.hget(stockKeys(saleId).seats, 'hall|A')).toBe(order.holdId);
  });
});
