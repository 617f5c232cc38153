import type { Sale } from '../sales/sale.model.ts';
import { availableOf } from './stock-level.model.ts';
import type { LevelReader } from './stock-level.repository.ts';

/** What is left of each item of a sale by the read model; undefined unless that is known of all of them. */
export const countedStock =
  (levels: LevelReader) =>
  async ({ saleId, items }: Pick<Sale, 'saleId' | 'items'>): Promise<ReadonlyMap<string, number> | undefined> => {
    const bySku = new Map((await levels.of(saleId)).map((level) => [level.sku, availableOf(level)]));
    const known = items.flatMap(({ sku }): [string, number][] => {
      const available = bySku.get(sku);
      return available === undefined ? [] : [[sku, available]];
    });
    return known.length === items.length ? new Map(known) : undefined;
  };
