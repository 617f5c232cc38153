import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Sale, SeatList } from '../../functions/sales/sale.model.ts';
import { keepCurrent } from '../../functions/stock/rebuild.care.ts';
import type { RebuildPorts } from '../../functions/stock/rebuild.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { orderOf } from '../support/orders.ts';
import { gate, noLease, rebuildBench } from '../support/rebuilding.ts';

const bench = rebuildBench();

describe('two rebuilds at once', () => {
  it('do the work once: the second finds the lease taken, or the sale loaded', async () => {
    const { saleId } = await bench.lostSale();
    const outcomes = (await Promise.all([1, 2, 3].map(() => bench.work.rebuild(saleId)))).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === 'rebuilt')).toHaveLength(1);
    for (const outcome of outcomes) expect(['rebuilt', 'busy', 'already-loaded']).toContain(outcome);
    expect(await bench.work.sales.get(saleId, { consistent: true })).toMatchObject({ epoch: 2 });
    await bench.work.expectStateOfRows(saleId);
  });

  it('give one right state even without a lease: the epoch lets one of them through', async () => {
    for (let round = 0; round < 10; round++) {
      const { saleId } = await bench.lostSale();
      const outcomes = (await Promise.all(Array.from({ length: 4 }, () => bench.work.rebuild(saleId, { lease: noLease })))).map(
        ({ outcome }) => outcome,
      );
      expect(outcomes.filter((outcome) => outcome === 'rebuilt')).toHaveLength(1);
      for (const outcome of outcomes) expect(['rebuilt', 'overtaken', 'already-loaded']).toContain(outcome);
      await bench.work.expectStateOfRows(saleId);
    }
  });

  it.each([
    ['before it begins', 'bumpEpoch'],
    ['before a chunk', 'loadUnits'],
    ['before its free units', 'loadFree'],
    ['before it publishes', 'publishLoad'],
  ] as const)('never let the slow one win over the newer one, wherever it was held up: %s', async (_, step) => {
    const { saleId } = await bench.lostSale();
    const slowly = gate();
    const held =
      <Args extends readonly unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
      async (...args: Args) => {
        await slowly.pass();
        return run(...args);
      };
    const { sales, stock } = bench.work.ports;
    const slow = bench.work.rebuild(saleId, {
      lease: noLease,
      sales: step === 'bumpEpoch' ? { ...sales, bumpEpoch: held(sales.bumpEpoch) } : sales,
      stock: step === 'bumpEpoch' ? stock : { ...stock, [step]: held(stock[step] as (...args: readonly unknown[]) => Promise<unknown>) },
    });
    await slowly.arrived;
    expect(await bench.work.rebuild(saleId, { lease: noLease })).toMatchObject({ outcome: 'rebuilt' });
    // The sale goes on: what the slow one has read is no longer true.
    orderOf(await bench.place(saleId, 'dan', { quantity: 3 }));
    const before = await bench.engine.redis.dumpBuffer(stockKeys(saleId).sale);
    slowly.open();
    expect(['overtaken', 'already-loaded']).toContain((await slow).outcome);
    expect(await bench.engine.redis.dumpBuffer(stockKeys(saleId).sale)).toEqual(before);
    await bench.work.expectStateOfRows(saleId);
    expect(new Set(await bench.sellOut(saleId)).size).toBe(3);
  });

  it('stop at the loss of the lease, and leave nothing that sells', async () => {
    const { saleId } = await bench.lostSale();
    let asked = 0;
    const lease: RebuildPorts['lease'] = async () => ({ stillOurs: async () => ++asked < 3, release: async () => {} });
    expect(await bench.work.rebuild(saleId, { lease })).toEqual({ outcome: 'overtaken' });
    expect(await bench.engine.stock.read(saleId)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
  });
});

