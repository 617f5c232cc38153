import { type AuditBody, isSold, type OrderBody } from '../../lib/client/contract.ts';
import { type Finding, unitsSold, verdictOf } from '../../lib/client/verdict.ts';
import type { RedisView } from '../simulation/redis-view.ts';
import { balanceOf, ordersById, type Rows } from '../simulation/rows.ts';
import type { Told } from './shoppers.ts';

/** All that is known of a sale once it is quiet. */
export interface Evidence {
  readonly saleId: string;
  readonly sku: string;
  readonly units: number;
  readonly seats: readonly string[];
  readonly priceMinor: number;
  /** What each buyer's account had at the beginning. */
  readonly fundedMinor: number;
  readonly told: readonly Told[];
  readonly orders: readonly OrderBody[];
  readonly audit: AuditBody;
  readonly rows: Rows;
  readonly redis: RedisView | undefined;
  /** Requests that were answered with an order, sent again: what did not come out the same. */
  readonly changedReplays: readonly string[];
}

/** What the run's last lines add up, each of them 0 where all is well. */
export interface Tally {
  readonly sold: number;
  readonly oversold: number;
  readonly lost: number;
  readonly duplicates: number;
  /** Minor units by which accounts and entries differ from what was bought. */
  readonly ledgerDifference: number;
}

export interface Verdict {
  readonly findings: readonly Finding[];
  readonly tally: Tally;
}

const shownMax = 8;

function finding(guarantee: string, offenders: readonly string[]): Finding {
  const more = offenders.length > shownMax ? `, and ${offenders.length - shownMax} more` : '';
  return { guarantee, holds: offenders.length === 0, detail: offenders.slice(0, shownMax).join('; ') + more };
}

/**
 * What the crowd's verdict says of crowds that only buy: here units come back all the time, money that comes late gives an order other units,
 * and a seat may be refused for a cart or a hold that came to nothing.
 */
const saidOtherwise = new Set([
  'nobody is refused while units are left',
  'no seat is refused that nobody has',
  'a buyer gets the very seats asked for',
  'an order keeps the units that its buyer was told',
]);

/** Every guarantee, kept or broken, and the figures. */
export function judge(evidence: Evidence): Verdict {
  const { sku, units, seats, priceMinor, told, orders, audit } = evidence;
  const crowd = verdictOf({ sku, units, seats, priceMinor, quantity: 1, purchases: told, orders, audit });
  const promises = promisesKept(evidence);
  const rowsAgree = rowFindings(evidence);
  const redis = redisFindings(evidence);
  const money = moneyOf(evidence);
  const ordersOf = countBy(evidence.rows.orders.map(({ buyerId }) => buyerId));
  const twice = [...ordersOf].filter(([, count]) => count > 1).map(([buyerId, count]) => `${buyerId} has ${count} orders`);
  const findings = [
    ...crowd.filter(({ guarantee }) => !saidOtherwise.has(guarantee)),
    ...promises,
    ...rowsAgree.findings,
    ...redis,
    finding('one order for one request, by the rows', twice),
    finding('everybody paid for what they have, once', money.offenders),
    finding('an answer is repeated as it was given', evidence.changedReplays),
  ];
  return {
    findings,
    tally: {
      sold: unitsSold(orders),
      oversold: Math.max(0, rowsAgree.owned - units) + rowsAgree.sharedUnits,
      lost: promises.reduce((sum, { holds }) => sum + Number(!holds), 0),
      duplicates: twice.length,
      ledgerDifference: money.differenceMinor,
    },
  };
}

const countBy = (names: readonly string[]): Map<string, number> => {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
};

const unitsOf = (order: { items: readonly { units: readonly string[] }[] }): string[] => order.items.flatMap(({ units }) => units);
const expected = new Set<string>(['ORDERED', 'SOLD_OUT', 'SEAT_TAKEN', 'CART_EXPIRED']);

/** What was acknowledged, against what is stored. */
function promisesKept({ told, rows, saleId }: Evidence): Finding[] {
  const stored = ordersById(rows);
  const received = new Set(
    rows.movements.flatMap(({ kind, paymentId }) => (kind === 'receive' && paymentId !== undefined ? [paymentId] : [])),
  );
  const lost: string[] = [];
  const changed: string[] = [];
  const undone: string[] = [];
  const unpaid: string[] = [];
  for (const { order, ended, paid, buyerId, manner } of told) {
    if (!order) continue;
    const now = stored.get(order.orderId);
    if (!now || now.saleId !== saleId || now.buyerId !== buyerId) {
      lost.push(`${order.orderId} of ${buyerId}`);
      continue;
    }
    const first = unitsOf(order);
    const isPaidOutside = manner.startsWith('external');
    if (first.length > 0 && !isPaidOutside && unitsOf(now).join() !== first.join())
      changed.push(`${order.orderId}: was told ${first.join('+')}, has ${unitsOf(now).join('+')}`);
    if (ended !== undefined && !['CANCELLED', 'REFUNDED', 'EXPIRED', 'FAILED'].includes(now.status))
      undone.push(`${order.orderId} was ${ended} and is ${now.status}`);
    for (const paymentId of paid) if (!received.has(paymentId)) unpaid.push(`${paymentId} was taken and is in no book`);
  }
  const strange = told
    .filter(({ outcome }) => !expected.has(outcome))
    .map(({ buyerId, outcome, manner }) => `${buyerId} (${manner}): ${outcome}`);
  return [
    finding('every order that was acknowledged is stored', lost),
    finding('an order keeps the units that were acknowledged', changed),
    finding('a cancellation or refund that was acknowledged stays', undone),
    finding('a payment that was acknowledged is in the books', unpaid),
    finding('nobody is refused but for want of units', strange),
  ];
}

