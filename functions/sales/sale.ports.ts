import type { Sale } from './sale.model.ts';

/** What is left of a sale by Redis, and Redis' time. */
export type SaleStockLevels =
  | { outcome: 'LEVELS'; nowMs: number; items: readonly { readonly sku: string; readonly available: number }[] }
  | { outcome: 'NOT_LOADED' };

/** The stock as the sales capability sees it. Every method may be repeated. */
export interface SaleStock {
  load(sale: Sale): Promise<unknown>;
  levels(saleId: string): Promise<SaleStockLevels>;
}
