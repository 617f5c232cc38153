import { hasClosed, type Sale } from '../sales/sale.model.ts';
import type { AskForRebuild } from '../sales/sale.ports.ts';
import type { Clock } from '../shared/clock.ts';
import { UnsettledTransaction } from '../shared/dynamo.ts';
import { holdIdOf, orderIdOf, payloadHashOf } from '../shared/ids.ts';
import { log } from '../shared/telemetry.ts';
import { type Hold, type LineUnits, mergeLines } from '../stock/stock.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { byItem, type ClaimRepository } from './claim.repository.ts';
import type { Order } from './order.model.ts';
import type { OrderRepository } from './order.ports.ts';
import type { PlaceOrder } from './order.schemas.ts';
import {
  beyondTotal,
  followingRun,
  holdOf,
  type KnownSeats,
  placement,
  standingOf,
  stockLineOf,
  unlistedSeats,
} from './placement.model.ts';

export interface PlaceRequest {
  readonly saleId: string;
  readonly buyerId: string;
  readonly key: string;
  /** The parsed body with its defaults: what "the same payload" compares. */
  readonly body: PlaceOrder;
}

export type PlaceOutcome =
  | { outcome: 'placed' | 'replayed'; order: Order }
  | { outcome: 'key-reused' | 'unknown-sale' | 'paused' | 'stock-not-ready' | 'try-again' }
  | { outcome: 'unknown-sku'; sku: string }
  | { outcome: 'unknown-seat'; sku: string; seat: string }
  /** `kind` is how the item is sold, which is not how it was asked for. */
  | { outcome: 'wrong-kind'; sku: string; kind: 'counted' | 'seated' }
  | { outcome: 'sold-out'; sku: string; available: number }
  | { outcome: 'seat-taken'; sku: string; seats: readonly string[] }
  | { outcome: 'buyer-limit'; limit: number }
  | { outcome: 'not-open'; state: 'scheduled' | 'closed' };

export interface PlacePorts {
  readonly sales: { known(saleId: string): Promise<Sale | undefined>; fresh(saleId: string): Promise<Sale | undefined> };
  /** The seats that a copy of the sale has; asked only for who wants seats. */
  readonly seats: { names(sale: Sale): Promise<KnownSeats> };
  /** It asks for no rebuild by itself: anybody with a token may name any sale, also one that was over long ago. */
  readonly stock: Stock;
  readonly askForRebuild: AskForRebuild;
  readonly claims: ClaimRepository;
  readonly orders: OrderRepository;
  readonly holdSecret: string;
  readonly clock: Clock;
}

/** A rolled-back Redis costs one or two rounds; more means that something else is wrong, and waiting is better. */
const roundsMax = 5;
/** How far our clock may be from the one that closes sales, which went with the sale. */
const clocksApartMsMax = 60_000;
/** No round begins later than this: one more transaction and its acknowledgement still fit into the function's time. */
const roundsMsMax = 6_000;

/**
 * Places an order: Redis allocates the units, one transaction decides. The same key gives the same order however often and from
 * wherever it is sent. A hold is never given back because an attempt failed: only an ended order or a tombstone ends it.
 */
export async function placeOrder(request: PlaceRequest, ports: PlacePorts): Promise<PlaceOutcome> {
  const sale = await ports.sales.known(request.saleId);
  if (!sale) return { outcome: 'unknown-sale' };
  const attempt = attemptOf(request, sale, ports);
  try {
    return await attempt.run();
  } catch (error) {
    if (!(error instanceof UnsettledTransaction)) throw error;
    // Another attempt under the same key may be committing right now, so the hold is left alone: the sweeper settles it.
    log.warn('an order is unsettled', { orderId: attempt.orderId, error });
    return { outcome: 'try-again' };
  }
}

