import { hasClosed, type Sale } from '../sales/sale.model.ts';
import type { AskForRebuild } from '../sales/sale.ports.ts';
import type { Clock } from '../shared/clock.ts';
import { cartIdOf } from '../shared/ids.ts';
import type { UnitsRefused } from '../stock/refusal.model.ts';
import { stockIdOf } from '../stock/shards.model.ts';
import type { LineUnits } from '../stock/stock.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import type { CartItem } from './cart.schemas.ts';

export interface CartPorts {
  readonly sales: { known(saleId: string): Promise<Sale | undefined>; fresh(saleId: string): Promise<Sale | undefined> };
  /** The seats that a copy of the sale has, by item. */
  readonly seats: { names(sale: Sale): Promise<ReadonlyMap<string, ReadonlySet<string>>> };
  /** It asks for no rebuild by itself: anybody with a token may name any sale, also one that was over long ago. */
  readonly stock: Pick<Stock, 'setCartLine' | 'dropCartLine' | 'clearCart' | 'readCart'>;
  readonly askForRebuild: AskForRebuild;
  /** The one that holds are named with: an order finds its buyer's cart by it. */
  readonly holdSecret: string;
  readonly clock: Clock;
}

/** Whose cart, of which sale. */
export interface CartRef {
  readonly saleId: string;
  readonly buyerId: string;
}

export interface Cart {
  readonly saleId: string;
  readonly lines: readonly LineUnits[];
  /** 0 of an empty one. */
  readonly expiresAtMs: number;
}

export type CartRead = { outcome: 'cart'; cart: Cart } | { outcome: 'unknown-sale' | 'stock-not-ready' };

export type CartSet =
  | CartRead
  | UnitsRefused
  | { outcome: 'cart-full' | 'try-again' }
  | { outcome: 'sold-out'; sku: string; available: number }
  | { outcome: 'buyer-limit'; limit: number };

/** How far our clock may be from the one that closes sales, which went with the sale. */
const clocksApartMsMax = 60_000;

const emptyCart = (saleId: string): CartRead => ({ outcome: 'cart', cart: { saleId, lines: [], expiresAtMs: 0 } });
const cartIdFor = ({ saleId, buyerId }: CartRef, { holdSecret }: CartPorts) => cartIdOf(holdSecret, buyerId, saleId);

/** Makes the cart have exactly this of an item, or says why not. */
export async function setCartItem(ref: CartRef & { readonly sku: string }, item: CartItem, ports: CartPorts): Promise<CartSet> {
  const { saleId, buyerId, sku } = ref;
  const sale = await ports.sales.known(saleId);
  if (!sale) return { outcome: 'unknown-sale' };
  const { quantity = 0, seats } = item;
  const line = seats ? { sku, quantity: seats.length, seats } : { sku, quantity };
  const set = await ports.stock.setCartLine({ saleId, shards: sale.shards, cartId: cartIdFor(ref, ports), buyerId, line });
  switch (set.outcome) {
    case 'CART':
      return { outcome: 'cart', cart: { saleId, lines: set.lines, expiresAtMs: set.expiresAtMs } };
    case 'NOT_LOADED':
      return (await isOver(sale, ports)) ? { outcome: 'not-open', state: 'closed' } : withoutStock(saleId, ports);
    case 'UNKNOWN_SKU':
      return { outcome: 'unknown-sku', sku };
    case 'WRONG_KIND':
      return { outcome: 'wrong-kind', sku, kind: set.kind };
    case 'UNKNOWN_SEAT':
      return refusalOfUnknown(saleId, set, ports);
    case 'NOT_OPEN':
      return { outcome: 'not-open', state: set.state };
    case 'PAUSED':
      return { outcome: 'paused' };
    case 'IN_TRANSIT':
      return { outcome: 'try-again' };
    case 'BUYER_LIMIT':
      return { outcome: 'buyer-limit', limit: set.limit };
    case 'CART_FULL':
      return { outcome: 'cart-full' };
    case 'SOLD_OUT':
      return { outcome: 'sold-out', sku, available: set.available };
    case 'SEAT_TAKEN':
      return { outcome: 'seat-taken', sku, seats: set.seats };
  }
}

/** The cart as it is. */
export const readCart = (ref: CartRef, ports: CartPorts): Promise<CartRead> =>
  answerOf(ref, ports, (stockId, cartId) => ports.stock.readCart(stockId, cartId));

/** Takes an item out of the cart, whatever the sale's state is. */
export const dropCartItem = (ref: CartRef & { readonly sku: string }, ports: CartPorts): Promise<CartRead> =>
  answerOf(ref, ports, (stockId, cartId) => ports.stock.dropCartLine(stockId, cartId, ref.sku));

/** Takes everything out of the cart, whatever the sale's state is. */
export const clearCart = (ref: CartRef, ports: CartPorts): Promise<CartRead> =>
  answerOf(ref, ports, (stockId, cartId) => ports.stock.clearCart(stockId, cartId));

async function answerOf(
  ref: CartRef,
  ports: CartPorts,
  ask: (stockId: string, cartId: string) => ReturnType<CartPorts['stock']['readCart']>,
): Promise<CartRead> {
  const { saleId } = ref;
  const sale = await ports.sales.known(saleId);
  if (!sale) return { outcome: 'unknown-sale' };
  const found = await ask(stockIdOf({ ...ref, shards: sale.shards }), cartIdFor(ref, ports));
  if (found.outcome === 'CART') return { outcome: 'cart', cart: { saleId, lines: found.lines, expiresAtMs: found.expiresAtMs } };
  // A cart is lost with the sale's stock. Whether it comes back is of no use in a sale that is over.
  return (await isOver(sale, ports)) ? emptyCart(saleId) : withoutStock(saleId, ports);
}

/** Whether the sale is over, by a copy that was read just now: a window may have been extended. */
async function isOver(known: Sale, { sales, clock }: CartPorts): Promise<boolean> {
  const isOverBy = (copy: Sale) => hasClosed(copy, clock.nowMs() - clocksApartMsMax);
  return isOverBy(known) && isOverBy((await sales.fresh(known.saleId)) ?? known);
}

async function withoutStock(saleId: string, { askForRebuild }: CartPorts): Promise<{ outcome: 'stock-not-ready' }> {
  await askForRebuild(saleId);
  return { outcome: 'stock-not-ready' };
}

/** Redis does not know the seat. Where the sale, read again, lists it, Redis is yet to be told of it. */
async function refusalOfUnknown(
  saleId: string,
  { sku, seat }: { sku: string; seat: string },
  { sales, seats }: CartPorts,
): Promise<CartSet> {
  const fresh = await sales.fresh(saleId);
  const isListed = fresh !== undefined && (await seats.names(fresh)).get(sku)?.has(seat) === true;
  return isListed ? { outcome: 'try-again' } : { outcome: 'unknown-seat', sku, seat };
}
