import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { orderAnswer } from './order.answer.ts';
import { asPlaced, type Order } from './order.model.ts';
import { placeOrderRoute } from './order.routes.ts';
import { type PlaceOutcome, type PlacePorts, placeOrder } from './place.ts';

export const placeEndpoints = (ports: () => Promise<PlacePorts>): Endpoint[] => [
  endpoint(placeOrderRoute, async ({ params, caller, key, body }) => {
    const placed = await placeOrder({ saleId: params.saleId, buyerId: caller.userId, key, body }, await ports());
    if ('order' in placed) return answer(placed.order, placed.outcome === 'replayed');
    throw refusal(placed);
  }),
];

const answer = (order: Order, replayed: boolean) => ({
  body: orderAnswer(asPlaced(order)),
  headers: { location: `/v1/orders/${order.orderId}` },
  replayed,
});

/** The refusal in the words of the contract. */
function refusal(refused: Exclude<PlaceOutcome, { order: Order }>): Problem {
  switch (refused.outcome) {
    case 'unknown-sale':
      return new Problem('NOT_FOUND', 'There is no such sale.');
    case 'unknown-sku':
      return new Problem('INVALID_REQUEST', `This sale does not sell ${refused.sku}.`);
    case 'unknown-seat':
      return new Problem('INVALID_REQUEST', `${refused.sku} has no seat ${refused.seat}.`);
    case 'wrong-kind':
      return new Problem(
        'INVALID_REQUEST',
        refused.kind === 'seated' ? `${refused.sku} is sold by seats: name them.` : `${refused.sku} has no seats: say how many.`,
      );
    case 'key-reused':
      return new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; a new order needs a new key.');
    case 'sold-out':
      return new Problem('SOLD_OUT', `Of ${refused.sku} there are ${refused.available} left.`, {
        sku: refused.sku,
        available: refused.available,
      });
    case 'seat-taken':
      return new Problem('SEAT_TAKEN', `Of ${refused.sku} these seats are taken: ${refused.seats.join(', ')}.`, {
        sku: refused.sku,
        seats: refused.seats,
      });
    case 'buyer-limit':
      return new Problem('BUYER_LIMIT', `A buyer may have ${refused.limit} units of this sale over all orders.`, { limit: refused.limit });
    case 'not-open':
      return new Problem('SALE_NOT_OPEN', refused.state === 'scheduled' ? 'The sale has not opened yet.' : 'The sale is closed.', {
        state: refused.state,
      });
    case 'cart-empty':
      return new Problem('CART_EMPTY', 'The cart of this sale is empty.');
    case 'cart-expired':
      return new Problem('CART_EXPIRED', 'The time of the cart is up, and its units are for sale again.');
    case 'paused':
      return new Problem('SALE_PAUSED', 'The sale is paused; it may go on.');
    case 'stock-not-ready':
      return new Problem('STOCK_NOT_READY', 'The stock of this sale is not ready.');
    case 'try-again':
      return new Problem('TRY_AGAIN', 'The outcome is not known yet; send the same request with the same key.');
  }
}
