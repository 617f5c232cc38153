import { inParallel } from '../../functions/shared/parallel.ts';
import { pause } from '../../lib/client/bounded.ts';
import { NoAnswer } from '../../lib/client/connection.ts';
import type { OrderBody } from '../../lib/client/contract.ts';
import { isAtRest } from '../../lib/client/contract.ts';
import type { Draft } from './reasons.ts';
import { done, ordersOf, type Scene, SceneFailed } from './scene.ts';
import type { WireAnswer } from './wire.ts';

type Json = Readonly<Record<string, unknown>>;

/** What answers have said was done. What there is at the end has to be exactly that. */
export interface Ledger {
  readonly orders: Set<string>;
  /** Orders that were placed by a request whose answer did not say which. */
  unnamed: number;
  /** By account. */
  readonly creditedMinor: Map<string, number>;
  /** Totals by sale and item, the highest that an answer has told. */
  readonly totals: Map<string, number>;
  readonly saleIds: Set<string>;
  /** Requests of which nobody knows what they did. */
  unanswered: number;
}

export const emptyLedger = (): Ledger => ({
  ...{ orders: new Set<string>(), unnamed: 0, creditedMinor: new Map(), totals: new Map(), saleIds: new Set(), unanswered: 0 },
});

const listsMax = 300;
/** Puts in, and takes something old out when there is much. */
function remember<T>(list: T[], value: T): void {
  list.push(value);
  if (list.length > listsMax) list.splice(0, listsMax / 2);
}

function noteSale(ledger: Ledger, sale: Json): void {
  ledger.saleIds.add(String(sale.saleId));
  for (const { sku, total } of sale.items as { sku: string; total: number }[]) {
    const place = `${sale.saleId} ${sku}`;
    ledger.totals.set(place, Math.max(total, ledger.totals.get(place) ?? 0));
  }
}

function noteOrder({ play }: Scene, ledger: Ledger, order: OrderBody): void {
  ledger.orders.add(order.orderId);
  remember(play.orders, {
    orderId: order.orderId,
    saleId: order.saleId,
    totalMinor: order.totalMinor,
    currency: order.currency,
    buyerId: order.buyerId,
  });
}

/** Notes what a request has done by its answer, and what others may now be asked about. */
export function note(scene: Scene, ledger: Ledger, draft: Draft, { status, headers, text }: WireAnswer): void {
  const operation = draft.wire.method === draft.meant.method ? draft.meant : undefined;
  if (!operation || status !== operation.status || text === '') return;
  if (operation.answer?.mediaType !== 'application/json') return;
  const body = JSON.parse(text) as Json;
  notes[operation.operationId]?.({ scene, ledger, draft, body, isReplay: headers['idempotency-replayed'] !== undefined });
}

interface Noted {
  readonly scene: Scene;
  readonly ledger: Ledger;
  readonly draft: Draft;
  readonly body: Json;
  readonly isReplay: boolean;
}

const notes: Readonly<Record<string, (noted: Noted) => void>> = {
  placeOrder: ({ scene, ledger, body }) => noteOrder(scene, ledger, body as unknown as OrderBody),
  graphql({ scene, ledger, draft, body }) {
    const placed = Object.values((body.data ?? {}) as Json).filter((each): each is Json => typeof each === 'object' && each !== null);
    const orders = placed.filter((each) => typeof each.orderId === 'string' && typeof each.totalMinor === 'number');
    for (const order of orders) noteOrder(scene, ledger, order as unknown as OrderBody);
    if (orders.length === 0 && draft.wire.body?.includes('placeOrder')) ledger.unnamed += placed.length;
  },
  readOrder({ scene, body }) {
    const { tickets = [], saleId } = body as unknown as OrderBody;
    if (scene.watched.sales.some((sale) => sale.saleId === saleId)) return;
    for (const { code } of tickets) remember(scene.play.codes, code);
  },
  creditUser({ ledger, draft, isReplay }) {
    if (isReplay) return;
    const { amountMinor } = JSON.parse(draft.wire.body?.toString('utf8') ?? '{}') as { amountMinor: number };
    const userId = draft.params.userId ?? '';
    ledger.creditedMinor.set(userId, amountMinor + (ledger.creditedMinor.get(userId) ?? 0));
  },
  createSale: ({ ledger, body }) => noteSale(ledger, body),
  restock: ({ ledger, body }) => noteSale(ledger, body),
  createProduct: ({ scene, body }) => remember(scene.play.spareSkus, String(body.sku)),
  createUser: ({ scene, body }) => remember(scene.play.userIds, String(body.userId)),
};

