import type { Sale, SeatList } from './sale.model.ts';

/** What is left of a sale by Redis, and Redis' time. */
export interface SaleStockLevels {
  readonly nowMs: number;
  readonly items: readonly { readonly sku: string; readonly available: number }[];
}

interface NotLoaded {
  readonly outcome: 'NOT_LOADED';
}

/** Asks for the rebuild of a sale that Redis has lost. Never fails, and asks once for a whole crowd of callers. */
export type AskForRebuild = (saleId: string) => Promise<void>;

export type SeatState = 'free' | 'held' | 'sold';

/** The stock as the sales capability sees it. Every method may be repeated. */
export interface SaleStock {
  /** `current`: the sale as it is right before it begins to sell; undefined where it is not to be loaded any more. */
  load(sale: Sale, seats?: SeatList, current?: () => Promise<Sale | undefined>): Promise<{ outcome: 'LOADED' | 'ALREADY_LOADED' }>;
  /** `shards`: how many the sale has, here and below; one when left out. */
  read(saleId: string, shards?: number): Promise<({ outcome: 'READ' } & SaleStockLevels) | NotLoaded>;
  /** Brings a newer copy of the sale: `UP_TO_DATE` where there was one. A stock that is not loaded will not be loaded with an older one. */
  update(sale: Sale): Promise<{ outcome: 'UPDATED' | 'UP_TO_DATE' } | NotLoaded>;
  /** Since when the stock has a sale closed that was called off. Another moment than before: it may have forgotten that, and sold meanwhile. */
  closedSince(
    saleId: string,
    shards?: number,
  ): Promise<{ outcome: 'CLOSED'; readonly sinceMs: number } | { outcome: 'SELLING' } | NotLoaded>;
  /** Puts seats on sale; those that are there stay as they are. `count`: those that were not there. */
  addSeats(saleId: string, sku: string, seats: readonly string[]): Promise<{ outcome: 'ADDED'; readonly count: number } | NotLoaded>;
  /** `unknown`: the seat has not come to Redis yet. */
  seatStates(
    saleId: string,
    sku: string,
    seats: readonly string[],
  ): Promise<{ outcome: 'STATES'; states: readonly (SeatState | 'unknown')[] } | NotLoaded>;
  /**
   * Returns when what the sale's stock has is safe from the failure of a node; throws when that takes too long. A node that has taken over
   * may never have had what was brought to the one before.
   */
  settled(saleId: string, shards?: number): Promise<void>;
  /** The time by the clock that opens and closes sales. */
  nowMs(): Promise<number>;
}
