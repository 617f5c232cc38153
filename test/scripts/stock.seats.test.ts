import { describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { all, aRequest, expectConserved, hall, held, openHall, openSale, redisBench, tees, wantingSeats } from './stock.harness.ts';

const bench = redisBench();
const seats = ['A-1', 'A-2', 'B-1', '17'];
const ownerOf = (saleId: string, seat: string) => bench.redis.hget(stockKeys(saleId).seats, `hall|${seat}`);
const reserve = (saleId: string, ...names: string[]) => bench.stock.reserve(aRequest(saleId, wantingSeats(...names)));

describe('reserving seats', () => {
  it('holds the very seats that were asked for, in that order', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('B-1', '17', 'A-1'));
    expect(hold.lines).toEqual([hall('B-1', '17', 'A-1')]);
    const { items, holds } = await expectConserved(bench, saleId);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect(items.hall).toMatchObject({ free: ['A-2'], available: 1, total: 4 });
    expect(await bench.stock.read(saleId)).toMatchObject({ items: [{ sku: 'hall', kind: 'seated', total: 4, available: 1, given: 3 }] });
  });

  it('gives the same hold again when it is repeated', async () => {
    const { saleId } = await openHall(bench, seats);
    const request = aRequest(saleId, wantingSeats('A-1', 'A-2'));
    const first = await bench.stock.reserve(request);
    expect(await bench.stock.reserve(request)).toEqual({ ...first, replayed: true });
    await expectConserved(bench, saleId);
  });

  it('never gives one seat to two of 500 who race for it', async () => {
    const { saleId } = await openHall(bench, ['A-1']);
    const replies = await Promise.all(Array.from({ length: 500 }, () => reserve(saleId, 'A-1')));
    expect(replies.filter(({ outcome }) => outcome === 'RESERVED')).toHaveLength(1);
    const refused = { outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'], behind: false };
    expect(replies.filter(({ outcome }) => outcome !== 'RESERVED')).toEqual(Array(499).fill(refused));
    await expectConserved(bench, saleId);
  });

  it('never lets two overlapping sets both win, and the loser holds nothing', async () => {
    for (let round = 0; round < 25; round++) {
      const { saleId } = await openHall(bench, ['A', 'B', 'C']);
      // The seat that both want is the first of its set, or not.
      const other = round % 2 === 0 ? ['B', 'C'] : ['C', 'B'];
      const replies = await Promise.all([reserve(saleId, 'A', 'B'), reserve(saleId, ...other)]);
      expect(replies.map(({ outcome }) => outcome).sort()).toEqual(['RESERVED', 'SEAT_TAKEN']);
      const { holds, items } = await expectConserved(bench, saleId);
      expect(holds).toHaveLength(1);
      expect(items.hall?.free).toHaveLength(1);
    }
  });

  it('takes seats and counted units together or neither', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 2 }], perBuyerLimit: 5 });
    const lines = (quantity: number, ...names: string[]) => [{ sku: 'tee', quantity }, ...wantingSeats(...names).lines];
    expect((await held(bench, saleId, { lines: lines(1, 'A-1', 'A-2') })).lines).toEqual([tees(1), hall('A-1', 'A-2')]);
    const before = await expectConserved(bench, saleId, 5);
    const bob = { buyerId: 'bob' };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: lines(2, 'B-1'), ...bob }))).toMatchObject({
      outcome: 'SOLD_OUT',
      available: 1,
    });
    const taken = { outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-2', 'A-1'], behind: false };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: lines(1, 'A-2', 'B-1', 'A-1'), ...bob }))).toEqual(taken);
    const tooMany = { outcome: 'BUYER_LIMIT', limit: 5, used: 3, behind: false };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: lines(1, 'B-1', '17') }))).toEqual(tooMany);
    expect(await expectConserved(bench, saleId, 5)).toEqual(before);
  });

  it('refuses seats that the item does not have, also when the sale is closed', async () => {
    const sale = await openHall(bench, seats);
    const unknown = { outcome: 'UNKNOWN_SEAT', sku: 'hall', seat: 'Z-9' };
    expect(await reserve(sale.saleId, 'A-1', 'Z-9')).toEqual(unknown);
    await bench.stock.update({ ...sale, version: 2, control: 'closed' });
    expect(await reserve(sale.saleId, 'Z-9')).toEqual(unknown);
    expect(await reserve(sale.saleId, 'A-1')).toEqual({ outcome: 'NOT_OPEN', state: 'closed', behind: false });
    expect((await expectConserved(bench, sale.saleId)).items.hall?.available).toBe(4);
  });

  it('refuses a quantity of a seated item and seats of a counted one, saying what the item is', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 2 }] });
    const seated = { outcome: 'WRONG_KIND', sku: 'hall', kind: 'seated' };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'hall', quantity: 1 }] }))).toEqual(seated);
    const counted = { outcome: 'WRONG_KIND', sku: 'tee', kind: 'counted' };
    const named = { sku: 'tee', quantity: 1, seats: ['A-1'] };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: [named] }))).toEqual(counted);
    const unknown = { outcome: 'UNKNOWN_SKU', sku: 'mug' };
    expect(await bench.stock.reserve(aRequest(saleId, { lines: [{ ...named, sku: 'mug' }] }))).toEqual(unknown);
    await expectConserved(bench, saleId);
  });

  it('gives a seat of that name of one item while another item’s is taken', async () => {
    const items = ['hall', 'hall-2'].map((sku) => ({ sku, total: 1, seated: true }));
    const { saleId } = await openSale(bench, { items }, new Map(items.map(({ sku }) => [sku, ['A-1']])));
    for (const { sku } of items)
      expect((await held(bench, saleId, { lines: [{ sku, quantity: 1, seats: ['A-1'] }] })).lines).toHaveLength(1);
    await expectConserved(bench, saleId);
  });

  it('counts seats into the 20 units of an order', async () => {
    const many = Array.from({ length: 20 }, (_, index) => `A-${index}`);
    const { saleId } = await openHall(bench, many, { items: [{ sku: 'tee', total: 2 }], perBuyerLimit: 20 });
    const tooMany = { lines: [...wantingSeats(...many).lines, { sku: 'tee', quantity: 1 }] };
    await expect(bench.stock.reserve(aRequest(saleId, tooMany))).rejects.toThrow('BAD_CALL stock.reserve quantity');
    expect((await held(bench, saleId, wantingSeats(...many))).slots).toHaveLength(20);
    await expectConserved(bench, saleId, 20);
  });

  it.each([[['']], [['A-1', 'A-1']], [['A|1']], [['A 1']], [['A:1']], [['A=1']], [['A;1']], [['ä']], [['x'.repeat(33)]], [[]]])(
    'is a wrong call for the seats %j',
    async (names) => {
      const { saleId } = await openHall(bench, seats);
      await expect(reserve(saleId, ...names)).rejects.toThrow('BAD_CALL stock.reserve line');
      expect((await expectConserved(bench, saleId)).items.hall?.available).toBe(4);
    },
  );

  it.each(['-', '?'])('is a wrong call for a hold named like a mark: %j', async (holdId) => {
    const { saleId } = await openHall(bench, seats);
    await expect(bench.stock.reserve(aRequest(saleId, { holdId, ...wantingSeats('A-1') }))).rejects.toThrow('BAD_CALL stock.reserve id');
  });
});

