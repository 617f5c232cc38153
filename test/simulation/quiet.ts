import type { TakenPayment } from './actors.ts';
import type { Acknowledged, Promised, Restock } from './answers.ts';
import type { Findings, Invariant } from './findings.ts';
import type { RedisView } from './redis-view.ts';
import { balanceOf, type OrderRow, ordersById, type Rows, type SaleRow } from './rows.ts';
import { wantedState } from './state.ts';

// What must hold once nothing is owed any more: every order has ended, every unit is somebody's or for sale, all money is where it belongs.

export interface Quiet {
  readonly rows: Rows;
  /** By shard; undefined when Redis lacks the sale, or one of its shards. */
  readonly redis: readonly RedisView[] | undefined;
  readonly acknowledged: readonly Acknowledged[];
  readonly promised: readonly Promised[];
  readonly restocks: readonly Restock[];
  readonly isCalledOff: boolean;
  /** By item, the units that were put on sale at first. */
  readonly firstTotals: ReadonlyMap<string, number>;
  readonly payments: readonly TakenPayment[];
  /** Whether every event has reached its consumers: only then do counters that events move agree. */
  readonly allEventsHeard: boolean;
}

const ends = new Set(['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED', 'FULFILLED']);
type Add = (invariant: Invariant, what: string) => void;

/** Everything that the seven invariants say of a system at rest. */
export function checkQuiet(quiet: Quiet, findings: Findings): void {
  const add: Add = (invariant, what) => findings.add(invariant, what);
  checkEnds(quiet.rows, add);
  checkAcknowledged(quiet, add);
  checkPromises(quiet, add);
  checkTotals(quiet, add);
  checkPayments(quiet, add);
  checkKept(quiet.rows, add);
  checkViews(quiet, add);
  checkRedis(quiet, findings);
}

/** What Redis has is what the rows say. */
export function checkRedis({ rows, redis }: Pick<Quiet, 'rows' | 'redis'>, findings: Findings): void {
  const add: Add = (invariant, what) => findings.add(invariant, what);
  if (!redis) {
    add('7 it fails closed', 'Redis has not got its sale back');
    return;
  }
  checkHolds(rows, redis, add);
  checkStock(rows, redis, add);
  checkSlots(rows, redis, add);
}

function checkEnds({ orders }: Rows, add: Add): void {
  for (const { orderId, status, dueAtMs, dueShard, stock, payment, late } of orders) {
    if (!ends.has(status)) add('6 every order ends', `${orderId} is ${status} and ${payment.state}`);
    if (dueAtMs !== undefined || dueShard !== undefined || late)
      add('6 every order ends', `${orderId} is ${status}, and something of it is still owed`);
    if (status !== 'FULFILLED' && stock !== 'released') add('3 one end per hold', `${orderId} is ${status}, and its stock is ${stock}`);
  }
}

function checkAcknowledged({ rows, acknowledged }: Quiet, add: Add): void {
  const orders = ordersById(rows);
  for (const { orderId, requestId } of acknowledged) {
    if (!orders.has(orderId)) add('2 nothing acknowledged is lost', `${requestId} was told of ${orderId}, which is not there`);
  }
}

/** Who was told that an order is cancelled or goes back can rely on it, and so can who called a sale off. */
function checkPromises({ rows, promised, isCalledOff }: Quiet, add: Add): void {
  const orders = ordersById(rows);
  for (const { orderId, statuses, requestId } of promised) {
    const status = orders.get(orderId)?.status ?? 'not there';
    if (!statuses.includes(status))
      add('2 nothing acknowledged is lost', `${requestId} was told that ${orderId} ends, and it is ${status}`);
  }
  if (!isCalledOff) return;
  for (const { orderId, status } of rows.orders) {
    if (status === 'FULFILLED') add('2 nothing acknowledged is lost', `the sale was called off, and ${orderId} is ${status}`);
  }
}

/** Each restock adds what it says, once. One that nobody was answered may have. */
function checkTotals({ rows, restocks, firstTotals }: Quiet, add: Add): void {
  for (const { sku, total } of rows.sale?.items ?? []) {
    const sum = (which: (restock: Restock) => boolean) =>
      restocks
        .filter((restock) => restock.sku === sku && which(restock))
        .reduce((units, restock) => units + restock.units, firstTotals.get(sku) ?? 0);
    const [least, most] = [sum(({ isCertain }) => isCertain), sum(() => true)];
    if (total < least || total > most)
      add('1 never oversold', `${sku} has ${total} units in all, and ${least} were put on sale, ${most} at most`);
  }
}

