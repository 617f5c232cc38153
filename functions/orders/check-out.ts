import type { Hold, StockLine } from '../stock/stock.model.ts';
import type { NoUnits } from './allocate.ts';
import { hasEnded, hasUnits } from './order.model.ts';
import type { PlaceOutcome, PlacePorts, placingOf } from './placing.ts';

type CheckedOut =
  | { outcome: 'held'; hold: Hold; lines: readonly StockLine[]; hasOrder: boolean }
  | { outcome: 'answered'; answer: PlaceOutcome };

/**
 * The hold that the buyer's cart becomes, in place of one that is reserved. The key's order is looked for before the cart is touched: one that has no
 * units, not yet or not any more, may be unknown to Redis, and a repeat of its key would take whatever the buyer has put into the cart since. (The cart
 * of an order that has units is the one that they came from, brought back by a Redis that forgot the checkout.) And before anything is refused it is
 * looked for again: its cart is gone since it was placed, and the sale may have closed, or have been lost and rebuilt.
 */
export async function checkOut(
  placing: ReturnType<typeof placingOf>,
  { stock, orders }: Pick<PlacePorts, 'stock' | 'orders'>,
): Promise<CheckedOut> {
  const { stockId, buyerId, holdId, orderId, cartId, payloadHash, replay, replayIfPlaced, refusalOf } = placing;
  const answered = async (otherwise: () => PlaceOutcome | Promise<PlaceOutcome>): Promise<CheckedOut> => {
    return { outcome: 'answered', answer: (await replayIfPlaced()) ?? (await otherwise()) };
  };
  const placed = await orders.get(orderId);
  if (placed && (hasEnded(placed) || !hasUnits(placed))) return { outcome: 'answered', answer: await replay(placed) };
  const found = await stock.checkoutCart({ saleId: stockId, holdId, buyerId, payloadHash, cartId });
  switch (found.outcome) {
    case 'RESERVED':
      return { outcome: 'held', hold: found.hold, lines: found.wanted, hasOrder: found.hasOrder };
    case 'CART_EMPTY':
      return answered(() => ({ outcome: 'cart-empty' }));
    case 'CART_EXPIRED':
      return answered(() => ({ outcome: 'cart-expired' }));
    case 'KEY_REUSED':
      return answered(() => ({ outcome: 'key-reused' }));
    case 'ENDED':
      return answered(() => ({ outcome: 'try-again' }));
    case 'NOT_LOADED':
    case 'NOT_OPEN':
    case 'PAUSED':
    case 'BUYER_LIMIT':
    case 'SEAT_TAKEN':
      return answered(() => refusalOf(found));
  }
}

/**
 * Ends a hold that was a cart, once a tombstone has said that no order will have it. What is left of it is in the cart again, so that a seat that is
 * gone does not cost the buyer the rest; of more units than the buyer may have nothing is kept.
 */
export async function putBack(hold: Hold, why: NoUnits, placing: ReturnType<typeof placingOf>, { stock }: Pick<PlacePorts, 'stock'>) {
  const { stockId, cartId } = placing;
  const { holdId, bornUs } = hold;
  if (why.outcome === 'buyer-limit') await stock.release(stockId, { holdId, bornUs, cause: 'tombstone' });
  else await stock.returnToCart(stockId, { holdId, bornUs, cartId });
}
