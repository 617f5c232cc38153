import { pause, until } from '../../lib/client/bounded.ts';
import type { Client } from '../../lib/client/client.ts';
import type { Answer } from '../../lib/client/connection.ts';
import { type AuditBody, type CartBody, isAtRest, type OrderBody, type SaleBody } from '../../lib/client/contract.ts';
import { patientBuyer, withRetries } from '../../lib/client/retry.ts';
import type { Callers } from '../../lib/client/tokens.ts';
import type { Random } from '../simulation/random.ts';
import { notConserved } from './conservation.ts';

/** Who asked for what, as it was sent. */
export type Asked =
  | { readonly kind: 'place'; readonly items: readonly AskedLine[]; readonly method: 'balance' | 'external' }
  | { readonly kind: 'check-out' }
  | { readonly kind: 'cancel'; readonly orderId: string }
  | { readonly kind: 'refund'; readonly orderId: string; readonly returnUnits: boolean }
  | { readonly kind: 'set-cart'; readonly sku: string; readonly quantity?: number; readonly seats?: readonly string[] }
  | { readonly kind: 'drop-cart'; readonly sku: string }
  | { readonly kind: 'read' }
  | { readonly kind: 'restock'; readonly sku: string; readonly units: number };

export type AskedLine = { readonly sku: string; readonly quantity: number } | { readonly sku: string; readonly seats: readonly string[] };

/** One request, all its sendings under one key included, with the moments between which it was done, in milliseconds of one clock. */
export interface Call {
  readonly client: string;
  readonly asked: Asked;
  readonly invokedMs: number;
  readonly respondedMs: number;
  /** Undefined when no answer came. */
  readonly answer: Answer<unknown> | undefined;
}

/** A small sale, all that was asked of it, and what it says of itself once quiet. */
export interface Window {
  readonly sale: SaleBody;
  readonly seats: ReadonlyMap<string, readonly string[]>;
  readonly calls: readonly Call[];
  /** When the last of what follows was read. */
  readonly readMs: number;
  readonly orders: readonly OrderBody[];
  readonly carts: readonly CartBody[];
  readonly after: SaleBody;
  readonly audit: AuditBody;
}

export interface WindowPlan {
  readonly clients: number;
  readonly stepsEach: number;
  readonly strategy: 'reserve-first' | 'charge-first';
}

/** Milliseconds since 1970, finer than whole ones, and of one clock for the whole process. */
export const nowMs = (): number => performance.timeOrigin + performance.now();

const tee = 'tee';
const hall = 'hall';
const openingUnits = 5;
const names = ['A-1', 'A-2', 'A-3', 'A-4'];
/** Events take milliseconds, and the sweeper comes within a minute for what a machine that is busy with other tests has held up. */
const restWithinMs = 90_000;
const followWithinMs = 20_000;

const granted = <Body>(answer: Answer<Body>): Body => {
  if (!answer.ok) throw new Error(`${answer.status} ${answer.text}`);
  return answer.body;
};

/** Products that all windows sell; made once. */
export async function makeProducts(operator: Client, prefix: string): Promise<void> {
  for (const sku of [tee, hall])
    granted(await operator.createProduct({ sku: `${prefix}-${sku}`, name: sku, priceMinor: 1_000, currency: 'EUR' }));
}

interface Bench {
  readonly client: Client;
  readonly operator: Client;
  readonly callers: Callers;
  /** What the products' names begin with. */
  readonly prefix: string;
}

/**
 * Lets a few clients at a sale of five units and four seats, each doing one thing after the other and none waiting for the others, and records all
 * of it. What each does is drawn from `random`; what comes of it is up to the service.
 */