/** Reads until nothing is found, as long as something may still be on its way. */
async function settled(find: () => Promise<string[]>, withinMs: number): Promise<string[]> {
  const endMs = Date.now() + withinMs;
  for (;;) {
    const found = await find().catch((error: unknown) => {
      if (error instanceof SceneFailed || error instanceof NoAnswer) return [error.message];
      throw error;
    });
    if (found.length === 0 || Date.now() > endMs) return found;
    await pause(500);
  }
}

/** What differs, once things are quiet, between what there is and what answers said was done: of stock, orders and money. */
export async function differences(scene: Scene, ledger: Ledger, quietMs: number): Promise<string[]> {
  const saleIds = [
    ...new Set([...ledger.saleIds, ...scene.play.sales.map(({ saleId }) => saleId), ...scene.watched.sales.map(({ saleId }) => saleId)]),
  ];
  const orders = new Map<string, OrderBody[]>();
  const ofSales = await inParallel(saleIds, 4, (saleId) =>
    settled(async () => {
      const listed = await ordersOf(scene.operator, saleId);
      orders.set(saleId, listed);
      return [...(await saleFaults(scene, ledger, saleId)), ...movingOf(listed)];
    }, quietMs),
  );
  // Lists are behind their orders by a moment: an order that is paid may not be there yet, or still as it was before its refund.
  let all = [...orders.values()].flat();
  let isFirst = true;
  const ofAll = await settled(async () => {
    if (!isFirst) all = (await inParallel(saleIds, 4, (saleId) => ordersOf(scene.operator, saleId))).flat();
    isFirst = false;
    return [...strangersAmong(scene, ledger, all), ...(await moneyFaults(scene, ledger, all))];
  }, quietMs);
  return [...ofSales.flat(), ...ofAll];
}

function strangersAmong(scene: Scene, ledger: Ledger, orders: readonly OrderBody[]): string[] {
  const watched = new Set(scene.watched.orders.map(({ orderId }) => orderId));
  const unknown = orders.filter(({ orderId }) => !ledger.orders.has(orderId) && !watched.has(orderId));
  return unknown.length > ledger.unnamed + ledger.unanswered
    ? [`${unknown.length} orders nobody was told of, such as ${unknown[0]?.orderId}`]
    : [];
}

const movingOf = (orders: readonly OrderBody[]): string[] =>
  orders
    .filter((order) => !isAtRest(order) && order.payment.method === 'balance')
    .map(({ orderId, status }) => `the order ${orderId} is still ${status}`);

async function saleFaults({ operator }: Scene, { totals }: Ledger, saleId: string): Promise<string[]> {
  const audit = done(await operator.audit(saleId), `the audit of ${saleId}`);
  const items = audit.items.flatMap((item) => {
    const told = totals.get(`${saleId} ${item.sku}`);
    const isTold = told === undefined || told === item.total;
    return [
      ...(item.conserved ? [] : [`${saleId} ${item.sku}: stock is not conserved: ${JSON.stringify(item)}`]),
      ...(isTold ? [] : [`${saleId} ${item.sku}: ${item.total} units, and answers said ${told}`]),
    ];
  });
  const { money, redis } = audit;
  return [
    ...items,
    ...(money.balanced ? [] : [`${saleId}: money is not balanced: ${JSON.stringify(money)}`]),
    ...(redis.agrees ? [] : [`${saleId}: Redis says otherwise: ${redis.drift.join('; ')}`]),
  ];
}

async function moneyFaults({ operator, opened }: Scene, { creditedMinor }: Ledger, orders: readonly OrderBody[]): Promise<string[]> {
  const paidBy = new Map<string, number>();
  for (const { buyerId, payment, totalMinor } of orders) {
    if (payment.method !== 'balance' || payment.state !== 'captured') continue;
    paidBy.set(buyerId, totalMinor + (paidBy.get(buyerId) ?? 0));
  }
  const found = await inParallel([...opened], 4, async ([userId, openingMinor]) => {
    const { balanceMinor } = done(await operator.user(userId), `the account of ${userId}`);
    const expected = openingMinor + (creditedMinor.get(userId) ?? 0) - (paidBy.get(userId) ?? 0);
    return balanceMinor === expected ? [] : [`${userId} has ${balanceMinor}, and by all answers ${expected}`];
  });
  return found.flat();
}
