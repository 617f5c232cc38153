import type { Hold, StockLine } from '../stock/stock.model.ts';
import type { NoUnits } from './allocate.ts';
import type { PlaceOutcome, PlacePorts, placingOf } from './placing.ts';

type CheckedOut =
  | { outcome: 'held'; hold: Hold; lines: readonly StockLine[]; hasOrder: boolean }
  | { outcome: 'answered'; answer: PlaceOutcome };

/**
 * The hold that the buyer's cart becomes, in place of one that is reserved. Before anything is refused the key's order is looked for: its cart is
 * gone since it was placed, and the sale may have closed, or have been lost and rebuilt.
 */
export async function checkOut(placing: ReturnType<typeof placingOf>, { stock }: Pick<PlacePorts, 'stock'>): Promise<CheckedOut> {
  const { saleId, buyerId, holdId, cartId, payloadHash, replayIfPlaced, refusalOf } = placing;
  const answered = async (otherwise: () => PlaceOutcome | Promise<PlaceOutcome>): Promise<CheckedOut> => {
    return { outcome: 'answered', answer: (await replayIfPlaced()) ?? (await otherwise()) };
  };
  const found = await stock.checkoutCart({ saleId, holdId, buyerId, payloadHash, cartId });
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
  const { saleId, cartId } = placing;
  const { holdId, bornUs } = hold;
  if (why.outcome === 'buyer-limit') await stock.release(saleId, { holdId, bornUs, cause: 'tombstone' });
  else await stock.returnToCart(saleId, { holdId, bornUs, cartId });
}
