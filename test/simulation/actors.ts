import { webhookHeaders } from '../../lib/client/webhooks.ts';
import { type Exchange, problemOf, type Request, statusOf, type Who } from './history.ts';
import { operate } from './operators.ts';
import type { Action, Line, PaymentKind } from './plan.ts';
import type { Random } from './random.ts';
import type { Routing } from './routing.ts';
import { currency, operator, saleId, type World } from './world.ts';

/** What a buyer knows of an order: what was answered, of an order that was. */
export interface KnownOrder {
  readonly orderId: string;
  readonly totalMinor: number;
  readonly currency: string;
}

/** A request to place an order, as it was sent under its key. */
export interface Placed {
  readonly buyer: string;
  readonly key: string;
  readonly body: unknown;
  order?: KnownOrder;
}

/** The people of a run: what each of them has sent and knows. */
export interface People {
  readonly world: World;
  readonly routing: Routing;
  readonly placed: Map<string, Placed>;
  /** Money that a provider has taken from somebody, and told of until it was heard. */
  readonly payments: Map<string, TakenPayment>;
}

export interface TakenPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amountMinor: number;
  readonly currency: string;
  isAcknowledged: boolean;
}

/** What payments from outside are signed with. */
export interface ProviderSecrets {
  readonly right: string;
  readonly wrong: string;
}

export const buyerOf = (sub: string): Who => ({ sub, scope: 'sale:buy' });
export const operatorWho: Who = { sub: operator, scope: 'sale:operate' };

const retryMs = { min: 300, max: 4_000 };
/** How often somebody asks who must have an answer: an operator, or a provider that has taken money. */
export const persistentMax = 25;

/** Whether nobody knows what became of a request, or it may be sent again: by the contract both times the same one, with its key. */
export const maySendAgain = (exchange: Exchange): boolean =>
  exchange.reply?.outcome === 'silence' || problemOf(exchange).retryable === true;

/** Sends a request until there is an answer that is one, so many times at most. */
export async function untilAnswered(world: World, request: Request, attemptsMax: number, random: Random): Promise<Exchange> {
  let exchange = await world.request(request);
  for (let attempt = 1; attempt < attemptsMax && maySendAgain(exchange); attempt++) {
    await world.machine.sleep(random.between(retryMs.min, retryMs.max) * Math.min(attempt, 5));
    exchange = await world.request({ ...request, id: `${request.id}.${attempt + 1}` });
  }
  return exchange;
}

/** Everybody does what the plan says, each by themselves, at their times. Resolves when all are done. */
export async function letPeopleAct(people: People, secrets: ProviderSecrets): Promise<void> {
  const { world } = people;
  await Promise.all(
    world.plan.actions.map(async (action) => {
      await world.machine.sleep(Math.max(0, action.atMs - world.elapsedMs()));
      await act(action, people, secrets, world.machine.random.fork(`action/${action.id}`));
    }),
  );
}

async function act(action: Action, people: People, secrets: ProviderSecrets, random: Random): Promise<void> {
  switch (action.do) {
    case 'place':
      return place(action, people, random);
    case 'place-badly':
      return placeBadly(action, people);
    case 'again':
      return again(action, people, random);
    case 'cart':
      return fillCart(action, people, random);
    case 'empty-cart':
      return void (await untilAnswered(
        people.world,
        { ...cartRequest(action.buyer), id: action.id, deed: 'cart', method: 'DELETE' },
        2,
        random,
      ));
    case 'read':
    case 'cancel':
      return withOrder(action, people, random);
    case 'look':
      return look(action, people);
    case 'pay':
      return pay(action, people, secrets, random);
    default:
      return operate(action, people, random);
  }
}

const ordersPath = `/v1/sales/${saleId}/orders`;
const bodyOf = (lines: readonly Line[] | 'cart', method: string) =>
  lines === 'cart' ? { fromCart: true, payment: { method } } : { items: lines, payment: { method } };

