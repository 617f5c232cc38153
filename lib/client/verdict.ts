import type { ProblemCode } from '../../functions/shared/problems.ts';
import { type AuditBody, isAtRest, isSold, type OrderBody } from './contract.ts';

/** What one buyer of the crowd was told in the end. */
export interface Purchase {
  readonly buyerId: string;
  /** `ORDERED`, a problem's code, `HTTP 502` for an answer without one, or `NO_ANSWER`. */
  readonly outcome: 'ORDERED' | 'NO_ANSWER' | ProblemCode | `HTTP ${number}`;
  /** Status of the last answer; 0 when none came. */
  readonly status: number;
  readonly attempts: number;
  /** The order as the 201 gave it. */
  readonly order?: OrderBody;
  /** Of a buyer of seats: those asked for last, all that were refused as taken, and whether seats were free when the buyer gave up. */
  readonly seats?: { readonly asked: readonly string[]; readonly refused: readonly string[]; readonly gaveUp: boolean };
}

/** All that is known once the crowd has gone: what was asked, what each buyer was told, and what the service says it did. */
export interface Evidence {
  readonly sku: string;
  readonly units: number;
  /** The names of the units when they are seats; none when they are counted. */
  readonly seats?: readonly string[];
  readonly quantity: number;
  readonly priceMinor: number;
  readonly purchases: readonly Purchase[];
  /** Every order of the sale, read by an operator after the last one came to rest, or after the wait for it was given up. */
  readonly orders: readonly OrderBody[];
  readonly audit: AuditBody;
}

export interface Finding {
  readonly guarantee: string;
  readonly holds: boolean;
  /** The figures, and the first few offenders. */
  readonly detail: string;
}

const shownMax = 5;

function finding(guarantee: string, offenders: readonly string[], otherwise: string): Finding {
  const more = offenders.length > shownMax ? `, and ${offenders.length - shownMax} more` : '';
  const detail = offenders.length === 0 ? otherwise : offenders.slice(0, shownMax).join('; ') + more;
  return { guarantee, holds: offenders.length === 0, detail };
}

const unitsOf = (order: OrderBody): string[] => order.items.flatMap((line) => line.units);
const quantityOf = (order: OrderBody): number => order.items.reduce((sum, line) => sum + line.quantity, 0);
/** Units that are paid for and somebody's. */
export const unitsSold = (orders: readonly OrderBody[]): number => orders.filter(isSold).reduce((sum, order) => sum + quantityOf(order), 0);

/** An order that is charged before it has units, or that never got any: it names none. */
const hasNoUnits = (order: OrderBody): boolean => !isSold(order) && unitsOf(order).length === 0;

/** An order whose units nobody else may have. */
const ownsUnits = (order: OrderBody): boolean => order.status === 'RESERVED' || order.status === 'REFUNDING' || isSold(order);

function soldOnce({ orders, units, seats = [] }: Evidence): Finding[] {
  const owners = new Map<string, string>();
  const shared: string[] = [];
  for (const order of orders.filter(ownsUnits)) {
    for (const unit of unitsOf(order)) {
      const other = owners.get(unit);
      if (other !== undefined) shared.push(`unit ${unit} is in ${other} and in ${order.orderId}`);
      owners.set(unit, order.orderId);
    }
  }
  const chart = new Set(seats);
  const isSerial = (unit: string) => /^[1-9]\d*$/.test(unit) && Number(unit) <= units;
  const isOnSale = (unit: string) => (chart.size > 0 ? chart.has(unit) : isSerial(unit));
  const strange = orders.flatMap((order) => unitsOf(order).flatMap((unit) => (isOnSale(unit) ? [] : [`unit ${unit} in ${order.orderId}`])));
  const miscounted = orders.flatMap((order) =>
    order.items.flatMap((line) =>
      line.units.length === line.quantity || hasNoUnits(order)
        ? []
        : [`${order.orderId} has ${line.units.length} units for a quantity of ${line.quantity}`],
    ),
  );
  return [
    finding('no unit is sold twice', shared, `${owners.size} units, each in one order`),
    finding('every unit sold was on sale', strange, chart.size > 0 ? `all of the ${chart.size} seats` : `all of 1 to ${units}`),
    finding('an order has as many units as it asked for', miscounted, `${orders.length} orders`),
  ];
}

function neverOversold({ orders, units, sku, audit }: Evidence): Finding[] {
  const item = audit.items.find((line) => line.sku === sku);
  const sold = unitsSold(orders);
  const auditSold = item?.sold ?? Number.NaN;
  const tooMany = [
    ...(sold > units ? [`orders hold ${sold} sold units of ${units}`] : []),
    ...(auditSold > units ? [`the audit counts ${auditSold} sold units of ${units}`] : []),
  ];
  return [
    finding('never more units sold than there were', tooMany, `${sold} of ${units}`),
    finding(
      'orders and audit agree on what was sold',
      auditSold === sold ? [] : [`orders: ${sold} units, audit: ${item ? auditSold : 'does not know the item'}`],
      `${sold} units`,
    ),
  ];
}

