import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, inject } from 'vitest';
import { inParallel } from '../../functions/shared/parallel.ts';
import { until } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { type Answer, Connection } from '../../lib/client/connection.ts';
import {
  type AuditBody,
  isAtRest,
  type OrderBody,
  type OrderLineRequest,
  type ProblemBody,
  type SaleBody,
  type SaleRequest,
} from '../../lib/client/contract.ts';
import { type Callers, givenCallers, localCallers } from '../../lib/client/tokens.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where the embedded runtime under test listens. */
    baseUrl: string;
  }
}

/** A caller with an account, or without one. */
export interface Shopper {
  readonly userId: string;
  readonly token: string;
  readonly client: Client;
  /** Buys under a new key, or under the one given. */
  buy(sale: TestSale, quantity?: number, options?: BuyOptions): Promise<Answer<OrderBody>>;
  /** Buys these seats of the sale's last item, and counted units besides. */
  buySeats(sale: TestSale, seats: readonly string[], options?: BuyOptions & { readonly quantity?: number }): Promise<Answer<OrderBody>>;
}

interface BuyOptions {
  readonly key?: string;
  readonly method?: 'balance' | 'external';
  readonly sku?: string;
}

export interface TestSale {
  readonly saleId: string;
  /** The sale's first item. */
  readonly sku: string;
  readonly skus: readonly string[];
  readonly priceMinor: number;
}

export interface SaleWishes extends Partial<Omit<SaleRequest, 'items'>> {
  /** Units of each item. */
  readonly units?: number | readonly number[];
  /** The seats of one item more, the sale's last. With seats, there are no counted units unless they are asked for. */
  readonly seats?: readonly string[];
  readonly priceMinor?: number;
  /** The sale's window from now on. */
  readonly opensInMs?: number;
  readonly closesInMs?: number;
}

/** The endpoint under test, with what tests do all the time. Every sale, product and buyer has ids of its own, so tests run in any company. */
export interface Shop {
  readonly client: Client;
  readonly operator: Client;
  /** Whether `/local/*` is there. */
  readonly isLocal: boolean;
  sale(wishes?: SaleWishes): Promise<TestSale>;
  /** Shoppers with that much in their accounts, or without an account. */
  shoppers(count: number, balanceMinor?: number | 'no account'): Promise<Shopper[]>;
  shopper(balanceMinor?: number | 'no account'): Promise<Shopper>;
  callers: Callers;
  view(sale: TestSale): Promise<SaleBody>;
  audit(sale: TestSale): Promise<AuditBody>;
  /** The order once nothing more happens to it. */
  atRest(orderId: string): Promise<OrderBody>;
  /** The audit once it is clean; fails the test with the audit when it does not become so. */
  cleanAudit(sale: TestSale): Promise<AuditBody>;
  close(): Promise<void>;
}

/** For what comes by events, on a machine that other tests keep busy: nobody waits longer than it takes. */
export const patient = { withinMs: 50_000 };

const currency = 'EUR';
const statusOf: Readonly<Record<string, number>> = {
  INVALID_REQUEST: 400,
  IDEMPOTENCY_KEY_REQUIRED: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  SOLD_OUT: 409,
  SEAT_TAKEN: 409,
  BUYER_LIMIT: 409,
  SALE_NOT_OPEN: 409,
  SALE_PAUSED: 409,
  REQUEST_IN_FLIGHT: 409,
  CART_EMPTY: 409,
  CART_EXPIRED: 409,
  NOT_CANCELLABLE: 409,
  NOT_REFUNDABLE: 409,
  PRODUCT_IN_USE: 409,
  ALREADY_EXISTS: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  IDEMPOTENCY_KEY_REUSED: 422,
};

const told = (answer: Answer<unknown>): string => `${answer.status} ${answer.text.slice(0, 500)}`;

/** The body of an answer that had to succeed with this status. */
export function granted<Body>(answer: Answer<Body>, status = 200): Body {
  expect(answer.status, told(answer)).toBe(status);
  expect(answer.headers['x-request-id'], 'X-Request-Id').toBeTruthy();
  if (!answer.ok) throw new Error(told(answer));
  return answer.body;
}

