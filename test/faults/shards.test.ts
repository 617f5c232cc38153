import { describe, expect, it } from 'vitest';
import type { PlaceOutcome } from '../../functions/orders/place.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { stockIdOf, stockIdsOf } from '../../functions/stock/shards.model.ts';
import { shardScripts } from '../../functions/stock/shards.scripts.ts';
import { orderOf } from '../support/orders.ts';
import { rebuildBench } from '../support/rebuilding.ts';
import { buyerAtHome, expectOnePlaceEach, loseStocks, placesInAll, snapshotOf } from '../support/shards.ts';

const bench = rebuildBench();
const shards = 4;

/** Asks until there is an answer: the last units may be on their way. */
async function placed(sale: Sale, buyerId: string, quantity = 1): Promise<PlaceOutcome> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const outcome = await bench.place(sale.saleId, buyerId, { quantity });
    if (outcome.outcome !== 'try-again') return outcome;
  }
  throw new Error('100 attempts were not enough');
}

/** A crowd of which each wants one. -> the units that were sold */
async function crowd(sale: Sale, size: number, name: string): Promise<string[]> {
  const outcomes = await Promise.all(Array.from({ length: size }, (_, n) => placed(sale, `${name}-${n}`)));
  return outcomes.flatMap((outcome) => (outcome.outcome === 'placed' ? orderOf(outcome).items.flatMap(({ units }) => units) : []));
}

const openSharded = (units: number, changes: Partial<Sale> = {}) => bench.openSale(units, { shards, ...changes });

