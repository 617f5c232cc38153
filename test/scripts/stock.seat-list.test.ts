import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { expectConserved, hall, held, openHall, redisBench, wantingSeats } from './stock.harness.ts';

const bench = redisBench();
const seats = ['A-1', 'A-2', 'B-1', '17'];

describe('adding seats', () => {
  it('puts any number on sale, each once, and leaves those alone that are there', async () => {
    const { saleId } = await openHall(bench, seats);
    const hold = await held(bench, saleId, wantingSeats('A-1'));
    const more = Array.from({ length: 2_500 }, (_, index) => `N-${index}`);
    expect(await bench.stock.addSeats(saleId, 'hall', [...seats, ...more])).toEqual({ outcome: 'ADDED', count: 2_500 });
    expect(await bench.stock.addSeats(saleId, 'hall', [...seats, ...more])).toEqual({ outcome: 'ADDED', count: 0 });
    const { holds, items } = await expectConserved(bench, saleId);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect(items.hall).toMatchObject({ total: 2_504, available: 2_503 });
    expect((await held(bench, saleId, wantingSeats('N-2499'))).lines).toEqual([hall('N-2499')]);
  });

  it('adds each seat once when two add the same at the same moment', async () => {
    const { saleId } = await openHall(bench, ['A-1']);
    const more = Array.from({ length: 1_500 }, (_, index) => `N-${index}`);
    const added = await Promise.all([1, 2, 3].map(() => bench.stock.addSeats(saleId, 'hall', more)));
    expect(added.reduce((sum, reply) => sum + (reply.outcome === 'ADDED' ? reply.count : 0), 0)).toBe(1_500);
    expect((await expectConserved(bench, saleId)).items.hall).toMatchObject({ total: 1_501, available: 1_501 });
  });

  it('adds none to a sale that is not loaded, to a counted item, or under a name that cannot be', async () => {
    const { saleId } = await openHall(bench, seats, { items: [{ sku: 'tee', total: 2 }] });
    expect(await bench.stock.addSeats('nowhere', 'hall', ['A-1'])).toEqual({ outcome: 'NOT_LOADED' });
    await expect(bench.stock.addSeats(saleId, 'tee', ['A-1'])).rejects.toThrow('BAD_CALL stock.add-seats kind');
    await expect(bench.stock.addSeats(saleId, 'mug', ['A-1'])).rejects.toThrow('BAD_CALL stock.add-seats item');
    for (const names of [['a|b'], [''], ['Z-1', 'Z-1']]) {
      await expect(bench.stock.addSeats(saleId, 'hall', names)).rejects.toThrow('BAD_CALL stock.add-seats seats');
    }
    expect((await expectConserved(bench, saleId)).items.hall?.total).toBe(4);
    expect(await bench.redis.exists(...Object.values(stockKeys('nowhere')))).toBe(0);
  });
});

describe('the states of seats', () => {
  it('are what a buyer may know of them', async () => {
    const { saleId } = await openHall(bench, ['free', 'held', 'ordered', 'paid', 'suspect', 'retired']);
    await held(bench, saleId, wantingSeats('held'));
    const [ordered, paid, suspect, retired] = [
      await held(bench, saleId, wantingSeats('ordered')),
      await held(bench, saleId, wantingSeats('paid')),
      await held(bench, saleId, wantingSeats('suspect')),
      await held(bench, saleId, wantingSeats('retired')),
    ];
    await bench.stock.acknowledge(saleId, ordered, 'live');
    await bench.stock.acknowledge(saleId, paid, 'confirmed');
    await bench.stock.swap(saleId, { ...suspect, ...wantingSeats('suspect'), owned: [hall('suspect')] });
    await bench.stock.acknowledge(saleId, retired, 'retired');
    const states = ['free', 'held', 'held', 'sold', 'held', 'sold', 'unknown'];
    const names = ['free', 'held', 'ordered', 'paid', 'suspect', 'retired', 'nowhere'];
    expect(await bench.stock.seatStates(saleId, 'hall', names)).toEqual({ outcome: 'STATES', states });
    expect(await bench.stock.seatStates(saleId, 'mug', ['free'])).toEqual({ outcome: 'STATES', states: ['unknown'] });
  });

  it('come in the order of the question, however many', async () => {
    const many = Array.from({ length: 2_100 }, (_, index) => `N-${index}`);
    const { saleId } = await openHall(bench, many);
    await held(bench, saleId, wantingSeats('N-7', 'N-2050'));
    const reply = await bench.stock.seatStates(saleId, 'hall', many);
    if (reply.outcome !== 'STATES') throw new Error('not loaded');
    expect(reply.states).toHaveLength(2_100);
    expect(many.filter((_, at) => reply.states[at] === 'held')).toEqual(['N-7', 'N-2050']);
    expect(await bench.stock.seatStates('nowhere', 'hall', ['A-1'])).toEqual({ outcome: 'NOT_LOADED' });
  });
});
