import type { Sale, SeatList } from '../sales/sale.model.ts';
import type { Lease } from '../shared/lease.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { chunkSizes, type LoadedItem, type OwnedUnit, pagesOf, seatPages } from './load.scripts.ts';
import type { UnitRows } from './rebuild.repository.ts';
import { type LiveShards, publishShards, seeLive } from './rebuild-shards.ts';
import { SerialSet } from './serial-set.model.ts';
import { isSharded, stockIdOf, stockIdsOf } from './shards.model.ts';
import type { UnitRange } from './stock.model.ts';
import type { Stock } from './stock.ports.ts';

export interface RebuildPorts {
  /** Undefined when somebody else is rebuilding the sale. */
  readonly lease: (saleId: string) => Promise<Lease | undefined>;
  readonly sales: {
    get(saleId: string, options: { consistent: true }): Promise<Sale | undefined>;
    bumpEpoch(sale: Sale): Promise<number | undefined>;
    markLoaded(saleId: string): Promise<void>;
  };
  readonly seats: { list(sale: Sale): Promise<SeatList> };
  readonly rows: UnitRows;
  readonly stock: Pick<Stock, 'read' | 'beginLoad' | 'loadUnits' | 'loadSeats' | 'loadFree' | 'publishLoad' | keyof LiveShards | 'supply'>;
  /** Whether there is time for another step. */
  readonly hasTime: () => boolean;
}

/** `overtaken`: the lease is lost, or a rebuild that began later is under way; what this one did has no effect. */
export type RebuildOutcome =
  | { outcome: 'rebuilt'; epoch: number; units: number }
  | { outcome: 'unknown-sale' | 'already-loaded' | 'busy' | 'overtaken' };

/** The rebuild can't be finished: too little time, chunks that Redis lost, a sale that does not stop changing. Another one may. */
export class RebuildFailed extends Error {
  override readonly name = 'RebuildFailed';
}

export class Overtaken extends Error {
  override readonly name = 'Overtaken';
}

/**
 * Partitions read at once, each with a chunk of its own under way: enough to keep Redis busy while pages come, few enough for it, and for the
 * database, to serve other sales in between.
 */
const lanes = 6;
/** Changes of the sale that may come between its last reading and the publishing. */
export const publishAttemptsMax = 10;

/**
 * Puts a sale that Redis has forgotten back into it, from the rows of its units. Only a missing state is replaced: carts and holds of one that is
 * there survive. The lease keeps a second rebuild from doing the same work; what keeps it from doing harm is the epoch, which is
 * raised under a condition in DynamoDB and stands on each chunk. An order that is claimed while its partition is read may be missed: its units are
 * then handed out once more, refused by their rows, and swapped. So the sale comes back marked as `behind`.
 */
export async function rebuild(saleId: string, ports: RebuildPorts): Promise<RebuildOutcome> {
  const lease = await ports.lease(saleId);
  if (!lease) return { outcome: 'busy' };
  try {
    return await rebuildAlone(saleId, lease, ports);
  } catch (error) {
    if (error instanceof Overtaken) return { outcome: 'overtaken' };
    throw error;
  } finally {
    await lease.release().catch((error: unknown) => log.warn('a lease was not released and will run out', { saleId, error }));
  }
}

