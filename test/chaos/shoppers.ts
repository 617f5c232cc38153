import { pause } from '../../lib/client/bounded.ts';
import type { Client } from '../../lib/client/client.ts';
import { type Answer, NoAnswer } from '../../lib/client/connection.ts';
import type { OrderBody, OrderLineRequest } from '../../lib/client/contract.ts';
import { mayRetry } from '../../lib/client/retry.ts';
import { pickBlindly, pickFree, type SeatChart } from '../../lib/client/seating.ts';
import type { Purchase } from '../../lib/client/verdict.ts';
import type { PaymentNotice } from '../../lib/client/webhooks.ts';
import type { Random } from '../simulation/random.ts';

/** How a buyer goes about it. */
export const manners = [
  'balance',
  'external',
  'external-late',
  'external-declined',
  'external-unpaid',
  'cart',
  'cart-left',
  'cancels',
  'refunded',
] as const;
export type Manner = (typeof manners)[number];

export interface Shopper {
  readonly userId: string;
  readonly client: Client;
  /** One for the whole wish: a repeat, however late, is the same request. */
  readonly key: string;
  readonly manner: Manner;
  readonly quantity: number;
  /** After the opening. */
  readonly arrivesMs: number;
  readonly random: Random;
}

/** What a shopper asked for and was told, in the end. */
export interface Told extends Purchase {
  readonly manner: Manner;
  /** The request that was answered, to be sent again. */
  readonly request?: { readonly key: string; readonly items?: readonly OrderLineRequest[]; readonly method: 'balance' | 'external' };
  /** What an acknowledged cancellation or refund said. */
  readonly ended?: string;
  /** Payments from outside that the endpoint has taken. */
  readonly paid: readonly string[];
}

/** Where shoppers shop. */
export interface Shop {
  readonly saleId: string;
  readonly sku: string;
  /** None where units are counted. */
  readonly seats: readonly string[];
  readonly chart: SeatChart;
  readonly operator: Client;
  readonly anyone: Client;
  readonly webhookSecrets: readonly string[];
  readonly holdMs: number;
  /** By `performance.now()`: who has no outcome by then goes home, and that is a finding. */
  readonly deadlineMs: number;
}

const waitMsMax = 1_000;

/** Sends until there is an outcome: with the same key, whatever happens meanwhile. Undefined when there was none before the deadline. */
async function persist<Body>(
  { deadlineMs }: Shop,
  random: Random,
  send: () => Promise<Answer<Body>>,
): Promise<{ answer?: Answer<Body>; attempts: number }> {
  for (let attempts = 1; ; attempts++) {
    const answer = await send().catch((error: unknown) => {
      if (error instanceof NoAnswer) return undefined;
      throw error;
    });
    if (answer && !mayRetry(answer)) return { answer, attempts };
    if (performance.now() > deadlineMs) return answer ? { answer, attempts } : { attempts };
    await pause(Math.min(waitMsMax, 50 * 2 ** Math.min(attempts, 5)) * (0.5 + random.next()));
  }
}

/** One buyer's whole visit. */
export async function shop(shopper: Shopper, place: Shop): Promise<Told> {
  await pause(shopper.arrivesMs);
  const bought = shopper.manner === 'cart' || shopper.manner === 'cart-left' ? await byCart(shopper, place) : await byOrder(shopper, place);
  const order = bought.order;
  if (!order) return bought;
  switch (shopper.manner) {
    case 'external':
    case 'external-declined':
      return { ...bought, paid: await tellOfPayment(shopper, place, order) };
    case 'external-late':
      // The hold is over by then, and its units may be somebody else's.
      await pause(place.holdMs * (0.9 + shopper.random.next()));
      return { ...bought, paid: await tellOfPayment(shopper, place, order) };
    case 'cancels':
      return { ...bought, ...(await cancel(shopper, place, order)) };
    case 'refunded':
      return { ...bought, ...(await refund(shopper, place, order)) };
    default:
      return bought;
  }
}

const methodOf = ({ manner }: Shopper) => (manner.startsWith('external') ? 'external' : 'balance');

function toldOf({ userId, manner }: Shopper, { answer, attempts }: { answer?: Answer<OrderBody>; attempts: number }): Told {
  const told = { buyerId: userId, manner, attempts, paid: [] };
  if (!answer) return { ...told, outcome: 'NO_ANSWER', status: 0 };
  if (answer.ok) return { ...told, outcome: 'ORDERED', status: answer.status, order: answer.body };
  return { ...told, outcome: answer.body?.code ?? `HTTP ${answer.status}`, status: answer.status };
}

