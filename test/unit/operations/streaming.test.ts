import { DeleteCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LargeSale, largeSale, largeSaleRows, type Row } from '../../../bench/large-sale.rows.ts';
import { writeRows } from '../../../bench/seed.ts';
import { movementEntryOf } from '../../../functions/accounts/account.writes.ts';
import { type AuditResult, SaleAudit } from '../../../functions/operations/audit.model.ts';
import { auditRepository } from '../../../functions/operations/audit.repository.ts';
import { ledgerRepository, type ScanBounds } from '../../../functions/operations/ledger.repository.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { startTables, tableNames } from '../../support/database.ts';

type Tables = Awaited<ReturnType<typeof startTables>>;

const plan: LargeSale = { saleId: 'large', units: 5_000, sold: 4_000, unitsPerOrder: 2, nowMs: 1_800_000_000_000 };
const ordersCount = plan.sold / plan.unitsPerOrder;
const counted = largeSale(plan);
const [item] = counted.items;
if (!item) throw new Error('the sale has no item');
const sale: Sale = { ...counted, seatChunks: 1, items: [item, { ...item, sku: 'hall', total: 2, seated: true }] };
const seats = new Map([['hall', ['A-1', 'A-2']]]);

/** Users that bought nothing here: some with a single row, so that pages begin anywhere in a user's rows. */
const strangers = Array.from({ length: 900 }, (_, index) => (index % 2 ? 'a' : 'z') + index);

let tables: Tables;
let sold: readonly Row[];
beforeAll(async () => {
  tables = await startTables();
  sold = [...largeSaleRows(plan)];
  const others = strangers.map((userId): Row => {
    const account = { userId, entry: 'account', currency: 'EUR', balanceMinor: 0, version: 1, createdAtMs: 1 };
    return { table: 'accounts', item: account };
  });
  await writeRows(tables.endpoint, (table) => table, [...others, ...sold].values());
});
afterAll(() => tables.stop());

const never = Number.MAX_SAFE_INTEGER;
/** How buyers' ledgers are read. */
const ways: Readonly<Record<string, ScanBounds>> = {
  'a query for each buyer': { usersMin: never, rowsBehindMax: 0 },
  'one scan': { usersMin: 0, rowsBehindMax: never },
  'a scan that is given up at its first page, and queries': { usersMin: 0, rowsBehindMax: -never },
};

async function auditBy(bounds: ScanBounds): Promise<{ result: AuditResult; ledgers: readonly string[] }> {
  const audit = new SaleAudit(sale, seats);
  const rows = auditRepository(tables.database, tableNames);
  const ledgers: string[] = [];
  await rows.units(sale, (row) => audit.seeUnit(row));
  await rows.orders(sale.saleId, audit.owners, (order) => audit.seeOrder(order));
  await ledgerRepository(tables.database, tableNames.accounts, bounds).ofUsers(audit.buyers, (ledger) => {
    ledgers.push(ledger.userId);
    audit.seeLedger(ledger);
  });
  return { result: audit.conclude('not-loaded'), ledgers };
}

const soldMinor = plan.sold * item.priceMinor;

describe.each(Object.entries(ways))('an audit of some thousand orders, its ledgers by %s', (_, bounds) => {
  it('sees each buyer once, whatever else the table has, and comes to the figures that were sold', async () => {
    const { result, ledgers } = await auditBy(bounds);
    expect(ledgers).toHaveLength(ordersCount);
    expect(new Set(ledgers).size).toBe(ordersCount);
    expect(result).toMatchObject({
      items: [
        { sku: item.sku, total: plan.units, available: plan.units - plan.sold, held: 0, sold: plan.sold, retired: 0 },
        { sku: 'hall', total: 2, available: 2, held: 0, sold: 0, retired: 0 },
      ],
      money: { authorisedMinor: 0, capturedMinor: soldMinor, fulfilledMinor: soldMinor, refundedMinor: 0, balanced: true },
      findings: { count: 0 },
    });
  });

  it('sees a buyer who has no account as one who has nothing', async () => {
    const seen: unknown[] = [];
    const repository = ledgerRepository(tables.database, tableNames.accounts, bounds);
    await repository.ofUsers(new Set(['nobody']), (ledger) => seen.push(ledger));
    expect(seen).toEqual([{ userId: 'nobody', movements: [] }]);
  });
});

describe('an audit of some thousand orders, in which much is wrong', () => {
  const orderOf = (index: number) => {
    const row = sold.filter(({ table }) => table === 'orders')[index];
    return row?.item as { orderId: string; buyerId: string; items: { units: string[] }[] };
  };
  const rowKey = (sku: string, unit: string) => ({ bucket: unitBucket(sale.saleId, sku, unit), unit });
  const unitOf = (index: number) => rowKey(item.sku, orderOf(index).items[0]?.units[0] ?? '');
  const set = (TableName: string, Key: Record<string, unknown>, name: string, value: unknown) =>
    tables.database.send(
      new UpdateCommand({
        TableName,
        Key,
        UpdateExpression: 'SET #name = :value',
        ExpressionAttributeNames: { '#name': name },
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  const putUnit = (sku: string, unit: string, orderId: string) =>
    tables.database.send(new PutCommand({ TableName: 'units', Item: { ...rowKey(sku, unit), sku, orderId, state: 'SOLD' } }));

  beforeAll(async () => {
    const { database } = tables;
    await putUnit(item.sku, '4999', 'ord_nobody');
    await putUnit('hall', 'Z-9', orderOf(0).orderId);
    await database.send(new DeleteCommand({ TableName: 'units', Key: unitOf(10) }));
    await set('units', unitOf(20), 'state', 'HELD');
    await set('units', unitOf(30), 'state', 'RETIRED');
    await set('accounts', { userId: orderOf(40).buyerId, entry: 'account' }, 'balanceMinor', 1);
    const capture = { userId: orderOf(50).buyerId, entry: movementEntryOf('capture', orderOf(50).orderId) };
    await database.send(new DeleteCommand({ TableName: 'accounts', Key: capture }));
  });

  it.each(Object.entries(ways))('finds every fault by %s', async (_, bounds) => {
    const { result } = await auditBy(bounds);
    const ordersWorth = (orders: number) => orders * plan.unitsPerOrder * item.priceMinor;
    expect([...result.findings.shown].sort()).toEqual(
      [
        `${item.sku} 4999 belongs to ord_nobody, which is not an order of this sale`,
        'hall Z-9 was never put on sale',
        `hall Z-9 belongs to ${orderOf(0).orderId}, which does not list it`,
        `${orderOf(10).orderId} is FULFILLED and lists ${item.sku} ${unitOf(10).unit}, whose row it does not have`,
        `${item.sku} ${unitOf(20).unit} is HELD, and its order ${orderOf(20).orderId} is FULFILLED`,
        `${item.sku} ${unitOf(30).unit} is RETIRED, and its order ${orderOf(30).orderId} is FULFILLED`,
        `${orderOf(40).buyerId} has 1, by entries 0`,
        `${orderOf(50).orderId} has the movements authorise, and its payment is captured`,
        `${orderOf(50).orderId} has ${ordersWorth(1)} in escrow, and its payment is captured`,
        `captured: ${ordersWorth(ordersCount - 1)} by the ledger, ${ordersWorth(ordersCount)} by the orders`,
        `authorised: ${ordersWorth(1)} by the ledger, 0 by the orders`,
      ].sort(),
    );
    expect(result).toMatchObject({ items: [{ retired: 1, conserved: false }, { conserved: false }], money: { balanced: false } });
  });
});
