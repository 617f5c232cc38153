import { randomUUID } from 'node:crypto';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { Gate, pause, until, WaitedInVain } from './bounded.ts';
import type { Client } from './client.ts';
import type { Answer } from './connection.ts';
import { type AuditBody, isAtRest, type OrderBody, type OrderLineRequest } from './contract.ts';
import { Latencies } from './latencies.ts';
import { type Attempted, patientBuyer, type RetryPolicy, withRetries } from './retry.ts';
import { buySeats, SeatChart, seatNames } from './seating.ts';
import type { Buyer, Callers } from './tokens.ts';
import type { Purchase } from './verdict.ts';

export interface CrowdPlan {
  readonly buyers: number;
  readonly units: number;
  /** Whether the units are seats with names, of which each buyer asks for some. */
  readonly seated?: boolean;
  /** Units that each buyer asks for. */
  readonly quantity: number;
  /** The sale's; `reserve-first` when left out. */
  readonly strategy?: Strategy;
  /** Over how many shards the units are spread; one when left out. */
  readonly shards?: number;
  /** The most buying requests in flight. */
  readonly concurrency: number;
  readonly priceMinor: number;
  readonly currency: string;
}

/** Hears how far a stage is; cheap enough to be called for every request. */
export interface Onlooker {
  stage(name: string, total: number): void;
  step(counter?: string): void;
}

export const nobodyLooks: Onlooker = { stage: () => {}, step: () => {} };

export interface Crowd {
  readonly plan: CrowdPlan;
  readonly saleId: string;
  readonly sku: string;
  /** The seats on sale, neighbours next to each other; none when the units are counted. */
  readonly seats: readonly string[];
  readonly operator: Client;
  readonly buyers: readonly Buyer[];
}

/** The endpoint refused, or did not answer, something that the run can't do without. */
export class EndpointRefused extends Error {
  override readonly name = 'EndpointRefused';
}

/** Work that only prepares may run in this many requests at once. */
const preparingMax = 32;

function must<Body>(what: string, answer: Answer<Body>): Body {
  if (answer.ok) return answer.body;
  throw new EndpointRefused(
    `${what}: ${answer.status} ${answer.body ? `${answer.body.code}: ${answer.body.detail}` : answer.text.slice(0, 200)}`,
  );
}

/** An account with enough for the order. One that exists already is credited with that much. */
async function fund(operator: Client, { userId }: Buyer, amountMinor: number, currency: string): Promise<void> {
  const { answer } = await withRetries(() => operator.createUser({ userId, balanceMinor: amountMinor, currency }), patientBuyer);
  if (answer?.ok) return;
  if (answer?.body?.code !== 'ALREADY_EXISTS') {
    if (answer) must(`creating the account of ${userId}`, answer);
    throw new EndpointRefused(`creating the account of ${userId}: no answer`);
  }
  const key = randomUUID();
  const credited = await withRetries(() => operator.credit(userId, amountMinor, key), patientBuyer);
  if (!credited.answer) throw new EndpointRefused(`crediting ${userId}: no answer`);
  must(`crediting ${userId}`, credited.answer);
}

/** A product, an open sale and funded buyers with their tokens: all under new ids. Throws `EndpointRefused` or `NoToken`. */
export async function gather(client: Client, callers: Callers, plan: CrowdPlan, nowMs: number, onlooker = nobodyLooks): Promise<Crowd> {
  const saleId = `crowd-${randomUUID()}`;
  const sku = `${saleId}-item`;
  const operator = client.as(await callers.operator());
  must(
    'creating the product',
    await operator.createProduct({ sku, name: 'Crowd test item', priceMinor: plan.priceMinor, currency: plan.currency }),
  );
  const seats = plan.seated ? seatNames(plan.units) : [];
  const sale = {
    saleId,
    name: `Crowd of ${plan.buyers} for ${plan.units}`,
    // Far enough on both sides that no clock's error closes it.
    opensAt: new Date(nowMs - 3_600_000).toISOString(),
    closesAt: new Date(nowMs + 86_400_000).toISOString(),
    ...(plan.strategy ? { strategy: plan.strategy } : {}),
    ...(plan.shards === undefined ? {} : { shards: plan.shards }),
    items: [plan.seated ? { sku, seats } : { sku, units: plan.units }],
  };
  must('creating the sale', await operator.createSale(sale, saleId));
  onlooker.stage('tokens', plan.buyers);
  const buyers = await callers.buyers(plan.buyers, () => onlooker.step());
  onlooker.stage('accounts', plan.buyers);
  await inParallel(buyers, preparingMax, async (buyer) => {
    await fund(operator, buyer, plan.priceMinor * plan.quantity, plan.currency);
    onlooker.step();
  });
  return { plan, saleId, sku, seats, operator, buyers };
}

