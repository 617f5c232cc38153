import { describe, expect, it } from 'vitest';
import { mendScripts } from '../../functions/stock/mend.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { hall, held, openHall, openSale, redisBench, tees, wantingSeats } from './stock.harness.ts';
import { stateOf } from './stock.histories.ts';

const bench = redisBench();
const mend = () => mendScripts(bench.redis);
const record = (saleId: string, sku: string) => bench.redis.hget(stockKeys(saleId).sale, `i:${sku}`);

describe('a counter that is wrong', () => {
  it('leaves an item of seats readable and mendable, also when more of them go than it says are free', async () => {
    const { saleId, epoch } = await openHall(bench, ['A-1', 'A-2']);
    await bench.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|2|3|0');
    const line = { sku: 'hall', quantity: 1, seats: ['A-1'] };
    await bench.stock.setCartLine({ saleId, cartId: 'cart-ada', buyerId: 'ada', line });
    expect(await record(saleId, 'hall')).toBe('s|2|3|0');
    expect(await bench.stock.read(saleId)).toMatchObject({ outcome: 'READ', items: [{ available: 0, given: 2 }] });
    const load = { saleId, epoch };
    expect(await mend().beginCount(load, 'hall', 'token')).toMatchObject({ outcome: 'COUNTING' });
    expect(await mend().endCount(load, { sku: 'hall', token: 'token', total: 2, free: 1 })).toEqual({
      outcome: 'COUNTED',
      before: 0,
      after: 1,
    });
  });

  it('lets a load of seats go on to its end, also when more rows take listed seats than it says are free', async () => {
    // No load leaves it so: its scripts write the seats and their counter together, and each load begins with neither.
    const { saleId, ...sale } = await openHall(bench, ['A-1']);
    const [epoch, keys] = [2, stockKeys(saleId)];
    await bench.redis.del(Object.values(keys));
    expect(await bench.stock.beginLoad(saleId, epoch)).toEqual({ outcome: 'BEGUN' });
    await bench.stock.loadSeats(saleId, { epoch, chunk: 1, sku: 'hall', seats: ['A-1', 'A-2'] });
    await bench.redis.hset(keys.sale, 'i:hall', 's|2|3|0');
    const row = { sku: 'hall', unit: 'A-1', seated: true, state: 'HELD', holdId: 'first', buyerId: 'ada', atMs: 1 } as const;
    expect(await bench.stock.loadUnits(saleId, { epoch, chunk: 2, rows: [row], holdSeconds: 300 })).toEqual({ outcome: 'TAKEN' });
    expect(await record(saleId, 'hall')).toBe('s|2|3|0');
    const items = [{ sku: 'hall', kind: 'seated', total: 2 } as const];
    expect(await bench.stock.publishLoad({ ...sale, saleId }, { epoch, chunks: 2, behind: true, items })).toEqual({ outcome: 'LOADED' });
    expect(await bench.stock.read(saleId)).toMatchObject({ outcome: 'READ', items: [{ available: 0, given: 2 }] });
  });

  it('leaves a counted item readable when an order adopts a returned unit that it does not count', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, { holdId: 'first' });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    await bench.redis.hset(stockKeys(saleId).sale, 'i:tee', 'c|10|2|0');
    const order = { ...hold, holdId: 'second', lines: [tees(1)] };
    expect(await bench.stock.acknowledge(saleId, order, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    expect(await bench.stock.read(saleId)).toMatchObject({ outcome: 'READ', items: [{ available: 9, given: 1 }] });
  });

  it('is found by a swap before it has changed anything', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 3 }] });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 3 }] });
    await bench.redis.hset(stockKeys(saleId).sale, 'i:tee', 'c|3|4|2');
    const before = await stateOf(bench, saleId);
    const swapped = bench.stock.swap(saleId, { ...hold, lines: [{ sku: 'tee', quantity: 3 }], owned: [tees(1)] });
    await expect(swapped).rejects.toThrow('BROKEN free pool of tee');
    expect(await stateOf(bench, saleId)).toEqual(before);
  });
});

describe('the end of a hold by its rows', () => {
  it('counts the seats that went back, and none that another order has taken', async () => {
    const { saleId, epoch } = await openHall(bench, ['A-1', 'A-2']);
    const hold = await held(bench, saleId, { holdId: 'first', ...wantingSeats('A-1', 'A-2') });
    await bench.stock.acknowledge(saleId, hold, 'live');
    await bench.stock.acknowledge(saleId, { ...hold, holdId: 'second', lines: [hall('A-1')] }, 'live');
    expect(await mend().end({ saleId, epoch }, hold, { lines: [], slots: [] })).toEqual({ outcome: 'ENDED', count: 1 });
  });
});

describe('a retired order', () => {
  it('takes the units that its hold had off a watch the first time that it is told of', async () => {
    const { saleId, epoch } = await openSale(bench);
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    await mend().watch({ saleId, epoch }, 'token', [{ sku: 'tee', serials: [1, 2] }]);
    await bench.stock.acknowledge(saleId, hold, 'retired');
    const once = await stateOf(bench, saleId);
    expect(once[0]).toMatchObject({ 'y:tee': 'token|,' });
    expect(await bench.stock.acknowledge(saleId, hold, 'retired')).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await stateOf(bench, saleId)).toEqual(once);
  });
});
