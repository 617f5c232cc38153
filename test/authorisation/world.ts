import { randomUUID } from 'node:crypto';
import type { OrderBody } from '../../lib/client/contract.ts';
import { granted, type Shop, type Shopper, type TestSale } from '../support/acceptance.ts';

/** What the matrix is tried on: things of one buyer, and things to be changed by whoever may. */
export interface World {
  readonly shop: Shop;
  readonly buyer: Shopper;
  readonly other: Shopper;
  readonly sale: TestSale;
  /** A sale to be called off. */
  readonly doomed: TestSale;
  /** An order of the buyer that is fulfilled, and one that waits for its payment. */
  readonly fulfilled: OrderBody;
  readonly waiting: OrderBody;
  readonly ticket: string;
  /** The path of a file of the page at /docs. */
  readonly asset: string;
  readonly webhookSecrets: readonly string[];
  /** A name that nothing has yet: the one that requests of the case at hand would give to what they make. */
  readonly fresh: string;
}

export async function worldOf(shop: Shop, webhookSecrets: readonly string[]): Promise<Omit<World, 'fresh'>> {
  const [sale, doomed, buyer, other] = await Promise.all([
    shop.sale({ units: 40, seats: ['A-1', 'A-2', 'A-3'], perBuyerLimit: 15 }),
    shop.sale({ units: 3 }),
    shop.shopper(100_000),
    shop.shopper(100_000),
  ]);
  const bought = granted(await buyer.buy(sale, 2), 201);
  const waiting = granted(await buyer.buySeats(sale, ['A-1'], { method: 'external' }), 201);
  granted(await buyer.client.setCartItem(sale.saleId, sale.sku, { quantity: 3 }));
  const fulfilled = await shop.atRest(bought.orderId);
  const page = await shop.client.raw<string>({ method: 'GET', path: '/docs' });
  const asset = /\/?docs\/([\w.-]+\.(?:js|css))/.exec(page.text)?.[1] ?? 'none';
  return { ...{ shop, buyer, other, sale, doomed, fulfilled, waiting, webhookSecrets }, ticket: fulfilled.tickets?.[0]?.code ?? '', asset };
}

/** What is the buyer's: nobody else may change any of it, whatever they may do with their own. */
export async function buyersOwn({ shop, buyer, sale, fulfilled, waiting }: World) {
  const [cart, account, ...orders] = await Promise.all([
    buyer.client.cart(sale.saleId).then(granted),
    shop.operator.user(buyer.userId).then(granted),
    ...[fulfilled, waiting].map(async ({ orderId }) => granted(await shop.operator.order(orderId))),
  ]);
  return { cart, account, orders };
}

/** All that requests of the matrix could move: stock and money of its sales, accounts, orders, the catalogue; and whether there is what they would make. */
export async function standing(world: World, freshNames: readonly string[] = [world.fresh]) {
  const { shop, sale, doomed, other, fulfilled, waiting } = world;
  const views = [sale, doomed].map(async (each) => {
    const { serverTime: _, ...view } = granted(await shop.client.sale(each.saleId));
    const { items, money } = granted(await shop.operator.audit(each.saleId));
    return { view, items, money };
  });
  const events = [fulfilled, waiting].map(async ({ orderId }) => granted(await shop.operator.timeline(orderId)).items.length);
  const made = freshNames.map(async (name) => {
    const found = await Promise.all([shop.client.sale(name), shop.client.product(name), shop.operator.user(name)]);
    return found.map(({ status }) => status);
  });
  return {
    own: await buyersOwn(world),
    sales: await Promise.all(views),
    product: granted(await shop.client.product(sale.sku)),
    others: granted(await shop.operator.user(other.userId)),
    othersCart: granted(await other.client.cart(sale.saleId)),
    events: await Promise.all(events),
    made: await Promise.all(made),
  };
}

export const freshName = () => `fresh-${randomUUID()}`;