async function rebuildAlone(saleId: string, lease: Lease, ports: RebuildPorts): Promise<RebuildOutcome> {
  const { sales, stock } = ports;
  const sale = await sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'unknown-sale' };
  // Of several shards those alone that Redis has lost: the others have carts, and holds that are not written yet.
  const { lost, live } = await stocksOf(sale, stock);
  if (lost.length === 0) return { outcome: 'already-loaded' };
  const epoch = await sales.bumpEpoch(sale);
  if (epoch === undefined) return { outcome: 'overtaken' };
  for (const stockId of lost) {
    const begun = await stock.beginLoad(stockId, epoch);
    if (begun.outcome === 'ALREADY_LOADED') return { outcome: 'already-loaded' };
    if (begun.outcome === 'STALE_EPOCH') return { outcome: 'overtaken' };
  }

  const sendings = lost.map((stockId) => sendingOf({ ...sale, saleId: stockId }, epoch, lease, ports));
  const owned = new Map(sale.items.map(({ sku, total }) => [sku, new SerialSet(total)]));
  const totals = await seeLive(sale, live, owned, stock);
  let units = 0;
  for (const { sku } of sale.items) units += await sendRows({ sale, sku, owned, sendings }, ports);
  const [only] = sendings;
  const published =
    isSharded(sale) || !only
      ? await publishShards({ saleId, epoch, sendings, totals, owned }, ports)
      : await publish({ saleId, epoch, owned, sending: only }, ports);
  if (published === 'ALREADY_LOADED') return { outcome: 'already-loaded' };
  await sales.markLoaded(saleId);
  return { outcome: 'rebuilt', epoch, units };
}

/** The stocks of a sale that Redis has, and those that it has lost. */
async function stocksOf(sale: Sale, { read }: Pick<Stock, 'read'>): Promise<{ lost: string[]; live: string[] }> {
  const [lost, live]: string[][] = [[], []];
  for (const stockId of stockIdsOf(sale)) ((await read(stockId)).outcome === 'READ' ? live : lost)?.push(stockId);
  return { lost: lost ?? [], live: live ?? [] };
}

/** The chunks of one load: each has a number of its own, and is sent only while the load may go on. */
function sendingOf({ saleId, holdSeconds }: Sale, epoch: number, lease: Lease, { stock, hasTime }: RebuildPorts) {
  let chunks = 0;
  async function send(chunk: (ref: { epoch: number; chunk: number }) => Promise<{ outcome: 'TAKEN' | 'STALE_EPOCH' }>): Promise<void> {
    if (!hasTime()) throw new RebuildFailed(`${saleId}: no time is left after ${chunks} chunks`);
    if (!(await lease.stillOurs())) throw new Overtaken();
    const sent = await chunk({ epoch, chunk: ++chunks });
    if (sent.outcome === 'STALE_EPOCH') throw new Overtaken();
  }
  return {
    stockId: saleId,
    chunks: () => chunks,
    stillOurs: () => lease.stillOurs(),
    units: (rows: readonly OwnedUnit[]) => send((ref) => stock.loadUnits(saleId, { ...ref, rows, holdSeconds })),
    seats: (sku: string, seats: readonly string[]) => send((ref) => stock.loadSeats(saleId, { ...ref, sku, seats })),
    free: (ranges: readonly UnitRange[]) => send((ref) => stock.loadFree(saleId, { ...ref, ranges })),
  };
}
export type Sending = ReturnType<typeof sendingOf>;

interface RowsToSend {
  readonly sale: Sale;
  readonly sku: string;
  readonly owned: ReadonlyMap<string, SerialSet>;
  readonly sendings: readonly Sending[];
}

/** Sends all rows of an item, as they are read, to where their buyers are at home, and notes the serials among them. -> how many were sent */
async function sendRows({ sale, sku, owned, sendings }: RowsToSend, { rows }: RebuildPorts): Promise<number> {
  let count = 0;
  const isAtHome = (stockId: string) => (row: OwnedUnit) => !isSharded(sale) || stockIdOf({ ...sale, buyerId: row.buyerId }) === stockId;
  await inParallel(rows.bucketsOf(sale.saleId, sku), lanes, async (bucket) => {
    for await (const page of rows.pages(bucket)) {
      for (const sending of sendings) {
        const own = page.filter(isAtHome(sending.stockId));
        for (const chunk of pagesOf(own, chunkSizes.units)) await sending.units(chunk);
        count += own.length;
      }
      for (const { unit, seated } of page) if (!seated) owned.get(sku)?.add(Number(unit));
    }
  });
  return count;
}

