import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { homeShardOf, type Sharded, shardStockId, stockIdsOf, unitsOfTransit } from '../../functions/stock/shards.model.ts';
import { shardScripts } from '../../functions/stock/shards.scripts.ts';
import type { SaleToLoad } from '../../functions/stock/stock.scripts.ts';
import { all, aRequest, type Bench, openSale, serials } from './stock.harness.ts';

/** A sale over several shards, of one item `tee`. */
export const openSharded = (bench: Bench, shards: number, total: number, changes: Partial<SaleToLoad> = {}): Promise<SaleToLoad> =>
  openSale(bench, { shards, items: [{ sku: 'tee', total }], ...changes });

/** A buyer who is at home in this shard. */
export function buyerOf({ shards }: Sharded, shard: number, name = ''): string {
  for (let n = 0; ; n++) {
    const buyerId = `buyer-${name}${n}`;
    if (homeShardOf({ shards }, buyerId) === shard) return buyerId;
  }
}

export const reserveAs = ({ stock }: Bench, { saleId, shards }: Sharded, buyerId: string, quantity = 1, holdId: string = randomUUID()) =>
  stock.reserve({ ...aRequest(saleId, { buyerId, holdId, lines: [{ sku: 'tee', quantity }] }), shards });

/** Asks again while the last units are being moved about. */
export async function reservePatiently(bench: Bench, sale: Sharded, buyerId: string, quantity = 1) {
  const holdId = randomUUID();
  for (let attempt = 0; attempt < 200; attempt++) {
    const reply = await reserveAs(bench, sale, buyerId, quantity, holdId);
    if (reply.outcome !== 'IN_TRANSIT') return reply;
  }
  throw new Error('200 attempts were not enough');
}

/** Where each unit of `tee` is, over all shards: free, held, under suspicion or on its way. */
export async function placesOf({ redis, stock }: Bench, sale: Sharded) {
  const scripts = shardScripts(redis);
  const places: { shard: number; place: 'free' | 'held' | 'suspect' | 'transit'; unit: number }[] = [];
  for (const [shard, stockId] of stockIdsOf(sale).entries()) {
    const at = (place: (typeof places)[number]['place'], units: readonly (number | string)[]) =>
      places.push(...units.map((unit) => ({ shard, place, unit: Number(unit) })));
    for (const { first, last } of await all(stock.freeRanges(stockId))) at('free', serials(first, last));
    for (const { first, last } of await all(stock.suspectRanges(stockId))) at('suspect', serials(first, last));
    for (const hold of await all(stock.holds(stockId)))
      if (hold.state !== 'ended')
        at(
          'held',
          hold.lines.flatMap(({ units }) => units),
        );
    for (const transit of await scripts.transits(sale, shard)) at('transit', unitsOfTransit(transit));
  }
  return places;
}

/** Each unit is in exactly one place of one shard, and the counters of every shard say what is there. `gone`: units that are in none. */
export async function expectAllConserved(bench: Bench, sale: Sharded & { readonly total: number }, gone: readonly number[] = []) {
  const places = await placesOf(bench, sale);
  const everywhere = [...places.map(({ unit }) => unit), ...gone].sort((a, b) => a - b);
  expect(everywhere).toEqual(serials(1, sale.total).map(Number));
  for (let shard = 0; shard < (sale.shards ?? 1); shard++) {
    const read = await bench.stock.read(shardStockId(sale.saleId, shard));
    const free = places.filter((place) => place.shard === shard && place.place === 'free').length;
    expect(read).toMatchObject({ outcome: 'READ', items: [{ sku: 'tee', total: sale.total, available: free }] });
  }
  return places;
}
