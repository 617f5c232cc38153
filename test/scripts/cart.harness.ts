import { randomUUID } from 'node:crypto';
import type { LineUnits, StockLine } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { all, type Bench } from './stock.harness.ts';

export const cartOf = (buyerId: string) => `cart-of-${buyerId}`;

/** Some units of a counted item, or seats of `hall`. */
export const some = (quantity: number, sku = 'tee'): StockLine => ({ sku, quantity });
export const seatsOf = (...seats: string[]): StockLine => ({ sku: 'hall', quantity: seats.length, seats });

/** The verbs of carts for a buyer of a sale. */
export function buyerAt({ stock }: Bench, saleId: string, buyerId: string) {
  const cartId = cartOf(buyerId);
  return {
    saleId,
    buyerId,
    cartId,
    set: (line: StockLine) => stock.setCartLine({ saleId, cartId, buyerId, line }),
    drop: (sku: string) => stock.dropCartLine(saleId, cartId, sku),
    clear: () => stock.clearCart(saleId, cartId),
    read: () => stock.readCart(saleId, cartId),
    checkout: (holdId = `hold-${randomUUID()}`, payloadHash = 'payload') =>
      stock.checkoutCart({ saleId, holdId, buyerId, payloadHash, cartId }),
    returned: (hold: { readonly holdId: string; readonly bornUs: number }) => stock.returnToCart(saleId, { ...hold, cartId }),
  };
}

/** What an answer says the cart has; the answer itself when it is a refusal. */
export function linesOf(reply: { outcome: 'CART'; lines: readonly LineUnits[] } | { outcome: string }) {
  return 'lines' in reply ? reply.lines : reply;
}

/** The checkout's hold; fails with the refusal. */
export async function checkedOut(reply: ReturnType<ReturnType<typeof buyerAt>['checkout']>) {
  const answer = await reply;
  if (answer.outcome !== 'RESERVED') throw new Error(`not checked out: ${JSON.stringify(answer)}`);
  return answer;
}

const lapseLua = `
local record = redis.call('HGET', KEYS[1], 'h:' .. ARGV[1])
if not record or string.sub(record, 1, 1) ~= 'K' then return 0 end
redis.call('HSET', KEYS[1], 'h:' .. ARGV[1], (string.gsub(record, '^(K|%d+)|%d+', '%1|1')))
return redis.call('ZADD', KEYS[2], 'XX', 1, ARGV[1])`;

/** As if the cart's time were up, from one moment to the next. */
export async function lapse({ redis }: Bench, saleId: string, cartId: string): Promise<void> {
  const { sale, carts } = stockKeys(saleId);
  await redis.eval(lapseLua, 2, sale, carts, cartId);
}

/** The carts with units, by record and by the list of those to be ended; each with when it ends. */
export async function cartsIn({ stock }: Bench, saleId: string) {
  const holds = await all(stock.holds(saleId));
  const recorded = holds.filter(({ state, lines }) => state === 'cart' && lines.length > 0);
  const due = await all(stock.cartDues(saleId));
  const byId = (list: (readonly [string, number])[]) => Object.fromEntries(list);
  return {
    recorded: byId(recorded.map(({ holdId, expiresAtMs }) => [holdId, expiresAtMs] as const)),
    due: byId(due.map(({ cartId, dueMs }) => [cartId, dueMs] as const)),
  };
}
