import type { Sale } from '../sales/sale.model.ts';
import { log } from '../shared/telemetry.ts';
import { stockIdsOf } from '../stock/shards.model.ts';
import type { Stock } from '../stock/stock.ports.ts';

/**
 * Ends a live sale's carts whose time is up, for whoever goes through the live sales. Redis alone decides: no row tells of a cart. May run any
 * number of times, also while buyers check out.
 */
export const expireCarts =
  ({ stock }: { readonly stock: Pick<Stock, 'expireCarts'> }) =>
  async (sale: Pick<Sale, 'saleId' | 'shards'>, hasTime: () => boolean): Promise<void> => {
    for (const saleId of stockIdsOf(sale)) {
      const ended = await stock.expireCarts(saleId, hasTime);
      if (ended.outcome === 'EXPIRED' && ended.count > 0) log.info('carts have expired', { saleId, count: ended.count });
    }
  };
