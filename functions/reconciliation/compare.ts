import type { Order } from '../orders/order.model.ts';
import { holdOf } from '../orders/placement.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { firstHoldIdOf } from '../shared/ids.ts';
import { inParallel } from '../shared/parallel.ts';
import type { LoadRef, OrderSeen } from '../stock/mend.ports.ts';
import type { Drift } from './drift.model.ts';
import { driftOfOrder } from './order-drift.model.ts';
import { type ReconcilePorts, Stopped } from './reconcile.ports.ts';
import { driftOfSale } from './sale-drift.model.ts';
import { SalePicture } from './sale-picture.model.ts';

/** Says that the run may go on, or throws `Stopped`. */
export type GoesOn = () => Promise<void>;

/** A look at a sale: what seems wrong, and what was looked at. */
export interface Look {
  readonly load: LoadRef;
  /** Redis' time when it began. */
  readonly fromMs: number;
  readonly drift: readonly Drift[];
  readonly compared: { readonly units: number; readonly holds: number; readonly orders: number };
  /** All orders of the sale, if all were looked at and they are few. */
  readonly orderIds?: readonly string[];
}

const ordersPerRead = 100;
/** So many orders are few. */
const orderIdsKept = 10_000;
/** Of so few seats it is cheaper to read their names, and then only the partitions that they are in. */
const fewSeats = 32;
const lanes = 4;
/** Scripts under way at once. */
const looksAtOnce = 16;

/** The sale as Redis has it, or undefined when it has none. Throws `Stopped` when it was loaded anew since `load`. */
export async function readSale(sale: Pick<Sale, 'saleId'>, { stock }: Pick<ReconcilePorts, 'stock'>, load?: LoadRef) {
  const read = await stock.read(sale.saleId);
  if (load && (read.outcome === 'NOT_LOADED' || read.epoch !== load.epoch)) throw new Stopped(`${sale.saleId} was loaded anew`);
  return read.outcome === 'READ' ? read : undefined;
}

/**
 * Compares everything: Redis first, then the rows, then the index of orders. What was ordered after Redis was read is not judged by it, and what
 * seems wrong is looked into at once, each order with its hold at one moment.
 */
export async function lookAtAll(sale: Sale, goesOn: GoesOn, ports: ReconcilePorts): Promise<Look | undefined> {
  const { stock, mend, evidence, timing } = ports;
  const { saleId } = sale;
  const read = await readSale(sale, ports);
  if (!read) return undefined;
  const load = { saleId, epoch: read.epoch };
  const skusOf = (kind: 'counted' | 'seated') => read.items.filter((item) => item.kind === kind).map(({ sku }) => sku);
  const [countedSkus, seatedSkus] = [skusOf('counted'), skusOf('seated')];
  const counters = await mend.counters(saleId, [...countedSkus, ...seatedSkus]);
  const picture = new SalePicture(counters, read.nowMs, timing.recentMs);
  await seeAll(stock.freeRanges(saleId), (range) => picture.seeFree(range), goesOn);
  picture.seeCountersAgain(await mend.counters(saleId, countedSkus));
  await seeAll(stock.suspectRanges(saleId), (range) => picture.seeSuspects(range), goesOn);
  await seeAll(mend.suspectSeats(saleId), ({ sku, seat }) => picture.seeSuspectSeat(sku, seat), goesOn);
  await seeAll(stock.seats(saleId), (place) => picture.seeSeat(place), goesOn);
  picture.seeCountersAgain(await mend.counters(saleId, seatedSkus));
  await seeAll(mend.allowances(saleId), ({ buyerId, slots }) => picture.seeUsed(buyerId, slots), goesOn);
  // The holds last: what they have is known then, wherever it was a moment ago.
  await seeAll(stock.holds(saleId), (hold) => picture.seeHold(hold), goesOn);
  await seeAll(mend.listed(saleId), (holdId) => picture.seeListed(holdId), goesOn);
  await seeAll(stock.cartDues(saleId), ({ cartId, dueMs }) => picture.seeCartListed(cartId, dueMs), goesOn);

  const hasFewSeats = sale.items.some(({ seated, total }) => seated && total <= fewSeats);
  const seats = hasFewSeats ? await ports.seats.list(sale) : new Map<string, readonly string[]>();
  await evidence.rows(sale, seats, (row) => picture.seeRow(row), goesOn);
  let orders = 0;
  const orderIds: string[] = [];
  await evidence.orders(saleId, 0, async (page) => {
    orders += page.length;
    for (const { orderId, createdAtMs } of page) {
      picture.seeOrder(orderId, createdAtMs);
      if (orderIds.length <= orderIdsKept) orderIds.push(orderId);
    }
    await goesOn();
  });
  const ofOrders = await driftOfOrders([...picture.orders()], load, goesOn, ports);
  const ofSale = driftOfSale(sale, read);
  const { rows, holds } = picture.counted;
  return {
    load,
    fromMs: read.nowMs,
    drift: [...(ofSale ? [ofSale] : []), ...ofOrders, ...picture.drift()],
    compared: { units: rows, holds, orders },
    ...(orders <= orderIdsKept ? { orderIds } : {}),
  };
}