async function place(action: Extract<Action, { do: 'place' }>, people: People, random: Random): Promise<void> {
  const { world, placed } = people;
  const { id, buyer, lines, method, racers, attemptsMax, otherLines } = action;
  const mine: Placed = { buyer, key: `key-${id}`, body: bodyOf(lines, method) };
  placed.set(id, mine);
  if (lines !== 'cart' && new Set(lines.map(({ sku }) => sku)).size < lines.length) world.rows.hit(25);
  if (racers > 1) world.rows.hit(4);
  const request: Request = { id, deed: 'place', method: 'POST', path: ordersPath, who: buyerOf(buyer), key: mine.key, body: mine.body };
  const racing = Array.from({ length: racers }, async (_, racer) => {
    const one = { ...request, id: racer === 0 ? id : `${id}-twin` };
    remember(mine, await untilAnswered(world, one, attemptsMax, random.fork(`racer/${racer}`)));
  });
  await Promise.all(racing);
  if (otherLines === undefined || mine.order === undefined) return;
  await world.request({ ...request, id: `${id}-other`, body: bodyOf(otherLines, method) });
}

function remember(mine: Placed, exchange: Exchange): void {
  if (statusOf(exchange) !== 201 || exchange.reply?.outcome !== 'answered') return;
  const { orderId, totalMinor, currency } = exchange.reply.body as KnownOrder;
  mine.order ??= { orderId, totalMinor, currency };
}

async function placeBadly({ id, buyer, body }: Extract<Action, { do: 'place-badly' }>, { world }: People): Promise<void> {
  await world.request({ id, deed: 'place-badly', method: 'POST', path: ordersPath, who: buyerOf(buyer), key: `key-${id}`, body });
  world.rows.hit(26);
}

/** The same key once more, some time later: whatever has become of it, it is one order. */
async function again({ id, of }: Extract<Action, { do: 'again' }>, { world, placed }: People, random: Random): Promise<void> {
  const mine = placed.get(of);
  if (!mine) return;
  const before = storedOf(world, mine);
  const request: Request = {
    id,
    deed: 'place',
    method: 'POST',
    path: ordersPath,
    who: buyerOf(mine.buyer),
    key: mine.key,
    body: mine.body,
  };
  const exchange = await untilAnswered(world, request, 4, random);
  remember(mine, exchange);
  if (exchange.reply?.outcome !== 'answered') return;
  if (before?.tombstone === true) world.rows.hit(30);
  if (before?.status !== undefined && ['CANCELLED', 'EXPIRED', 'FAILED', 'REFUNDED'].includes(before.status)) world.rows.hit(29);
}

interface StoredOrder {
  readonly orderId?: string;
  readonly status?: string;
  readonly tombstone?: boolean;
}

/** What lies under the order's id, past everything: to say which row of the fault table an action is about. */
function storedOf(world: World, { order, buyer, key }: Placed): StoredOrder | undefined {
  const orderId = order?.orderId ?? world.orderIdOf(buyer, key);
  const { Item } = world.machine.database.call('Get', { TableName: 'orders', Key: { orderId }, ConsistentRead: true }) as {
    Item?: StoredOrder;
  };
  return Item;
}

const cartRequest = (buyer: string) => ({ path: `/v1/sales/${saleId}/cart`, who: buyerOf(buyer) });

async function fillCart({ id, buyer, line }: Extract<Action, { do: 'cart' }>, { world }: People, random: Random): Promise<void> {
  const { sku, ...what } = line;
  const path = `/v1/sales/${saleId}/cart/items/${sku}`;
  await untilAnswered(world, { id, deed: 'cart', method: 'PUT', path, who: buyerOf(buyer), body: what }, 3, random);
}

async function withOrder(action: Extract<Action, { do: 'read' | 'cancel' }>, { world, placed }: People, random: Random): Promise<void> {
  const mine = placed.get(action.of);
  if (!mine?.order) return;
  const path = `/v1/orders/${mine.order.orderId}`;
  const isRead = action.do === 'read';
  const who = action.do === 'cancel' && action.by === 'operator' ? operatorWho : buyerOf(mine.buyer);
  const request: Request = { id: action.id, deed: action.do, method: isRead ? 'GET' : 'POST', path: isRead ? path : `${path}/cancel`, who };
  await untilAnswered(world, request, isRead ? 2 : 4, random);
}

