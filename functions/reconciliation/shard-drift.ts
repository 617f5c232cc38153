import type { Sale } from '../sales/sale.model.ts';
import { orderIdOf } from '../shared/ids.ts';
import type { ItemCounters, LoadRef } from '../stock/mend.ports.ts';
import { isSharded, stockIdOf } from '../stock/shards.model.ts';
import type { UnitRange } from '../stock/stock.model.ts';
import type { Drift } from './drift.model.ts';
import type { ReconcilePorts } from './reconcile.ports.ts';
import { partsOf, type SaleLoad } from './sale-load.ts';
import { boundsOfPass, type ComparedRow } from './sale-picture.model.ts';

/** What an item of one shard has free, by its counter and by its pool. */
interface Part {
  readonly stockId: string;
  readonly counters: ItemCounters;
  freeUnits: number;
  hasMoved: boolean;
}

const keyOf = (sku: string, serial: number | string) => `${sku} ${serial}`;

/**
 * What may be wrong between the shards of a sale: units that two of them sell, and those that a shard sells while an order that is at home elsewhere has them;
 * and each shard's own counters. Fed like the picture of the sale, and beside it.
 */
export class ShardsPicture {
  readonly #sale: Sale;
  readonly #parts = new Map<string, Part>();
  /** By unit, the stock that sells it; only of those that were seen once. */
  readonly #free = new Map<string, string>();
  readonly #twice = new Map<string, Map<string, number[]>>();

  constructor(sale: Sale) {
    this.#sale = sale;
  }

  seeCounters(stockId: string, items: readonly ItemCounters[]): void {
    for (const counters of items) this.#parts.set(keyOf(counters.sku, stockId), { stockId, counters, freeUnits: 0, hasMoved: false });
  }

  seeCountersAgain(stockId: string, items: readonly ItemCounters[]): void {
    for (const { sku, free } of items) {
      const part = this.#parts.get(keyOf(sku, stockId));
      if (part && part.counters.free !== free) part.hasMoved = true;
    }
  }

  seeFree(stockId: string, { sku, first, last }: UnitRange): void {
    const part = this.#parts.get(keyOf(sku, stockId));
    if (part) part.freeUnits += last - first + 1;
    for (let serial = first; serial <= last; serial++) {
      const other = this.#free.get(keyOf(sku, serial));
      if (other === undefined) this.#free.set(keyOf(sku, serial), stockId);
      else if (other !== stockId) this.#note(stockId, sku, serial);
    }
  }

  /** Its order's own shard is compared with the order; another one must not sell the unit. */
  seeRow({ sku, unit, buyerId, seated }: ComparedRow): void {
    const seller = seated ? undefined : this.#free.get(keyOf(sku, unit));
    if (seller !== undefined && seller !== stockIdOf({ ...this.#sale, buyerId })) this.#note(seller, sku, Number(unit));
  }

  #note(stockId: string, sku: string, serial: number): void {
    const bySku = this.#twice.get(stockId) ?? new Map<string, number[]>();
    this.#twice.set(stockId, bySku);
    const serials = bySku.get(sku) ?? [];
    bySku.set(sku, serials);
    if (serials.length < boundsOfPass.serials) serials.push(serial);
  }

  *drift(): Generator<Drift> {
    for (const [stockId, bySku] of this.#twice) {
      for (const [sku, serials] of bySku) {
        const detail = `${serials.length} units are for sale in ${stockId} and elsewhere, or sold`;
        yield { kind: 'unit-twice', subject: `${sku} in ${stockId}`, detail, about: 'twice', sku, serials, stockId };
      }
    }
    for (const { stockId, counters, freeUnits, hasMoved } of this.#parts.values()) {
      const { sku, free } = counters;
      if (hasMoved || free === freeUnits) continue;
      const detail = `${free} by the counter, ${freeUnits} in the pool`;
      const off = { total: 0, free: free - freeUnits };
      yield { kind: 'counter-wrong', subject: `${sku} in ${stockId}`, detail, about: 'item', sku, off, stockId };
    }
  }
}

/** The counters of all shards together. */
export function sumOfCounters(parts: readonly (readonly ItemCounters[])[]): ItemCounters[] {
  const bySku = new Map<string, ItemCounters>();
  for (const item of parts.flat()) {
    const before = bySku.get(item.sku);
    const [total, next] = [Math.max(before?.total ?? 0, item.total), Math.max(before?.next ?? 0, item.next)];
    bySku.set(item.sku, { ...item, total, next, free: (before?.free ?? 0) + item.free });
  }
  return [...bySku.values()];
}

/** One look of a script takes so many units. */
const unitsPerLook = 20;

type Twice = Extract<Drift, { about: 'twice' }>;

/**
 * Takes units out of a shard that another one sells too, or that an order at home elsewhere has. What is still so at this moment: should one have moved since,
 * and be nowhere then, it is found as leaked.
 */
export async function dropTwice({ sku, serials, stockId }: Twice, load: SaleLoad, ports: ReconcilePorts): Promise<'mended' | 'not-so'> {
  let dropped = 0;
  for (let at = 0; at < serials.length; at += unitsPerLook) {
    const units = serials.slice(at, at + unitsPerLook).map(String);
    const elsewhere = new Set([
      ...(await ownedElsewhere(stockId, sku, units, load, ports)),
      ...(await freeElsewhere(stockId, sku, units, load, ports)),
    ]);
    const own = units.filter((unit) => elsewhere.has(unit));
    if (own.length === 0) continue;
    const reply = await ports.stock.drop(stockId, [{ sku, units: own }]);
    if (reply.outcome === 'DROPPED') dropped += reply.count;
  }
  return dropped > 0 ? 'mended' : 'not-so';
}

async function ownedElsewhere(stockId: string, sku: string, units: string[], load: SaleLoad, ports: ReconcilePorts): Promise<string[]> {
  const rows = await ports.evidence.rowsOf(load.saleId, [{ sku, units }]);
  const orders = new Map(
    (await ports.orders.getMany([...new Set(rows.map(({ orderId }) => orderId))])).map((order) => [order.orderId, order]),
  );
  return rows.flatMap(({ unit, orderId }) => {
    const order = orders.get(orderId);
    return order && stockIdOf(order) !== stockId ? [unit] : [];
  });
}

async function freeElsewhere(stockId: string, sku: string, units: string[], load: SaleLoad, { mend }: ReconcilePorts): Promise<string[]> {
  const found: string[] = [];
  for (const part of partsOf(load)) {
    if (part.saleId === stockId) continue;
    found.push(...(await freeAt(part, sku, units, mend)));
  }
  return found;
}

/** Of nobody: what is asked is where the units are. */
const nobodys = { holdId: orderIdOf('nobody'), buyerId: 'nobody' };

async function freeAt(part: LoadRef, sku: string, units: string[], mend: ReconcilePorts['mend']): Promise<string[]> {
  const seen = await mend.look(part, { ...nobodys, lines: [{ sku, units }] });
  if (seen.outcome !== 'SEEN') return [];
  const [line] = seen.order.places;
  return units.filter((_, index) => line?.places[index] === 'free');
}

export const picturesShards = (sale: Sale): ShardsPicture | undefined => (isSharded(sale) ? new ShardsPicture(sale) : undefined);
