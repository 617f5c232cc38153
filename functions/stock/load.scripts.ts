import type { SeatList } from '../sales/sale.model.ts';
import type { RedisClient } from '../shared/redis.ts';
import * as scripts from './load.definitions.ts';
import { type SaleToLoad, saleArgs } from './sale-copy.ts';
import { stockKeys } from './stock.keys.ts';
import type { UnitRange, UnitState } from './stock.model.ts';

/** A unit's row, as far as a load needs it. */
export interface OwnedUnit {
  readonly sku: string;
  readonly unit: string;
  readonly seated: boolean;
  readonly state: UnitState;
  readonly holdId: string;
  readonly buyerId: string;
  /** The slot of the buyer's allowance that the unit uses; none in a sale without a limit. */
  readonly slot?: number | undefined;
  readonly atMs: number;
}

/** An item as it is published: of a counted one the lowest serial never given out, and how many units below it are free. */
export type LoadedItem =
  | { readonly sku: string; readonly kind: 'counted'; readonly total: number; readonly next: number; readonly free: number }
  | { readonly sku: string; readonly kind: 'seated'; readonly total: number };

/** Which load, and which of its chunks: each number counts once, however often its chunk arrives. Counted from 1. */
export interface ChunkRef {
  readonly epoch: number;
  readonly chunk: number;
}

/** A load that nobody disturbs did not go through: its chunks are gone, or its seats are not as many as its sale says. */
export class LoadFailed extends Error {
  override readonly name = 'LoadFailed';
}

/** How much fits into one chunk: a script must not hold up Redis for long. */
export const chunkSizes = { units: 250, seats: 500, ranges: 250 } as const;

/**
 * Putting a sale's whole stock into Redis: `beginLoad`, then chunks in any order, several at once, then `publishLoad`. The sale stays `NOT_LOADED`
 * until it is published. A load is known by its epoch, and each must have one of its own: one of a higher epoch takes the place of the others, whose
 * chunks are then `STALE_EPOCH`.
 */
export function loadScripts(redis: RedisClient) {
  const loads = {
    beginLoad: (saleId: string, epoch: number) => scripts.loadBegin(redis, { keys: stockKeys(saleId), args: { epoch } }),

    /** Rows of units, at most 250. Those of one order may be spread over chunks. `holdSeconds`: the sale's, from which a hold's end is guessed. */
    loadUnits: (
      saleId: string,
      { epoch, chunk, rows, holdSeconds }: ChunkRef & { readonly rows: readonly OwnedUnit[]; readonly holdSeconds: number },
    ) =>
      scripts.loadUnits(redis, {
        keys: stockKeys(saleId),
        args: { epoch, chunk, holdMs: Math.round(holdSeconds * 1000) },
        each: rows.map(({ seated, slot = 0, ...row }) => ({ ...row, slot, kind: seated ? 'seat' : 'serial' })),
      }),

    /** Seats of one item, at most 500, each seat in one chunk only. Those that a row has taken stay taken. */
    loadSeats: (saleId: string, { epoch, chunk, sku, seats }: ChunkRef & { readonly sku: string; readonly seats: readonly string[] }) =>
      scripts.loadSeats(redis, { keys: stockKeys(saleId), args: { epoch, chunk, sku }, each: seats.map((seat) => ({ seat })) }),

    /** Free ranges below the highest owned serial, at most 250. */
    loadFree: (saleId: string, { epoch, chunk, ranges }: ChunkRef & { readonly ranges: readonly UnitRange[] }) =>
      scripts.loadFree(redis, { keys: stockKeys(saleId), args: { epoch, chunk }, each: ranges }),

    /**
     * Makes the sale sell, if all chunks are there and nobody has brought a newer copy of it meanwhile (`STALE_VERSION`: load what is new, publish
     * again). `behind`: orders may exist that have no hold.
     */
    publishLoad: (
      sale: SaleToLoad,
      load: { readonly epoch: number; readonly chunks: number; readonly items: readonly LoadedItem[]; readonly behind: boolean },
    ) =>
      scripts.loadPublish(redis, {
        keys: stockKeys(sale.saleId),
        args: { ...saleArgs(sale), epoch: load.epoch, chunks: load.chunks, behind: load.behind ? 1 : 0 },
        each: load.items.map((item) => (item.kind === 'counted' ? item : { ...item, next: 0, free: 0 })),
      }),

    /**
     * Loads a sale that nobody has bought from. `ALREADY_LOADED`: it is there, or somebody of a higher epoch is about to load it, or `current`
     * says that it is not to be loaded: asked right before publishing, it gives the sale as it is then. Throws `LoadFailed` when a newer copy of
     * the sale is known, or Redis lost a part of it.
     */
    async load(
      sale: SaleToLoad,
      seats: SeatList = new Map(),
      current: () => Promise<SaleToLoad | undefined> = async () => sale,
    ): Promise<{ outcome: 'LOADED' | 'ALREADY_LOADED' }> {
      const { saleId, epoch } = sale;
      const begun = await loads.beginLoad(saleId, epoch);
      if (begun.outcome !== 'BEGUN') return { outcome: 'ALREADY_LOADED' };
      let chunk = 0;
      for (const [sku, page] of seatPages(seats)) {
        const sent = await loads.loadSeats(saleId, { epoch, chunk: ++chunk, sku, seats: page });
        if (sent.outcome === 'STALE_EPOCH') return { outcome: 'ALREADY_LOADED' };
      }
      const now = await current();
      if (!now) return { outcome: 'ALREADY_LOADED' };
      const items = now.items.map(({ sku, total, seated }): LoadedItem => {
        return seated ? { sku, kind: 'seated', total } : { sku, kind: 'counted', total, next: 1, free: 0 };
      });
      const { outcome } = await loads.publishLoad(now, { epoch, chunks: chunk, items, behind: false });
      if (outcome === 'INCOMPLETE' || outcome === 'STALE_VERSION') throw new LoadFailed(`${saleId} is not loaded: ${outcome}`);
      return { outcome: outcome === 'LOADED' ? outcome : 'ALREADY_LOADED' };
    },
  };
  return loads;
}

/** The seats by item, in chunks. */
export function* seatPages(seats: SeatList): Generator<readonly [sku: string, page: readonly string[]]> {
  for (const [sku, all] of seats) for (const page of pagesOf(all, chunkSizes.seats)) yield [sku, page];
}

export function* pagesOf<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
}
