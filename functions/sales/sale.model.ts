/** What a sale sells of one product. Name and price are frozen when the sale is created. */
export interface SaleItem {
  readonly sku: string;
  readonly name: string;
  readonly priceMinor: number;
  readonly currency: string;
  /** Units ever put on sale; of a seated item, how many seats it has. Only grows, so a cached one is never too high. */
  readonly total: number;
  /** Sold by named seats (see the table of seats), not by number. */
  readonly seated: boolean;
}

/** The seats of a sale by item, in the order in which they were put on sale. */
export type SeatList = ReadonlyMap<string, readonly string[]>;

/**
 * A sale that was called off: every order that lives is ended, in bounded steps, until `doneAtMs` is there. It goes again when the stock turns out to
 * have forgotten that it is closed.
 */
export interface SaleCancellation {
  readonly reason: string;
  readonly atMs: number;
  readonly doneAtMs?: number;
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
  /** How many rows the sale has in the table of seats: 1 to this, each of them never changed. None when left out. */
  readonly seatChunks?: number;
  readonly cancellation?: SaleCancellation;
  /** Over how many shards its stock is spread (see docs/shards.md); one when left out. Never changes. */
  readonly shards?: number;
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
