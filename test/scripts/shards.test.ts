import { describe, expect, it } from 'vitest';
import { shardStockId } from '../../functions/stock/shards.model.ts';
import { shardScripts } from '../../functions/stock/shards.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { buyerOf, expectAllConserved, openSharded, reserveAs, reservePatiently } from './shards.harness.ts';
import { redisBench } from './stock.harness.ts';

const bench = redisBench();
const shards = 4;
const total = 40;

describe('a sale over several shards', () => {
  it('deals every unit to one shard', async () => {
    for (const [count, units] of [
      [4, 40],
      [3, 10],
      [64, 5],
    ] as const) {
      const sale = await openSharded(bench, count, units);
      await expectAllConserved(bench, { ...sale, total: units });
      expect(await bench.stock.read(sale.saleId, count)).toMatchObject({ items: [{ total: units, available: units, given: 0 }] });
    }
  });

  it('sells every unit once to a crowd, and says sold out only when none is left', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 5; round++) {
      const sale = await openSharded(bench, shards, total);
      const replies = await Promise.all(Array.from({ length: 2 * total }, (_, n) => reservePatiently(bench, sale, `crowd-${round}-${n}`)));
      const outcomes = Map.groupBy(replies, ({ outcome }) => outcome);
      expect(outcomes.get('RESERVED')).toHaveLength(total);
      expect(outcomes.get('SOLD_OUT')).toHaveLength(total);
      const places = await expectAllConserved(bench, { ...sale, total });
      expect(places.every(({ place }) => place === 'held')).toBe(true);
    }
  });

  it('gives the very last units, spread over all shards, to whoever asks for as many', async () => {
    const sale = await openSharded(bench, shards, shards);
    const reply = await reserveAs(bench, sale, buyerOf(sale, 1), shards);
    expect(reply).toMatchObject({ outcome: 'RESERVED', hold: { lines: [{ sku: 'tee', units: ['1', '2', '3', '4'] }] } });
    expect(await reserveAs(bench, sale, buyerOf(sale, 2))).toMatchObject({ outcome: 'SOLD_OUT', available: 0 });
  });

  it('refuses more than is left, and says how much that is', async () => {
    const sale = await openSharded(bench, shards, shards);
    expect(await reserveAs(bench, sale, buyerOf(sale, 3), shards + 1)).toMatchObject({ outcome: 'SOLD_OUT', available: shards });
    expect(await reserveAs(bench, sale, buyerOf(sale, 0), shards)).toMatchObject({ outcome: 'RESERVED' });
  });

  it('lets gatherers of several units race without refusing what one of them could have', { timeout: 60_000 }, async () => {
    for (let round = 0; round < 20; round++) {
      const sale = await openSharded(bench, shards, shards);
      const buyers = [0, 1, 2, 3].map((shard) => buyerOf(sale, shard));
      const replies = await Promise.all(buyers.map((buyer) => reservePatiently(bench, sale, buyer, 2)));
      expect(replies.filter(({ outcome }) => outcome === 'RESERVED')).toHaveLength(2);
      expect(replies.filter(({ outcome }) => outcome === 'SOLD_OUT')).toHaveLength(2);
      await expectAllConserved(bench, { ...sale, total: shards });
    }
  });

  it('numbers each run higher than the one before, also after the clock has stepped back', async () => {
    const sale = await openSharded(bench, 2, 4);
    const scripts = shardScripts(bench.redis);
    // What the last run was numbered by a clock that is ahead of this one.
    const ahead = (Date.now() + 3_600_000) * 1_000;
    await bench.redis.hset(stockKeys(shardStockId(sale.saleId, 1)).sale, 't:0', `${ahead}|`);
    await bench.redis.hset(stockKeys(sale.saleId).sale, 'g:1', String(ahead));
    const lent = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 1 });
    if (lent.outcome !== 'LENT') throw new Error(lent.outcome);
    expect(lent.transit.seq).toBe(ahead + 1);
    expect(await scripts.receive(sale, lent.transit)).toEqual({ outcome: 'RECEIVED', count: 1 });
    await scripts.settle(sale, lent.transit);
    await expectAllConserved(bench, { ...sale, total: 4 });
  });

  it('is not sold out while units are on their way, whoever left them there', async () => {
    const sale = await openSharded(bench, 2, 2);
    const scripts = shardScripts(bench.redis);
    const lent = await scripts.lend(sale, { from: 1, to: 0, sku: 'tee', missing: 1 });
    expect(lent.outcome).toBe('LENT');
    // Whoever borrowed has died. A buyer of the donor's own shard finds the run on its way.
    const first = await reserveAs(bench, sale, buyerOf(sale, 1, 'a'));
    expect(first.outcome).toBe('RESERVED');
    expect((await reserveAs(bench, sale, buyerOf(sale, 1, 'b'))).outcome).toBe('RESERVED');
    expect(await reserveAs(bench, sale, buyerOf(sale, 1, 'c'))).toMatchObject({ outcome: 'SOLD_OUT', available: 0 });
    await expectAllConserved(bench, { ...sale, total: 2 });
  });
});