export interface Rush {
  readonly purchases: readonly Purchase[];
  /** Of each request, retries included: sent to answered. */
  readonly requests: Latencies;
  /** Of each buyer: from the opening to the last answer, waiting for a free connection and retries included. */
  readonly buyers: Latencies;
  readonly requestsSent: number;
  /** Orders asked for: one a buyer, and one more for each further pick of seats. */
  readonly picks: number;
  /** Answers of 500 and above, and requests without an answer, also those that a retry made good. */
  readonly failedAnswers: number;
  readonly tookMs: number;
}

function purchaseOf(buyerId: string, { answer, attempts }: Attempted<OrderBody>): Purchase {
  if (!answer) return { buyerId, outcome: 'NO_ANSWER', status: 0, attempts };
  if (answer.ok) return { buyerId, outcome: 'ORDERED', status: answer.status, attempts, order: answer.body };
  return { buyerId, outcome: answer.body?.code ?? `HTTP ${answer.status}`, status: answer.status, attempts };
}

/**
 * All buyers buy at one moment: their requests are ready before the first is sent, and at most `concurrency` are in flight.
 * A buyer who is told to come back does so with the same key, as often as `policy` allows; one whose seats are taken picks others.
 */
export async function rush(client: Client, crowd: Crowd, onlooker = nobodyLooks, policy: RetryPolicy = patientBuyer): Promise<Rush> {
  const { plan, saleId, sku, seats } = crowd;
  const chart = new SeatChart(client, crowd);
  const shoppers = crowd.buyers.map(({ userId, token }, index) => ({ userId, client: client.as(token), key: `${saleId}-${index}` }));
  // Opens the connections before the doors: what is measured is buying, not dialling.
  await Promise.allSettled(Array.from({ length: Math.min(plan.concurrency, plan.buyers) }, () => client.sale(saleId)));

  const gate = new Gate(plan.concurrency);
  const requests = new Latencies();
  const buyers = new Latencies();
  let requestsSent = 0;
  let picks = 0;
  let failedAnswers = 0;
  const send = (shopper: Shopper, line: OrderLineRequest, key: string) =>
    gate.run(async () => {
      requestsSent++;
      const sentMs = performance.now();
      let failed = true;
      try {
        const answer = await shopper.client.placeOrder(saleId, { items: [line] }, key);
        failed = answer.status >= 500;
        return answer;
      } finally {
        if (failed) failedAnswers++;
        requests.record(performance.now() - sentMs);
      }
    });
  const buy = async (shopper: Shopper): Promise<Purchase> => {
    const { userId, key } = shopper;
    if (!plan.seated) {
      picks++;
      return purchaseOf(userId, await withRetries(() => send(shopper, { sku, quantity: plan.quantity }, key), policy));
    }
    const seating = await buySeats({
      ...{ seats, chart, policy, quantity: plan.quantity, random: Math.random },
      send: (wanted, pick) => send(shopper, { sku, seats: wanted }, `${key}-${pick}`),
    });
    picks += seating.picks;
    const { asked, refused, gaveUp } = seating;
    return { ...purchaseOf(userId, seating), seats: { asked, refused, gaveUp } };
  };

  onlooker.stage('buying', plan.buyers);
  const openedMs = performance.now();
  const purchases = await Promise.all(
    shoppers.map(async (shopper) => {
      const purchase = await buy(shopper);
      buyers.record(performance.now() - openedMs);
      onlooker.step(purchase.outcome);
      return purchase;
    }),
  );
  return { purchases, requests, buyers, requestsSent, picks, failedAnswers, tookMs: performance.now() - openedMs };
}

interface Shopper {
  readonly userId: string;
  readonly client: Client;
  readonly key: string;
}

const pagesMax = 100_000;

/** Every order of the sale, by the operator's list, each once: a page may repeat what moved while the list was read. */
export async function listOrders(operator: Client, saleId: string): Promise<OrderBody[]> {
  const orders = new Map<string, OrderBody>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page++) {
    const query = { saleId, limit: 100, ...(cursor === undefined ? {} : { cursor }) };
    const { answer } = await withRetries(() => operator.orders(query), patientBuyer);
    if (!answer) throw new EndpointRefused('listing the orders: no answer');
    const { items, nextCursor } = must('listing the orders', answer);
    for (const order of items) orders.set(order.orderId, order);
    if (!nextCursor) return [...orders.values()];
    cursor = nextCursor;
  }
  throw new Error(`the list of orders has more than ${pagesMax} pages`);
}

