import type { Sale } from './sale.model.ts';

const salesMax = 1_000;

/**
 * Sales as a container remembers them. What the hot path takes from one never changes (prices, items) or only grows (totals, asked for
 * again before anything is refused by them); whether a sale sells is the script's to say. An unknown sale is not remembered.
 */
export function knownSales(read: (saleId: string) => Promise<Sale | undefined>) {
  const known = new Map<string, Sale>();
  async function fresh(saleId: string): Promise<Sale | undefined> {
    const sale = await read(saleId);
    if (!sale) return undefined;
    // The oldest goes first; a container serves a handful of sales, so this bound is for the odd case.
    if (known.size >= salesMax) known.delete(known.keys().next().value ?? '');
    known.set(saleId, sale);
    return sale;
  }
  return { fresh, known: async (saleId: string) => known.get(saleId) ?? fresh(saleId) };
}
