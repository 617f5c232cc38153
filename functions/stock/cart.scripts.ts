import type { RedisClient } from '../shared/redis.ts';
import * as scripts from './cart.definitions.ts';
import { stockKeys } from './stock.keys.ts';
import type { Hold, LineUnits, StockLine } from './stock.model.ts';
import { formatSeats } from './stock.records.ts';

export interface CartLine {
  readonly saleId: string;
  readonly cartId: string;
  readonly buyerId: string;
  readonly line: StockLine;
}

export interface CheckoutRequest {
  readonly saleId: string;
  readonly holdId: string;
  readonly buyerId: string;
  readonly payloadHash: string;
  readonly cartId: string;
}

/** When a cart ends, as the list of those to be ended has it. */
export interface CartDue {
  readonly cartId: string;
  readonly dueMs: number;
}

/** Carts that one call of a script ends: some thousand units. */
const cartsPerCall = 100;
/** More calls than a sale has carts whose time is up at one moment. */
const callsMax = 10_000;
const pageSize = 500;
const pagesMax = 200_000;

/** There are more carts than a sale can have. */
export class TooManyCarts extends Error {
  override readonly name = 'TooManyCarts';
}

/**
 * The carts of sales, for `stockScripts`. A cart is its buyer's alone, and only Redis knows of it. `expiresAtMs` is 0 where the cart is empty. Each
 * verb that meets a cart whose time is up ends it at once.
 */
export function cartScripts(redis: RedisClient) {
  return {
    /**
     * Makes a line of the cart exactly this, all of it or nothing. `SOLD_OUT` says the most that the line could have, `SEAT_TAKEN` the seats that
     * others have; `CART_FULL`: the cart would have more than 20 units.
     */
    setCartLine: ({ saleId, cartId, buyerId, line: { sku, quantity, seats } }: CartLine) =>
      scripts.setLine(redis, { keys: stockKeys(saleId), args: { cartId, buyerId, sku, wanted: seats ? formatSeats(seats) : quantity } }),

    /** Takes an item out of the cart; one that is not there is no matter. */
    dropCartLine: (saleId: string, cartId: string, sku: string) => scripts.drop(redis, { keys: stockKeys(saleId), args: { cartId, sku } }),

    clearCart: (saleId: string, cartId: string) => scripts.drop(redis, { keys: stockKeys(saleId), args: { cartId, sku: '' } }),

    readCart: (saleId: string, cartId: string) => scripts.read(redis, { keys: stockKeys(saleId), args: { cartId } }),

    /**
     * Turns the cart into the hold of an order-to-be, once per hold id. `hold` is what the hold has now; `wanted` are the cart's lines, all of
     * which an order must have. The rest is as `reserve` says it.
     */
    async checkoutCart({ saleId, ...args }: CheckoutRequest) {
      const reply = await scripts.checkout(redis, { keys: stockKeys(saleId), args });
      if (reply.outcome !== 'RESERVED') return reply;
      const { outcome, state, wanted, ...found } = reply;
      const { holdId, buyerId, payloadHash } = args;
      const hold: Hold = { holdId, buyerId, payloadHash, ...found };
      return {
        outcome,
        hold,
        wanted: (wanted.length > 0 ? wanted : hold.lines).map(wantedOf),
        replayed: state !== '',
        hasOrder: state === 'A' || state === 'C',
      };
    },

    /**
     * Ends a hold that was a cart, after a tombstone: what it has is in the cart again (`RETURNED`), or for sale (`RELEASED`) where its time is up
     * or the cart has no room.
     */
    returnToCart: (saleId: string, { holdId, bornUs, cartId }: Pick<Hold, 'holdId' | 'bornUs'> & { readonly cartId: string }) =>
      scripts.giveBack(redis, { keys: stockKeys(saleId), args: { holdId, bornUs, cartId } }),

    /** Ends the carts whose time is up, while `hasTime`, and counts them. */
    async expireCarts(saleId: string, hasTime: () => boolean = () => true) {
      let count = 0;
      for (let call = 0; call < callsMax && hasTime(); call++) {
        const ended = await scripts.expire(redis, { keys: stockKeys(saleId), args: { limit: cartsPerCall } });
        if (ended.outcome === 'NOT_LOADED') return ended;
        count += ended.count;
        if (!ended.more) break;
      }
      return { outcome: 'EXPIRED' as const, count };
    },

    /** Puts a cart back among those that are to be ended, if it is not there as its record says. (`holds` shows the carts, in state `cart`.) */
    trackCart: (saleId: string, cartId: string) => scripts.track(redis, { keys: stockKeys(saleId), args: { cartId } }),

    /** The carts that are to be ended, each once. Those made or ended meanwhile may or may not be among them. */
    cartDues: (saleId: string) => duesOf(redis, stockKeys(saleId).carts),
  };
}

const wantedOf = ({ sku, units, seated }: LineUnits): StockLine => ({ sku, quantity: units.length, ...(seated ? { seats: units } : {}) });

async function* duesOf(redis: RedisClient, key: string): AsyncGenerator<CartDue> {
  const seen = new Set<string>();
  let cursor = '0';
  for (let page = 0; page < pagesMax; page++) {
    const [next, found] = await redis.zscan(key, cursor, 'COUNT', pageSize);
    for (let index = 0; index + 1 < found.length; index += 2) {
      const cartId = found[index] ?? '';
      // A scan may name one twice while the set is being resized.
      if (seen.has(cartId)) continue;
      seen.add(cartId);
      yield { cartId, dueMs: Number(found[index + 1]) };
    }
    cursor = next;
    if (cursor === '0') return;
  }
  throw new TooManyCarts(`${key} has more than ${pagesMax} pages`);
}
