import { checkOut } from './check-out.ts';
import { placementWithoutUnits } from './placement.model.ts';
import type { PlaceOutcome, PlacePorts, PlaceRequest, placingOf } from './placing.ts';

/**
 * An order of a sale that charges first: Redis is asked whether there is something to be had, and nothing is held. What it says is a hint; whether
 * there are units is decided once the order is paid.
 */
export async function placePending(
  request: PlaceRequest,
  placing: ReturnType<typeof placingOf>,
  { stock, orders, claims }: PlacePorts,
): Promise<PlaceOutcome> {
  const { sale, saleId, shards, stockId, buyerId, holdId, payloadHash, replay } = placing;
  const wanted = await (placing.fromCart ? holdCart() : lookFor());
  if (wanted.outcome === 'answered') return wanted.answer;

  const { bornUs, expiresAtMs, lines } = wanted;
  const placed = placementWithoutUnits({ holdId, buyerId, payloadHash, bornUs, expiresAtMs }, lines, sale, request.body.payment.method);
  const claimed = await claims.claim(placed);
  switch (claimed.outcome) {
    case 'claimed':
      return { outcome: 'placed', order: placed.next };
    case 'order-exists': {
      const shown = await replay(claimed.order);
      // A request of another payload was quicker with this key: no order will ever have what this one took.
      if (shown.outcome === 'key-reused' && placing.fromCart) await stock.returnToCart(stockId, { holdId, bornUs, cartId: placing.cartId });
      return shown;
    }
    case 'tombstoned':
      // The sweeper ended the cart's hold before its order was written.
      if (placing.fromCart) await stock.release(stockId, { holdId, cause: 'tombstone', bornUs: claimed.bornUs });
      return { outcome: 'try-again' };
    case 'collided':
      return { outcome: 'try-again' };
  }

  async function lookFor() {
    const { lines, replayIfPlaced, refusalOf } = placing;
    const seen = await stock.peek({ saleId, shards, buyerId, lines });
    // Redis knows nothing of orders without units: before anything is refused, this key's is looked for.
    if (seen.outcome !== 'AVAILABLE') return { outcome: 'answered' as const, answer: (await replayIfPlaced()) ?? (await refusalOf(seen)) };
    return { outcome: 'wanted' as const, bornUs: seen.nowUs, expiresAtMs: seen.expiresAtMs, lines };
  }

  /** A cart has its units already, and keeps them for its order: the step that follows the charge finds this hold. */
  async function holdCart() {
    const checkedOut = await checkOut(placing, { stock, orders });
    if (checkedOut.outcome === 'answered') return checkedOut;
    const { bornUs, expiresAtMs } = checkedOut.hold;
    return { outcome: 'wanted' as const, bornUs, expiresAtMs, lines: checkedOut.lines };
  }
}
