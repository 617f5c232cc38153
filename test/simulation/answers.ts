import type { DynamoModel } from './dynamodb/model.ts';
import type { Findings } from './findings.ts';
import { type Exchange, problemOf, type Reply } from './history.ts';
import type { OrderRow } from './rows.ts';

/** Codes that mean "the same once more, later", as the contract lists them. */
const retryableCodes = new Set(['REQUEST_IN_FLIGHT', 'SALE_PAUSED', 'RATE_LIMITED', 'STOCK_NOT_READY', 'TRY_AGAIN']);
const judgedByRedis = new Set(['SOLD_OUT', 'SEAT_TAKEN', 'BUYER_LIMIT', 'SALE_PAUSED']);
/** What a deed may be answered with, beside what may be sent again. Any other status is a finding. */
const statusesOf: Readonly<Record<string, readonly number[]>> = {
  place: [201, 409, 422],
  'place-badly': [400],
  pay: [204],
  'pay-badly': [401],
  cancel: [200, 409],
  read: [200],
  cart: [200, 409],
  pause: [200, 409],
  open: [200, 409],
  close: [200],
  limit: [200, 400, 409],
  'call-off': [202],
  restock: [200, 409],
  refund: [202, 409],
  audit: [200],
  reconcile: [200],
  redrive: [202],
  look: [200, 404],
  setup: [200, 201],
};

interface First {
  readonly payload: string;
  readonly text: string;
  readonly requestId: string;
  /** When it was answered. */
  readonly atMs: number;
}

/** An order that somebody was told about. */
export interface Acknowledged {
  readonly orderId: string;
  readonly buyerId: string;
  readonly items: readonly { readonly sku: string; readonly units: readonly string[] }[];
  readonly requestId: string;
}

/** An order that was cancelled or given back, as somebody was told: so it ends in one of these ways. */
export interface Promised {
  readonly orderId: string;
  readonly statuses: readonly string[];
  readonly requestId: string;
}

export interface Restock {
  readonly sku: string;
  readonly units: number;
  readonly isCertain: boolean;
}

/** Whose key it is, and for what. */
const scopeOf = ({ who, method, path, key }: Exchange['request']): string => [who?.sub, method, path, key].join(' ');

/** Holds each answer against the contract, and against what is stored at that moment. */
export class Answers {
  readonly #database: Pick<DynamoModel, 'call'>;
  readonly #findings: Findings;
  readonly #firsts = new Map<string, First>();
  /** When each key was first sent. */
  readonly #sentMs = new Map<string, number>();
  /** What was sent under each key. */
  readonly #payloads = new Map<string, Set<string>>();
  readonly acknowledged = new Map<string, Acknowledged>();
  /** What somebody was promised of an order's end. */
  readonly promised: Promised[] = [];
  /** The units or seats that each restock was to add, by its key: taken, or perhaps. */
  readonly restocks = new Map<string, Restock>();
  isCalledOff = false;
  #pausedMs: number | undefined;
  #closedMs: number | undefined;
  #reopening = 0;

  constructor(database: Pick<DynamoModel, 'call'>, findings: Findings) {
    this.#database = database;
    this.#findings = findings;
  }

