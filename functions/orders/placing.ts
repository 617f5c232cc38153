import { hasClosed, type Sale } from '../sales/sale.model.ts';
import type { AskForRebuild } from '../sales/sale.ports.ts';
import { cartIdOf, holdIdOf, orderIdOf, payloadHashOf } from '../shared/ids.ts';
import { log } from '../shared/telemetry.ts';
import type { UnitsRefused } from '../stock/refusal.model.ts';
import { stockIdOf } from '../stock/shards.model.ts';
import { mergeLines } from '../stock/stock.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import type { AllocatePorts, NoUnits } from './allocate.ts';
import type { Order } from './order.model.ts';
import type { OrderRepository } from './order.ports.ts';
import type { PlaceOrder } from './order.schemas.ts';
import { hasNothingInStock, holdOf, standingOf, stockLineOf } from './placement.model.ts';

export interface PlaceRequest {
  readonly saleId: string;
  readonly buyerId: string;
  readonly key: string;
  /** The parsed body with its defaults: what "the same payload" compares. */
  readonly body: PlaceOrder;
}

/** Why no order is placed. */
export type PlaceRefusal = NoUnits | UnitsRefused | { outcome: 'key-reused' | 'try-again' | 'cart-empty' | 'cart-expired' };

export type PlaceOutcome = { outcome: 'placed' | 'replayed'; order: Order } | PlaceRefusal;

/** It asks for no rebuild by itself: anybody with a token may name any sale, also one that was over long ago. */
export interface PlacePorts extends AllocatePorts {
  readonly askForRebuild: AskForRebuild;
  readonly orders: OrderRepository;
  /** Whether Redis is known to have forgotten no order of the sale, unless it says so itself (`behind`). */
  readonly isCertain: (sale: Sale) => Promise<boolean>;
  readonly holdSecret: string;
}

/** What the script that holds units says when it does not, and the one that only looks says in the same words. */
export type StockRefusal = Exclude<Awaited<ReturnType<Stock['peek']>>, { outcome: 'AVAILABLE' }>;

/** How far our clock may be from the one that closes sales, which went with the sale. */
const clocksApartMsMax = 60_000;

/** What a request to place an order stands for, and the answers that do not depend on how the sale charges. */
export function placingOf(request: PlaceRequest, sale: Sale, ports: PlacePorts) {
  const { stock, orders } = ports;
  const { saleId, buyerId } = request;
  const holdId = holdIdOf(ports.holdSecret, buyerId, saleId, request.key);
  const orderId = orderIdOf(holdId);
  const payloadHash = payloadHashOf(request.body);
  /** What is asked for by name; nothing where it is the buyer's cart. */
  const lines = mergeLines((request.body.items ?? []).map(stockLineOf));
  const fromCart = request.body.fromCart === true;
  const { shards } = sale;
  /** The stock that has the buyer's holds and cart. */
  const stockId = stockIdOf({ saleId, shards, buyerId });
  return {
    sale,
    saleId,
    shards,
    stockId,
    buyerId,
    holdId,
    orderId,
    payloadHash,
    lines,
    fromCart,
    /** Signed when it is asked for: few requests are about a cart. */
    get cartId() {
      return cartIdOf(ports.holdSecret, buyerId, saleId);
    },
    replay,
    replayIfPlaced,
    acknowledge,
    refusalOf,
  };

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
    if (hasNothingInStock(order)) return;
    try {
      await stock.acknowledge(stockIdOf(order), holdOf(order), standingOf(order));
    } catch (error) {
      log.warn('an order is not acknowledged yet', { orderId, error });
    }
  }

  /** The refusal in the words of whoever places orders. */
  async function refusalOf(refused: StockRefusal): Promise<PlaceRefusal> {
    switch (refused.outcome) {
      case 'NOT_LOADED':
        return withoutStock();
      case 'UNKNOWN_SKU':
        return { outcome: 'unknown-sku', sku: refused.sku };
      case 'WRONG_KIND':
        return { outcome: 'wrong-kind', sku: refused.sku, kind: refused.kind };
      case 'UNKNOWN_SEAT':
        return refusalOfUnknown(refused);
      case 'PAUSED':
        return { outcome: 'paused' };
      case 'IN_TRANSIT':
        return { outcome: 'try-again' };
      case 'NOT_OPEN':
        return { outcome: 'not-open', state: refused.state };
      case 'SOLD_OUT':
        return { outcome: 'sold-out', sku: refused.sku, available: refused.available };
      case 'SEAT_TAKEN':
        return { outcome: 'seat-taken', sku: refused.sku, seats: refused.seats };
      case 'BUYER_LIMIT':
        return { outcome: 'buyer-limit', limit: refused.limit };
    }
  }

  /** Redis has lost the sale. Of one that is over nothing would be sold: there the answer is final, and nobody is asked to bring it back. */
  async function withoutStock(): Promise<PlaceRefusal> {
    const isOver = (copy: Sale) => hasClosed(copy, ports.clock.nowMs() - clocksApartMsMax);
    // A window may have been extended since the copy was read; a crowd at the door of a sale that is open costs no read.
    if (isOver(sale) && isOver((await ports.sales.fresh(saleId)) ?? sale)) return { outcome: 'not-open', state: 'closed' };
    await ports.askForRebuild(saleId);
    return { outcome: 'stock-not-ready' };
  }

  /** Redis does not know the seat. Where the sale, read again, lists it, Redis is yet to be told of it. */
  async function refusalOfUnknown({ sku, seat }: { sku: string; seat: string }): Promise<PlaceRefusal> {
    const fresh = await ports.sales.fresh(saleId);
    // Names are remembered, so whoever asks for seats that never were costs the read of one item, and that of the list only when it has grown.
    const isListed = fresh !== undefined && (await ports.seats.names(fresh)).get(sku)?.has(seat) === true;
    return isListed ? { outcome: 'try-again' } : { outcome: 'unknown-seat', sku, seat };
  }
}