function winnersKept({ purchases, orders }: Evidence): Finding[] {
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const lost: string[] = [];
  const changed: string[] = [];
  for (const { buyerId, order } of purchases) {
    if (!order) continue;
    const now = byId.get(order.orderId);
    if (!now) lost.push(`${order.orderId} of ${buyerId}`);
    else if (!hasNoUnits(order) && unitsOf(now).join() !== unitsOf(order).join())
      changed.push(`${order.orderId}: was told ${unitsOf(order).join('+')}, has ${unitsOf(now).join('+')}`);
  }
  const open = orders.flatMap((order) => (isAtRest(order) ? [] : [`${order.orderId} is still ${order.status}`]));
  const ordersOf = new Map<string, number>();
  for (const order of orders) ordersOf.set(order.buyerId, (ordersOf.get(order.buyerId) ?? 0) + 1);
  const twice = [...ordersOf].flatMap(([buyerId, count]) => (count > 1 ? [`${buyerId} asked once and has ${count} orders`] : []));
  const winners = purchases.filter(({ order }) => order).length;
  return [
    finding('every order that a buyer was told about exists', lost, `${winners} orders`),
    finding('an order keeps the units that its buyer was told', changed, `${winners} orders`),
    finding('one order for one request', twice, `${orders.length} orders`),
    finding('every order has ended', open, `${orders.length} orders`),
  ];
}

function nobodyTurnedAway({ purchases, orders, units, quantity }: Evidence): Finding[] {
  const sold = unitsSold(orders);
  // Who gave up while seats were free was not turned away, only unlucky with each pick.
  const atTheDoor = purchases.filter(({ order, seats }) => !order && !seats?.gaveUp).length;
  const taken = new Set(orders.filter(isSold).flatMap(unitsOf));
  const wishes = new Map(purchases.flatMap(({ order, seats }) => (order && seats ? [[order.orderId, seats.asked] as const] : [])));
  // An order that was charged first and wanted a seat that somebody has is no better off for the seats that nobody wanted.
  const cameTooLate = ({ orderId }: OrderBody) => wishes.get(orderId)?.some((seat) => taken.has(seat)) ?? false;
  const refused = atTheDoor + orders.filter((order) => order.failure === 'OUT_OF_STOCK' && !cameTooLate(order)).length;
  const wasted = refused > 0 && units - sold >= quantity;
  const unsettled = purchases.flatMap(({ buyerId, outcome, status, attempts }) =>
    status === 0 || status >= 500 ? [`${buyerId}: ${outcome} after ${attempts} attempts`] : [],
  );
  return [
    finding(
      'nobody is refused while units are left',
      wasted ? [`${refused} buyers refused, ${units - sold} units left`] : [],
      `${units - sold} of ${units} units left`,
    ),
    finding('every buyer got an outcome', unsettled, `${purchases.length} buyers`),
  ];
}

/** What is promised of seats alone. */
function seatsAsAsked({ purchases, orders, seats = [] }: Evidence): Finding[] {
  if (seats.length === 0) return [];
  const owned = new Set(orders.flatMap(unitsOf));
  const byId = new Map(orders.map((order) => [order.orderId, order]));
  const others: string[] = [];
  const free: string[] = [];
  for (const { buyerId, order, seats: wish } of purchases) {
    // Those of an order that was charged first came later than its answer, or never.
    const now = order && hasNoUnits(order) ? byId.get(order.orderId) : order;
    const [got, asked] = [now && unitsOf(now).toSorted().join('+'), wish?.asked.toSorted().join('+')];
    if (now && !hasNoUnits(now) && got !== asked) others.push(`${buyerId} asked for ${asked} and has ${got}`);
    for (const seat of wish?.refused ?? [])
      if (!owned.has(seat)) free.push(`${buyerId} was told that ${seat} is taken, and no order has it`);
  }
  const refusals = purchases.reduce((sum, { seats: wish }) => sum + (wish?.refused.length ?? 0), 0);
  return [
    finding('a buyer gets the very seats asked for', others, `${purchases.length} buyers`),
    finding('no seat is refused that nobody has', free, `${refusals} refusals of a seat`),
  ];
}

function booksBalance({ audit, sku, units, priceMinor, orders }: Evidence): Finding[] {
  const item = audit.items.find((line) => line.sku === sku);
  const sold = unitsSold(orders);
  const { money } = audit;
  const adds = item !== undefined && item.total === units && item.available + item.held + item.sold + item.retired === units;
  return [
    finding(
      'stock is conserved',
      item?.conserved && adds ? [] : [`audit: ${JSON.stringify(item ?? null)}`],
      'available + held + sold + retired = total, and every unit has its order',
    ),
    finding(
      'Redis agrees with the database',
      audit.redis.agrees ? [] : [`drift: ${JSON.stringify(audit.redis.drift).slice(0, 400)}`],
      'no drift',
    ),
    finding('money is conserved', money.balanced ? [] : [`audit: ${JSON.stringify(money)}`], 'every account equals its entries'),
    finding(
      'what was taken is the price of what was sold',
      money.capturedMinor - money.refundedMinor === sold * priceMinor
        ? []
        : [`captured ${money.capturedMinor}, refunded ${money.refundedMinor}, sold ${sold} × ${priceMinor} = ${sold * priceMinor}`],
      `${sold} × ${priceMinor} = ${sold * priceMinor}`,
    ),
  ];
}

/** Every guarantee, kept or broken. Pure: the same evidence gives the same findings. */
export function verdictOf(evidence: Evidence): Finding[] {
  return [neverOversold, soldOnce, seatsAsAsked, winnersKept, nobodyTurnedAway, booksBalance].flatMap((rule) => rule(evidence));
}

export const isClean = (findings: readonly Finding[]): boolean => findings.every(({ holds }) => holds);
