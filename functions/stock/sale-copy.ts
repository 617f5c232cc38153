import type { Sale } from '../sales/sale.model.ts';

/** What Redis is told of a sale. */
export type SaleToLoad = Pick<
  Sale,
  'saleId' | 'shards' | 'epoch' | 'version' | 'control' | 'opensAtMs' | 'closesAtMs' | 'perBuyerLimit' | 'holdSeconds' | 'cancellation'
> & {
  readonly items: readonly { readonly sku: string; readonly total: number; readonly seated?: boolean }[];
};

/** A sale's own fields as the scripts take them, with the one word in which its control and its cancellation come together. */
export const saleArgs = ({ version, control, cancellation, opensAtMs, closesAtMs, perBuyerLimit, holdSeconds }: SaleToLoad) => ({
  version,
  control: cancellation ? 'cancelled' : control,
  opensAtMs,
  closesAtMs,
  limit: perBuyerLimit ?? 0,
  holdMs: Math.round(holdSeconds * 1000),
});