export async function runWindow(
  { client, operator, callers, prefix }: Bench,
  saleId: string,
  plan: WindowPlan,
  random: Random,
): Promise<Window> {
  const skus = { tee: `${prefix}-${tee}`, hall: `${prefix}-${hall}` };
  const atMs = Date.now();
  const sale = granted(
    await operator.createSale(
      {
        saleId,
        name: saleId,
        strategy: plan.strategy,
        opensAt: new Date(atMs - 60_000).toISOString(),
        closesAt: new Date(atMs + 3_600_000).toISOString(),
        items: [
          { sku: skus.tee, units: openingUnits },
          { sku: skus.hall, seats: names },
        ],
      },
      `make-${saleId}`,
    ),
  );
  const buyers = await callers.buyers(plan.clients);
  const calls: Call[] = [];

  async function ask(who: string, asked: Asked, send: () => Promise<Answer<unknown>>): Promise<Answer<unknown> | undefined> {
    const invokedMs = nowMs();
    const { answer } = await withRetries(send, patientBuyer);
    calls.push({ client: who, asked, invokedMs, respondedMs: nowMs(), answer });
    return answer;
  }

  const some = <Item>(own: Random, items: readonly Item[], max: number): Item[] => {
    const left = [...items];
    return Array.from({ length: 1 + own.int(Math.min(max, left.length)) }, () => left.splice(own.int(left.length), 1)).flat();
  };
  const lineOf = (own: Random): AskedLine =>
    own.chance(0.6) ? { sku: skus.tee, quantity: 1 + own.int(3) } : { sku: skus.hall, seats: some(own, names, 2) };

  async function shop({ userId, token }: { userId: string; token: string }, own: Random): Promise<void> {
    const mine = client.as(token);
    const orders: string[] = [];
    // Half of them can pay; the orders of the others fail, and their units come back by themselves.
    if (own.chance(0.5)) granted(await operator.createUser({ userId, balanceMinor: 100_000, currency: 'EUR' }));
    const keep = (answer: Answer<unknown> | undefined) => {
      if (answer?.ok) orders.push((answer.body as OrderBody).orderId);
    };
    const mayCart = plan.strategy === 'reserve-first';
    for (let step = 0; step < plan.stepsEach; step++) {
      const draw = own.next();
      const key = `${userId}-${step}`;
      const [last] = orders.slice(-1);
      if (draw < 0.4) {
        const items = own.chance(0.2)
          ? [
              { sku: skus.tee, quantity: 1 },
              { sku: skus.hall, seats: some(own, names, 1) },
            ]
          : [lineOf(own)];
        const method = plan.strategy === 'reserve-first' && own.chance(0.7) ? 'external' : 'balance';
        keep(await ask(userId, { kind: 'place', items, method }, () => mine.placeOrder(saleId, { items, payment: { method } }, key)));
      } else if (draw < 0.6 && last !== undefined && mayCart) {
        await ask(userId, { kind: 'cancel', orderId: last }, () => mine.cancelOrder(last));
      } else if (draw < 0.78 && mayCart) {
        const line = lineOf(own);
        const wish = 'seats' in line ? { seats: line.seats } : { quantity: line.quantity };
        await ask(userId, { kind: 'set-cart', sku: line.sku, ...wish }, () => mine.setCartItem(saleId, line.sku, wish));
      } else if (draw < 0.82 && mayCart) {
        const sku = own.pick([skus.tee, skus.hall]);
        await ask(userId, { kind: 'drop-cart', sku }, () => mine.dropCartItem(saleId, sku));
      } else if (draw < 0.9 && mayCart) {
        keep(
          await ask(userId, { kind: 'check-out' }, () => mine.checkOut(saleId, key, { fromCart: true, payment: { method: 'external' } })),
        );
      } else {
        await ask(userId, { kind: 'read' }, () => mine.sale(saleId));
      }
      if (own.chance(0.2)) await pause(own.int(20));
    }
  }

  async function operate(own: Random): Promise<void> {
    await pause(own.int(60));
    if (own.chance(0.5)) {
      const units = 1 + own.int(2);
      const delivery = { sku: skus.tee, units, reason: 'a delivery' };
      await ask('operator', { kind: 'restock', sku: skus.tee, units }, () => operator.restock(saleId, delivery, `restock-${saleId}`));
    }
    if (own.chance(0.5)) return;
    const paid = (granted(await operator.orders({ saleId, limit: 100 })).items ?? []).find(({ status }) => status === 'FULFILLED');
    if (!paid) return;
    const returnUnits = own.chance(0.5);
    const wish = { reason: 'a refund', returnUnits };
    await ask('operator', { kind: 'refund', orderId: paid.orderId, returnUnits }, () =>
      operator.refund(paid.orderId, wish, `refund-${saleId}`),
    );
  }

  await Promise.all([...buyers.map((buyer, index) => shop(buyer, random.fork(`client ${index}`))), operate(random.fork('operator'))]);
  const shoppers = buyers.map(({ token }) => client.as(token));
  const known = { sale, seats: new Map([[skus.hall, names]]), calls, orders: await quiet(saleId, operator, calls) };
  // Redis follows an order that has ended a moment later. What is lost for good stays lost for longer than this waits.
  const startMs = nowMs();
  let window: Window = { ...known, ...(await restOf(saleId, operator, shoppers)) };
  while (notConserved(window).length > 0 && nowMs() - startMs < followWithinMs) {
    await pause(200);
    window = { ...known, ...(await restOf(saleId, operator, shoppers)) };
  }
  return window;
}

/** What the sale says of itself once nothing moves: only orders that wait for money from outside may go on, and they wait for minutes. */
async function quiet(saleId: string, operator: Client, calls: readonly Call[]) {
  const ids = calls.flatMap(({ asked, answer }) =>
    (asked.kind === 'place' || asked.kind === 'check-out') && answer?.ok ? [(answer.body as OrderBody).orderId] : [],
  );
  const isQuiet = (order: OrderBody) => isAtRest(order) || (order.status === 'RESERVED' && order.payment.method === 'external');
  const orders = await until(
    `the orders of ${saleId} come to rest`,
    async () => {
      const read = await Promise.all([...new Set(ids)].map(async (orderId) => granted(await operator.order(orderId))));
      return read.every(isQuiet) ? read : undefined;
    },
    { withinMs: restWithinMs, everyMs: 100 },
  );
  return orders;
}

/** What anybody may read of a sale once nothing moves. */
async function restOf(saleId: string, operator: Client, shoppers: readonly Client[]) {
  const carts = (await Promise.all(shoppers.map((shopper) => shopper.cart(saleId)))).map(granted);
  const [after, audit] = [granted(await operator.sale(saleId)), granted(await operator.audit(saleId))];
  return { carts, after, audit, readMs: nowMs() };
}