describe('an operator’s change in the middle of a rebuild', () => {
  const seated = ['A-1', 'A-2'];
  type Change = { readonly changes: (sale: Sale) => Partial<Sale>; readonly more?: SeatList; readonly shows: object };
  const pausing: Change = { changes: () => ({ control: 'paused' }), shows: { control: 'paused' } };
  const restock: Change = {
    changes: ({ items }) => ({ items: items.map((item) => (item.sku === 'tee' ? { ...item, total: item.total + 5 } : item)) }),
    shows: { items: expect.arrayContaining([expect.objectContaining({ sku: 'tee', total: 15, available: 11 })]) },
  };
  const moreSeats: Change = {
    changes: ({ items }) => ({ items: items.map((item) => (item.sku === 'hall' ? { ...item, total: 3 } : item)) }),
    more: new Map([['hall', ['C-9']]]),
    shows: { items: expect.arrayContaining([expect.objectContaining({ sku: 'hall', total: 3, available: 2 })]) },
  };
  const cases = (
    [
      ['a pause', pausing],
      ['a restock', restock],
      ['more seats', moreSeats],
    ] as const
  ).flatMap(([name, change]) =>
    (['before the rows', 'after the rows', 'between the last reading and the publishing'] as const).flatMap((when) =>
      [true, false].map(
        (tells) => [name, when, tells ? 'Redis is told' : 'its process dies before it tells Redis', change, tells] as const,
      ),
    ),
  );

  it.each(cases)('is not lost: %s, %s, and %s', async (_, when, __, { changes, more, shows }, tells) => {
    const saleId = randomUUID();
    const sale = await bench.work.store(await bench.engine.openHall(saleId, seated, { units: 10 }), new Map([['hall', seated]]));
    for (const [buyer, wish] of [
      ['ada', { sku: 'tee', quantity: 4 }],
      ['bob', { sku: 'hall', quantity: 1, seats: ['A-2'] }],
    ] as [string, { sku: string; quantity: number; seats?: string[] }][]) {
      orderOf(await bench.engine.order(saleId, buyer, [wish], { method: 'external', ports: bench.work.placePorts }));
    }
    await bench.lose();

    let isDone = false;
    async function changeOnce() {
      if (isDone) return;
      isDone = true;
      const changed = await bench.work.change(saleId, changes(sale), more);
      if (!tells) return;
      expect(await bench.engine.stock.update(changed)).toEqual({ outcome: 'NOT_LOADED' });
      for (const [sku, seats] of more ?? [])
        expect(await bench.engine.stock.addSeats(saleId, sku, seats)).toEqual({ outcome: 'NOT_LOADED' });
    }
    const { sales, stock } = bench.work.ports;
    let readings = 0;
    const outcome = await bench.work.rebuild(saleId, {
      rows: when === 'before the rows' ? bench.rowsWith(changeOnce) : bench.work.ports.rows,
      sales: {
        ...sales,
        async get(...args) {
          if (when === 'after the rows' && ++readings === 2) await changeOnce();
          return sales.get(...args);
        },
      },
      stock: {
        ...stock,
        async publishLoad(...args) {
          if (when.startsWith('between')) await changeOnce();
          return stock.publishLoad(...args);
        },
      },
    });
    expect(outcome).toMatchObject({ outcome: 'rebuilt' });
    if (when.startsWith('between') && !tells) {
      // Nobody could know. The sweeper's care brings what Redis does not have.
      const current = await bench.work.sales.get(saleId, { consistent: true });
      if (!current) throw new Error('gone');
      await keepCurrent({ stock: bench.engine.stock })(current);
      for (const [sku, seats] of more ?? []) await bench.engine.stock.addSeats(saleId, sku, seats);
    }
    expect(await bench.engine.stock.read(saleId)).toMatchObject({ outcome: 'READ', version: 2, ...shows });
    await bench.work.expectStateOfRows(saleId);
    expect(await bench.engine.redis.hexists(stockKeys(saleId).sale, 'v')).toBe(0);
  });

  it('that never stops is given up after a bounded number of attempts, and the next rebuild brings the sale', async () => {
    const { saleId } = await bench.lostSale();
    const { stock } = bench.work.ports;
    const restless = {
      ...stock,
      async publishLoad(...args: Parameters<typeof stock.publishLoad>) {
        await bench.engine.stock.update(await bench.work.change(saleId, { control: 'open' }));
        return stock.publishLoad(...args);
      },
    };
    await expect(bench.work.rebuild(saleId, { stock: restless })).rejects.toThrow('changed 10 times');
    expect(await bench.work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
    await bench.work.expectStateOfRows(saleId);
  });
});