describe('the end of a hold of seats', () => {
  it.each(['order', 'tombstone'] as const)('gives its seats and slots back, once (%s)', async (cause) => {
    const { saleId } = await openHall(bench, seats, { perBuyerLimit: 2 });
    const hold = await held(bench, saleId, wantingSeats('A-1', '17'));
    expect(await bench.stock.release(saleId, { ...hold, cause })).toEqual({ outcome: 'RELEASED', lines: [hall('A-1', '17')] });
    await bench.stock.release(saleId, { ...hold, cause });
    expect((await expectConserved(bench, saleId, 2)).items.hall).toMatchObject({ available: 4 });
    expect((await held(bench, saleId, wantingSeats('A-1', '17'))).slots).toEqual([1, 2]);
  });

  it('comes up for decision as the hold is, when its time is up', async () => {
    const { saleId } = await openHall(bench, seats, { holdSeconds: 0.001 });
    const hold = await held(bench, saleId, wantingSeats('A-2'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await bench.stock.takeExpired(saleId, { limit: 10, retryMs: 1_000 })).toMatchObject({ holds: [{ ...hold, state: 'held' }] });
  });

  it('never gives back a seat that an order has taken from it meanwhile', async () => {
    const { saleId } = await openHall(bench, seats);
    // Redis forgot this order's hold, and gave its seat to another.
    const order = { ...(await held(bench, saleId, wantingSeats('B-1'))), holdId: 'forgotten', lines: [hall('A-1')] };
    const other = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    expect(await bench.stock.acknowledge(saleId, order, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    expect(await ownerOf(saleId, 'A-1')).toBe('forgotten');
    await expectConserved(bench, saleId);
    await bench.stock.release(saleId, { ...other, cause: 'tombstone' });
    const { items } = await expectConserved(bench, saleId);
    expect(items.hall).toMatchObject({ free: ['17', 'A-2'], held: ['A-1', 'B-1'] });
    expect(await reserve(saleId, 'A-1')).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'], behind: true });
  });
});

describe('acknowledging seats', () => {
  it('leaves the hold exactly its order’s: surplus seats go back, missing ones are adopted wherever they are', async () => {
    const { saleId } = await openHall(bench, [...seats, 'C-1']);
    const suspicious = await held(bench, saleId, wantingSeats('B-1'));
    await bench.stock.swap(saleId, { ...suspicious, ...wantingSeats('B-1'), owned: [hall('B-1')] });
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    const order = { ...hold, lines: [hall('B-1', 'A-2', '17')] };
    for (let run = 0; run < 2; run++) expect(await bench.stock.acknowledge(saleId, order, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    const { items, holds } = await expectConserved(bench, saleId);
    expect(holds).toContainEqual({ ...order, state: 'acknowledged' });
    expect(items.hall).toMatchObject({ free: ['A-1', 'C-1'], suspect: [], held: ['17', 'A-2', 'B-1'] });
  });

  it('adopts a seat that Redis has not heard of, and the restock that brings it counts it once', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('A-1'));
    await bench.stock.acknowledge(saleId, { ...hold, lines: [hall('A-1', 'Z-1')] }, 'live');
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ total: 5, available: 3 });
    expect(await bench.stock.addSeats(saleId, 'hall', ['Z-1', 'Z-2'])).toEqual({ outcome: 'ADDED', count: 1 });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ total: 6, available: 4 });
  });

  it('gives all back for an ended order', async () => {
    const { saleId } = await openHall(bench, seats, { perBuyerLimit: 2 });
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    expect(await bench.stock.acknowledge(saleId, hold, 'ended')).toEqual({ outcome: 'RELEASED' });
    expect(await bench.stock.acknowledge(saleId, hold, 'live')).toEqual({ outcome: 'ALREADY_ENDED' });
    expect((await expectConserved(bench, saleId, 2)).items.hall).toMatchObject({ available: 4 });
  });

  it('is a wrong call for units of the other kind', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 2 }] });
    const hold = await held(bench, saleId, wantingSeats('17'));
    const before = await expectConserved(bench, saleId);
    for (const line of [
      { sku: 'hall', units: ['17'] },
      { sku: 'tee', units: ['1'], seated: true as const },
    ]) {
      await expect(bench.stock.acknowledge(saleId, { ...hold, lines: [line] }, 'live')).rejects.toThrow(BadCall);
      await expect(bench.stock.returnSuspects(saleId, [line])).rejects.toThrow(BadCall);
    }
    await expect(bench.stock.acknowledge(saleId, { ...hold, holdId: '-' }, 'live')).rejects.toThrow('BAD_CALL stock.acknowledge id');
    expect(await expectConserved(bench, saleId)).toEqual(before);
  });
});

