import { shardOf } from '../shared/ids.ts';
import type { UnitRange } from './stock.model.ts';
import { parseUnits } from './stock.records.ts';

// A sale's stock may be spread over several shards (see docs/shards.md). Each is a stock of its own under a stock id; that of shard 0 is the sale's id.

export const shardsMax = 64;

/** A sale as far as it says where its stock is. One shard when left out. */
export interface Sharded {
  readonly saleId: string;
  readonly shards?: number | undefined;
}

/** Units on their way from one shard to another. */
export interface Transit {
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly sku: string;
  /** As the scripts have them, `1-3,7`. */
  readonly units: string;
}

/** Units on their way, each by its serial. */
export const unitsOfTransit = ({ units }: Transit): number[] => parseUnits(units).map(Number);

/** Between a sale's id and the number of a shard: no id has it. */
const shardMark = '#';

export const isSharded = <Of extends Pick<Sharded, 'shards'>>(of: Of): of is Of & { readonly shards: number } => (of.shards ?? 1) > 1;

export const shardStockId = (saleId: string, shard: number): string => (shard === 0 ? saleId : `${saleId}${shardMark}${shard}`);

/** The stocks of a sale, by shard. */
export const stockIdsOf = ({ saleId, shards = 1 }: Sharded): string[] =>
  Array.from({ length: shards }, (_, shard) => shardStockId(saleId, shard));

/** The shard that a buyer is at home in. */
export const homeShardOf = ({ shards = 1 }: Pick<Sharded, 'shards'>, buyerId: string): number =>
  shards > 1 ? shardOf(buyerId, shards) : 0;

/** The stock where this buyer's holds, cart and slots are. */
export const stockIdOf = (of: Sharded & { readonly buyerId: string }): string => shardStockId(of.saleId, homeShardOf(of, of.buyerId));

/** The sale that a stock is of. */
export const saleIdOfStock = (stockId: string): string => stockId.split(shardMark, 1)[0] ?? stockId;

/** The serials 1 to `total` in as many runs of neighbours as there are shards, as even as can be. Undefined for a shard that gets none. */
export const dealtRun = (total: number, shard: number, shards: number): { readonly first: number; readonly last: number } | undefined => {
  const [before, upTo] = [Math.floor((total * shard) / shards), Math.floor((total * (shard + 1)) / shards)];
  return upTo > before ? { first: before + 1, last: upTo } : undefined;
};

/** Serials that are put on sale later are dealt so many at a time. By serial alone, so that no shard needs to know what others have heard of. */
const stripe = 64;

/** Those of the serials after `after`, up to `total`, that are this shard's. */
export function stripesOf(sku: string, after: number, total: number, shard: number, shards: number): UnitRange[] {
  const ranges: UnitRange[] = [];
  for (let at = Math.floor(after / stripe); at * stripe < total; at++) {
    const [first, last] = [Math.max(after, at * stripe) + 1, Math.min(total, (at + 1) * stripe)];
    if (at % shards === shard && first <= last) ranges.push({ sku, first, last });
  }
  return ranges;
}

/** Deals ranges, given one after the other, to so many hands, each of which gets a run of neighbours: `units` in all. */
export function* dealtRanges<R extends { readonly first: number; readonly last: number }>(
  ranges: Iterable<R>,
  units: number,
  hands: number,
): Generator<readonly [hand: number, range: R]> {
  let dealt = 0;
  for (const range of ranges) {
    for (let first = range.first; first <= range.last; ) {
      // The hand whose run the next unit is in, and where that run ends.
      let hand = Math.min(hands - 1, Math.floor((dealt * hands) / units));
      while (hand < hands - 1 && Math.floor((units * (hand + 1)) / hands) <= dealt) hand++;
      const left = Math.max(1, Math.floor((units * (hand + 1)) / hands) - dealt);
      const last = hand === hands - 1 ? range.last : Math.min(range.last, first + left - 1);
      yield [hand, { ...range, first, last }];
      dealt += last - first + 1;
      first = last + 1;
    }
  }
}
