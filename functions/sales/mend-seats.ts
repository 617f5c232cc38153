import type { Sale } from './sale.model.ts';
import type { SaleStock } from './sale.ports.ts';
import type { SeatRepository } from './seat.repository.ts';

export interface MendSeatsPorts {
  readonly seats: Pick<SeatRepository, 'list'>;
  readonly stock: Pick<SaleStock, 'addSeats'> & {
    read(
      saleId: string,
    ): Promise<
      { outcome: 'READ'; readonly items: readonly { readonly sku: string; readonly total: number }[] } | { readonly outcome: 'NOT_LOADED' }
    >;
  };
}

/**
 * Brings seats to the stock that it has not heard of: whoever put them on sale died before it told. A newer copy of the sale does not have
 * their names, so it cannot make that good. May run any number of times.
 */
export const mendSeats =
  ({ seats, stock }: MendSeatsPorts) =>
  async (sale: Sale): Promise<void> => {
    if (!sale.seatChunks) return;
    const levels = await stock.read(sale.saleId);
    if (levels.outcome === 'NOT_LOADED') return;
    const known = new Map(levels.items.map(({ sku, total }) => [sku, total]));
    const lacking = sale.items.filter(({ sku, seated, total }) => seated && (known.get(sku) ?? 0) < total);
    if (lacking.length === 0) return;
    const names = await seats.list(sale);
    for (const { sku } of lacking) await stock.addSeats(sale.saleId, sku, names.get(sku) ?? []);
  };
