import { expect } from 'vitest';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { homeShardOf, stockIdOf, stockIdsOf, unitsOfTransit } from '../../functions/stock/shards.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import type { Engine } from './engine.ts';

/** A buyer who is at home in this shard of the sale; another one for each name. */
export function buyerAtHome({ shards }: Pick<Sale, 'shards'>, shard: number, name = 'buyer'): string {
  for (let n = 0; ; n++) if (homeShardOf({ shards }, `${name}-${n}`) === shard) return `${name}-${n}`;
}

/** All that Redis has of these stocks, to be put back later: what a failover of their node to a replica that lags does. */
export async function snapshotOf({ redis }: Pick<Engine, 'redis'>, stockIds: readonly string[]): Promise<() => Promise<void>> {
  const keys = stockIds.flatMap((stockId) => Object.values(stockKeys(stockId)));
  const reading = redis.multi();
  for (const key of keys) reading.dumpBuffer(key);
  const dumps = ((await reading.exec()) ?? []).map(([, dump]) => dump as Buffer | null);
  return async () => {
    const restoring = redis.multi();
    for (const [index, key] of keys.entries()) {
      const dump = dumps[index];
      restoring.del(key);
      if (dump) restoring.restore(key, 0, dump);
    }
    await restoring.exec();
  };
}

/** A node goes, and its stocks with it. */
export const loseStocks = ({ redis }: Pick<Engine, 'redis'>, stockIds: readonly string[]): Promise<unknown> =>
  redis.del(...stockIds.flatMap((stockId) => Object.values(stockKeys(stockId))));

/** Where each unit of `tee` is by Redis, over all shards: by unit, `place@stock`. */
export async function placesInAll({ stock }: Pick<Engine, 'stock'>, sale: Sale): Promise<Map<number, string[]>> {
  const places = new Map<number, string[]>();
  const note = (unit: number, place: string) => places.set(unit, [...(places.get(unit) ?? []), place]);
  for (const [shard, stockId] of stockIdsOf(sale).entries()) {
    for await (const { first, last } of stock.freeRanges(stockId))
      for (let unit = first; unit <= last; unit++) note(unit, `free@${stockId}`);
    for await (const { first, last } of stock.suspectRanges(stockId))
      for (let unit = first; unit <= last; unit++) note(unit, `suspect@${stockId}`);
    for (const transit of await stock.transits(sale, shard)) for (const unit of unitsOfTransit(transit)) note(unit, `transit@${stockId}`);
    for await (const hold of stock.holds(stockId)) {
      if (hold.state === 'ended') continue;
      for (const unit of hold.lines.flatMap(({ units }) => units)) note(Number(unit), `${hold.state}@${stockId}`);
      expect(stockIdOf({ ...sale, buyerId: hold.buyerId }), `the home of ${hold.buyerId}`).toBe(stockId);
    }
  }
  return places;
}

/** Once quiet: each unit has one place, those with a row in their order's hold, the others for sale; and all counters say so. */
export async function expectOnePlaceEach(engine: Engine, sale: Sale, total = sale.items[0]?.total ?? 0): Promise<void> {
  const places = await placesInAll(engine, sale);
  const rows = await engine.unitRows(sale.saleId);
  for (let unit = 1; unit <= total; unit++) {
    const row = rows.get(String(unit));
    const of = places.get(unit) ?? [];
    expect(of, `unit ${unit}`).toHaveLength(1);
    if (row) expect(of[0], `unit ${unit}`).toMatch(new RegExp(`@${stockIdOf({ ...sale, buyerId: String(row.buyerId) })}$`));
    else expect(of[0], `unit ${unit}`).toMatch(/^free@/);
  }
  expect(await engine.stock.read(sale.saleId, sale.shards)).toMatchObject({
    items: [{ total, available: total - rows.size, given: rows.size }],
  });
}