async function look({ id, buyer, at }: Extract<Action, { do: 'look' }>, { world }: People): Promise<void> {
  const seatedSku = world.plan.items.find(({ seats }) => seats)?.sku;
  const places = {
    sale: { path: `/v1/sales/${saleId}` },
    orders: { path: '/v1/orders', query: `saleId=${saleId}`, who: buyerOf(buyer) },
    'all-orders': { path: '/v1/orders', query: `saleId=${saleId}&limit=100`, who: operatorWho },
    me: { path: '/v1/me', who: buyerOf(buyer) },
    cart: cartRequest(buyer),
    seats: { path: `/v1/sales/${saleId}/seats`, query: `sku=${seatedSku ?? ''}` },
  };
  if (at === 'seats' && seatedSku === undefined) return;
  await world.request({ id, deed: 'look', method: 'GET', ...places[at] });
}

/** How long a provider waits for an order to be known before it gives up: the buyer pays what was answered. */
const knownMsMax = 8_000;

async function pay(action: Extract<Action, { do: 'pay' }>, people: People, secrets: ProviderSecrets, random: Random): Promise<void> {
  const { world, placed, payments } = people;
  const mine = placed.get(action.of);
  for (let waitedMs = 0; mine && !mine.order && waitedMs < knownMsMax; waitedMs += 500) await world.machine.sleep(500);
  if (!mine?.order) return;
  const payment = paymentOf(action.kind, action.id, mine.order);
  const isTaken = action.kind !== 'failed' && action.kind !== 'badly-signed';
  if (isTaken) payments.set(payment.paymentId, payment);
  const before = storedOf(world, mine)?.status;
  const type = action.kind === 'failed' ? 'payment.failed' : 'payment.succeeded';
  const tell = (suffix: string) => tellOf(action, type, payment, suffix, people, secrets, random.fork(suffix));
  await Promise.all([tell(''), ...(action.kind === 'twice' ? [tell('-twin')] : [])]);
  const cameLate = before === 'EXPIRED' || before === 'FAILED';
  if (isTaken && payment.isAcknowledged && action.kind === 'right' && cameLate) world.rows.hit(13);
}

function paymentOf(kind: PaymentKind, id: string, order: KnownOrder): TakenPayment {
  return {
    paymentId: `pay-${id}`,
    orderId: kind === 'stranger' ? `ord_${id.padEnd(22, '0')}` : order.orderId,
    amountMinor: kind === 'wrong-amount' ? order.totalMinor + 1 : order.totalMinor,
    currency: kind === 'wrong-currency' ? 'USD' : currency,
    isAcknowledged: false,
  };
}

/** A provider tells again until it is heard. Its signature's time is when it sends. */
async function tellOf(
  { id, kind }: Extract<Action, { do: 'pay' }>,
  type: 'payment.succeeded' | 'payment.failed',
  payment: TakenPayment,
  suffix: string,
  { world }: People,
  secrets: ProviderSecrets,
  random: Random,
): Promise<void> {
  const { isAcknowledged: _, ...data } = payment;
  const text = JSON.stringify({ type, data });
  for (let attempt = 1; attempt <= persistentMax; attempt++) {
    const webhookId = `msg-${id}`;
    const secret = kind === 'badly-signed' ? secrets.wrong : secrets.right;
    const headers = { ...webhookHeaders(text, { secrets: [secret], webhookId, nowMs: world.machine.nowMs() }) } as Record<string, string>;
    const request: Request = {
      id: `${id}${suffix}.${attempt}`,
      deed: kind === 'badly-signed' ? 'pay-badly' : 'pay',
      method: 'POST',
      path: '/v1/webhooks/payments',
      text,
      body: data,
      headers,
    };
    const exchange = await world.request(request);
    if (statusOf(exchange) === 204) payment.isAcknowledged = true;
    if (!maySendAgain(exchange)) return;
    await world.machine.sleep(random.between(500, 4_000) * Math.min(attempt, 8));
  }
}