describe('swapping seats', () => {
  it('takes the seats that others own from the hold, and says which', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 5 }] });
    const lines = [{ sku: 'tee', quantity: 2 }, ...wantingSeats('A-1', 'A-2', '17').lines];
    const hold = await held(bench, saleId, { lines });
    const owned = [tees(1), hall('A-1', '17', 'B-1', 'Z-9')];
    const refused = { outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1', '17'] };
    for (let run = 0; run < 2; run++) {
      expect(await bench.stock.swap(saleId, { ...hold, lines, owned })).toEqual(refused);
      const { items, holds } = await expectConserved(bench, saleId);
      // B-1 was free, and somebody owns it too. Of tees the hold was not filled up.
      expect(items.hall).toMatchObject({ suspect: ['17', 'A-1', 'B-1'], held: ['A-2'], available: 0 });
      expect(holds).toMatchObject([{ lines: [tees(2), hall('A-2')] }]);
    }
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    expect((await expectConserved(bench, saleId)).items.hall?.free).toEqual(['A-2']);
  });

  it('calls Redis behind, and leaves seats of other holds where they are', async () => {
    const { saleId } = await openHall(bench, seats);
    const other = await held(bench, saleId, wantingSeats('B-1'));
    const hold = await held(bench, saleId, wantingSeats('A-1'));
    await bench.stock.swap(saleId, { ...hold, ...wantingSeats('A-1'), owned: [hall('A-1', 'B-1')] });
    expect((await expectConserved(bench, saleId)).holds).toContainEqual({ ...other, state: 'held' });
    expect(await reserve(saleId, 'A-1')).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'], behind: true });
  });

  it('exchanges counted units beside seats that are the hold’s own', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 5 }] });
    const lines = [{ sku: 'tee', quantity: 1 }, ...wantingSeats('A-1').lines];
    const hold = await held(bench, saleId, { lines });
    const reply = await bench.stock.swap(saleId, { ...hold, lines, owned: [tees(1)] });
    expect(reply).toMatchObject({ outcome: 'SWAPPED', lines: [tees(2), hall('A-1')] });
    await expectConserved(bench, saleId);
  });

  it('gives a hold the seats that it lost, once they are free again', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    const wanted = { ...hold, ...wantingSeats('A-1', 'A-2') };
    await bench.stock.swap(saleId, { ...wanted, owned: [hall('A-1')] });
    expect(await bench.stock.swap(saleId, { ...wanted, owned: [] })).toMatchObject({ outcome: 'SEAT_TAKEN', seats: ['A-1'] });
    await bench.stock.returnSuspects(saleId, [hall('A-1')]);
    expect(await bench.stock.swap(saleId, { ...wanted, owned: [] })).toMatchObject({ outcome: 'SWAPPED', lines: [hall('A-2', 'A-1')] });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ held: ['A-1', 'A-2'], available: 2 });
  });

  it('is a wrong call for units of the other kind', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('17'));
    const quantity = { lines: [{ sku: 'hall', quantity: 1 }] };
    await expect(bench.stock.swap(saleId, { ...hold, ...quantity, owned: [] })).rejects.toThrow('BAD_CALL stock.swap kind');
    await expect(bench.stock.swap(saleId, { ...hold, ...wantingSeats('17', '17'), owned: [] })).rejects.toThrow('BAD_CALL stock.swap line');
    const marked = { ...hold, holdId: '-', ...wantingSeats('17') };
    await expect(bench.stock.swap(saleId, { ...marked, owned: [] })).rejects.toThrow('BAD_CALL stock.swap id');
    expect((await expectConserved(bench, saleId)).holds).toEqual([{ ...hold, state: 'held' }]);
  });
});

