import { inParallel } from '../shared/parallel.ts';
import type { LoadRef } from '../stock/mend.ports.ts';
import { homeShardOf, isSharded, type Sharded, stockIdsOf, type Transit } from '../stock/shards.model.ts';
import type { Stock } from '../stock/stock.ports.ts';

const lanes = 4;

/** Which load of a sale was looked at: of one with several shards, which of each. */
export interface SaleLoad extends LoadRef {
  readonly shards?: readonly LoadRef[];
}

/** The loads of the sale's stocks, by shard. */
export const partsOf = (load: SaleLoad): readonly LoadRef[] => load.shards ?? [load];

/** The load of the stock that a buyer's holds and slots are in. */
export const homeOf = (load: SaleLoad, buyerId: string): LoadRef =>
  load.shards?.[homeShardOf({ shards: load.shards.length }, buyerId)] ?? load;

/** The stocks as they are loaded now; undefined where one of them is not. */
export async function loadOf(sale: Sharded, epoch: number, { read }: Pick<Stock, 'read'>): Promise<SaleLoad | undefined> {
  const { saleId } = sale;
  if (!isSharded(sale)) return { saleId, epoch };
  const shards = await inParallel(stockIdsOf(sale), lanes, async (stockId): Promise<LoadRef | undefined> => {
    const found = await read(stockId);
    return found.outcome === 'READ' ? { saleId: stockId, epoch: found.epoch } : undefined;
  });
  return shards.every((shard) => shard !== undefined) ? { saleId, epoch, shards } : undefined;
}

/** The units of a sale that are on their way between its shards. */
export async function transitsOf({ saleId, shards = [] }: SaleLoad, { transits }: Pick<Stock, 'transits'>): Promise<Transit[]> {
  const found = await Promise.all(shards.map((_, shard) => transits({ saleId, shards: shards.length }, shard)));
  return found.flat();
}
