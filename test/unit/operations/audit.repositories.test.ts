import { PutCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { AuditedOrder } from '../../../functions/operations/audit.model.ts';
import { auditRepository } from '../../../functions/operations/audit.repository.ts';
import { ledgerRepository, type ScanBounds } from '../../../functions/operations/ledger.repository.ts';
import type { Ledger } from '../../../functions/operations/money-audit.model.ts';
import { orderHistories } from '../../../functions/operations/timeline.repository.ts';
import type { UnitRow } from '../../../functions/operations/unit-audit.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { ReadIncomplete } from '../../../functions/shared/reads.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { startTables, tableNames } from '../../support/database.ts';
import { anOrder } from '../../support/orders.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => {
  expect(reads.weak()).toStrictEqual([]);
  vi.clearAllMocks();
});

const put = (TableName: string, Item: object) => tables.database.send(new PutCommand({ TableName, Item: { ...Item } }));

describe('what an audit reads of a sale', () => {
  const audit = () => auditRepository(tables.database, tableNames);

  it('is each unit’s row, over all items and partitions, and nothing of another sale', async () => {
    const sale = { saleId: 's1', items: [{ sku: 'tee' }, { sku: 'hall' }] } as unknown as Sale;
    const row = (saleId: string, sku: string, unit: string) => ({
      sku,
      unit,
      orderId: 'o',
      state: 'HELD',
      bucket: unitBucket(saleId, sku, unit),
    });
    for (const each of [row('s1', 'tee', '1'), row('s1', 'tee', '66'), row('s1', 'hall', 'A-1'), row('s2', 'tee', '1')])
      await put('units', { ...each, buyerId: 'ada', atMs: 1 });
    const seen: UnitRow[] = [];
    await audit().units(sale, (each) => seen.push(each));
    expect(seen.toSorted((a, b) => (a.unit < b.unit ? -1 : 1))).toStrictEqual([
      { sku: 'tee', unit: '1', orderId: 'o', state: 'HELD' },
      { sku: 'tee', unit: '66', orderId: 'o', state: 'HELD' },
      { sku: 'hall', unit: 'A-1', orderId: 'o', state: 'HELD' },
    ]);
  });

  it('is each order once, by the index or by name, without tombstones and orders of other sales', async () => {
    const order = (orderId: string, changes: object = {}) => ({
      ...anOrder(),
      orderId,
      saleId: 's3',
      saleShard: 's3#5',
      listKey: orderId,
      ...changes,
    });
    const { saleShard: _s, listKey: _l, ...unindexed } = order('named');
    for (const each of [
      order('indexed', { takenBack: { reason: 'x', units: 'free' }, late: { paymentId: 'p' } }),
      unindexed,
      order('elsewhere', { saleId: 's4' }),
      order('dead', { tombstone: true }),
      ...Array.from({ length: 120 }, (_, index) => order(`many-${index}`, { saleShard: `s3#${index % 16}` })),
    ])
      await put('orders', each);
    const seen: AuditedOrder[] = [];
    await audit().orders('s3', new Set(['named', 'indexed', 'elsewhere', 'dead', 'nobody']), (each) => seen.push(each));
    expect(seen.map(({ orderId }) => orderId).toSorted()).toStrictEqual(
      ['indexed', 'named', ...Array.from({ length: 120 }, (_, index) => `many-${index}`)].toSorted(),
    );
    const { buyerId, status, items, totalMinor, currency, payment } = anOrder();
    expect(seen.find(({ orderId }) => orderId === 'indexed')).toStrictEqual({
      orderId: 'indexed',
      saleId: 's3',
      buyerId,
      status,
      items,
      totalMinor,
      currency,
      payment,
      takenBack: { reason: 'x', units: 'free' },
      late: { paymentId: 'p' },
    });
  });
});

describe('the ledgers of users', () => {
  const never = Number.MAX_SAFE_INTEGER;
  const wanted = new Set(['ada', 'bob', 'nobody']);
  const movement = (userId: string, entry: string) => ({
    userId,
    entry: `movement#${entry}`,
    kind: 'credit',
    currency: 'EUR',
    entries: [],
  });
  beforeAll(async () => {
    for (const userId of ['ada', 'bob', 'eve'])
      await put('accounts', { userId, entry: 'account', balanceMinor: 5, currency: 'EUR', version: 1, createdAtMs: 1 });
    for (const row of [movement('ada', '1'), movement('ada', '2'), movement('eve', '1'), { ...movement('bob', ''), entry: 'note#1' }])
      await put('accounts', row);
  });
  const account = (userId: string) => ({ userId, entry: 'account', balanceMinor: 5, currency: 'EUR' });
  const ledgers: readonly Ledger[] = [
    { userId: 'ada', account: account('ada'), movements: [movement('ada', '1'), movement('ada', '2')] },
    { userId: 'bob', account: account('bob'), movements: [] },
    { userId: 'nobody', movements: [] },
  ] as unknown as Ledger[];
  async function seenBy(bounds?: ScanBounds) {
    const seen: Ledger[] = [];
    const sent = vi.spyOn(tables.database, 'send').mockClear();
    await ledgerRepository(tables.database, 'accounts', bounds).ofUsers(wanted, (ledger) => seen.push(ledger));
    const count = (kind: typeof ScanCommand | typeof QueryCommand) => sent.mock.calls.filter(([command]) => command instanceof kind).length;
    return { seen: seen.toSorted((a, b) => (a.userId < b.userId ? -1 : 1)), scans: count(ScanCommand), queries: count(QueryCommand) };
  }

  it('are queried one by one where they are few', async () => {
    expect(await seenBy()).toStrictEqual({ seen: ledgers, scans: 0, queries: 3 });
    expect(await seenBy({ usersMin: 4, rowsBehindMax: never })).toStrictEqual({ seen: ledgers, scans: 0, queries: 3 });
  });

  it('are taken out of one scan where they are many, and only who is not in it is queried', async () => {
    expect(await seenBy({ usersMin: 3, rowsBehindMax: never })).toStrictEqual({ seen: ledgers, scans: 1, queries: 1 });
  });

  it('are queried after all where a scan turns out to be the dearer way, each once', async () => {
    const { seen, scans, queries } = await seenBy({ usersMin: 0, rowsBehindMax: -never });
    expect({ seen, scans }).toStrictEqual({ seen: ledgers, scans: 1 });
    expect(queries).toBeGreaterThan(0);
  });
});

