import type { Sale } from '../sales/sale.model.ts';
import { log } from '../shared/telemetry.ts';
import { isSharded } from './shards.model.ts';
import type { Stock } from './stock.ports.ts';

/**
 * Looks after a live sale's copy in Redis, for whoever goes through the live sales. One that is not loaded is asked for by the stock itself (see
 * stock.wiring.ts). One that is behind is brought up to date: whoever changed the sale may have died between DynamoDB and Redis, and a
 * Redis that failed over may have forgotten the change. May run any number of times.
 */
export const keepCurrent =
  ({ stock }: { readonly stock: Pick<Stock, 'read' | 'update'> }) =>
  async (sale: Sale): Promise<void> => {
    const copy = await stock.read(sale.saleId, sale.shards);
    if (copy.outcome !== 'READ') return;
    // A shard may have the copy and not its units: what was put on sale while it was being loaded comes after the load.
    const lacksUnits =
      isSharded(sale) && sale.items.some(({ sku, total }) => copy.items.some((item) => item.sku === sku && item.total < total));
    if (copy.version < sale.version || lacksUnits) await stock.update(sale);
  };

/** Brings units that somebody left on their way between the shards of a live sale where they were to go. May run any number of times, also at once. */
export const keepMoving =
  ({ stock }: { readonly stock: Pick<Stock, 'completeTransits'> }) =>
  async (sale: Sale): Promise<void> => {
    const completed = await stock.completeTransits(sale);
    if (completed > 0) log.info('units were on their way between shards', { saleId: sale.saleId, runs: completed });
  };