export interface Settlement {
  readonly orders: readonly OrderBody[];
  readonly audit: AuditBody;
  /** Whether every order had ended within the wait. */
  readonly quiet: boolean;
}

/** What the list says, with what a buyer was told of and the list does not show (it may lag) read one by one. */
async function readOrders(crowd: Crowd, told: readonly string[]): Promise<OrderBody[]> {
  const listed = await listOrders(crowd.operator, crowd.saleId);
  const known = new Set(listed.map(({ orderId }) => orderId));
  const unlisted = await inParallel(
    told.filter((orderId) => !known.has(orderId)),
    preparingMax,
    (orderId) => withRetries(() => crowd.operator.order(orderId), patientBuyer),
  );
  return [...listed, ...unlisted.flatMap(({ answer }) => (answer?.ok ? [answer.body] : []))];
}

async function readAudit(crowd: Crowd): Promise<AuditBody> {
  const { answer } = await withRetries(() => crowd.operator.audit(crowd.saleId), patientBuyer);
  if (!answer) throw new EndpointRefused('reading the audit: no answer');
  return must('reading the audit', answer);
}

const isQuiet = (audit: AuditBody): boolean =>
  audit.redis.agrees && audit.money.balanced && audit.items.every(({ conserved }) => conserved);

const unlessInVain = (error: unknown): void => {
  if (!(error instanceof WaitedInVain)) throw error;
};

const followedMax = 100;

/**
 * Waits, at most `withinMs`, until some of the orders told of have ended, one after the other. Reading all of them again and again would slow
 * down what is looked at. `ended` hears how many orders that stands for.
 */
async function followSome(crowd: Crowd, told: readonly string[], withinMs: number, ended: (count: number) => void): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  const stride = Math.max(1, Math.ceil(told.length / followedMax));
  for (let index = stride - 1; index < told.length; index += stride) {
    const isOver = async () => {
      const { answer } = await withRetries(() => crowd.operator.order(told[index] ?? ''), patientBuyer);
      // One that can't be read is for the verdict to find, not to be waited for.
      return answer && (!answer.ok || isAtRest(answer.body)) ? true : undefined;
    };
    await until('an order has ended', isOver, { withinMs: deadlineMs - performance.now(), everyMs: 200 });
    ended(stride);
  }
}

/**
 * Waits until every order of the sale has ended, at most `withinMs`, and returns them with the audit. Redis follows the database, so the
 * audit is given a few seconds to come out clean, and then taken as it is.
 */
export async function settle(crowd: Crowd, purchases: readonly Purchase[], withinMs: number, onlooker = nobodyLooks): Promise<Settlement> {
  const told = purchases.flatMap(({ order }) => (order ? [order.orderId] : []));
  let orders: OrderBody[] = [];
  let quiet = true;
  let endedBefore = 0;
  const endedNow = (count: number) => {
    for (; endedBefore < count; endedBefore++) onlooker.step();
  };
  onlooker.stage('settling', told.length);
  const beganMs = performance.now();
  const everyoneEnded = async () => {
    const startedMs = performance.now();
    orders = await readOrders(crowd, told);
    const ended = orders.filter(isAtRest).length;
    endedNow(ended);
    if (ended === orders.length && orders.length >= told.length) return true;
    // Looking must not slow down what is looked at: at most a quarter of the time goes into reading.
    await pause(Math.min(3 * (performance.now() - startedMs), 5_000));
    return undefined;
  };
  await followSome(crowd, told, withinMs, (count) => endedNow(endedBefore + count)).catch(unlessInVain);
  const leftMs = withinMs - (performance.now() - beganMs);
  await until('every order has ended', everyoneEnded, { withinMs: leftMs, everyMs: 250 }).catch((error: unknown) => {
    unlessInVain(error);
    quiet = false;
  });
  let audit = await readAudit(crowd);
  if (quiet) {
    const reread = async () => {
      audit = await readAudit(crowd);
      return isQuiet(audit) ? true : undefined;
    };
    if (!isQuiet(audit)) await until('a clean audit', reread, { withinMs: 10_000, everyMs: 500 }).catch(unlessInVain);
  }
  return { orders, audit, quiet };
}
