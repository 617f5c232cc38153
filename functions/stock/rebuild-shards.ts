import type { Sale } from '../sales/sale.model.ts';
import { log } from '../shared/telemetry.ts';
import { chunkSizes, type LoadedItem } from './load.scripts.ts';
import { Overtaken, publishAttemptsMax, RebuildFailed, type RebuildPorts, type Sending } from './rebuild.ts';
import type { SerialSet } from './serial-set.model.ts';
import { dealtRanges, stockIdsOf, unitsOfTransit } from './shards.model.ts';
import type { UnitRange } from './stock.model.ts';
import type { Stock } from './stock.ports.ts';

/** What is to be seen of shards that live. */
export type LiveShards = Pick<Stock, 'read' | 'freeRanges' | 'suspectRanges' | 'holds' | 'transits'>;

/**
 * Notes every unit that shards which live have in some place, so that those that are loaded beside them do not sell it as well. -> by item, up to which serial
 * units have been dealt to them; what they are yet to hear of is not for others to take. A unit that moves between two places while it is read may be missed: it
 * is then for sale twice, which its row decides and a reconciliation puts right.
 */
export async function seeLive(
  sale: Sale,
  live: readonly string[],
  owned: ReadonlyMap<string, SerialSet>,
  stock: LiveShards,
): Promise<ReadonlyMap<string, number>> {
  const totals = new Map(sale.items.map(({ sku, total }) => [sku, total]));
  const note = ({ sku, first, last }: UnitRange) => {
    for (let serial = first; serial <= last; serial++) owned.get(sku)?.add(serial);
  };
  const stockIds = stockIdsOf(sale);
  for (const stockId of live) {
    for await (const range of stock.freeRanges(stockId)) note(range);
    for (const transit of await stock.transits(sale, stockIds.indexOf(stockId))) {
      for (const serial of unitsOfTransit(transit)) owned.get(transit.sku)?.add(serial);
    }
    for await (const hold of stock.holds(stockId)) {
      for (const { sku, units } of hold.state === 'ended' ? [] : hold.lines) for (const unit of units) owned.get(sku)?.add(Number(unit));
    }
    for await (const range of stock.suspectRanges(stockId)) note(range);
    // Once more: what came back while the holds were read is in none of them.
    for await (const range of stock.freeRanges(stockId)) note(range);
    const read = await stock.read(stockId);
    for (const { sku, total } of read.outcome === 'READ' ? read.items : []) totals.set(sku, Math.min(total, totals.get(sku) ?? total));
  }
  return totals;
}

interface LoadingShards {
  readonly saleId: string;
  readonly epoch: number;
  readonly sendings: readonly Sending[];
  /** By item, up to which serial units are dealt by this load. */
  readonly totals: ReadonlyMap<string, number>;
  /** Serials that are somewhere. */
  readonly owned: ReadonlyMap<string, SerialSet>;
}

/** Deals what is nowhere to the shards that are loaded, publishes them, and tells all of what was put on sale meanwhile. */
export async function publishShards(loading: LoadingShards, ports: RebuildPorts): Promise<'LOADED' | 'ALREADY_LOADED'> {
  const items = await dealFree(loading);
  let sale: Sale | undefined;
  for (const [index, sending] of loading.sendings.entries()) {
    const published = await publishShard(sending, items[index] ?? [], loading, ports);
    if (published === 'ALREADY_LOADED') return published;
    sale = published;
  }
  if (sale) await ports.stock.supply(sale);
  return 'LOADED';
}

/** -> by shard, its items as they are published */
async function dealFree({ saleId, sendings, totals, owned }: LoadingShards): Promise<LoadedItem[][]> {
  const items = sendings.map((): LoadedItem[] => []);
  for (const [sku, serials] of owned) {
    const total = totals.get(sku) ?? 0;
    const beyond = serials.countAbove(total);
    if (beyond > 0) log.warn('units beyond what the shards have heard of have owners', { saleId, sku, total, units: beyond });
    let units = 0;
    for (const { first, last } of serials.gapsUpTo(total)) units += last - first + 1;
    const hands = sendings.map(() => ({ free: 0, ranges: [] as UnitRange[] }));
    for (const [hand, { first, last }] of dealtRanges(serials.gapsUpTo(total), units, sendings.length)) {
      const of = hands[hand];
      if (!of) throw new RebuildFailed(`${saleId} has no shard ${hand}`);
      of.free += last - first + 1;
      of.ranges.push({ sku, first, last });
      if (of.ranges.length === chunkSizes.ranges) await sendings[hand]?.free(of.ranges.splice(0));
    }
    for (const [hand, { free, ranges }] of hands.entries()) {
      if (ranges.length > 0) await sendings[hand]?.free(ranges);
      items[hand]?.push({ sku, kind: 'counted', total, next: total + 1, free });
    }
  }
  return items;
}

/** As `publish` does it for a sale of one shard. -> the sale that it was published with */
async function publishShard(
  sending: Sending,
  items: readonly LoadedItem[],
  { saleId, epoch }: LoadingShards,
  { sales, stock }: RebuildPorts,
): Promise<Sale | 'ALREADY_LOADED'> {
  for (let attempt = 0; attempt < publishAttemptsMax; attempt++) {
    const sale = await sales.get(saleId, { consistent: true });
    if (sale?.epoch !== epoch || !(await sending.stillOurs())) throw new Overtaken();
    const copy = { ...sale, saleId: sending.stockId };
    const { outcome } = await stock.publishLoad(copy, { epoch, chunks: sending.chunks(), items, behind: true });
    if (outcome === 'LOADED') return sale;
    if (outcome === 'ALREADY_LOADED') return outcome;
    if (outcome === 'STALE_EPOCH') throw new Overtaken();
    if (outcome === 'INCOMPLETE') throw new RebuildFailed(`${sending.stockId}: Redis has not all of ${sending.chunks()} chunks`);
  }
  throw new RebuildFailed(`${saleId}: changed ${publishAttemptsMax} times while it was being published`);
}