/** The problem of an answer that had to be this refusal, in the contract's whole form. */
export function refused(answer: Answer<unknown>, code: string): ProblemBody {
  const status = statusOf[code];
  if (status === undefined) throw new Error(`no status is known for ${code}`);
  expect(answer.ok, told(answer)).toBe(false);
  expect(answer.headers['content-type'], told(answer)).toMatch(/^application\/problem\+json/);
  expect(answer.headers['x-request-id'], 'X-Request-Id').toBeTruthy();
  const problem = answer.body as ProblemBody;
  expect(problem, told(answer)).toMatchObject({
    code,
    status,
    type: `/problems/${code.toLowerCase().replaceAll('_', '-')}`,
    title: expect.stringMatching(/./),
    detail: expect.stringMatching(/./),
    instance: expect.stringMatching(/^\//),
    retryable: code === 'REQUEST_IN_FLIGHT' || code === 'SALE_PAUSED',
  });
  expect(answer.status).toBe(status);
  // Nothing internal gets out.
  expect(answer.text).not.toMatch(/\bat .+\.[cm]?[jt]s:\d+|node_modules|DynamoDB|ioredis|ECONN/i);
  return problem;
}

function openCallers(client: Client): { callers: Callers; isLocal: boolean } {
  const { STAMPEDE_OPERATOR_TOKEN: operatorToken, STAMPEDE_BUYER_TOKENS: file } = process.env;
  if (!operatorToken || !file) return { callers: localCallers(client, `t-${randomUUID().slice(0, 13)}`), isLocal: true };
  return { callers: givenCallers(operatorToken, readFileSync(file, 'utf8').split(/\s+/).filter(Boolean)), isLocal: false };
}

let clientOver = (connection: Connection): Client => new Client(connection);

/** Makes the shops that this file opens from now on speak with the endpoint in another way, so that the same cases can be run through it. */
export function speakThrough(way: (connection: Connection) => Client): void {
  clientOver = way;
}

/**
 * The runtime that the suite's global setup has started, or the endpoint in STAMPEDE_URL; a deployed one takes its tokens from
 * STAMPEDE_OPERATOR_TOKEN and the file STAMPEDE_BUYER_TOKENS, as `npm run sale` does.
 */
export async function openShop(): Promise<Shop> {
  const connection = new Connection(inject('baseUrl'), { connections: 100, timeoutMs: 40_000 });
  const client = clientOver(connection);
  const { callers, isLocal } = openCallers(client);
  const operator = client.as(await callers.operator());
  const nameOf = (prefix: string) => `${prefix}-${randomUUID()}`;

  const shopperOf = ({ userId, token }: { userId: string; token: string }): Shopper => {
    const own = client.as(token);
    const order = (sale: TestSale, items: readonly OrderLineRequest[], { key = randomUUID(), method }: BuyOptions) =>
      own.placeOrder(sale.saleId, { items, ...(method && { payment: { method } }) }, key);
    return {
      userId,
      token,
      client: own,
      buy: (sale, quantity = 1, options = {}) => order(sale, [{ sku: options.sku ?? sale.sku, quantity }], options),
      buySeats: (sale, seats, { quantity, ...options } = {}) =>
        order(sale, [...(quantity ? [{ sku: sale.sku, quantity }] : []), { sku: sale.skus.at(-1) ?? '', seats }], options),
    };
  };

  const shop: Shop = {
    client,
    operator,
    callers,
    isLocal,
    async sale({ seats, units = seats ? [] : 10, priceMinor = 1_000, opensInMs = -60_000, closesInMs = 3_600_000, ...wishes } = {}) {
      const items = [
        ...[units].flat().map((count) => ({ sku: nameOf('sku'), units: count })),
        ...(seats ? [{ sku: nameOf('hall'), seats }] : []),
      ];
      for (const { sku } of items) granted(await operator.createProduct({ sku, name: `Item ${sku}`, priceMinor, currency }), 201);
      const nowMs = Date.now();
      const request = {
        saleId: nameOf('sale'),
        name: 'A sale under test',
        opensAt: new Date(nowMs + opensInMs).toISOString(),
        closesAt: new Date(nowMs + closesInMs).toISOString(),
        ...wishes,
        items,
      };
      granted(await operator.createSale(request, nameOf('key')), 201);
      const skus = items.map(({ sku }) => sku);
      return { saleId: request.saleId, sku: skus[0] ?? '', skus, priceMinor };
    },
    async shoppers(count, balanceMinor = 1_000_000) {
      const buyers = await callers.buyers(count);
      if (balanceMinor !== 'no account')
        await inParallel(buyers, 16, async ({ userId }) => granted(await operator.createUser({ userId, balanceMinor, currency }), 201));
      return buyers.map(shopperOf);
    },
    async shopper(balanceMinor) {
      const [one] = await shop.shoppers(1, balanceMinor);
      if (!one) throw new Error('one was asked for');
      return one;
    },
    view: async (sale) => granted(await client.sale(sale.saleId)),
    audit: async (sale) => granted(await operator.audit(sale.saleId)),
    atRest: (orderId) =>
      until(
        `${orderId} comes to rest`,
        async () => {
          const order = granted(await operator.order(orderId));
          return isAtRest(order) ? order : undefined;
        },
        patient,
      ),
    async cleanAudit(sale) {
      let audit = await shop.audit(sale);
      const isClean = () => audit.redis.agrees && audit.money.balanced && audit.items.every(({ conserved }) => conserved);
      const reread = async () => {
        audit = await shop.audit(sale);
        return isClean() || undefined;
      };
      if (!isClean()) await until('a clean audit', reread, { ...patient, everyMs: 200 }).catch(() => {});
      for (const item of audit.items) {
        expect(item, 'stock is conserved').toMatchObject({ conserved: true });
        expect(item.available + item.held + item.sold + item.retired, JSON.stringify(item)).toBe(item.total);
      }
      expect(audit.money, 'money is conserved').toMatchObject({ balanced: true });
      expect(audit.redis, 'Redis agrees').toMatchObject({ agrees: true });
      return audit;
    },
    close: () => connection.close(),
  };
  return shop;
}

/** The units of an order, of all its lines. */
export const unitsOf = (order: OrderBody): string[] => order.items.flatMap(({ units }) => units);
