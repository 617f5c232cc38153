import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import {
  aRequest,
  census,
  expectConserved,
  type Gone,
  hall,
  held,
  openHall,
  openSale,
  redisBench,
  tees,
  wantingSeats,
} from './stock.harness.ts';

const bench = redisBench();
const two = { lines: [{ sku: 'tee', quantity: 2 }] };
const gone = (units: Record<string, string[]>, slots: Record<string, number[]> = {}): Gone => ({
  units: new Map(Object.entries(units)),
  slots: new Map(Object.entries(slots)),
});

describe('acknowledging a retired order', () => {
  it.each(['held', 'acknowledged', 'confirmed'] as const)('ends its hold, with its units and slots gone for good (%s)', async (state) => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, two);
    if (state !== 'held') await bench.stock.acknowledge(saleId, hold, state === 'confirmed' ? 'confirmed' : 'live');
    expect(await bench.stock.acknowledge(saleId, hold, 'retired')).toEqual({ outcome: 'RELEASED' });
    const took = gone({ tee: ['1', '2'] }, { ada: [1, 2] });
    const { holds, items } = await expectConserved(bench, saleId, 3, took);
    expect(holds).toMatchObject([{ state: 'ended', lines: [], slots: [] }]);
    expect(items.tee).toMatchObject({ available: 8, free: [], suspect: [] });
    // Again, and whatever comes late, it changes nothing.
    for (const standing of ['retired', 'ended', 'live'] as const) {
      expect(await bench.stock.acknowledge(saleId, hold, standing)).toEqual({ outcome: 'ALREADY_ENDED' });
    }
    expect(await bench.stock.release(saleId, { ...hold, cause: 'order' })).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'ALREADY_ENDED' });
    await expectConserved(bench, saleId, 3, took);
    expect(await bench.stock.reserve(aRequest(saleId, two))).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 2, behind: false });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId, ...two }))).toEqual({ outcome: 'ENDED' });
  });

  it('takes the order’s units out of sale when its hold is unknown, and calls Redis behind', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const order = { holdId: 'forgotten', buyerId: 'ada', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, slots: [1, 2], lines: [tees(1, 2)] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'ALREADY_ENDED' });
    const { items } = await expectConserved(bench, saleId, 3, gone({ tee: ['1', '2'] }, { ada: [1, 2] }));
    expect(items.tee?.available).toBe(8);
    expect(await bench.stock.reserve(aRequest(saleId, two))).toMatchObject({ outcome: 'BUYER_LIMIT', behind: true });
    expect((await held(bench, saleId, { buyerId: 'bob' })).lines).toEqual([tees(3)]);
  });

  it('takes the order’s own units out of sale, and gives back what the hold had instead of them', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 4 });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 3 }] });
    const order = { ...hold, lines: [tees(2, 4)], slots: [1, 4] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    const { items } = await expectConserved(bench, saleId, 4, gone({ tee: ['2', '4'] }, { ada: [1, 4] }));
    expect(items.tee).toMatchObject({ free: ['1', '3'], available: 8 });
  });

  it('takes units out of sale that were free or under suspicion', async () => {
    const { saleId } = await openSale(bench);
    const [free, suspect] = [await held(bench, saleId), await held(bench, saleId)];
    await bench.stock.release(saleId, { ...free, cause: 'tombstone' });
    await bench.stock.swap(saleId, { ...suspect, lines: [{ sku: 'tee', quantity: 1 }], owned: [tees(2)] });
    const order = { ...free, holdId: 'forgotten', lines: [tees(1, 2)] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    // The suspect's hold had got unit 1 in exchange; an order of it would meet the retired row.
    expect(await bench.stock.suspects(saleId, { limit: 10 })).toEqual({ outcome: 'PAGE', lines: [] });
    expect(await bench.stock.returnSuspects(saleId, [tees(1, 2)])).toEqual({ outcome: 'RETURNED', count: 0 });
  });

  it('never lets its seats be had again: not by an end, a return, a restock, a swap or a late acknowledgement', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2', 'B-1'], { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    expect(await bench.stock.acknowledge(saleId, { ...hold, lines: [hall('A-1')], slots: [2] }, 'retired')).toEqual({
      outcome: 'RELEASED',
    });
    const took = gone({}, { ada: [2] });
    expect((await expectConserved(bench, saleId, 3, took)).items.hall).toMatchObject({ retired: ['A-1'], free: ['A-2', 'B-1'], total: 3 });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    await bench.stock.returnSuspects(saleId, [hall('A-1')]);
    expect(await bench.stock.addSeats(saleId, 'hall', ['A-1'])).toEqual({ outcome: 'ADDED', count: 0 });
    const other = await held(bench, saleId, { buyerId: 'bob', ...wantingSeats('B-1') });
    const swapped = await bench.stock.swap(saleId, { ...other, ...wantingSeats('A-1'), owned: [] });
    expect(swapped).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'] });
    await bench.stock.acknowledge(saleId, { ...other, lines: [hall('A-1', 'B-1')], slots: [1, 2] }, 'ended');
    const taken = { outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'], behind: false };
    expect(await bench.stock.reserve(aRequest(saleId, { buyerId: 'eve', ...wantingSeats('A-1') }))).toEqual(taken);
    expect((await expectConserved(bench, saleId, 3, took)).items.hall).toMatchObject({ retired: ['A-1'], free: ['A-2', 'B-1'] });
  });

  it('stays the last word on its seats, also when its mark was lost and an acknowledgement comes late', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2']);
    const hold = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    await bench.stock.acknowledge(saleId, hold, 'retired');
    await bench.redis.hdel(stockKeys(saleId).sale, `h:${hold.holdId}`);
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect((await census(bench, saleId)).items.hall).toMatchObject({ retired: ['A-1', 'A-2'], available: 0 });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ retired: ['A-1', 'A-2'], available: 0 });
  });

  it('takes a seat also from the hold of another, which loses it and can’t give it back', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2']);
    const other = await held(bench, saleId, wantingSeats('A-1', 'A-2'));
    const order = { ...other, holdId: 'forgotten', lines: [hall('A-1')] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    const wanted = { ...other, ...wantingSeats('A-1', 'A-2') };
    expect(await bench.stock.swap(saleId, { ...wanted, owned: [hall('A-1')] })).toMatchObject({ outcome: 'SEAT_TAKEN', seats: ['A-1'] });
    await bench.stock.release(saleId, { ...other, cause: 'tombstone' });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ retired: ['A-1'], free: ['A-2'], available: 1 });
  });

  it('retires a seat that Redis has not heard of', async () => {
    const { saleId } = await openHall(bench, ['A-1']);
    const order = { ...(await held(bench, saleId, wantingSeats('A-1'))), lines: [hall('Z-1')] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ retired: ['Z-1'], free: ['A-1'], total: 2 });
  });

  it.each(['among the suspects', 'free'] as const)('has the last word on a unit that another hold had, and left %s', async (left) => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const other = await held(bench, saleId, { buyerId: 'bob', ...two });
    const order = { ...other, holdId: 'forgotten', buyerId: 'ada', lines: [tees(2)], slots: [1] };
    expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'RELEASED' });
    // The hold keeps the unit until its own order meets the row.
    expect((await census(bench, saleId)).items.tee?.held).toEqual(['1', '2']);
    if (left === 'free') await bench.stock.release(saleId, { ...other, cause: 'tombstone' });
    else await bench.stock.swap(saleId, { ...other, ...two, owned: [tees(2)] });
    const took = gone({ tee: ['2'] }, { ada: [1] });
    for (let run = 0; run < 2; run++) {
      expect(await bench.stock.acknowledge(saleId, order, 'retired')).toEqual({ outcome: 'ALREADY_ENDED' });
      const { items } = await expectConserved(bench, saleId, 3, took);
      expect(items.tee).toMatchObject({ suspect: [], free: left === 'free' ? ['1'] : [] });
    }
    expect((await held(bench, saleId, { buyerId: 'cleo', ...two })).lines).toEqual([left === 'free' ? tees(1, 3) : tees(4, 5)]);
  });

  it('takes its units and slots out of sale also where its hold was given back before, and nothing of other holds', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 4 });
    const hold = await held(bench, saleId, two);
    const other = await held(bench, saleId, { buyerId: 'bob' });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect(await bench.stock.acknowledge(saleId, hold, 'retired')).toEqual({ outcome: 'ALREADY_ENDED' });
    const { holds, items } = await expectConserved(bench, saleId, 4, gone({ tee: ['1', '2'] }, { ada: [1, 2] }));
    expect(holds).toContainEqual({ ...other, state: 'held' });
    expect(items.tee?.available).toBe(7);
  });

  it('says nothing of a sale that is not loaded', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, two);
    expect(await bench.stock.acknowledge('nowhere', hold, 'retired')).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.redis.exists(...Object.values(stockKeys('nowhere')))).toBe(0);
  });
});
