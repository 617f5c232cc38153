import type { DynamoModel } from './dynamodb/model.ts';
import type { Findings } from './findings.ts';
import { balanceOf, type MovementRow, type OrderRow, ordersById, type Rows, rowsOf, type UnitRow } from './rows.ts';

// What must hold of what is stored at every moment, whatever is under way: each write is one transaction, so there is no moment in between.

/** Every way from one status to the next, DESIGN.md's own words. */
const statusesAfter: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['PENDING', 'RESERVED', 'CONFIRMED', 'REFUNDING', 'FAILED', 'CANCELLED', 'EXPIRED'],
  RESERVED: ['RESERVED', 'CONFIRMED', 'FAILED', 'EXPIRED', 'CANCELLED'],
  CONFIRMED: ['CONFIRMED', 'FULFILLED', 'REFUNDING'],
  FULFILLED: ['FULFILLED', 'REFUNDING'],
  REFUNDING: ['REFUNDING', 'REFUNDED'],
  REFUNDED: ['REFUNDED'],
  // Money that came after these two ends may have bought units after all.
  EXPIRED: ['EXPIRED', 'CONFIRMED'],
  FAILED: ['FAILED', 'CONFIRMED'],
  CANCELLED: ['CANCELLED'],
};
const paymentsAfter: Readonly<Record<string, readonly string[]>> = {
  none: ['none', 'authorised', 'captured', 'declined'],
  authorised: ['authorised', 'captured', 'voided'],
  captured: ['captured', 'refunded'],
  declined: ['declined', 'captured'],
  voided: ['voided'],
  refunded: ['refunded'],
};

/** Whether so many steps lead from one to the other. */
function leads(after: Readonly<Record<string, readonly string[]>>, from: string, to: string, steps: number): boolean {
  let reached = new Set([from]);
  for (let step = 0; step < steps; step++) reached = new Set([...reached].flatMap((each) => after[each] ?? []));
  return reached.has(to);
}

const statesOfOwned: Readonly<Record<string, string>> = { RESERVED: 'HELD', CONFIRMED: 'SOLD', FULFILLED: 'SOLD', REFUNDING: 'SOLD' };

/** What an order's unit rows say; undefined for one that must have none. */
export const wantedState = ({ status, takenBack, items }: OrderRow): string | undefined => {
  if (items.every(({ units }) => units.length === 0)) return undefined;
  const hasRetired = takenBack?.units === 'retire' && (status === 'REFUNDED' || status === 'CANCELLED');
  return hasRetired ? 'RETIRED' : statesOfOwned[status];
};

const unitName = (sku: string, unit: string): string => `${sku} ${unit}`;
const unitsOf = ({ items }: OrderRow): string => items.flatMap(({ sku, units }) => units.map((unit) => unitName(sku, unit))).join(', ');

/** Looks at all that is stored, again and again, and compares it with what was there before. */
export class StateWatch {
  readonly #database: Pick<DynamoModel, 'items'>;
  readonly #findings: Findings;
  readonly #saleId: string;
  #before = new Map<string, OrderRow>();
  #movements = new Map<string, string>();
  #totals = new Map<string, number>();
  #limitMax = 0;
  looks = 0;

  constructor(database: Pick<DynamoModel, 'items'>, findings: Findings, saleId: string) {
    this.#database = database;
    this.#findings = findings;
    this.#saleId = saleId;
  }