/** Each payment that a provider was acknowledged came in once, with its own amount, and was kept for one order or went out again. */
function checkPayments({ rows, payments }: Quiet, add: Add): void {
  const byPayment = Map.groupBy(rows.movements, ({ paymentId }) => paymentId ?? '');
  const orders = ordersById(rows);
  for (const { paymentId, orderId, amountMinor, isAcknowledged } of payments) {
    const movements = byPayment.get(paymentId) ?? [];
    if (!isAcknowledged) {
      if (movements.length === 0) continue;
    }
    const received = movements.filter(({ kind }) => kind === 'receive');
    const isIn = received.length === 1 && balanceOf(`escrow:${orderId}`, received) === amountMinor;
    if (!isIn) add('5 money is conserved', `${paymentId} of ${amountMinor} for ${orderId} was received ${received.length} times`);
    const outside = balanceOf('outside', movements);
    const order = orders.get(orderId);
    const isKept = order?.status === 'FULFILLED' && order.payment.paymentId === paymentId;
    const wanted = isKept ? -amountMinor : 0;
    if (outside !== wanted)
      add(
        '5 money is conserved',
        `of ${paymentId} over ${amountMinor}, ${-outside} is kept, and ${orderId} is ${order?.status ?? 'not there'}`,
      );
  }
}

/** What was captured is kept for units that the buyer has, or was given back in full. */
function checkKept({ orders, movements, sale }: Rows, add: Add): void {
  const byOrder = Map.groupBy(movements, ({ orderId }) => orderId ?? '');
  let fulfilledMinor = 0;
  for (const order of orders) {
    const mine = byOrder.get(order.orderId) ?? [];
    const wanted = order.status === 'FULFILLED' ? order.totalMinor : 0;
    fulfilledMinor += wanted;
    const kept = balanceOf(`seller:${order.saleId}`, mine);
    const inEscrow = balanceOf(`escrow:${order.orderId}`, mine);
    if (kept !== wanted || inEscrow !== 0)
      add('5 money is conserved', `${order.orderId} is ${order.status}: ${kept} of ${order.totalMinor} is kept, ${inEscrow} in escrow`);
    const fromBuyer = -balanceOf(`user:${order.buyerId}`, mine);
    const wantedFromBuyer = order.payment.method === 'balance' ? wanted : 0;
    if (fromBuyer !== wantedFromBuyer)
      add('5 money is conserved', `${order.buyerId} has paid ${fromBuyer} for ${order.orderId}, which is ${order.status}`);
  }
  const difference = sale ? balanceOf(`seller:${sale.saleId}`, movements) - fulfilledMinor : 0;
  if (difference !== 0) add('5 money is conserved', `the seller has ${difference} more than fulfilled orders are worth`);
}

function checkViews({ rows, allEventsHeard }: Quiet, add: Add): void {
  const views = new Map(rows.views.map((view) => [view.orderId, view]));
  for (const { orderId, version, status } of rows.orders) {
    const view = views.get(orderId);
    if (view?.version !== version || view.status !== status) {
      add(
        'answers',
        `${orderId} is ${status} at version ${version}, and lists show ${view ? `${view.status} at ${view.version}` : 'nothing'}`,
      );
    }
  }
  if (!allEventsHeard) return;
  for (const { sku, total } of rows.sale?.items ?? []) {
    const level = rows.levels.find((each) => each.sku === sku);
    const count = (state: string) => rows.units.filter((unit) => unit.sku === sku && unit.state === state).length;
    const counted = [count('HELD'), count('SOLD'), count('RETIRED'), total].join(', ');
    const shown = [level?.held ?? 0, level?.sold ?? 0, level?.retired ?? 0, level?.total].join(', ');
    if (counted !== shown) add('4 stock is conserved', `of ${sku} are held, sold, retired, in all ${counted}; counted by events ${shown}`);
  }
}

/** Each hold ended confirmed or released: what Redis still holds is what orders have, and nothing else. */
function checkHolds(rows: Rows, redis: readonly RedisView[], add: Add): void {
  const owners = new Map<string, OrderRow>();
  for (const order of rows.orders) if (isOwned(order)) owners.set(order.holdId, order);
  for (const { holdId, state, units } of redis.flatMap(({ holds }) => holds)) {
    if (state === 'E' || units.length === 0) continue;
    const owner = owners.get(holdId);
    if (state === 'H' || state === 'K' || !owner) {
      add(
        '3 one end per hold',
        `Redis still has ${units.length} units in ${state === 'K' ? 'a cart' : `a hold of state ${state}`} (${holdId}), whose order is ${owner?.status ?? 'none'}`,
      );
    }
  }
}

const isOwned = (order: OrderRow): boolean => ['HELD', 'SOLD'].includes(wantedState(order) ?? '');

/** As Redis has to know them. */
const termsOf = ({ control, cancellation, perBuyerLimit = 0 }: SaleRow): string =>
  `${cancellation ? 'cancelled' : control}, limit ${perBuyerLimit}`;