/**
 * Compares what is likely to have changed since the last run: the sale itself, and the orders that were created since, or so little before that they may
 * have changed. An order is created, confirmed and ended by its hold's time; what happens to one later (a refund, a cancellation) gives units back, which is
 * the sweeper's debt and not looked at here. The index by sale is in order of creation, so these orders are one short range of it.
 */
export async function lookAtChanged(sale: Sale, sinceMs: number, goesOn: GoesOn, ports: ReconcilePorts): Promise<Look | undefined> {
  const { evidence, timing } = ports;
  const { saleId } = sale;
  const read = await readSale(sale, ports);
  if (!read) return undefined;
  const load = { saleId, epoch: read.epoch };
  const fromMs = sinceMs - sale.holdSeconds * 1000 - timing.inFlightMs - timing.recentMs;
  const drift: Drift[] = [];
  let orders = 0;
  await evidence.orders(saleId, fromMs, async (page) => {
    const old = page.filter(({ createdAtMs }) => createdAtMs <= read.nowMs - timing.recentMs);
    orders += old.length;
    const firstHolds = old.map(({ orderId }) => ({ orderId, holdId: undefined }));
    drift.push(...(await driftOfOrders(firstHolds, load, goesOn, ports)));
  });
  const ofSale = driftOfSale(sale, read);
  return { load, fromMs: read.nowMs, drift: [...(ofSale ? [ofSale] : []), ...drift], compared: { units: 0, holds: 0, orders } };
}

const seenBetweenChecks = 1_000;

async function seeAll<T>(all: AsyncIterable<T>, see: (each: T) => void, goesOn: GoesOn): Promise<void> {
  let seen = 0;
  for await (const each of all) {
    see(each);
    if (++seen % seenBetweenChecks === 0) await goesOn();
  }
}

/** Looks closely at these orders and holds. Without a hold: at the one that the order names. */
export async function driftOfOrders(
  found: readonly { readonly orderId: string; readonly holdId: string | undefined }[],
  load: LoadRef,
  goesOn: GoesOn,
  ports: ReconcilePorts,
): Promise<Drift[]> {
  const groups = Array.from({ length: Math.ceil(found.length / ordersPerRead) }, (_, at) =>
    found.slice(at * ordersPerRead, (at + 1) * ordersPerRead),
  );
  const looked = await inParallel(groups, lanes, async (group) => {
    await goesOn();
    const orders = new Map((await ports.orders.getMany(group.map(({ orderId }) => orderId))).map((order) => [order.orderId, order]));
    const drift = await inParallel(group, looksAtOnce, ({ orderId, holdId }) => driftOfPair(orders.get(orderId), holdId, load, ports));
    return drift.flat();
  });
  return looked.flat();
}

async function driftOfPair(order: Order | undefined, holdId: string | undefined, load: LoadRef, ports: ReconcilePorts): Promise<Drift[]> {
  const { clock, timing } = ports;
  const drift: Drift[] = [];
  if (order) {
    const ofOrder = driftOfOrder(order, await lookAt(load, holdOf(order), ports));
    if (ofOrder) drift.push(ofOrder);
  }
  // Without its order, or with one that has another hold: this one has no order of its own.
  if (holdId !== undefined && order?.holdId !== holdId) drift.push(...(await driftOfFormer(order, holdId, load, ports)));
  const isRecent = order !== undefined && order.updatedAtMs > clock.nowMs() - timing.recentMs;
  return isRecent ? drift.map((each) => ({ ...each, recent: true })) : drift;
}

/** A hold that says that an order has it, while that order has another, or is not there; or the first one of an order, which left no mark for replays. */
async function driftOfFormer(order: Order | undefined, holdId: string, load: LoadRef, ports: ReconcilePorts): Promise<Drift[]> {
  const { hold } = await lookAt(load, { holdId, buyerId: '', lines: [] }, ports);
  if (!hold) {
    if (!order || holdId !== firstHoldIdOf(order.orderId)) return [];
    const { orderId } = order;
    return [{ kind: 'mark-missing', subject: orderId, detail: `it has the hold ${order.holdId} by now`, about: 'order', orderId, holdId }];
  }
  const hasOrder = hold.state === 'acknowledged' || hold.state === 'confirmed';
  if (!hasOrder) return [];
  if (order) {
    return [{ kind: 'hold-of-ended-order', subject: holdId, detail: `${order.orderId} has the hold ${order.holdId}`, about: 'hold', hold }];
  }
  const isOver = hold.expiresAtMs + ports.timing.recentMs < ports.clock.nowMs();
  return isOver ? [{ kind: 'hold-without-order', subject: holdId, detail: 'it says that an order has it', about: 'hold', hold }] : [];
}

/** What Redis has of a hold and its units at one moment. Throws `Stopped` when the sale was loaded anew. */
export async function lookAt(
  load: LoadRef,
  hold: Parameters<ReconcilePorts['mend']['look']>[1],
  { mend }: ReconcilePorts,
): Promise<OrderSeen> {
  const seen = await mend.look(load, hold);
  if (seen.outcome !== 'SEEN') throw new Stopped(`${load.saleId}: ${seen.outcome}`);
  return seen.order;
}
