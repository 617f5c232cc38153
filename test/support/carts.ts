import { type CartPorts, type CartRef, clearCart, readCart, setCartItem } from '../../functions/cart/cart.ts';
import { expireCarts } from '../../functions/cart/expire-carts.ts';
import type { Order, PaymentMethod } from '../../functions/orders/order.model.ts';
import { placeOrder } from '../../functions/orders/place.ts';
import { cartIdOf } from '../../functions/shared/ids.ts';
import { auditPortsOf, auditWith } from './audits.ts';
import type { Engine } from './engine.ts';

interface CheckoutOptions {
  readonly key?: string;
  readonly method?: PaymentMethod;
  readonly ports?: Engine['placePorts'];
}

/** The use cases of carts on an engine. */
export function cartsOn(engine: Engine) {
  const ports: CartPorts = engine.placePorts;

  /** What one buyer does in one sale. */
  function shopper(saleId: string, buyerId: string) {
    const ref: CartRef = { saleId, buyerId };
    const cartId = cartIdOf(engine.placePorts.holdSecret, buyerId, saleId);
    return {
      ...ref,
      cartId,
      /** Puts so many `tee` into the cart. */
      tees: (quantity: number) => setCartItem({ ...ref, sku: 'tee' }, { quantity }, ports),
      /** Puts these seats of `hall` into the cart. */
      seats: (...seats: string[]) => setCartItem({ ...ref, sku: 'hall' }, { seats }, ports),
      clear: () => clearCart(ref, ports),
      /** What the cart has, as `tee 1`. */
      async units(): Promise<string[]> {
        const read = await readCart(ref, ports);
        if (read.outcome !== 'cart') throw new Error(`no cart: ${read.outcome}`);
        return read.cart.lines.flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit}`));
      },
      checkOut: ({ key = 'key', method = 'external', ports: placePorts = engine.placePorts }: CheckoutOptions = {}) =>
        placeOrder({ ...ref, key, body: { fromCart: true, payment: { method } } }, placePorts),
    };
  }

  return {
    shopper,

    /** A run of the sweeper with the care that ends carts. */
    sweep: (options: Parameters<Engine['sweep']>[0] = {}) => engine.sweep({ tend: [expireCarts(engine)], ...options }),

    /** What is wrong with the sale's units by its audit: nothing, once quiet. */
    async wrongWith(saleId: string): Promise<string[]> {
      const sale = await engine.placePorts.sales.known(saleId);
      const seats = engine.seatsOf(saleId);
      const { items, redis } = await auditWith(auditPortsOf(engine.database, sale, { stock: engine.stock, seats }), saleId);
      return [...items.filter(({ conserved }) => !conserved).map(({ sku }) => `${sku} is not conserved`), ...redis.drift];
    },
  };
}

export type Shopper = ReturnType<ReturnType<typeof cartsOn>['shopper']>;

export const unitsOf = (order: Order): string[] => order.items.flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit}`));
