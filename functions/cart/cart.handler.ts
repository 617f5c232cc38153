import { httpHandler } from '../shared/http.ts';
import { Problem } from '../shared/problems.ts';
import { cartEndpoints } from './cart.endpoints.ts';
import { cartPorts } from './cart.wiring.ts';

/** The cart function: a crowd fills carts as it places orders, so it is as lean as the one that does that, and apart from it. */
export const handler = httpHandler(cartEndpoints(cartPorts), async () => {
  throw new Problem('NOT_FOUND', 'There is no such resource.');
});