const picksMax = 20;

async function byOrder(shopper: Shopper, place: Shop): Promise<Told> {
  const { client, key, quantity, random } = shopper;
  const method = methodOf(shopper);
  const order = async (line: OrderLineRequest, pickKey: string) => {
    const items = [line];
    const sent = await persist(place, random, () => client.placeOrder(place.saleId, { items, payment: { method } }, pickKey));
    return { ...toldOf(shopper, sent), request: { key: pickKey, items, method } } as const;
  };
  if (place.seats.length === 0) return order({ sku: place.sku, quantity }, key);
  let wanted: readonly string[] = pickBlindly(place.seats, quantity, random.next());
  for (let pick = 1; ; pick++) {
    const told = await order({ sku: place.sku, seats: wanted }, `${key}-${pick}`);
    if (told.outcome !== 'SEAT_TAKEN') return told;
    const free = await place.chart.look();
    const next = free && pickFree(place.seats, free, quantity, random.next());
    if (pick >= picksMax || (free && !next)) return told;
    // The list can't be read at this moment: another blind pick.
    wanted = next ?? pickBlindly(place.seats, quantity, random.next());
  }
}

const cartsMax = 30;

/** Into the cart, and out with it as an order. A cart that Redis has lost is only a lost cart: it is filled again. */
async function byCart(shopper: Shopper, place: Shop): Promise<Told> {
  const { client, key, quantity, random, manner } = shopper;
  for (let cart = 1; ; cart++) {
    const filled = await persist(place, random, () => client.setCartItem(place.saleId, place.sku, { quantity }));
    if (!filled.answer?.ok)
      return toldOf(shopper, { ...(filled.answer && { answer: filled.answer as Answer<never> }), attempts: filled.attempts });
    if (manner === 'cart-left') return { ...toldOf(shopper, { attempts: filled.attempts }), outcome: 'CART_EXPIRED', status: 200 };
    const payment = { method: 'balance' } as const;
    const sent = await persist(place, random, () => client.checkOut(place.saleId, key, { fromCart: true, payment }));
    const told: Told = { ...toldOf(shopper, sent), request: { key, method: 'balance' } };
    const isCartLost = told.outcome === 'CART_EMPTY' || told.outcome === 'CART_EXPIRED';
    if (!isCartLost || cart >= cartsMax || performance.now() > place.deadlineMs) return told;
  }
}

/** A provider sends until it is heard, sometimes twice though it was. Its payment's id, if the endpoint took it. */
async function tellOfPayment({ random, manner }: Shopper, place: Shop, order: OrderBody): Promise<string[]> {
  const { orderId, totalMinor: amountMinor, currency } = order;
  const paymentId = `pay-${orderId}`;
  const type = manner === 'external-declined' ? 'payment.failed' : 'payment.succeeded';
  const notice: PaymentNotice = { type, data: { paymentId, orderId, amountMinor, currency } };
  const signing = { secrets: place.webhookSecrets, webhookId: `msg-${orderId}` };
  const send = () => persist(place, random, () => place.anyone.tellOfPayment(notice, signing));
  const { answer } = await send();
  if (random.chance(0.3)) await send();
  return answer?.ok && type === 'payment.succeeded' ? [paymentId] : [];
}

async function cancel({ client, random }: Shopper, place: Shop, { orderId }: OrderBody): Promise<Pick<Told, 'ended'>> {
  await pause(random.int(2_000));
  const { answer } = await persist(place, random, () => client.cancelOrder(orderId));
  return answer?.ok ? { ended: answer.body.status } : {};
}

async function refund({ random, key }: Shopper, place: Shop, { orderId }: OrderBody): Promise<Pick<Told, 'ended'>> {
  await pause(2_000 + random.int(4_000));
  const wish = { reason: 'asked for it', returnUnits: random.chance(0.7) };
  const { answer } = await persist(place, random, () => place.operator.refund(orderId, wish, `${key}-refund`));
  return answer?.ok ? { ended: answer.body.status } : {};
}

/** Sends a request again that was answered with an order. */
export const askAgain = (shopper: Shopper, place: Shop, request: NonNullable<Told['request']>) => {
  const payment = { method: request.method };
  const order = request.items ? { items: request.items, payment } : { fromCart: true as const, payment };
  return persist(place, shopper.random, () => shopper.client.placeOrder(place.saleId, order, request.key));
};