/** What each shard says of the sale as a whole, and what none may have once all is at rest. */
function checkShard({ sale }: Rows, view: RedisView, where: string, add: Add): void {
  if (sale && view.version !== sale.version)
    add('4 stock is conserved', `the sale is at version ${sale.version}, Redis at ${view.version}${where}`);
  const [terms, known] = [sale && termsOf(sale), `${view.control}, limit ${view.limit}`];
  if (terms !== undefined && terms !== known) add('4 stock is conserved', `the sale is ${terms}, and in Redis ${known}${where}`);
  for (const suspect of view.suspects) add('4 stock is conserved', `${suspect} is still under suspicion${where}`);
  for (const unit of view.lent) add('4 stock is conserved', `${unit} is still on its way to another shard${where}`);
}

/** Per item: what rows say is somebody's, and what Redis has for sale, are all units, each once: in one shard, where there are several. */
function checkStock(rows: Rows, redis: readonly RedisView[], add: Add): void {
  const { sale, units, seats } = rows;
  const isOne = redis.length === 1;
  const whereOf = (shard: number) => (isOne ? '' : ` (shard ${shard})`);
  for (const [shard, view] of redis.entries()) checkShard(rows, view, whereOf(shard), add);
  const owned = new Set(units.map(({ sku, unit }) => `${sku} ${unit}`));
  for (const { sku, total, seated } of sale?.items ?? []) {
    const all = seated ? [...(seats.get(sku) ?? [])] : Array.from({ length: total }, (_, index) => String(index + 1));
    const left = all.filter((unit) => !owned.has(`${sku} ${unit}`)).length;
    const sellers = new Map<string, number>();
    let counted = 0;
    for (const [shard, view] of redis.entries()) {
      const item = view.items.find((each) => each.sku === sku);
      const forSale = all.filter((unit) => isForSale(view, sku, unit, seated));
      for (const unit of forSale) sellers.set(unit, (sellers.get(unit) ?? 0) + 1);
      const byCounter = (item?.free ?? 0) + (item?.kind === 'c' ? Math.max(0, total - item.next + 1) : 0);
      counted += byCounter;
      if (!isOne && byCounter !== forSale.length)
        add('4 stock is conserved', `of ${sku}, ${forSale.length} units are for sale, and Redis counts ${byCounter}${whereOf(shard)}`);
      if (item?.total !== total) add('4 stock is conserved', `${sku} has ${total} units in all, in Redis ${item?.total}${whereOf(shard)}`);
    }
    for (const unit of all) checkUnit(`${sku} ${unit}`, sellers.get(unit) ?? 0, owned, add);
    if (counted !== left) add('4 stock is conserved', `of ${sku}, ${left} units are left, and Redis counts ${counted}`);
  }
}

function isForSale(view: RedisView, sku: string, unit: string, seated: boolean): boolean {
  if (seated) return view.seats.get(`${sku} ${unit}`) === '';
  const next = view.items.find((each) => each.sku === sku)?.next ?? Number.POSITIVE_INFINITY;
  return view.pool.has(`${sku} ${unit}`) || Number(unit) >= next;
}

function checkUnit(name: string, sellers: number, owned: ReadonlySet<string>, add: Add): void {
  if (sellers > 0 && owned.has(name)) add('4 stock is conserved', `${name} is somebody’s, and for sale in Redis`);
  if (sellers === 0 && !owned.has(name)) add('4 stock is conserved', `${name} is nobody’s, and not for sale in Redis`);
  if (sellers > 1) add('4 stock is conserved', `${name} is for sale in ${sellers} shards`);
}

/** A buyer's used allowance in Redis is that of the buyer's orders, and whatever is the buyer's is in one shard. */
function checkSlots({ allowances, sale }: Rows, redis: readonly RedisView[], add: Add): void {
  const buyersOf = ({ holds, slots }: RedisView) =>
    new Set([...holds.filter(({ state }) => state !== 'E').map(({ buyerId }) => buyerId), ...slots.keys()]);
  const homes = Map.groupBy(
    redis.flatMap((view, shard) => [...buyersOf(view)].map((buyer) => ({ buyer, shard }))),
    ({ buyer }) => buyer,
  );
  for (const [buyer, at] of homes)
    if (at.length > 1) add('4 stock is conserved', `${buyer} is at home in the shards ${at.map(({ shard }) => shard).join(' and ')}`);
  if (sale?.perBuyerLimit === undefined) return;
  const masks = new Map<string, number>();
  for (const { saleBuyer, slot } of allowances) {
    const buyer = saleBuyer.slice(sale.saleId.length + 1);
    masks.set(buyer, (masks.get(buyer) ?? 0) | (1 << (slot - 1)));
  }
  const shownOf = (buyer: string) => redis.reduce((mask, { slots }) => mask | (slots.get(buyer) ?? 0), 0);
  for (const buyer of new Set([...masks.keys(), ...redis.flatMap(({ slots }) => [...slots.keys()])])) {
    const [rows, shown] = [masks.get(buyer) ?? 0, shownOf(buyer)];
    if (rows !== shown) add('4 stock is conserved', `${buyer} uses the slots ${rows.toString(2)}, in Redis ${shown.toString(2)}`);
  }
}