interface Loading {
  readonly saleId: string;
  readonly epoch: number;
  readonly owned: ReadonlyMap<string, SerialSet>;
  readonly sending: Sending;
}

/**
 * Publishes the load with the sale as it is now, read again: what an operator changed since the rebuild began is in it. Who changes it at this very
 * moment leaves a note of the version in Redis, and then the sale is read once more.
 */
async function publish({ saleId, epoch, owned, sending }: Loading, { sales, seats, stock }: RebuildPorts) {
  const seatsSent = new Map<string, number>();
  let items: readonly LoadedItem[] | undefined;
  for (let attempt = 0; attempt < publishAttemptsMax; attempt++) {
    const sale = await sales.get(saleId, { consistent: true });
    if (sale?.epoch !== epoch) throw new Overtaken();
    await sendNewSeats(await seats.list(sale), seatsSent, sending);
    items = items ? withTotalsOf(sale, items) : await countItems(sale, owned, sending);
    if (!(await sending.stillOurs())) throw new Overtaken();
    const { outcome } = await stock.publishLoad(sale, { epoch, chunks: sending.chunks(), items, behind: true });
    if (outcome === 'LOADED' || outcome === 'ALREADY_LOADED') return outcome;
    if (outcome === 'STALE_EPOCH') throw new Overtaken();
    if (outcome === 'INCOMPLETE') throw new RebuildFailed(`${saleId}: Redis has not all of ${sending.chunks()} chunks`);
  }
  throw new RebuildFailed(`${saleId}: changed ${publishAttemptsMax} times while it was being published`);
}

/** Sends those seats that were not sent yet. Seats are only ever appended. */
async function sendNewSeats(all: SeatList, sent: Map<string, number>, sending: Sending): Promise<void> {
  const more = new Map([...all].map(([sku, seats]) => [sku, seats.slice(sent.get(sku) ?? 0)]));
  for (const [sku, page] of seatPages(more)) await sending.seats(sku, page);
  for (const [sku, seats] of all) sent.set(sku, seats.length);
}

/** The counters of each item, by its owned serials, and with them the free units below the highest of those. */
async function countItems(sale: Sale, owned: ReadonlyMap<string, SerialSet>, sending: Sending): Promise<readonly LoadedItem[]> {
  const items: LoadedItem[] = [];
  for (const { sku, total, seated } of sale.items) {
    const serials = owned.get(sku);
    if (!serials) throw new RebuildFailed(`${sale.saleId} has an item ${sku} that it did not have a moment ago`);
    if (seated) {
      items.push({ sku, kind: 'seated', total });
      continue;
    }
    const beyond = serials.countAbove(total);
    // Claims check serials against the total, so there are none. They stay with their orders, and out of sale.
    if (beyond > 0) log.error('units beyond the total have owners', { saleId: sale.saleId, sku, total, units: beyond });
    const next = serials.highestUpTo(total) + 1;
    items.push({ sku, kind: 'counted', total, next, free: await sendGaps(sku, serials, next - 1, sending) });
  }
  return items;
}

/** -> how many units the gaps have */
async function sendGaps(sku: string, serials: SerialSet, limit: number, sending: Sending): Promise<number> {
  let free = 0;
  let ranges: UnitRange[] = [];
  for (const { first, last } of serials.gapsUpTo(limit)) {
    free += last - first + 1;
    ranges.push({ sku, first, last });
    if (ranges.length === chunkSizes.ranges) {
      await sending.free(ranges);
      ranges = [];
    }
  }
  if (ranges.length > 0) await sending.free(ranges);
  return free;
}

/** Totals only grow: what was counted below the old ones stays as it is. */
const withTotalsOf = (sale: Sale, items: readonly LoadedItem[]): readonly LoadedItem[] =>
  items.map((item) => ({ ...item, total: sale.items.find(({ sku }) => sku === item.sku)?.total ?? item.total }));