  look(): void {
    this.looks++;
    const rows = rowsOf(this.#database, this.#saleId);
    this.#seeOrders(rows);
    checkOwners(rows, this.#findings);
    checkAllowances(rows, this.#findings);
    checkLedger(rows, this.#findings);
    this.#seeMovements(rows.movements);
    this.#seeTotals(rows);
    this.#seeLimit(rows);
  }

  #seeOrders(rows: Rows): void {
    const orders = ordersById(rows);
    for (const [orderId, before] of this.#before) {
      const now = orders.get(orderId);
      if (!now) this.#findings.add('2 nothing acknowledged is lost', `${orderId} was ${before.status} and is gone`);
      else if (now.version !== before.version || now.status !== before.status) this.#seeMove(before, now);
    }
    this.#before = orders;
  }

  #seeMove(before: OrderRow, now: OrderRow): void {
    const steps = now.version - before.version;
    const moved = `${now.orderId} went from ${before.status} and ${before.payment.state} (version ${before.version}) to ${now.status} and ${now.payment.state} (version ${now.version})`;
    if (
      steps < 1 ||
      !leads(statusesAfter, before.status, now.status, steps) ||
      !leads(paymentsAfter, before.payment.state, now.payment.state, steps)
    ) {
      this.#findings.add('3 one end per hold', moved);
    }
    if (before.status === 'FULFILLED' && now.status === 'REFUNDING' && !now.takenBack)
      this.#findings.add('3 one end per hold', `${now.orderId} was handed over, and goes back though no operator takes it back`);
    const identity = ({ saleId, buyerId, totalMinor, currency, strategy }: OrderRow) =>
      [saleId, buyerId, totalMinor, currency, strategy].join(' ');
    if (identity(before) !== identity(now)) this.#findings.add('2 nothing acknowledged is lost', `${now.orderId} is another order now`);
    // Whoever has an order's units has these, until it ends.
    const isOwned = (order: OrderRow) => statesOfOwned[order.status] !== undefined;
    if (isOwned(before) && isOwned(now) && unitsOf(before) !== unitsOf(now))
      this.#findings.add('2 nothing acknowledged is lost', `${now.orderId} had ${unitsOf(before)}, and has ${unitsOf(now)} now`);
  }

  /** What is written in the ledger stays as it is. */
  #seeMovements(movements: readonly MovementRow[]): void {
    const now = new Map(movements.map((each) => [`${each.userId} ${each.entry}`, JSON.stringify(each.entries)]));
    for (const [entry, entries] of this.#movements) {
      if (now.get(entry) !== entries) this.#findings.add('5 money is conserved', `the movement ${entry} was changed`);
    }
    this.#movements = now;
  }

  /** Nobody has more units than the limit ever let anybody have. */
  #seeLimit({ sale, allowances }: Rows): void {
    if (sale?.perBuyerLimit === undefined) return;
    this.#limitMax = Math.max(this.#limitMax, sale.perBuyerLimit);
    for (const [buyer, slots] of Map.groupBy(allowances, ({ saleBuyer }) => saleBuyer)) {
      if (slots.length > this.#limitMax)
        this.#findings.add('1 never oversold', `${buyer} has ${slots.length} units, and the limit was ${this.#limitMax} at most`);
    }
  }

  #seeTotals({ sale }: Rows): void {
    for (const { sku, total } of sale?.items ?? []) {
      if (total < (this.#totals.get(sku) ?? 0)) this.#findings.add('1 never oversold', `the total of ${sku} has shrunk to ${total}`);
      this.#totals.set(sku, total);
    }
  }
}

/** Each unit has one owner, who lists it and may have it; each order that has units has their rows. */
export function checkOwners(rows: Rows, findings: Findings): void {
  const orders = ordersById(rows);
  const owners = new Map<string, UnitRow>();
  for (const row of rows.units) {
    const name = unitName(row.sku, row.unit);
    const other = owners.get(name);
    if (other) findings.add('1 never oversold', `${name} has two rows, of ${other.orderId} and ${row.orderId}`);
    owners.set(name, row);
    if (!isOnSale(row, rows)) findings.add('1 never oversold', `${name} is ${row.orderId}’s, and was never put on sale`);
    const order = orders.get(row.orderId);
    const isListed = order?.items.some(({ sku, units }) => sku === row.sku && units.includes(row.unit)) === true;
    const wanted = order && wantedState(order);
    if (!isListed || wanted !== row.state) {
      findings.add(
        '4 stock is conserved',
        `${name} is ${row.state} for ${row.orderId}, which is ${order?.status ?? 'not there'}${isListed ? '' : ' and does not list it'}`,
      );
    }
  }
  for (const order of rows.orders) {
    if (wantedState(order) === undefined) continue;
    for (const { sku, units } of order.items) {
      for (const unit of units) checkOwned(order, unitName(sku, unit), owners, findings);
    }
  }
}

function checkOwned(order: OrderRow, name: string, owners: ReadonlyMap<string, UnitRow>, findings: Findings): void {
  const owner = owners.get(name)?.orderId;
  if (owner === order.orderId) return;
  if (owner === undefined)
    findings.add('2 nothing acknowledged is lost', `${order.orderId} is ${order.status}, and nobody’s row is of its ${name}`);
  else findings.add('1 never oversold', `${name} was sold to ${order.orderId}, which is ${order.status}, and to ${owner}`);
}

function isOnSale({ sku, unit }: UnitRow, { sale, seats }: Rows): boolean {
  const item = sale?.items.find((each) => each.sku === sku);
  if (!item) return false;
  return item.seated ? seats.get(sku)?.has(unit) === true : /^[1-9]\d*$/.test(unit) && Number(unit) <= item.total;
}

/** Slots of a buyer's allowance are those of orders that have units, as many as units; in a sale without a limit there are none. */
function checkAllowances(rows: Rows, findings: Findings): void {
  const orders = ordersById(rows);
  for (const { saleBuyer, slot, orderId } of rows.allowances) {
    const order = orders.get(orderId);
    const isItsOwn = order?.slots.includes(slot) === true && saleBuyer === `${order.saleId}#${order.buyerId}`;
    if (!isItsOwn || wantedState(order) === undefined)
      findings.add('4 stock is conserved', `slot ${slot} of ${saleBuyer} is ${orderId}’s, which is ${order?.status ?? 'not there'}`);
  }
  const slots = new Set(rows.allowances.map(({ saleBuyer, slot, orderId }) => `${saleBuyer} ${slot} ${orderId}`));
  for (const order of rows.orders) {
    if (wantedState(order) === undefined) continue;
    const units = order.items.reduce((sum, line) => sum + line.units.length, 0);
    const isComplete = order.slots.every((slot) => slots.has(`${order.saleId}#${order.buyerId} ${slot} ${order.orderId}`));
    const isWhole = rows.sale?.perBuyerLimit === undefined ? order.slots.length === 0 : order.slots.length === units;
    if (!isComplete || !isWhole)
      findings.add('4 stock is conserved', `${order.orderId} has ${units} units and the slots ${order.slots.join(', ')}`);
  }
}

/** Entries of one movement sum to zero, accounts are the sum of their entries, and nobody is charged twice for an order. */
export function checkLedger(rows: Rows, findings: Findings): void {
  const { movements, accounts } = rows;
  const byUser = Map.groupBy(movements, ({ userId }) => userId);
  for (const movement of movements) {
    const sum = movement.entries.reduce((total, { amountMinor }) => total + amountMinor, 0);
    if (sum !== 0) findings.add('5 money is conserved', `the entries of ${movement.userId} ${movement.entry} sum to ${sum}`);
  }
  for (const { userId, balanceMinor } of accounts) {
    const byEntries = balanceOf(`user:${userId}`, byUser.get(userId) ?? []);
    if (byEntries !== balanceMinor) findings.add('5 money is conserved', `${userId} has ${balanceMinor}, by entries ${byEntries}`);
    if (balanceMinor < 0) findings.add('5 money is conserved', `${userId} has ${balanceMinor}`);
  }
  const byOrder = Map.groupBy(movements, ({ orderId }) => orderId ?? '');
  for (const order of rows.orders) checkOrderMoney(order, byOrder.get(order.orderId) ?? [], findings);
}

/** What a payment's state says has been moved: to the seller, and into escrow. */
function checkOrderMoney(order: OrderRow, movements: readonly MovementRow[], findings: Findings): void {
  const { orderId, saleId, totalMinor, payment, late } = order;
  const toSeller = balanceOf(`seller:${saleId}`, movements);
  const inEscrow = balanceOf(`escrow:${orderId}`, movements);
  const wantedSeller = payment.state === 'captured' ? totalMinor : 0;
  const wantedEscrow = (payment.state === 'authorised' ? totalMinor : 0) + (late ? totalMinor : 0);
  if (toSeller !== wantedSeller || inEscrow !== wantedEscrow) {
    const what = `${orderId} of ${totalMinor} is ${order.status} and ${payment.state}: the seller has ${toSeller} for it, escrow ${inEscrow}`;
    findings.add('5 money is conserved', what);
  }
  if (order.status === 'FULFILLED' && payment.state !== 'captured')
    findings.add('5 money is conserved', `${orderId} is FULFILLED and ${payment.state}`);
}
