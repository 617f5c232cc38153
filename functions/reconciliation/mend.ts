import { hasEnded, type Order } from '../orders/order.model.ts';
import { holdOf, standingOf } from '../orders/placement.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { firstHoldIdOf, orderIdOf } from '../shared/ids.ts';
import { log } from '../shared/telemetry.ts';
import type { LoadRef, UnitPlace } from '../stock/mend.ports.ts';
import type { LineUnits } from '../stock/stock.model.ts';
import { lookAt, readSale } from './compare.ts';
import type { Drift } from './drift.model.ts';
import { driftOfOrder } from './order-drift.model.ts';
import { type ReconcilePorts, Stopped } from './reconcile.ports.ts';
import { driftOfSale } from './sale-drift.model.ts';
import { homeOf, partsOf, type SaleLoad } from './sale-load.ts';
import { dropTwice } from './shard-drift.ts';

/** `not-so`: a second look does not agree with the first, so nothing is done. `left`: it is so, and this can't mend it. */
export type MendOutcome = 'mended' | 'left' | 'not-so';

type Of<About extends Drift['about']> = Extract<Drift, { about: About }>;

/** What is mended one by one. */
export type SingleDrift = Exclude<Drift, Of<'units'> | Of<'slots'>>;

/**
 * Looks once more at what a comparison found some seconds ago, and mends it where both agree. The order and the rows are read anew, and what Redis does it
 * does in one script that checks again what was seen, and that the sale was not loaded anew. So whatever moves meanwhile is left alone.
 * (Units and slots that nobody seems to have are `freeLoose`'s.)
 */
export async function mendOne(drift: SingleDrift, load: SaleLoad, ports: ReconcilePorts): Promise<MendOutcome> {
  const { stock } = ports;
  switch (drift.about) {
    case 'order':
      return mendOrder(drift, load, ports);
    case 'hold':
      return mendHold(drift, load, ports);
    case 'cart':
      for (const part of partsOf(load)) {
        if ((await stock.trackCart(part.saleId, drift.holdId)).outcome === 'TRACKED') return 'mended';
      }
      return 'not-so';
    case 'twice':
      return dropTwice(drift, load, ports);
    case 'seat':
      return mendSeat(drift, load, ports);
    case 'item':
      return recount(drift, load, ports);
    case 'sale':
      return mendSale(load, ports);
  }
}

/** The reply of a script that the fence let through. */
function done<R extends { readonly outcome: string }>(reply: R): Exclude<R, { readonly outcome: 'NOT_LOADED' | 'STALE_EPOCH' }> {
  if (reply.outcome === 'NOT_LOADED' || reply.outcome === 'STALE_EPOCH') throw new Stopped(`the sale was loaded anew: ${reply.outcome}`);
  return reply as Exclude<R, { readonly outcome: 'NOT_LOADED' | 'STALE_EPOCH' }>;
}

async function mendOrder({ orderId, holdId, kind }: Of<'order'>, of: SaleLoad, ports: ReconcilePorts): Promise<MendOutcome> {
  const { mend, orders, evidence } = ports;
  const order = await orders.get(orderId);
  if (!order) return 'not-so';
  const load = homeOf(of, order.buyerId);
  if (order.holdId !== holdId) {
    // It has another hold by now. A retry of its key still asks for the first one, and would take units, or be refused.
    const isOfFirst = kind === 'mark-missing' && holdId === firstHoldIdOf(orderId);
    return isOfFirst && done(await mend.mark(load, { ...holdOf(order), holdId })).outcome === 'MARKED' ? 'mended' : 'not-so';
  }
  const hold = holdOf(order);
  const seen = await lookAt(load, hold, ports);
  if (driftOfOrder(order, seen)?.kind !== kind) return 'not-so';
  const standing = standingOf(order);
  if (standing === 'ended') return done(await mend.mark(load, hold)).outcome === 'MARKED' ? 'mended' : 'not-so';
  const rows = await evidence.rowsOf(order.saleId, hold.lines);
  const isItsOwn =
    rows.length === hold.lines.reduce((sum, { units }) => sum + units.length, 0) && rows.every((row) => row.orderId === orderId);
  // It moved since it was read; or its rows are broken, which the audit finds, and which Redis must not follow.
  if (!isItsOwn) return isSame(order, await orders.get(orderId)) ? 'left' : 'not-so';

  if (standing !== 'retired') await freeRetired(seen.places, load, ports);
  const followed = done(await mend.follow(load, hold, standing));
  if (standing === 'retired') return 'mended';
  if (followed.outcome === 'ALREADY_ENDED') {
    const ended = hasEnded((await orders.get(orderId)) ?? order);
    return ended ? 'not-so' : 'left';
  }
  done(await mend.keep(load, hold));
  return 'mended';
}

const isSame = (order: Order, now: Order | undefined) => now?.version === order.version;

