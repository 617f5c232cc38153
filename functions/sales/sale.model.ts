/** What a sale sells of one product. Name and price are frozen when the sale is created. */
export interface SaleItem {
  readonly sku: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
  /** Units ever put on sale. Only grows, so a cached one is never too high. */
  readonly total: number;
  readonly seated: boolean;
}

/** What an operator has set; whether the sale sells at a moment also depends on its window and stock. */
export type SaleControl = 'open' | 'paused' | 'closed';
export type SaleState = 'scheduled' | 'open' | 'paused' | 'sold-out' | 'closed';
export type Strategy = 'reserve-first' | 'charge-first';

export interface Sale {
  readonly saleId: string;
  readonly name: string;
  readonly opensAtMs: number;
  readonly closesAtMs: number;
  readonly strategy: Strategy;
  readonly holdSeconds: number;
  readonly perBuyerLimit?: number;
  readonly control: SaleControl;
  /** Grows with every change; every copy of the sale carries it, and an older copy is ignored. */
  readonly version: number;
  /** Grows with every rebuild of the sale's Redis state. */
  readonly epoch: number;
  readonly currency: string;
  readonly items: readonly SaleItem[];
  readonly createdAtMs: number;
}

/** The state that buyers see. `available` counts units left over all items. Window bounds: open at `opensAt`, no longer at `closesAt`. */
export function saleStateAt(sale: Pick<Sale, 'control' | 'opensAtMs' | 'closesAtMs'>, available: number, nowMs: number): SaleState {
  if (hasClosed(sale, nowMs)) return 'closed';
  if (nowMs < sale.opensAtMs) return 'scheduled';
  if (sale.control === 'paused') return 'paused';
  return available > 0 ? 'open' : 'sold-out';
}

/** Whether the sale is over, for good: closed by an operator, or past its window. */
export const hasClosed = (sale: Pick<Sale, 'control' | 'closesAtMs'>, nowMs: number): boolean =>
  sale.control === 'closed' || nowMs >= sale.closesAtMs;