  /** A pause was answered: nothing that is asked for later is sold before `reopens`. */
  paused({ toMs }: Exchange): void {
    if (this.#reopening === 0) this.#pausedMs = toMs;
  }

  /** Somebody begins to open the sale again: from now on it may sell. */
  reopens(): void {
    this.#pausedMs = undefined;
    this.#reopening++;
  }

  reopened(): void {
    this.#reopening--;
  }

  begins(request: { readonly key?: string; readonly id: string; readonly body?: unknown }, nowMs: number): void {
    const key = request.key ?? request.id;
    if (!this.#sentMs.has(key)) this.#sentMs.set(key, nowMs);
    this.#payloads.set(key, (this.#payloads.get(key) ?? new Set()).add(JSON.stringify(request.body)));
  }

  see(exchange: Exchange): void {
    const { reply, request } = exchange;
    if (!reply) return;
    const said = `${request.id} (${request.method} ${request.path})`;
    this.#seeRestock(exchange);
    if (reply.outcome === 'silence') {
      if (reply.why.startsWith('threw')) this.#add(`${said}: its function ${reply.why}`);
      return;
    }
    this.#seeStatus(exchange, reply, said);
    if (reply.status < 300) this.#seeSuccess(exchange, reply, said);
  }

  #seeStatus(exchange: Exchange, { status }: Extract<Reply, { outcome: 'answered' }>, said: string): void {
    const { code, retryable } = problemOf(exchange);
    if (status >= 400 && (code === undefined || retryable !== retryableCodes.has(code)))
      this.#add(`${said} was refused with ${status}, and its problem is ${code}`);
    if (status >= 500 && !(status === 503 && retryable === true)) this.#add(`${said} was answered with ${status}`);
    const known = statusesOf[exchange.request.deed];
    // What is wrong with it is not looked for any more where Redis has lost a sale that is over.
    const isOver = exchange.request.deed === 'place-badly' && code === 'SALE_NOT_OPEN';
    if (known && !known.includes(status) && retryable !== true && !isOver) this.#add(`${said} was answered with ${status} ${code ?? ''}`);
    if (status >= 400) this.#seeRefusal(exchange, said);
  }

  /** A key that came with one payload alone is no other's; and who was told of an order is not told later that there is none. */
  #seeRefusal(exchange: Exchange, said: string): void {
    const { request, fromMs } = exchange;
    const { code, retryable } = problemOf(exchange);
    const payloads = this.#payloads.get(request.key ?? '');
    if (code === 'IDEMPOTENCY_KEY_REUSED' && payloads?.size === 1) this.#add(`${said}: its key came with no other payload`);
    const first = this.#firsts.get(scopeOf(request));
    const isRepeat = request.deed === 'place' && first?.payload === JSON.stringify(request.body) && first.atMs < fromMs;
    if (isRepeat && retryable !== true)
      this.#findings.add(
        '2 nothing acknowledged is lost',
        `${said} repeats ${first.requestId}, which was answered, and is refused: ${code}`,
      );
  }

  #seeSuccess(exchange: Exchange, { text, body, isReplay }: Extract<Reply, { outcome: 'answered' }>, said: string): void {
    const { request } = exchange;
    if (request.key !== undefined) this.#seeKeyed(exchange, text, said);
    this.#seePromise(exchange, body);
    if (request.deed !== 'place') return;
    const order = body as Omit<Acknowledged, 'requestId'>;
    const sentMs = this.#sentMs.get(request.key ?? '') ?? 0;
    const isAfter = (sinceMs: number | undefined) => sinceMs !== undefined && sentMs > sinceMs && !isReplay;
    if (isAfter(this.#pausedMs)) this.#add(`${said} was sold after a pause had been answered`);
    if (isAfter(this.#closedMs)) this.#add(`${said} was sold after the sale’s end had been answered`);
    this.#seeOrder({ orderId: order.orderId, buyerId: order.buyerId, items: order.items, requestId: request.id }, said);
    if (order.buyerId !== request.who?.sub) this.#add(`${said}: the order is ${order.buyerId}’s`);
  }

  /** An answer of a time in which Redis did not have the sale: nobody can be told that there are units, nor that there are none. */
  seeLost(exchange: Exchange): void {
    const { request, reply } = exchange;
    if (request.deed !== 'place' || reply?.outcome !== 'answered' || reply.isReplay) return;
    const { code = '' } = problemOf(exchange);
    if (reply.status === 201 || judgedByRedis.has(code))
      this.#findings.add('7 it fails closed', `${request.id} was answered ${reply.status} ${code} while Redis did not have the sale`);
  }

  /** An answer of a time in which Redis had not all shards of the sale: nobody can be told that there are no units. */
  seeLostElsewhere({ request, reply }: Exchange): void {
    if (request.deed !== 'place' || reply?.outcome !== 'answered' || reply.isReplay) return;
    const { code } = reply.body as { code?: unknown };
    if (code === 'SOLD_OUT')
      this.#findings.add('7 it fails closed', `${request.id} was told SOLD_OUT while Redis did not have all of the sale`);
  }

  #seePromise({ request, toMs }: Exchange, body: unknown): void {
    const orderId = String((body as { orderId?: unknown } | undefined)?.orderId);
    if (request.deed === 'cancel') this.promised.push({ orderId, statuses: ['CANCELLED', 'REFUNDED'], requestId: request.id });
    if (request.deed === 'refund') this.promised.push({ orderId, statuses: ['REFUNDED'], requestId: request.id });
    if (request.deed === 'call-off') this.isCalledOff = true;
    if (request.deed === 'close' || request.deed === 'call-off') this.#closedMs ??= toMs;
    if (request.deed === 'cart' && request.method === 'PUT') this.#seeCart(request, body);
  }

  /** The quantity becomes exactly what was asked for. */
  #seeCart({ id, path, body }: Exchange['request'], answer: unknown): void {
    const { quantity, seats } = body as { quantity?: number; seats?: readonly string[] };
    const { items = [] } = answer as { items?: readonly { sku: string; quantity: number; seats?: readonly string[] }[] };
    const item = items.find(({ sku }) => path.endsWith(`/${sku}`));
    const wanted = quantity ?? seats?.length;
    const hasSeats = seats === undefined || seats.every((seat) => item?.seats?.includes(seat) === true);
    if (item?.quantity !== wanted || !hasSeats) this.#add(`${id} put ${wanted} into the cart, and it has ${JSON.stringify(items)}`);
  }

  #seeRestock({ request, reply }: Exchange): void {
    if (request.deed !== 'restock' || request.key === undefined) return;
    const isTaken = reply?.outcome === 'answered' && reply.status === 200;
    const mayBe = reply?.outcome === 'silence' || (reply?.outcome === 'answered' && reply.status >= 500);
    if (!isTaken && !mayBe) return;
    const { sku, units, seats } = request.body as { sku: string; units?: number; seats?: readonly string[] };
    const isCertain = isTaken || this.restocks.get(request.key)?.isCertain === true;
    this.restocks.set(request.key, { sku, units: units ?? seats?.length ?? 0, isCertain });
  }

  /** The same key: the first answer, or a refusal if it is another payload. */
  #seeKeyed({ request, toMs }: Exchange, text: string, said: string): void {
    const scope = scopeOf(request);
    const payload = JSON.stringify(request.body);
    const first = this.#firsts.get(scope);
    if (!first) this.#firsts.set(scope, { payload, text, requestId: request.id, atMs: toMs ?? Number.POSITIVE_INFINITY });
    else if (first.payload !== payload)
      this.#add(`${said} came with another payload than ${first.requestId} under the same key, and was taken`);
    else if (first.text !== text) this.#add(`${said} replays ${first.requestId} with another answer: ${text} instead of ${first.text}`);
  }

  /** Who is told of an order can rely on it: it is stored by then, with the units that were named. */
  #seeOrder(told: Acknowledged, said: string): void {
    const { orderId } = told;
    const { Item } = this.#database.call('Get', { TableName: 'orders', Key: { orderId }, ConsistentRead: true }) as { Item?: OrderRow };
    const stored = Item && (Item.first?.items ?? Item.items);
    const named = (items: Acknowledged['items'] = []) => JSON.stringify(items.map(({ sku, units }) => [sku, units]));
    if (!stored || named(stored) !== named(told.items)) {
      this.#findings.add(
        '2 nothing acknowledged is lost',
        `${said} was told of ${orderId} with ${named(told.items)}, and stored is ${named(stored)}`,
      );
    }
    const before = this.acknowledged.get(orderId);
    if (before && before.buyerId !== told.buyerId) this.#add(`${said} got the order of ${before.requestId}`);
    this.acknowledged.set(orderId, told);
  }

  #add(what: string): void {
    this.#findings.add('answers', what);
  }
}
