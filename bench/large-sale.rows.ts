import { createHash } from 'node:crypto';
import { type Account, bankAccount, transfer, userAccount } from '../functions/accounts/account.model.ts';
import { movementEntryOf, movementWrites, openAccountWrite, putMovement } from '../functions/accounts/account.writes.ts';
import { issueTickets } from '../functions/fulfilment/ticket.model.ts';
import type { Order } from '../functions/orders/order.model.ts';
import { claimWrites } from '../functions/orders/order.writes.ts';
import type { Sale } from '../functions/sales/sale.model.ts';
import type { Write } from '../functions/shared/dynamo.ts';
import { orderIdOf } from '../functions/shared/ids.ts';
import type { TableName } from '../functions/shared/tables.ts';
import type { UnitState } from '../functions/stock/stock.model.ts';

/** A sale of one item, so much of it sold to buyers with one order each, who have their tickets. */
export interface LargeSale {
  readonly saleId: string;
  readonly units: number;
  readonly sold: number;
  readonly unitsPerOrder: number;
  readonly nowMs: number;
}

export interface Row {
  readonly table: TableName;
  readonly item: Readonly<Record<string, unknown>>;
}

const sku = 'seat-free';
const currency = 'EUR';
const priceMinor = 2_500;
const unitsPerBuyerMax = 20;

/** The names by which the rows' writes are made: each table bears its own until the rows are written. */
const tables = {
  orders: 'orders',
  outbox: { table: 'outbox', mode: 'stream' },
  units: 'units',
  allowances: 'allowances',
  accounts: 'accounts',
} as const;

export function largeSale({ saleId, units, nowMs }: LargeSale): Sale {
  return {
    saleId,
    name: 'A sale of the bench',
    opensAtMs: nowMs - 3_600_000,
    closesAtMs: nowMs + 3_600_000,
    strategy: 'reserve-first',
    holdSeconds: 300,
    perBuyerLimit: unitsPerBuyerMax,
    control: 'open',
    version: 1,
    epoch: 1,
    currency,
    items: [{ sku, name: 'A place', priceMinor, currency, total: units, seated: false }],
    createdAtMs: nowMs - 7_200_000,
  };
}

/** Every row that the sale's history leaves in the tables that an audit or a rebuild reads, as the repositories write them. */
export function* largeSaleRows(plan: LargeSale): Generator<Row> {
  for (let first = 1, index = 0; first <= plan.sold; first += plan.unitsPerOrder, index++) {
    yield* rowsOfOrder(fulfilledOrder(plan, index, first, Math.min(first + plan.unitsPerOrder - 1, plan.sold)));
  }
}

const idOf = (text: string) => createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url');

function fulfilledOrder({ saleId, nowMs }: LargeSale, index: number, first: number, last: number): Order {
  const holdId = idOf(`${saleId} hold ${index}`);
  const units = Array.from({ length: last - first + 1 }, (_, offset) => String(first + offset));
  const atMs = nowMs - 1_800_000 + index;
  const order: Order = {
    orderId: orderIdOf(holdId),
    holdId,
    saleId,
    buyerId: `buyer-of-${saleId}-${index}`,
    strategy: 'reserve-first',
    status: 'FULFILLED',
    version: 5,
    items: [{ sku, quantity: units.length, units, priceMinor }],
    slots: units.map((_, slot) => slot + 1),
    totalMinor: units.length * priceMinor,
    currency,
    payment: { method: 'balance', state: 'captured' },
    stock: 'held',
    payloadHash: idOf('payload'),
    bornUs: atMs * 1_000,
    holdExpiresAtMs: atMs + 300_000,
    createdAtMs: atMs,
    updatedAtMs: atMs + 1_000,
  };
  return { ...order, tickets: issueTickets(order, 'a secret of the bench') };
}

/** The order with its units and slots, its buyer's account as it was opened and charged, and the movements behind its balance. */
function* rowsOfOrder(order: Order): Generator<Row> {
  const { buyerId: userId, createdAtMs: atMs, totalMinor } = order;
  const opened: Account = { userId, currency, balanceMinor: totalMinor, version: 1, createdAtMs: atMs };
  const opening = { kind: 'opening' as const, currency, atMs, entries: transfer(bankAccount, userAccount(userId), totalMinor) };
  const writes = [
    ...claimWrites(order, { next: order, events: [] }, tables).writes,
    openAccountWrite({ ...opened, balanceMinor: 0, version: 2 }, tables.accounts),
    putMovement(userId, movementEntryOf('opening', 'first'), opening, tables.accounts),
    ...movementWrites('authorise', order, atMs, tables.accounts),
    ...movementWrites('capture', order, atMs, tables.accounts),
  ];
  for (const row of writes.map(rowPut)) {
    if (row?.table === 'units') yield { ...row, item: { ...row.item, state: 'SOLD' satisfies UnitState } };
    // Nothing is to be published, and no consumer is to be kept busy.
    else if (row && row.table !== 'outbox') yield row;
  }
}

const rowPut = ({ Put: put }: Write): Row | undefined => (put ? { table: put.TableName as TableName, item: put.Item ?? {} } : undefined);
