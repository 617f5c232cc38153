import { rfc3339 } from '../shared/clock.ts';
import { type Endpoint, endpoint } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { stockProblem } from '../stock/refusal.model.ts';
import { unitsPerOrderMax } from '../stock/stock.model.ts';
import { clearCartRoute, dropCartItemRoute, readCartRoute, setCartItemRoute } from './cart.routes.ts';
import type { CartAnswer } from './cart.schemas.ts';
import { type Cart, type CartPorts, type CartSet, clearCart, dropCartItem, readCart, setCartItem } from './cart.ts';

export const cartEndpoints = (ports: () => Promise<CartPorts>): Endpoint[] => [
  endpoint(setCartItemRoute, async ({ params, caller, body }) => {
    return answer(await setCartItem({ ...params, buyerId: caller.userId }, body, await ports()));
  }),
  endpoint(dropCartItemRoute, async ({ params, caller }) =>
    answer(await dropCartItem({ ...params, buyerId: caller.userId }, await ports())),
  ),
  endpoint(readCartRoute, async ({ params, caller }) => answer(await readCart({ ...params, buyerId: caller.userId }, await ports()))),
  endpoint(clearCartRoute, async ({ params, caller }) => answer(await clearCart({ ...params, buyerId: caller.userId }, await ports()))),
];

function answer(found: CartSet) {
  if (found.outcome !== 'cart') throw refusal(found);
  return { body: cartAnswer(found.cart) };
}

const cartAnswer = ({ saleId, lines, expiresAtMs }: Cart): CartAnswer => ({
  saleId,
  items: lines.map(({ sku, units, seated }) => ({ sku, quantity: units.length, ...(seated ? { seats: [...units] } : {}) })),
  expiresAt: lines.length > 0 ? rfc3339(expiresAtMs) : null,
});

/** The refusal in the words of the contract. */
function refusal(refused: Exclude<CartSet, { outcome: 'cart' }>): Problem {
  switch (refused.outcome) {
    case 'cart-full':
      return new Problem('INVALID_REQUEST', `A cart may have ${unitsPerOrderMax} units at most, counting all items.`);
    case 'sold-out':
      return new Problem('SOLD_OUT', `Of ${refused.sku} this cart could have ${refused.available}.`, {
        sku: refused.sku,
        available: refused.available,
      });
    case 'buyer-limit':
      return new Problem('BUYER_LIMIT', `A buyer may have ${refused.limit} units of this sale over all orders and the cart.`, {
        limit: refused.limit,
      });
    case 'try-again':
      return new Problem('TRY_AGAIN', 'The stock is being brought up to date; send the same request again.');
    default:
      return stockProblem(refused);
  }
}
