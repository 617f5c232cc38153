import { randomUUID } from 'node:crypto';
import { inParallel } from '../../functions/shared/parallel.ts';
import { until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import type { Answer, Connection } from '../../lib/client/connection.ts';
import { isAtRest, type OrderBody } from '../../lib/client/contract.ts';

/** Who sends a request, and what their token lets them do. */
export interface Caller {
  readonly name: string;
  readonly userId: string;
  readonly scopes: readonly string[];
  /** The value of `Authorization`; undefined sends none. */
  readonly authorization: string | undefined;
}

export interface SceneSale {
  readonly saleId: string;
  readonly counted: readonly string[];
  readonly hall: { readonly sku: string; readonly seats: readonly string[] } | undefined;
}

export interface SceneOrder {
  readonly orderId: string;
  readonly saleId: string;
  readonly totalMinor: number;
  readonly currency: string;
  readonly buyerId: string;
}

/**
 * What requests are made of. Nothing of the watched part ever gets a request that may succeed in changing something, so whatever changes there was
 * changed by a request that was, or had to be, refused. The rest is played with.
 */
export interface Part {
  readonly sales: SceneSale[];
  readonly orders: SceneOrder[];
  readonly userIds: string[];
  readonly codes: string[];
  /** Products that no sale sells. */
  readonly spareSkus: string[];
  readonly buyers: Caller[];
}

export interface Scene {
  readonly watched: Part;
  readonly play: Part;
  readonly operators: readonly Caller[];
  /** Who may do nothing at all. */
  readonly strangers: readonly Caller[];
  readonly webhookSecrets: readonly string[];
  readonly assets: string[];
  /** What accounts of players opened with. */
  readonly opened: Map<string, number>;
  readonly operator: Client;
  readonly client: Client;
  readonly prefix: string;
}

/** Setting the scene, or looking at it, was refused. */
export class SceneFailed extends Error {
  override readonly name = 'SceneFailed';
}

export function done<Body>(answer: Answer<Body>, what: string): Body {
  if (answer.ok) return answer.body;
  throw new SceneFailed(`${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
}

const buy = ['sale:buy'];
const operate = ['sale:operate'];
const openingMinor = 1_000_000_000;
const hourMs = 3_600_000;

export interface SceneOptions {
  readonly connection: Connection;
  readonly webhookSecrets: readonly string[];
  readonly buyers: number;
  readonly sales: number;
}

const emptyPart = (): Part => ({ sales: [], orders: [], userIds: [], codes: [], spareSkus: [], buyers: [] });

/** Makes a sale of two counted items and a seated one, of its own products. */
export async function makeSale(operator: Client, prefix: string, wishes: object = {}): Promise<SceneSale> {
  const name = (kind: string) => `${prefix}-${kind}-${randomUUID().slice(0, 8)}`;
  const [one, two, hall] = [name('sku'), name('sku'), name('hall')];
  for (const sku of [one, two, hall])
    done(await operator.createProduct({ sku, name: `Item ${sku}`, priceMinor: 1_000, currency: 'EUR' }), 'a product');
  const seats = Array.from({ length: 40 }, (_, index) => `${index % 2 === 0 ? 'A' : 'B'}-${index}`);
  const nowMs = Date.now();
  const sale = {
    ...{ saleId: name('sale'), name: 'A sale to be fuzzed', holdSeconds: 3_600, ...wishes },
    opensAt: new Date(nowMs - hourMs).toISOString(),
    closesAt: new Date(nowMs + 24 * hourMs).toISOString(),
    items: [
      { sku: one, units: 400 },
      { sku: two, units: 400 },
      { sku: hall, seats },
    ],
  };
  done(await operator.createSale(sale, randomUUID()), 'a sale');
  return { saleId: sale.saleId, counted: [one, two], hall: { sku: hall, seats } };
}

async function mint(client: Client, sub: string, scopes: readonly string[], more: object = {}): Promise<Caller> {
  const answer = await client.localToken({ sub, scope: scopes.join(' '), expiresInSeconds: 7_200, ...more });
  const { access_token } = done(answer, 'a token (the endpoint has to be an embedded runtime)');
  return { name: scopes.join('+') || 'no scope', userId: sub, scopes, authorization: `Bearer ${access_token}` };
}

/** An order that is fulfilled, one that waits for its payment, and a cart, of a buyer of the watched part. */
async function fillWatched(scene: Scene, sale: SceneSale, buyer: Caller): Promise<void> {
  const { watched, operator } = scene;
  const client = operator.as(buyer.authorization?.replace('Bearer ', '') ?? '');
  const [sku = ''] = sale.counted;
  const order = async (quantity: number, method: 'balance' | 'external') =>
    done(await client.placeOrder(sale.saleId, { items: [{ sku, quantity }], payment: { method } }, randomUUID()), 'an order');
  const [paid, waiting] = [await order(2, 'balance'), await order(1, 'external')];
  done(await client.setCartItem(sale.saleId, sku, { quantity: 3 }), 'a cart');
  const rested = await until('a watched order comes to rest', async () => {
    const found = done(await operator.order(paid.orderId), 'an order');
    return isAtRest(found) ? found : undefined;
  });
  watched.orders.push(
    ...[rested, waiting].map(({ orderId, saleId, totalMinor, currency, buyerId }) => ({
      ...{ orderId, saleId, totalMinor, currency, buyerId },
    })),
  );
  watched.codes.push(...(rested.tickets ?? []).map(({ code }) => code));
}

export async function setScene({ connection, webhookSecrets, buyers, sales }: SceneOptions): Promise<Scene> {
  const client = new Client(connection);
  const prefix = `fz${randomUUID().slice(0, 6)}`;
  const chief = await mint(client, `${prefix}-chief`, operate);
  const operator = client.as(chief.authorization?.slice('Bearer '.length) ?? '');
  const both = await mint(client, `${prefix}-both`, [...buy, ...operate]);
  const strangers = [
    { name: 'nobody', userId: '', scopes: [], authorization: undefined },
    { name: 'no JWT', userId: '', scopes: [], authorization: 'Bearer x.y.z' },
    await mint(client, `${prefix}-none`, []),
    { ...(await mint(client, `${prefix}-late`, [...buy, ...operate], { expiresInSeconds: -5 })), name: 'expired', scopes: [] },
    { ...(await mint(client, `${prefix}-else`, [...buy, ...operate], { audience: 'another' })), name: 'wrong audience', scopes: [] },
  ];
  const scene: Scene = {
    ...{ watched: emptyPart(), play: emptyPart(), operators: [chief, both], strangers, webhookSecrets },
    ...{ assets: [], opened: new Map(), operator, client, prefix },
  };

  const openAccount = async (part: Part, caller: Caller) => {
    done(await operator.createUser({ userId: caller.userId, balanceMinor: openingMinor, currency: 'EUR' }), 'an account');
    part.userIds.push(caller.userId);
    part.buyers.push(caller);
    if (part === scene.play) scene.opened.set(caller.userId, openingMinor);
  };
  const named = Array.from({ length: buyers }, (_, index) => `${prefix}-buyer-${index}`);
  await inParallel(named, 8, async (sub) => openAccount(scene.play, await mint(client, sub, buy)));
  await openAccount(scene.play, both);
  scene.play.buyers.push(await mint(client, `${prefix}-poor`, buy));
  for (let made = 0; made < sales; made++)
    scene.play.sales.push(await makeSale(operator, prefix, made % 3 === 2 ? { strategy: 'charge-first' } : {}));

  for (const strategy of ['reserve-first', 'charge-first']) {
    const sale = await makeSale(operator, prefix, { strategy, perBuyerLimit: 20 });
    scene.watched.sales.push(sale);
    const buyer = await mint(client, `${prefix}-watched-${strategy}`, buy);
    await openAccount(scene.watched, buyer);
    await fillWatched(scene, sale, buyer);
  }
  const spare = `${prefix}-spare`;
  done(await operator.createProduct({ sku: spare, name: 'A product', priceMinor: 1_000, currency: 'EUR' }), 'a product');
  scene.watched.spareSkus.push(spare);
  const page = await client.raw<string>({ method: 'GET', path: '/docs' });
  scene.assets.push(...[...page.text.matchAll(/docs\/([\w.-]+\.(?:js|css))/g)].map(([, asset = '']) => asset));
  return scene;
}

/** All that could change about the watched part. */
export async function watchedState({ watched, operator, client }: Scene): Promise<unknown> {
  const sales = await inParallel(watched.sales, 2, async ({ saleId, counted, hall }) => {
    const { serverTime: _, ...view } = done(await client.sale(saleId), 'a watched sale');
    const { asOf: __, ...audit } = done(await operator.audit(saleId), 'a watched audit') as { asOf?: string };
    const orders = done(await operator.orders({ saleId, limit: 100 }), 'watched orders').items.map(({ orderId, version }) => ({
      orderId,
      version,
    }));
    const products = await inParallel([...counted, hall?.sku ?? ''], 3, async (sku) =>
      done(await client.product(sku), 'a watched product'),
    );
    return { view, audit, orders, products };
  });
  const orders = await inParallel(watched.orders, 4, async ({ orderId }) => ({
    order: done(await operator.order(orderId), 'a watched order'),
    events: done(await operator.timeline(orderId), 'a watched timeline').items.length,
  }));
  const accounts = await inParallel(watched.userIds, 4, async (userId) => done(await operator.user(userId), 'a watched account'));
  const carts = await inParallel(watched.buyers, 4, async ({ authorization }, index) =>
    done(await client.as(authorization?.slice('Bearer '.length) ?? '').cart(watched.sales[index]?.saleId ?? ''), 'a watched cart'),
  );
  const spare = await inParallel(watched.spareSkus, 1, async (sku) => done(await client.product(sku), 'a spare product'));
  return { sales, orders, accounts, carts, spare };
}

/** Every order of a sale, as an operator lists them. */
export async function ordersOf(operator: Client, saleId: string): Promise<OrderBody[]> {
  const orders: OrderBody[] = [];
  const pagesMax = 1_000;
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const { items, nextCursor } = done(
      await operator.orders({ saleId, limit: 100, ...(cursor === undefined ? {} : { cursor }) }),
      'orders',
    );
    orders.push(...items);
    if (nextCursor === null) return orders;
    cursor = nextCursor;
  }
  throw new SceneFailed(`${saleId} has more than ${pagesMax} pages of orders`);
}
