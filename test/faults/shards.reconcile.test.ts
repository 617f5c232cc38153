import { beforeAll, describe, expect, it } from 'vitest';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { stockIdsOf } from '../../functions/stock/shards.model.ts';
import { shardScripts } from '../../functions/stock/shards.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { orderOf } from '../support/orders.ts';
import { rebuildBench } from '../support/rebuilding.ts';
import { nothing, reconcilingOn } from '../support/reconciling.ts';
import { buyerAtHome, expectOnePlaceEach, placesInAll, snapshotOf } from '../support/shards.ts';

const bench = rebuildBench();
const shards = 3;
const openSharded = (units: number, changes: Partial<Sale> = {}) => bench.openSale(units, { shards, ...changes });
let reconciling: ReturnType<typeof reconcilingOn>;
beforeAll(() => {
  reconciling = reconcilingOn(bench.engine);
});

/** Moves units from one shard to another, to the end. */
async function steal(sale: Sale, from: number, to: number): Promise<void> {
  const scripts = shardScripts(bench.engine.redis);
  const lent = await scripts.lend(sale, { from, to, sku: 'tee', missing: 2 });
  if (lent.outcome !== 'LENT') throw new Error(lent.outcome);
  await scripts.receive(sale, lent.transit);
  await scripts.settle(sale, lent.transit);
}

const stockOf = (sale: Sale, shard: number) => stockIdsOf(sale)[shard] ?? '';

describe('a reconciliation of a sale over several shards', () => {
  it('finds nothing where nothing is wrong, whatever was bought, moved and given back', async () => {
    const sale = await openSharded(12, { perBuyerLimit: 9 });
    const first = orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 0), { quantity: 9 }));
    orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 1), { quantity: 2 }));
    await bench.engine.cancel(first);
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ outcome: 'compared', drift: nothing, behind: false });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('looks at its shards side by side, so that more of them do not make it too long to end', async () => {
    const sale = await openSharded(6);
    const { ports } = reconciling;
    let [atWork, mostAtWork] = [0, 0];
    async function* holds(stockId: string) {
      atWork += 1;
      mostAtWork = Math.max(mostAtWork, atWork);
      yield* ports.stock.holds(stockId);
      atWork -= 1;
    }
    expect(await reconciling.reconcile(sale.saleId, { stock: { ...ports.stock, holds } })).toMatchObject({ outcome: 'compared' });
    expect(mostAtWork).toBe(shards);
  });

  it('returns units that are in no shard to exactly one: the receiver fell back behind what it got', async () => {
    const sale = await openSharded(12);
    orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 2)));
    const restore = await snapshotOf(bench.engine, [stockOf(sale, 0)]);
    await steal(sale, 1, 0);
    await restore();
    expect(await bench.engine.stock.read(sale.saleId, shards)).toMatchObject({ items: [{ available: 9 }] });
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ drift: { 'unit-leaked': 2 }, mended: { 'unit-leaked': 2 } });
    await expectOnePlaceEach(bench.engine, sale);
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ drift: nothing });
  });

  it('takes units that two shards sell out of one of them: the donor fell back behind what it lent', async () => {
    const sale = await openSharded(12);
    const restore = await snapshotOf(bench.engine, [stockOf(sale, 1)]);
    await steal(sale, 1, 0);
    await restore();
    const places = await placesInAll(bench.engine, sale);
    expect([...places.values()].filter((of) => of.length > 1)).toHaveLength(2);
    // What buyers read of it is never more than there is.
    expect(await bench.engine.stock.read(sale.saleId, shards)).toMatchObject({ items: [{ available: 12 }] });
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ drift: { 'unit-twice': 1 }, mended: { 'unit-twice': 1 } });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('takes units out of a shard that an order at home elsewhere has', async () => {
    const sale = await openSharded(6);
    const restore = await snapshotOf(bench.engine, [stockOf(sale, 1), stockOf(sale, 2)]);
    orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 0), { quantity: 6 }));
    await restore();
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ drift: { 'unit-twice': 2 }, mended: { 'unit-twice': 2 } });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('leaves units alone that are on their way', async () => {
    const sale = await openSharded(9);
    const lent = await shardScripts(bench.engine.redis).lend(sale, { from: 1, to: 2, sku: 'tee', missing: 1 });
    expect(lent.outcome).toBe('LENT');
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ outcome: 'compared', drift: nothing });
    await bench.engine.stock.completeTransits(sale);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('makes a shard that forgot orders follow them again, and takes the mark off all', async () => {
    const sale = await openSharded(12, { perBuyerLimit: 5 });
    const restore = await snapshotOf(bench.engine, [stockOf(sale, 2)]);
    const order = orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 2), { quantity: 3 }));
    await reconciling.care(sale);
    await restore();
    reconciling.failOver();
    await reconciling.care(sale);
    const isMarked = async (shard: number) => bench.engine.redis.hexists(stockKeys(stockOf(sale, shard)).sale, 'behind');
    expect([await isMarked(0), await isMarked(1), await isMarked(2)]).toEqual([1, 1, 1]);
    // The same key meets its order, and takes no other units.
    expect(await bench.place(sale.saleId, order.buyerId, { quantity: 3 })).toMatchObject({ outcome: 'replayed' });
    const report = await reconciling.reconcile(sale.saleId);
    expect(report).toMatchObject({ outcome: 'compared', behind: false });
    await expectOnePlaceEach(bench.engine, sale);
    expect([await isMarked(0), await isMarked(1), await isMarked(2)]).toEqual([0, 0, 0]);
  });

  it('puts a counter of one shard right, also where another is wrong by as much the other way', async () => {
    const sale = await openSharded(12);
    for (const [shard, free] of [
      [0, 5],
      [1, 3],
    ] as const) {
      await bench.engine.redis.hset(stockKeys(stockOf(sale, shard)).sale, 'i:tee', `c|12|13|${free}`);
    }
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ mended: { 'counter-wrong': 2 } });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('brings a shard what it has not heard of: a restock, a pause', async () => {
    const sale = await openSharded(12);
    const restore = await snapshotOf(bench.engine, [stockOf(sale, 1)]);
    const changed = await bench.work.change(sale.saleId, {
      control: 'paused',
      items: sale.items.map((item) => ({ ...item, total: 200 })),
    });
    await bench.engine.stock.update(changed);
    await restore();
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ mended: { 'sale-behind': 1 } });
    await expectOnePlaceEach(bench.engine, changed);
    expect(await bench.place(sale.saleId, buyerAtHome(sale, 1))).toEqual({ outcome: 'paused' });
  });
});
