import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { stockProblem } from '../stock/refusal.model.ts';
import { orderAnswer } from './order.answer.ts';
import { asPlaced, type Order } from './order.model.ts';
import { placeOrderRoute } from './place.routes.ts';
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
    case 'key-reused':
      return new Problem('IDEMPOTENCY_KEY_REUSED', 'This key was sent with another payload; a new order needs a new key.');
    case 'sold-out':
      return new Problem('SOLD_OUT', `Of ${refused.sku} there are ${refused.available} left.`, {
        sku: refused.sku,
        available: refused.available,
      });
    case 'buyer-limit':
      return new Problem('BUYER_LIMIT', `A buyer may have ${refused.limit} units of this sale over all orders.`, { limit: refused.limit });
    case 'cart-empty':
      return new Problem('CART_EMPTY', 'The cart of this sale is empty.');
    case 'cart-expired':
      return new Problem('CART_EXPIRED', 'The time of the cart is up, and its units are for sale again.');
    case 'try-again':
      return new Problem('TRY_AGAIN', 'The outcome is not known yet; send the same request with the same key.');
    default:
      return stockProblem(refused);
  }
}
