import type { Order } from '../orders/order.model.ts';
import { holdOf } from '../orders/placement.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { firstHoldIdOf } from '../shared/ids.ts';
import { inParallel } from '../shared/parallel.ts';
import type { LoadRef, OrderSeen } from '../stock/mend.ports.ts';
import { type Sharded, unitsOfTransit } from '../stock/shards.model.ts';
import type { Drift } from './drift.model.ts';
import { driftOfOrder } from './order-drift.model.ts';
import { type ReconcilePorts, Stopped } from './reconcile.ports.ts';
import { driftOfSale } from './sale-drift.model.ts';
import { homeOf, loadOf, partsOf, type SaleLoad, transitsOf } from './sale-load.ts';
import { type ComparedRow, SalePicture } from './sale-picture.model.ts';
import { picturesShards, type ShardsPicture, sumOfCounters } from './shard-drift.ts';

/** Says that the run may go on, or throws `Stopped`. */
export type GoesOn = () => Promise<void>;

/** A look at a sale: what seems wrong, and what was looked at. */
export interface Look {
  readonly load: SaleLoad;
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
export async function readSale(sale: Sharded, { stock }: Pick<ReconcilePorts, 'stock'>, load?: LoadRef) {
  const read = await stock.read(sale.saleId, sale.shards);
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
  const load = read && (await loadOf(sale, read.epoch, stock));
  if (!read || !load) return undefined;
  const stockIds = partsOf(load).map((part) => part.saleId);
  const skusOf = (kind: 'counted' | 'seated') => read.items.filter((item) => item.kind === kind).map(({ sku }) => sku);
  const [countedSkus, seatedSkus] = [skusOf('counted'), skusOf('seated')];
  const countersOf = (skus: readonly string[]) => inParallel(stockIds, lanes, (stockId) => mend.counters(stockId, skus));
  const counters = await countersOf([...countedSkus, ...seatedSkus]);
  const picture = new SalePicture(sumOfCounters(counters), read.nowMs, timing.recentMs);
  const shards = picturesShards(sale);
  for (const [at, stockId] of stockIds.entries()) shards?.seeCounters(stockId, counters[at] ?? []);
  // Several shards side by side: the longer a look takes, the more moves meanwhile.
  const seeEach = <T>(all: (stockId: string) => AsyncIterable<T>, see: (each: T, stockId: string) => void) =>
    inParallel(stockIds, lanes, (stockId) => seeAll(all(stockId), (each) => see(each, stockId), goesOn));
  await seeEach(stock.freeRanges, (range, stockId) => {
    picture.seeFree(range);
    shards?.seeFree(stockId, range);
  });
  const countersAgain = await countersOf(countedSkus);
  picture.seeCountersAgain(sumOfCounters(countersAgain));
  for (const [at, stockId] of stockIds.entries()) shards?.seeCountersAgain(stockId, countersAgain[at] ?? []);
  await seeEach(stock.suspectRanges, (range) => picture.seeSuspects(range));
  for (const transit of await transitsOf(load, stock)) {
    for (const serial of unitsOfTransit(transit)) picture.seeSuspects({ sku: transit.sku, first: serial, last: serial });
  }
  await seeEach(mend.suspectSeats, ({ sku, seat }) => picture.seeSuspectSeat(sku, seat));
  await seeEach(stock.seats, (place) => picture.seeSeat(place));
  picture.seeCountersAgain(sumOfCounters(await countersOf(seatedSkus)));
  await seeEach(mend.allowances, ({ buyerId, slots }) => picture.seeUsed(buyerId, slots));
  // The holds last: what they have is known then, wherever it was a moment ago.
  await seeEach(stock.holds, (hold) => picture.seeHold(hold));
  await seeEach(mend.listed, (holdId) => picture.seeListed(holdId));
  await seeEach(stock.cartDues, ({ cartId, dueMs }) => picture.seeCartListed(cartId, dueMs));

  const hasFewSeats = sale.items.some(({ seated, total }) => seated && total <= fewSeats);
  const seats = hasFewSeats ? await ports.seats.list(sale) : new Map<string, readonly string[]>();
  const seeRow = (row: ComparedRow) => {
    picture.seeRow(row);
    shards?.seeRow(row);
  };
  await evidence.rows(sale, seats, seeRow, goesOn);
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
    drift: [...(ofSale ? [ofSale] : []), ...ofOrders, ...(shards ? driftBeside(shards, picture) : picture.drift())],
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
  const load = read && (await loadOf(sale, read.epoch, ports.stock));
  if (!read || !load) return undefined;
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

/** Each shard's counters are compared by themselves: what is too many in one and too few in another would not show in their sum. */
const driftBeside = (shards: ShardsPicture, picture: SalePicture): Drift[] => [
  ...[...picture.drift()].filter(({ kind }) => kind !== 'counter-wrong'),
  ...shards.drift(),
];

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
  load: SaleLoad,
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

async function driftOfPair(order: Order | undefined, holdId: string | undefined, load: SaleLoad, ports: ReconcilePorts): Promise<Drift[]> {
  const { clock, timing } = ports;
  const drift: Drift[] = [];
  if (order) {
    const ofOrder = driftOfOrder(order, await lookAt(homeOf(load, order.buyerId), holdOf(order), ports));
    if (ofOrder) drift.push(ofOrder);
  }
  // Without its order, or with one that has another hold: this one has no order of its own.
  if (holdId !== undefined && order?.holdId !== holdId) drift.push(...(await driftOfFormer(order, holdId, load, ports)));
  const isRecent = order !== undefined && order.updatedAtMs > clock.nowMs() - timing.recentMs;
  return isRecent ? drift.map((each) => ({ ...each, recent: true })) : drift;
}

/** A hold that says that an order has it, while that order has another, or is not there; or the first one of an order, which left no mark for replays. */
async function driftOfFormer(order: Order | undefined, holdId: string, load: SaleLoad, ports: ReconcilePorts): Promise<Drift[]> {
  // A hold without an order says itself whose it is, once it is found.
  const parts = order ? [homeOf(load, order.buyerId)] : partsOf(load);
  let hold: OrderSeen['hold'];
  for (const part of parts) hold ??= (await lookAt(part, { holdId, buyerId: '', lines: [] }, ports)).hold;
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