function attemptOf(request: PlaceRequest, sale: Sale, ports: PlacePorts) {
  const { stock, claims, orders } = ports;
  const { saleId, buyerId } = request;
  const lines = mergeLines(request.body.items.map(stockLineOf));
  const holdId = holdIdOf(ports.holdSecret, buyerId, saleId, request.key);
  const orderId = orderIdOf(holdId);
  const payloadHash = payloadHashOf(request.body);
  const startMs = ports.clock.nowMs();
  const hasTime = () => ports.clock.nowMs() - startMs < roundsMsMax;

  async function run(): Promise<PlaceOutcome> {
    for (let round = 0; round < roundsMax && hasTime(); round++) {
      const reserved = await stock.reserve({ saleId, holdId, buyerId, payloadHash, lines });
      switch (reserved.outcome) {
        case 'RESERVED': {
          // Reading the order that the hold has is cheaper than a transaction that must fail.
          const placed = reserved.hasOrder ? await replayIfPlaced() : undefined;
          if (placed) return placed;
          const settled = await settle(reserved.hold);
          if (settled.outcome !== 'reserve-again') return settled;
          break;
        }
        case 'ENDED':
          return holdIsGone();
        case 'NOT_LOADED':
          return (await replayIfPlaced()) ?? (await withoutStock());
        case 'UNKNOWN_SKU':
          return { outcome: 'unknown-sku', sku: reserved.sku };
        case 'WRONG_KIND':
          return { outcome: 'wrong-kind', sku: reserved.sku, kind: reserved.kind };
        case 'UNKNOWN_SEAT':
          // A Redis that fell back behind a restock of seats has forgotten the orders of those as well.
          return (await replayIfPlaced()) ?? refusalOfUnknown(reserved);
        case 'KEY_REUSED':
          return (await replayIfPlaced()) ?? { outcome: 'key-reused' };
        case 'PAUSED':
          return (await replayIfPlaced()) ?? { outcome: 'paused' };
        case 'NOT_OPEN':
          // A crowd is at the door of a sale that has not opened, and hardly anybody has an order of it: only if its opening was put off again.
          return (
            ((reserved.state === 'closed' || reserved.behind) && (await replayIfPlaced())) || { outcome: 'not-open', state: reserved.state }
          );
        // The answers that a crowd gets: an order is looked for only where Redis is known to have forgotten some.
        case 'SOLD_OUT':
          return (reserved.behind && (await replayIfPlaced())) || { outcome: 'sold-out', sku: reserved.sku, available: reserved.available };
        case 'SEAT_TAKEN':
          return (reserved.behind && (await replayIfPlaced())) || { outcome: 'seat-taken', sku: reserved.sku, seats: reserved.seats };
        case 'BUYER_LIMIT':
          return (reserved.behind && (await replayIfPlaced())) || { outcome: 'buyer-limit', limit: reserved.limit };
      }
    }
    return { outcome: 'try-again' };
  }

  /** Turns the hold into an order, swapping units that turn out to be owned; at most `roundsMax` transactions. */
  async function settle(first: Hold): Promise<PlaceOutcome | { outcome: 'reserve-again' }> {
    let hold = first;
    for (let round = 0; round < roundsMax && hasTime(); round++) {
      const claimed = await claim(hold);
      switch (claimed.outcome) {
        case 'claimed':
          await acknowledge(claimed.order);
          return { outcome: 'placed', order: claimed.order };
        case 'order-exists':
          return replay(claimed.order);
        case 'tombstoned':
          // The sweeper ended this birth of the hold; whoever asks now is a fresh attempt.
          await stock.release(saleId, { holdId, cause: 'tombstone', bornUs: claimed.bornUs });
          return { outcome: 'reserve-again' };
        case 'collided': {
          if (claimed.units.length > 0 || isShort(hold)) {
            const swapped = await swap(hold, claimed.units);
            if (swapped.outcome === 'SOLD_OUT') {
              return abandon(hold, { outcome: 'sold-out', sku: swapped.sku, available: swapped.available });
            }
            // No other seat will do, so the whole set is given up.
            if (swapped.outcome === 'SEAT_TAKEN') return abandon(hold, { outcome: 'seat-taken', sku: swapped.sku, seats: swapped.seats });
            if (swapped.outcome !== 'SWAPPED') return holdIsGone();
            hold = { ...hold, lines: swapped.lines };
          }
          if (claimed.slots.length > 0) {
            const mending = await mend(hold);
            if (mending.outcome === 'BUYER_LIMIT') return abandon(hold, { outcome: 'buyer-limit', limit: mending.limit });
            if (mending.outcome !== 'MENDED') return holdIsGone();
            hold = { ...hold, slots: mending.slots };
          }
        }
      }
    }
    return { outcome: 'try-again' };
  }

  const isShort = (hold: Hold) =>
    lines.some(({ sku, quantity }) => (hold.lines.find((line) => line.sku === sku)?.units.length ?? 0) < quantity);

  async function claim(hold: Hold) {
    const neverOnSale = await unitsNeverOnSale(hold.lines);
    // A hold that lost units to a swap and found no others is short: it needs units before it can be an order.
    if (neverOnSale.length > 0 || isShort(hold)) return { outcome: 'collided' as const, units: neverOnSale, slots: [] };
    const placing = placement(hold, sale, request.body.payment.method);
    const result = await claims.claim(placing);
    return result.outcome === 'claimed' ? { outcome: 'claimed' as const, order: placing.next } : result;
  }

  /** Units that the sale, read again before anything is refused by it, does not have. */
  async function unitsNeverOnSale(held: readonly LineUnits[]): Promise<LineUnits[]> {
    const missingFrom = async (copy: Sale, units: readonly LineUnits[]) => {
      const hasSeats = units.some(({ seated }) => seated);
      return [...beyondTotal(units, copy), ...(hasSeats ? unlistedSeats(units, await ports.seats.names(copy)) : [])];
    };
    const missing = await missingFrom(sale, held);
    return missing.length === 0 ? [] : missingFrom((await ports.sales.fresh(saleId)) ?? sale, missing);
  }

  /** Redis has lost the sale. Of one that is over nothing would be sold: there the answer is final, and nobody is asked to bring it back. */
  async function withoutStock(): Promise<PlaceOutcome> {
    const isOver = (copy: Sale) => hasClosed(copy, ports.clock.nowMs() - clocksApartMsMax);
    // A window may have been extended since the copy was read; a crowd at the door of a sale that is open costs no read.
    if (isOver(sale) && isOver((await ports.sales.fresh(saleId)) ?? sale)) return { outcome: 'not-open', state: 'closed' };
    await ports.askForRebuild(saleId);
    return { outcome: 'stock-not-ready' };
  }

  /** Redis does not know the seat. Where the sale, read again, lists it, Redis is yet to be told of it. */
  async function refusalOfUnknown({ sku, seat }: { sku: string; seat: string }): Promise<PlaceOutcome> {
    const fresh = await ports.sales.fresh(saleId);
    // Names are remembered, so whoever asks for seats that never were costs the read of one item, and that of the list only when it has grown.
    const isListed = fresh !== undefined && (await ports.seats.names(fresh)).get(sku)?.has(seat) === true;
    return isListed ? { outcome: 'try-again' } : { outcome: 'unknown-seat', sku, seat };
  }

  /** Swaps the collided units, and with them the run of owned ones that follows, so that the next attempt does not meet those. */
  async function swap(hold: Hold, collided: readonly LineUnits[]) {
    const run = await claims.owners(saleId, followingRun(collided, sale));
    const owned = byItem([
      ...collided.flatMap(({ units, ...line }) => units.map((unit) => ({ ...line, unit }))),
      ...run.filter((owner) => owner.orderId !== orderId),
    ]);
    return stock.swap(saleId, { holdId, bornUs: hold.bornUs, lines, owned });
  }

  /** Redis has forgotten slots that the buyer's rows know: tells it, and takes others. */
  async function mend(hold: Hold) {
    const usedSlots = await claims.usedSlots(saleId, buyerId);
    return stock.mendAllowance(saleId, { holdId, bornUs: hold.bornUs, usedSlots });
  }

  /** Ends the hold and refuses; if an order turns up under the id after all, that is the answer. */
  async function abandon(hold: Hold, refusal: PlaceOutcome): Promise<PlaceOutcome> {
    const ended = await claims.tombstone(hold, orderId, ports.clock.nowMs());
    if (ended.outcome === 'order-exists') return replay(ended.order);
    await stock.release(saleId, { holdId, cause: 'tombstone', bornUs: hold.bornUs });
    return refusal;
  }

  /** Since this attempt began, a twin of it made the hold an order, or the sweeper ended it. */
  const holdIsGone = async (): Promise<PlaceOutcome> => (await replayIfPlaced()) ?? { outcome: 'try-again' };

  async function replayIfPlaced(): Promise<PlaceOutcome | undefined> {
    const order = await orders.get(orderId);
    return order && replay(order);
  }

  async function replay(order: Order): Promise<PlaceOutcome> {
    if (order.payloadHash !== payloadHash) return { outcome: 'key-reused' };
    await acknowledge(order);
    return { outcome: 'replayed', order };
  }

  /** Redis follows the order: surplus units of the hold go back, and the hold of an ended order ends. A lost one is the sweeper's. */
  async function acknowledge(order: Order): Promise<void> {
    try {
      await stock.acknowledge(saleId, holdOf(order), standingOf(order));
    } catch (error) {
      log.warn('an order is not acknowledged yet', { orderId, error });
    }
  }

  return { run, orderId };
}
