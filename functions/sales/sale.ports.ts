import type { Sale } from './sale.model.ts';

/** What is left of a sale by Redis, and Redis' time. */
export interface SaleStockLevels {
  readonly nowMs: number;
  readonly items: readonly { readonly sku: string; readonly available: number }[];
}

/** The stock as the sales capability sees it. Every method may be repeated. */
export interface SaleStock {
  load(sale: Sale): Promise<{ outcome: 'LOADED' | 'ALREADY_LOADED' }>;
  read(saleId: string): Promise<({ outcome: 'READ' } & SaleStockLevels) | { outcome: 'NOT_LOADED' }>;
}
