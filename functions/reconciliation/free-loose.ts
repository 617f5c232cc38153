import { inParallel } from '../shared/parallel.ts';
import type { Loose } from '../stock/mend.ports.ts';
import { unitsOfTransit } from '../stock/shards.model.ts';
import type { GoesOn } from './compare.ts';
import type { Drift } from './drift.model.ts';
import { type ReconcilePorts, Stopped } from './reconcile.ports.ts';
import { homeOf, partsOf, type SaleLoad, transitsOf } from './sale-load.ts';

export type LooseDrift = Extract<Drift, { about: 'units' | 'slots' }>;

const subjectsPerCall = 100;
const unitsPerRead = 500;
const lanes = 4;

const looseOf = (drift: LooseDrift): Loose =>
  drift.about === 'units' ? { sku: drift.sku, serials: drift.serials } : { buyerId: drift.buyerId, slots: drift.slots };

/**
 * Frees units and slots that nobody has. That nobody has one can't be seen at one moment: the holds of a large sale take seconds to read, and units move
 * from one to another meanwhile. So they are put on a watch first: whoever moves one takes it off. Then all holds are looked at once more, and the rows. What
 * no hold has and no row names, and is still on the watch then, was nobody's from the beginning of the watch to its end, and is freed by the script that
 * ends it. -> how many of each drift were freed; what moved meanwhile was somebody's
 */
export async function freeLoose(
  drift: readonly LooseDrift[],
  load: SaleLoad,
  goesOn: GoesOn,
  ports: ReconcilePorts,
): Promise<Map<LooseDrift, number>> {
  const freed = new Map<LooseDrift, number>();
  if (drift.length === 0) return freed;
  const { mend, stock, newId } = ports;
  const token = newId();
  for (const part of partsOf(load)) for (const page of pagesOf(drift)) passed(await mend.watch(part, token, page.map(looseOf)));

  const held = await heldOf(drift, load, goesOn, stock);
  for (const page of pagesOf(drift)) {
    await goesOn();
    const left = await inParallel(page, lanes, async (each) => withoutHeld(each, held, load, ports));
    for (const each of left) {
      const { at, loose } = await leftEverywhere(each, token, load, mend);
      const reply = passed(await mend.free(at, token, [loose]));
      const count = each.about === 'units' ? reply.units : reply.slots;
      const found = page[left.indexOf(each)];
      if (count > 0 && found) freed.set(found, count);
    }
  }
  return freed;
}

function* pagesOf(drift: readonly LooseDrift[]): Generator<readonly LooseDrift[]> {
  for (let at = 0; at < drift.length; at += subjectsPerCall) yield drift.slice(at, at + subjectsPerCall);
}

function passed<R extends { readonly outcome: string }>(reply: R): Exclude<R, { readonly outcome: 'NOT_LOADED' | 'STALE_EPOCH' }> {
  if (reply.outcome === 'NOT_LOADED' || reply.outcome === 'STALE_EPOCH') throw new Stopped(`the sale was loaded anew: ${reply.outcome}`);
  return reply as Exclude<R, { readonly outcome: 'NOT_LOADED' | 'STALE_EPOCH' }>;
}

/**
 * Where this is freed, and what of it nobody has moved. Of a sale with several shards a unit is freed in one of them, if it is still on the watch of all: a
 * unit that is nobody's anywhere can be moved by nobody, so they may be asked one after the other.
 */
async function leftEverywhere(drift: LooseDrift, token: string, load: SaleLoad, mend: ReconcilePorts['mend']) {
  if (drift.about === 'slots') return { at: homeOf(load, drift.buyerId), loose: looseOf(drift) };
  const parts = partsOf(load);
  const [first = 0] = drift.serials;
  const at = parts[first % parts.length] ?? load;
  let { serials } = drift;
  for (const part of parts) {
    if (part === at) continue;
    const { lines } = passed(await mend.unwatch(part, token, [drift.sku]));
    const left = new Set(lines.flatMap(({ units }) => units.map(Number)));
    serials = serials.filter((serial) => left.has(serial));
  }
  return { at, loose: looseOf({ ...drift, serials }) };
}

const unitName = (sku: string, serial: number | string) => `unit ${sku} ${serial}`;
const slotName = (buyerId: string, slot: number) => `slot ${buyerId} ${slot}`;

/** Those of these units and slots that a hold or a cart has. */
async function heldOf(
  drift: readonly LooseDrift[],
  load: SaleLoad,
  goesOn: GoesOn,
  stock: ReconcilePorts['stock'],
): Promise<ReadonlySet<string>> {
  const wanted = new Set(
    drift.flatMap((each) =>
      each.about === 'units'
        ? each.serials.map((serial) => unitName(each.sku, serial))
        : each.slots.map((slot) => slotName(each.buyerId, slot)),
    ),
  );
  const held = new Set<string>();
  const see = (name: string) => {
    if (wanted.has(name)) held.add(name);
  };
  let seen = 0;
  for (const part of partsOf(load)) {
    for await (const hold of stock.holds(part.saleId)) {
      if (++seen % 1_000 === 0) await goesOn();
      if (hold.state === 'ended') continue;
      for (const { sku, units, seated } of hold.lines) if (!seated) for (const unit of units) see(unitName(sku, unit));
      for (const slot of hold.slots) see(slotName(hold.buyerId, slot));
    }
  }
  // What is on its way between shards is nobody's yet, and will be.
  for (const transit of await transitsOf(load, stock)) for (const unit of unitsOfTransit(transit)) see(unitName(transit.sku, unit));
  return held;
}

async function withoutHeld(
  drift: LooseDrift,
  held: ReadonlySet<string>,
  { saleId }: Pick<SaleLoad, 'saleId'>,
  { evidence }: ReconcilePorts,
): Promise<LooseDrift> {
  if (drift.about === 'slots') {
    const used = new Set(await evidence.usedSlots(saleId, drift.buyerId));
    const slots = drift.slots.filter((slot) => !used.has(slot) && !held.has(slotName(drift.buyerId, slot)));
    return { ...drift, slots };
  }
  const { sku } = drift;
  const unheld = drift.serials.filter((serial) => !held.has(unitName(sku, serial)));
  const owned = new Set<number>();
  for (let at = 0; at < unheld.length; at += unitsPerRead) {
    const units = unheld.slice(at, at + unitsPerRead).map(String);
    for (const { unit } of await evidence.rowsOf(saleId, [{ sku, units }])) owned.add(Number(unit));
  }
  return { ...drift, serials: unheld.filter((serial) => !owned.has(serial)) };
}