/** Of a live order no seat is out of sale, and following it would leave one so. */
async function freeRetired(
  places: readonly { readonly line: LineUnits; readonly places: readonly UnitPlace[] }[],
  load: LoadRef,
  { mend }: ReconcilePorts,
) {
  for (const { line, places: of } of places) {
    for (const [index, place] of of.entries()) {
      const seat = line.units[index];
      if (typeof place !== 'string' && place.owner === '-' && seat !== undefined)
        done(await mend.seat(load, { sku: line.sku, seat, owner: '-' }));
    }
  }
}

async function mendHold({ hold, kind }: Of<'hold'>, { saleId, ...of }: SaleLoad, ports: ReconcilePorts): Promise<MendOutcome> {
  const load = homeOf({ saleId, ...of }, hold.buyerId);
  const { mend, orders, evidence } = ports;
  const order = await orders.get(orderIdOf(hold.holdId));
  if (kind !== 'hold-of-ended-order') {
    if (kind === 'hold-without-order' && order) return 'not-so';
    return done(await mend.listExpired(load, hold)).outcome === 'LISTED' ? 'mended' : 'not-so';
  }
  if (!order) return 'not-so';
  const isItsHold = order.holdId === hold.holdId;
  if (isItsHold && (!hasEnded(order) || order.stock !== 'released')) return 'not-so';
  // Its own rows went with its end: whatever there is by now is others'.
  const owned = new Set((await evidence.rowsOf(saleId, hold.lines)).map(({ sku, unit }) => `${sku} ${unit}`));
  const lines = hold.lines
    .map((line) => ({ ...line, units: line.units.filter((unit) => owned.has(`${line.sku} ${unit}`)) }))
    .filter(({ units }) => units.length > 0);
  const slots = hold.slots.length > 0 ? await evidence.usedSlots(saleId, hold.buyerId) : [];
  return done(await mend.end(load, hold, { lines, slots })).outcome === 'ENDED' ? 'mended' : 'not-so';
}

const countsMax = 5;

/**
 * Counts an item once more, and puts its counters right where they are off by just as much as at the first look, and nothing of the item moved during the
 * count. What is off by the same at two looks while all is moving is really wrong: it is left, and the next pass counts again.
 */
async function recount({ sku, off, stockId }: Of<'item'>, of: SaleLoad, { mend, newId }: ReconcilePorts): Promise<MendOutcome> {
  const load = partsOf(of).find(({ saleId }) => saleId === stockId) ?? of;
  let isSame = false;
  for (let attempt = 1; attempt <= countsMax; attempt++) {
    const token = newId();
    const { seated, total, free } = done(await mend.beginCount(load, sku, token));
    const counted = await mend.count(load, { sku, seated });
    const offNow = { total: seated ? total - counted.total : 0, free: free - counted.free };
    if (offNow.total === 0 && offNow.free === 0) return 'not-so';
    isSame = offNow.total === off.total && offNow.free === off.free;
    if (isSame && done(await mend.endCount(load, { sku, token, ...counted })).outcome === 'COUNTED') return 'mended';
  }
  return isSame ? 'left' : 'not-so';
}

async function mendSeat({ sku, seat, owner }: Of<'seat'>, load: LoadRef, { mend, evidence }: ReconcilePorts): Promise<MendOutcome> {
  // An order has it: that order is followed, and the seat with it.
  if ((await evidence.rowsOf(load.saleId, [{ sku, units: [seat], seated: true }])).length > 0) return 'not-so';
  return done(await mend.seat(load, { sku, seat, owner })).outcome === 'CHANGED' ? 'not-so' : 'mended';
}

async function mendSale(load: SaleLoad, ports: ReconcilePorts): Promise<MendOutcome> {
  const { sales, seats, stock, mend } = ports;
  const { saleId } = load;
  const shards = load.shards?.length;
  const [sale, read] = [await sales.get(saleId, { consistent: true }), await readSale({ saleId, shards }, ports, load)];
  if (!sale || !read || !driftOfSale(sale, read)) return 'not-so';
  if (read.version < sale.version) await stock.update(sale);
  else if (load.shards) await mendShards(sale, load.shards, ports);
  else done(await mend.saleFields(load, sale));
  if (sale.seatChunks) for (const [sku, names] of await seats.list(sale)) await stock.addSeats(saleId, sku, names);
  const now = await readSale({ saleId, shards }, ports, load);
  const isRight = now !== undefined && !driftOfSale(sale, now);
  if (!isRight) log.error('a sale is still not in Redis as it should be', { saleId });
  return isRight ? 'mended' : 'left';
}

/** Each shard takes its own of the units that there are; their totals say so then, and are no other's to raise. */
async function mendShards(sale: Sale, shards: readonly LoadRef[], { mend, stock }: ReconcilePorts): Promise<void> {
  await stock.supply(sale);
  for (const part of shards) done(await mend.saleFields(part, { ...sale, items: sale.items.map((item) => ({ ...item, total: 1 })) }));
}
