import type { Sale } from '../sales/sale.model.ts';
import { orderIdOf } from '../shared/ids.ts';
import { isSharded } from '../stock/shards.model.ts';
import type { Hold, LineUnits, StockLine } from '../stock/stock.model.ts';
import type { OrderStanding } from '../stock/stock.ports.ts';
import {
  hasEnded,
  hasUnits,
  nextDueMs,
  type Order,
  type OrderLine,
  type PaymentMethod,
  retiresUnits,
  type Transition,
} from './order.model.ts';
import type { PlaceOrder } from './order.schemas.ts';
import type { Allocation } from './order.transitions.model.ts';

/** The seats of a sale by item, to be looked up. */
export type KnownSeats = ReadonlyMap<string, ReadonlySet<string>>;

/** The first version of an order: a hold's units at the sale's frozen prices. Throws if the sale does not sell a unit's item. */
export function placement(hold: Hold, sale: Sale, method: PaymentMethod): Transition {
  const items = itemsOf(hold.lines, pricesOf(sale));
  return firstVersion(hold, sale, method, { status: 'RESERVED', items, slots: [...hold.slots] }, ['OrderPlaced', 'StockReserved']);
}

/** The first version of an order that is charged before it gets units. `bornUs` and `expiresAtMs` are those of a hold made now. */
export function placementWithoutUnits(
  asked: Omit<Hold, 'lines' | 'slots'>,
  lines: readonly StockLine[],
  sale: Sale,
  method: PaymentMethod,
): Transition {
  const priceOf = pricesOf(sale);
  const items = lines.map(({ sku, quantity, seats }) => {
    return { sku, quantity, units: [], priceMinor: priceOf(sku), ...(seats ? { seated: true as const, seats: [...seats] } : {}) };
  });
  return firstVersion(asked, sale, method, { status: 'PENDING', items, slots: [] }, ['OrderPlaced']);
}

/** What an order gets of a hold, at the prices that it was placed with. */
export const allocationOf = (order: Order, hold: Hold): Allocation => ({
  holdId: hold.holdId,
  bornUs: hold.bornUs,
  holdExpiresAtMs: hold.expiresAtMs,
  items: itemsOf(hold.lines, pricesOf(order)),
  slots: [...hold.slots],
});

/** What the order was placed for, as the stock takes it. */
export const linesOf = (order: Order): StockLine[] =>
  (order.first?.items ?? order.items).map(({ sku, quantity, units, seated, seats = units }) =>
    seated ? { sku, quantity, seats } : { sku, quantity },
  );

type PriceOf = (sku: string) => number;

function pricesOf(owner: Pick<Sale, 'saleId' | 'items'> | Pick<Order, 'saleId' | 'items'>): PriceOf {
  const prices = new Map(owner.items.map(({ sku, priceMinor }) => [sku, priceMinor]));
  return (sku) => {
    const priceMinor = prices.get(sku);
    if (priceMinor === undefined) throw new RangeError(`${owner.saleId} does not sell ${sku}`);
    return priceMinor;
  };
}

const itemsOf = (lines: readonly LineUnits[], priceOf: PriceOf): OrderLine[] =>
  lines.map(({ sku, units, seated }) => {
    return { sku, quantity: units.length, units: [...units], priceMinor: priceOf(sku), ...(seated ? { seated } : {}) };
  });

function firstVersion(
  hold: Omit<Hold, 'lines' | 'slots'>,
  sale: Sale,
  method: PaymentMethod,
  { status, items, slots }: Pick<Order, 'status' | 'items' | 'slots'>,
  events: Transition['events'],
): Transition {
  // The hold's birth is the moment the script decided, by the one clock that decides: Redis'.
  const createdAtMs = Math.floor(hold.bornUs / 1000);
  const order: Order = {
    orderId: orderIdOf(hold.holdId),
    holdId: hold.holdId,
    saleId: sale.saleId,
    ...(isSharded(sale) ? { shards: sale.shards } : {}),
    buyerId: hold.buyerId,
    strategy: sale.strategy,
    status,
    version: 1,
    items,
    slots,
    totalMinor: items.reduce((sum, { priceMinor, quantity }) => sum + priceMinor * quantity, 0),
    currency: sale.currency,
    payment: { method, state: 'none' },
    stock: 'held',
    payloadHash: hold.payloadHash,
    bornUs: hold.bornUs,
    holdExpiresAtMs: hold.expiresAtMs,
    createdAtMs,
    updatedAtMs: createdAtMs,
  };
  const dueAtMs = nextDueMs(order, createdAtMs);
  return { next: dueAtMs === undefined ? order : { ...order, dueAtMs }, events };
}

/** Whether there is nothing to tell Redis of the order: it has no units yet, or none any more. An end is always to be told. */
export const hasNothingInStock = (order: Order): boolean => !hasEnded(order) && !hasUnits(order);

/** The hold that an order stands for, as Redis should have it. */
export const holdOf = (order: Order): Hold => ({
  holdId: order.holdId,
  buyerId: order.buyerId,
  payloadHash: order.payloadHash,
  bornUs: order.bornUs,
  expiresAtMs: order.holdExpiresAtMs,
  lines: order.items
    .filter(({ units }) => units.length > 0)
    .map(({ sku, units, seated }) => ({ sku, units, ...(seated ? { seated } : {}) })),
  slots: order.slots,
});

/** What Redis should make of the order's hold. */
export const standingOf = (order: Order): OrderStanding => {
  if (hasEnded(order)) return retiresUnits(order) ? 'retired' : 'ended';
  return order.status === 'RESERVED' ? 'live' : 'confirmed';
};

/** The line of a request as the stock takes it. */
export const stockLineOf = ({ sku, quantity, seats }: NonNullable<PlaceOrder['items']>[number]): StockLine =>
  seats === undefined ? { sku, quantity: quantity ?? 0 } : { sku, quantity: seats.length, seats };

/** Units whose serial exceeds the item's total: whatever Redis says, they were never put on sale. Seats have no serial. */
export function beyondTotal(lines: readonly LineUnits[], sale: Sale): LineUnits[] {
  const totalOf = new Map(sale.items.map((item) => [item.sku, item.total]));
  return lines
    .filter(({ seated }) => !seated)
    .map(({ sku, units }) => ({ sku, units: units.filter((unit) => Number(unit) > (totalOf.get(sku) ?? 0)) }))
    .filter(({ units }) => units.length > 0);
}

/** Seats that the sale's list does not name: whatever Redis says, they were never put on sale. */
export const unlistedSeats = (lines: readonly LineUnits[], seats: KnownSeats): LineUnits[] =>
  lines
    .filter(({ seated }) => seated)
    .map((line) => ({ ...line, units: line.units.filter((unit) => !seats.get(line.sku)?.has(unit)) }))
    .filter(({ units }) => units.length > 0);

/** How many units after a collision are looked up at once: a page that one read brings. */
const runUnitsMax = 100;

/** The serials that follow the collided ones: after a failover Redis hands out whole runs that are long sold. A seat is asked for by name. */
export function followingRun(collided: readonly LineUnits[], sale: Sale): LineUnits[] {
  return collided
    .filter(({ seated }) => !seated)
    .map(({ sku, units }) => {
      const total = sale.items.find((item) => item.sku === sku)?.total ?? 0;
      const from = Math.max(...units.map(Number)) + 1;
      const count = Math.max(0, Math.min(runUnitsMax, total - from + 1));
      return { sku, units: Array.from({ length: count }, (_, offset) => String(from + offset)) };
    });
}