describe('seats under suspicion', () => {
  it('come back for sale once, and only those that are still under suspicion', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2', 'B-1'));
    await bench.stock.swap(saleId, { ...hold, ...wantingSeats('A-1', 'A-2', 'B-1'), owned: [hall('A-1', 'A-2')] });
    // One of them turns out to be an order's.
    await bench.stock.acknowledge(saleId, { ...hold, holdId: 'owner', lines: [hall('A-2')], slots: [] }, 'live');
    const units = hall(...seats, 'Z-9');
    expect(await bench.stock.returnSuspects(saleId, [units])).toEqual({ outcome: 'RETURNED', count: 1 });
    expect(await bench.stock.returnSuspects(saleId, [units])).toEqual({ outcome: 'RETURNED', count: 0 });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ free: ['17', 'A-1'], held: ['A-2', 'B-1'] });
  });

  it('are listed page by page among the others, each once', async () => {
    const { saleId } = await openHall(bench, seats, {
      items: [
        { sku: 'gig', total: 5 },
        { sku: 'tee', total: 5 },
      ],
    });
    const lines = [{ sku: 'gig', quantity: 2 }, ...wantingSeats(...seats).lines, { sku: 'tee', quantity: 2 }];
    const hold = await held(bench, saleId, { lines });
    const owned = [{ sku: 'gig', units: ['1', '2'] }, hall(...seats), tees(1, 2)];
    await bench.stock.swap(saleId, { ...hold, lines, owned });
    for (const limit of [1, 2, 3, 8]) {
      const seen: string[] = [];
      let after: { sku: string; unit: string } | undefined;
      for (let page = 0; page < 10; page++) {
        const reply = await bench.stock.suspects(saleId, { limit, ...(after ? { after } : {}) });
        if (reply.outcome !== 'PAGE' || reply.lines.length === 0) break;
        const units = reply.lines.flatMap(({ sku, units, seated }) => units.map((unit) => ({ sku, unit, seated: seated === true })));
        expect(units.length).toBeLessThanOrEqual(limit);
        expect(units.every(({ sku, seated }) => seated === (sku === 'hall'))).toBe(true);
        seen.push(...units.map(({ sku, unit }) => `${sku} ${unit}`));
        after = units.at(-1);
      }
      expect(seen).toEqual(['gig 1', 'gig 2', 'hall 17', 'hall A-1', 'hall A-2', 'hall B-1', 'tee 1', 'tee 2']);
    }
    expect(await all(bench.stock.suspectRanges(saleId))).toEqual([
      { sku: 'gig', first: 1, last: 2 },
      { sku: 'tee', first: 1, last: 2 },
    ]);
    await expect(bench.stock.suspects(saleId, { limit: 1, after: { sku: 'hall', unit: 'A|1' } })).rejects.toThrow(BadCall);
    await expect(bench.stock.suspects(saleId, { limit: 1, after: { sku: 'mug', unit: '1' } })).rejects.toThrow(BadCall);
  });
});
