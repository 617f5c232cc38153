import type { Sale } from '../sales/sale.model.ts';
import type { Drift } from './drift.model.ts';

/** What Redis says of a sale itself. */
export interface SaleSeen {
  readonly version: number;
  readonly control: string;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly limit: number;
  readonly holdMs: number;
  readonly items: readonly { readonly sku: string; readonly total: number }[];
}

/** What Redis has wrong of the sale itself. A copy that is newer than ours is right: the sale was changed since it was read. */
export function driftOfSale(sale: Sale, seen: SaleSeen): Drift | undefined {
  if (seen.version > sale.version) return undefined;
  const wanted = {
    version: sale.version,
    control: sale.cancellation ? 'cancelled' : sale.control,
    opensAtMs: sale.opensAtMs,
    closesAtMs: sale.closesAtMs,
    limit: sale.perBuyerLimit ?? 0,
    holdMs: Math.round(sale.holdSeconds * 1000),
  };
  const wrong = Object.entries(wanted).flatMap(([name, value]) => {
    const found = seen[name as keyof typeof wanted];
    return found === value ? [] : [`${name} is ${found}, not ${value}`];
  });
  const totals = new Map(seen.items.map(({ sku, total }) => [sku, total]));
  for (const { sku, total } of sale.items) {
    if ((totals.get(sku) ?? 0) < total) wrong.push(`the total of ${sku} is ${totals.get(sku) ?? 0}, not ${total}`);
  }
  return wrong.length === 0 ? undefined : { kind: 'sale-behind', subject: sale.saleId, detail: wrong.join(', '), about: 'sale' };
}