const ownsUnits = new Set(['RESERVED', 'CONFIRMED', 'FULFILLED', 'REFUNDING']);

/** Unit rows and orders against each other, and against what was for sale. */
function rowFindings({ rows, units, seats, sku }: Evidence) {
  const stored = ordersById(rows);
  const chart = new Set(seats);
  const isOnSale = (unit: string) => (chart.size > 0 ? chart.has(unit) : /^[1-9]\d*$/.test(unit) && Number(unit) <= units);
  const orphans: string[] = [];
  const owners = new Map<string, string>();
  for (const row of rows.units) {
    const order = stored.get(row.orderId);
    const isRetired = row.state === 'RETIRED' && order?.status === 'REFUNDED';
    const isOwned = order && unitsOf(order).includes(row.unit) && (ownsUnits.has(order.status) || isRetired);
    if (!isOwned) orphans.push(`unit ${row.unit} (${row.state}) of ${row.orderId}, which is ${order?.status ?? 'not there'}`);
    if (!isOnSale(row.unit) || row.sku !== sku) orphans.push(`unit ${row.unit} was never for sale`);
    owners.set(row.unit, row.orderId);
  }
  const missing: string[] = [];
  const shared: string[] = [];
  const claimed = new Map<string, string>();
  for (const order of rows.orders) {
    if (!ownsUnits.has(order.status)) continue;
    for (const unit of unitsOf(order)) {
      if (owners.get(unit) !== order.orderId) missing.push(`${order.orderId} has no row for its unit ${unit}`);
      const other = claimed.get(unit);
      if (other !== undefined) shared.push(`unit ${unit} is in ${other} and in ${order.orderId}`);
      claimed.set(unit, order.orderId);
    }
  }
  const slotsLeft = rows.allowances.flatMap(({ saleBuyer, slot, orderId }) => {
    const order = stored.get(orderId);
    const isKept = order && (ownsUnits.has(order.status) || order.takenBack?.units === 'retire');
    return isKept ? [] : [`slot ${slot} of ${saleBuyer} for ${orderId}, which is ${order?.status ?? 'not there'}`];
  });
  return {
    owned: rows.units.length,
    sharedUnits: shared.length,
    findings: [
      finding('a unit row belongs to an order that has the unit', orphans),
      finding('an order has the rows of its units', missing),
      finding('no unit is in two orders, by the rows', shared),
      finding('nothing of a buyer’s allowance is left to an ended order', slotsLeft),
    ],
  };
}

/** Redis, once quiet, says what the rows say. */
function redisFindings({ redis, rows, units, seats }: Evidence): Finding[] {
  if (!redis) return [finding('Redis has the sale', ['it does not'])];
  const free = redis.items.reduce((sum, { kind, total, next, free: back }) => sum + (kind === 's' ? back : total - next + 1 + back), 0);
  const left = units - rows.units.length;
  const owned = new Set(rows.units.filter(({ state }) => state !== 'RETIRED').map(({ unit }) => unit));
  const held = redis.holds.filter(({ state }) => state === 'H' || state === 'A' || state === 'C' || state === 'K');
  const strange = held.flatMap(({ holdId, state, units: its }) =>
    its.flatMap(({ unit }) => (owned.has(unit) ? [] : [`hold ${holdId} (${state}) has unit ${unit}, and no order does`])),
  );
  const seatsFree = [...redis.seats].filter(([, owner]) => owner === '').length;
  return [
    finding('Redis has as many free units as have no row', free === left ? [] : [`free ${free}, without a row ${left}`]),
    finding('a hold that is left has an order’s units', strange),
    finding(
      'as many seats are free in Redis as have no row',
      seats.length === 0 || seatsFree === left ? [] : [`free ${seatsFree}, without a row ${left}`],
    ),
    finding('nothing is under suspicion any more', redis.suspects.size === 0 ? [] : [[...redis.suspects].join()]),
  ];
}

/** Each account against what its owner has, each movement against zero, each escrow against nothing. */
function moneyOf({ rows, orders, saleId, fundedMinor, priceMinor }: Evidence): { offenders: string[]; differenceMinor: number } {
  const offenders: string[] = [];
  let differenceMinor = 0;
  const compare = (what: string, isMinor: number, shouldMinor: number) => {
    if (isMinor === shouldMinor) return;
    differenceMinor += Math.abs(isMinor - shouldMinor);
    offenders.push(`${what}: ${isMinor} in place of ${shouldMinor}`);
  };
  const sold = orders.filter(isSold);
  const spent = new Map<string, number>();
  for (const { buyerId, totalMinor, payment } of sold)
    if (payment.method === 'balance') spent.set(buyerId, (spent.get(buyerId) ?? 0) + totalMinor);
  for (const { userId, balanceMinor } of rows.accounts) {
    compare(`the balance of ${userId}`, balanceMinor, fundedMinor - (spent.get(userId) ?? 0));
    compare(`the entries of ${userId}`, balanceOf(`user:${userId}`, rows.movements), balanceMinor);
  }
  for (const { entry, entries } of rows.movements)
    compare(
      `the movement ${entry}`,
      entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0),
      0,
    );
  for (const { orderId } of rows.orders) compare(`the escrow of ${orderId}`, balanceOf(`escrow:${orderId}`, rows.movements), 0);
  compare('the seller', balanceOf(`seller:${saleId}`, rows.movements), unitsSold(orders) * priceMinor);
  return { offenders, differenceMinor };
}