describe('a scan of the ledger', () => {
  const rows = (userId: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ userId, entry: index === 0 ? 'account' : `movement#${index}`, balanceMinor: 0 }));
  /** The table as a scan of it comes, page by page; queries find what the real table has. */
  async function scanned(pages: readonly (readonly object[])[], bounds: ScanBounds, wanted: readonly string[]) {
    let page = 0;
    const asked: unknown[] = [];
    const { send } = tables.database;
    const database = Object.create(tables.database) as typeof tables.database;
    database.send = (async (command: unknown, ...rest: never[]) => {
      if (!(command instanceof ScanCommand)) return await Reflect.apply(send, tables.database, [command, ...rest]);
      asked.push(command.input.ExclusiveStartKey);
      const Items = pages[page++] ?? [];
      return { Items, ...(page < pages.length ? { LastEvaluatedKey: { page } } : {}) };
    }) as typeof send;
    const seen: Ledger[] = [];
    await ledgerRepository(database, 'accounts', bounds).ofUsers(new Set(wanted), (ledger) => seen.push(ledger));
    return { asked, seen: seen.map(({ userId, movements, account }) => [userId, movements.length, account !== undefined]) };
  }
  const never = Number.MAX_SAFE_INTEGER;

  it('puts a user together whose rows go on in the next page', async () => {
    const [a, b] = [rows('a', 3), rows('b', 2)];
    const pages = [[...a.slice(0, 2)], [...a.slice(2), ...b]];
    expect(await scanned(pages, { usersMin: 0, rowsBehindMax: never }, ['a', 'b'])).toStrictEqual({
      asked: [undefined, { page: 1 }],
      seen: [
        ['a', 2, true],
        ['b', 1, true],
      ],
    });
  });

  it('is given up once it is too far behind the rate of queries, and not before', async () => {
    const pages = [rows('a', 15), rows('b', 15), rows('c', 5)];
    const users = async (rowsBehindMax: number) => (await scanned(pages, { usersMin: 0, rowsBehindMax }, ['a', 'b', 'c'])).seen.toSorted();
    // After the first page 15 rows are read and nobody is whole; after the second 30, and one is.
    expect(await users(20)).toStrictEqual([
      ['a', 14, true],
      ['b', 14, true],
      ['c', 4, true],
    ]);
    expect(await users(19)).toStrictEqual([
      ['a', 14, true],
      ['b', 0, false],
      ['c', 0, false],
    ]);
    expect((await users(14)).map(([, movements]) => movements)).toStrictEqual([0, 0, 0]);
  });

  it('fails when the rows of a user do not come together', async () => {
    const pages = [[...rows('a', 2), ...rows('b', 1), ...rows('a', 1)]];
    await expect(scanned(pages, { usersMin: 0, rowsBehindMax: never }, ['a', 'b'])).rejects.toThrow(ReadIncomplete);
  });
});

describe('the history of an order', () => {
  it('is cut at its bound, of each kind, and says so', async () => {
    const order = { orderId: 'ord_history', buyerId: 'zoe' };
    const histories = orderHistories(tables.database, tableNames);
    for (let number = 1; number <= 3; number++) {
      await put('payments', { orderId: order.orderId, paymentId: `p${number}` });
      await put('accounts', { userId: 'zoe', entry: `movement#${order.orderId}#p${number}` });
    }
    await put('accounts', { userId: 'zoe', entry: 'movement#ord_another#p1' });
    await put('fulfilments', { orderId: order.orderId, tickets: [], fulfilledAtMs: 4 });
    const whole = await histories.of(order, 3);
    expect(whole.complete).toBe(true);
    expect(whole.history).toMatchObject({ rows: [], fulfilment: { tickets: [], fulfilledAtMs: 4 } });
    expect([whole.history.payments.length, whole.history.movements.length]).toStrictEqual([3, 3]);
    const cut = await histories.of(order, 2);
    expect(cut.complete).toBe(false);
    expect(cut.history.payments).toMatchObject([{ paymentId: 'p1' }, { paymentId: 'p2' }]);
    expect((await histories.of({ orderId: 'ord_nobody', buyerId: 'zoe' }, 3)).history.fulfilment).toBeUndefined();
  });
});