describe('a sale over several shards', () => {
  it('sells each unit once, and all of them, to a crowd at the homes of all', async () => {
    const sale = await openSharded(20);
    const sold = await crowd(sale, 50, 'crowd');
    expect(sold.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
    expect((await bench.engine.unitRows(sale.saleId)).size).toBe(20);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('shows a repeat of the same key the same order', async () => {
    const sale = await openSharded(8);
    const first = await bench.place(sale.saleId, 'ada', { quantity: 2 });
    expect(await bench.place(sale.saleId, 'ada', { quantity: 2 })).toEqual({ outcome: 'replayed', order: orderOf(first) });
  });

  it('holds a buyer to the limit, whichever shards the units come from', async () => {
    const sale = await openSharded(4, { perBuyerLimit: 3 });
    const [ada] = [buyerAtHome(sale, 2)];
    expect((await bench.place(sale.saleId, ada, { quantity: 3 })).outcome).toBe('placed');
    expect(await bench.engine.place(sale.saleId, ada, { key: 'another', method: 'external', ports: bench.work.placePorts })).toEqual({
      outcome: 'buyer-limit',
      limit: 3,
    });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('sells a unit that was given back in one shard to a buyer of another', async () => {
    const sale = await openSharded(4);
    const order = orderOf(await bench.place(sale.saleId, buyerAtHome(sale, 1), { quantity: 4 }));
    expect(await bench.place(sale.saleId, buyerAtHome(sale, 2))).toMatchObject({ outcome: 'sold-out', available: 0 });
    await bench.engine.cancel(order);
    const buyer = buyerAtHome(sale, 3, 'late');
    // A container may believe for half a second that all is sold.
    await expect.poll(async () => (await placed(sale, buyer, 4)).outcome, { timeout: 5_000 }).toBe('placed');
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('gives the units of expired holds back, in whichever shard they are', async () => {
    const sale = await openSharded(8, { holdSeconds: 0.001 });
    const { stock } = bench.engine;
    for (let shard = 0; shard < shards; shard++) {
      const request = { saleId: sale.saleId, shards, holdId: `hold-${shard}`, buyerId: buyerAtHome(sale, shard), payloadHash: 'p' };
      expect((await stock.reserve({ ...request, lines: [{ sku: 'tee', quantity: 2 }] })).outcome).toBe('RESERVED');
    }
    await expect
      .poll(async () => {
        await bench.sweep(sale.saleId);
        return stock.read(sale.saleId, shards);
      })
      .toMatchObject({ items: [{ available: 8 }] });
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('takes a restock in every shard, also in one that hears of it late', async () => {
    const sale = await openSharded(4);
    const more = await bench.work.change(sale.saleId, { items: sale.items.map((item) => ({ ...item, total: 300 })) });
    const restore = await snapshotOf(bench.engine, [stockIdsOf(sale)[2] ?? '']);
    await bench.engine.stock.update(more);
    await expectOnePlaceEach(bench.engine, more);
    // The one forgets, and hears of it again; nobody else is the richer for it.
    await restore();
    expect(await bench.engine.stock.read(sale.saleId, shards)).toMatchObject({ items: [{ total: 4 }] });
    await bench.engine.stock.update(more);
    await bench.engine.stock.update(more);
    await expectOnePlaceEach(bench.engine, more);
  });
});

describe('units on their way between shards', () => {
  /** Somebody dies after so many steps of a steal. */
  async function leftUnderWay(steps: 1 | 2): Promise<Sale> {
    const sale = await openSharded(4, { shards: 2 });
    const scripts = shardScripts(bench.engine.redis);
    const lent = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 2 });
    if (lent.outcome !== 'LENT') throw new Error(lent.outcome);
    if (steps === 2) await scripts.receive(sale, lent.transit);
    return sale;
  }

  it.each([1, 2] as const)('are brought there by the sweeper when whoever moved them died after step %i', async (steps) => {
    const sale = await leftUnderWay(steps);
    expect(await bench.engine.stock.completeTransits(sale)).toBe(1);
    expect(await bench.engine.stock.completeTransits(sale)).toBe(0);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it.each([1, 2] as const)('are sold by whoever needs them, each once, after step %i', async (steps) => {
    const sale = await leftUnderWay(steps);
    expect((await crowd(sale, 8, 'crowd')).map(Number).sort()).toEqual([1, 2, 3, 4]);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('are moved once, however often the steps are repeated in whatever order', async () => {
    const sale = await openSharded(40, { shards: 2 });
    const scripts = shardScripts(bench.engine.redis);
    const first = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 2 });
    expect(await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 9 })).toEqual(first);
    if (first.outcome !== 'LENT') throw new Error(first.outcome);
    await Promise.all([1, 2, 3].map(() => scripts.receive(sale, first.transit)));
    await Promise.all([1, 2, 3].map(() => scripts.settle(sale, first.transit)));
    const second = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 2 });
    expect(second).not.toEqual(first);
    expect(await scripts.receive(sale, first.transit)).toEqual({ outcome: 'ALREADY_RECEIVED' });
    expect(await scripts.settle(sale, first.transit)).toEqual({ outcome: 'NOT_PENDING' });
    await bench.engine.stock.completeTransits(sale);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('are sold once when the donor falls back behind the loan', async () => {
    const sale = await openSharded(4, { shards: 2 });
    const restore = await snapshotOf(bench.engine, [stockIdOf({ ...sale, buyerId: buyerAtHome(sale, 1) })]);
    // The buyer of the first shard takes all four; two of them came from the second, which forgets that.
    expect((await placed(sale, buyerAtHome(sale, 0), 4)).outcome).toBe('placed');
    await restore();
    expect(await crowd(sale, 6, 'late')).toEqual([]);
    expect((await bench.engine.unitRows(sale.saleId)).size).toBe(4);
    // Their order is at home in the first shard: the sweeper takes them out of the second.
    await bench.sweep(sale.saleId);
    await expectOnePlaceEach(bench.engine, sale);
  });
});

describe('a node that goes', () => {
  it.each([
    ['one shard', [2]],
    ['two shards', [0, 3]],
    ['all shards', [0, 1, 2, 3]],
  ])('with %s leaves a sale that fails closed, is rebuilt, and sells each unit once', async (_, lost) => {
    const sale = await openSharded(24);
    const early = await crowd(sale, 9, 'early');
    const cancelled = orderOf(await placed(sale, buyerAtHome(sale, 1), 3));
    await bench.engine.cancel(cancelled);
    const stockIds = stockIdsOf(sale);
    const [keeper] = [0, 1, 2, 3].filter((shard) => !lost.includes(shard));
    const cart = keeper === undefined ? undefined : { buyerId: buyerAtHome(sale, keeper, 'keeper'), stockId: stockIds[keeper] ?? '' };
    if (cart) {
      const line = { sku: 'tee', quantity: 2 };
      const set = await bench.engine.stock.setCartLine({ saleId: sale.saleId, shards, cartId: 'a-cart-id', buyerId: cart.buyerId, line });
      expect(set.outcome).toBe('CART');
    }
    await loseStocks(
      bench.engine,
      lost.map((shard) => stockIds[shard] ?? ''),
    );
    expect(await bench.engine.stock.read(sale.saleId, shards)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.place(sale.saleId, buyerAtHome(sale, lost[0] ?? 0, 'unlucky'))).toEqual({ outcome: 'stock-not-ready' });

    expect(await bench.work.rebuild(sale.saleId)).toMatchObject({ outcome: 'rebuilt' });
    expect(await bench.work.rebuild(sale.saleId)).toEqual({ outcome: 'already-loaded' });
    if (cart) {
      const kept = await bench.engine.stock.readCart(cart.stockId, 'a-cart-id');
      expect(kept).toMatchObject({ outcome: 'CART', lines: [{ sku: 'tee', units: [expect.any(String), expect.any(String)] }] });
      await bench.engine.stock.clearCart(cart.stockId, 'a-cart-id');
    }
    await expectOnePlaceEach(bench.engine, sale);
    const late = await crowd(sale, 30, 'late');
    expect(late).toHaveLength(24 - early.length);
    expect(new Set([...early, ...late]).size).toBe(24);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('while units are on their way between two others is dealt none of them', async () => {
    const sale = await openSharded(12, { shards: 3 });
    const scripts = shardScripts(bench.engine.redis);
    const lent = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 2 });
    expect(lent.outcome).toBe('LENT');
    await loseStocks(bench.engine, [stockIdsOf(sale)[2] ?? '']);
    await bench.work.rebuild(sale.saleId);
    const places = await placesInAll(bench.engine, sale);
    expect([...places.values()].map(({ length }) => length)).toEqual(Array.from({ length: 12 }, () => 1));
    expect(await bench.engine.stock.completeTransits(sale)).toBe(1);
    await expectOnePlaceEach(bench.engine, sale);
  });

  it('while units are on their way to it loses none of them', async () => {
    const sale = await openSharded(8, { shards: 2 });
    const scripts = shardScripts(bench.engine.redis);
    expect((await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 2 })).outcome).toBe('LENT');
    await loseStocks(bench.engine, [sale.saleId]);
    await bench.work.rebuild(sale.saleId);
    await bench.engine.stock.completeTransits(sale);
    await expectOnePlaceEach(bench.engine, sale);
    expect([...(await placesInAll(bench.engine, sale)).keys()]).toHaveLength(8);
  });
});
