import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { evidenceOf, type IndexedOrder } from '../../../functions/reconciliation/evidence.repository.ts';
import type { RunReport } from '../../../functions/reconciliation/report.model.ts';
import { reportRepository } from '../../../functions/reconciliation/report.repository.ts';
import type { ComparedRow } from '../../../functions/reconciliation/sale-picture.model.ts';
import { saleMemories } from '../../../functions/reconciliation/state.repository.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { unitRows } from '../../../functions/stock/rebuild.repository.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { startTables, tableNames } from '../../support/database.ts';
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
afterEach(() => expect(reads.weak()).toStrictEqual([]));

const put = (TableName: string, Item: object) => tables.database.send(new PutCommand({ TableName, Item: { ...Item } }));

describe('what is remembered of a sale', () => {
  const memories = () => saleMemories(tables.database, 'reconciliations');

  it('is nothing at first, and then each part that was noted, of this sale alone', async () => {
    expect(await memories().of('a')).toStrictEqual({});
    await memories().note('a', { identity: 'redis-1', epoch: 2 });
    await memories().note('a', { fullAtMs: 5 });
    const { list: _l, entry: _e, ...known } = (await memories().of('a')) as Record<string, unknown>;
    expect(known).toStrictEqual({ identity: 'redis-1', epoch: 2, fullAtMs: 5 });
    expect(await memories().of('b')).toStrictEqual({});
  });

  it('is forgotten in part, while other parts are noted', async () => {
    await memories().note('c', { identity: 'redis-1', behindSinceMs: 4, comparedToMs: 3 });
    await memories().note('c', { behindSinceMs: null, comparedToMs: 7 });
    expect(await memories().of('c')).toMatchObject({ identity: 'redis-1', comparedToMs: 7 });
    expect(await memories().of('c')).not.toHaveProperty('behindSinceMs');
    await memories().note('c', { identity: null });
    expect(await memories().of('c')).not.toHaveProperty('identity');
  });

  it('is not written where nothing is said', async () => {
    await memories().note('d', {});
    expect(await memories().of('d')).toStrictEqual({});
  });
});

describe('the reports of reconciliations', () => {
  const report = (startedAtMs: number): RunReport => ({
    reconciliationId: `rec-${startedAtMs}`,
    trigger: 'schedule',
    startedAtMs,
    finishedAtMs: startedAtMs + 1_999,
    salesCount: 0,
    sales: [],
  });

  it('come newest first, over pages, as they were put, and go after ninety days', async () => {
    const reports = reportRepository(tables.database, 'reconciliations');
    expect(await reports.page(5)).toStrictEqual({ reports: [], next: undefined });
    for (const startedAtMs of [900, 10_000, 9_000, 1_000]) await reports.put(report(startedAtMs));
    const first = await reports.page(2);
    expect(first.reports).toStrictEqual([report(10_000), report(9_000)]);
    const second = await reports.page(2, first.next);
    expect(second).toStrictEqual({ reports: [report(1_000), report(900)], next: undefined });
    expect((await reports.page(4)).next).toBeUndefined();
    const three = await reports.page(3);
    expect(three.reports).toHaveLength(3);
    expect(await reports.page(3, three.next)).toStrictEqual({ reports: [report(900)], next: undefined });
    const stored = await tables.database.send(
      new GetCommand({ TableName: 'reconciliations', Key: { list: 'reports', entry: '00000000010000#rec-10000' }, ConsistentRead: true }),
    );
    expect(stored.Item).toStrictEqual({
      ...report(10_000),
      list: 'reports',
      entry: '00000000010000#rec-10000',
      expiresAtSeconds: 11 + 90 * 86_400,
    });
  });
});

describe('what the database says of a sale', () => {
  const evidence = () => evidenceOf(tables.database, tableNames);
  const item = { name: 'x', priceMinor: 1, currency: 'EUR' };
  const sale = (saleId: string, total = 200) =>
    ({
      saleId,
      items: [
        { ...item, sku: 'tee', total, seated: false },
        { ...item, sku: 'hall', total: 2, seated: true },
      ],
    }) as unknown as Sale;
  const row = (saleId: string, sku: string, unit: string, changes: Partial<ComparedRow> = {}) => ({
    bucket: unitBucket(saleId, sku, unit),
    saleId,
    sku,
    unit,
    orderId: `ord_${unit}`,
    buyerId: 'ada',
    state: 'HELD',
    atMs: 5,
    ...changes,
  });
  const rowsSeen = async (of: Sale, seats: ReadonlyMap<string, readonly string[]>) => {
    const seen: ComparedRow[] = [];
    let pages = 0;
    await evidence().rows(
      of,
      seats,
      (each) => seen.push(each),
      async () => {
        pages++;
      },
    );
    return { pages, seen: seen.toSorted((a, b) => (`${a.sku} ${a.unit}` < `${b.sku} ${b.unit}` ? -1 : 1)) };
  };

  it('is every unit’s row with all that a comparison needs, whether its seats are known or not', async () => {
    const rows = [
      row('s1', 'hall', 'A-1', { seated: true, state: 'SOLD' }),
      row('s1', 'tee', '1', { slot: 2, holdId: 'hold' }),
      row('s1', 'tee', '130'),
    ];
    for (const each of rows) await put('units', each);
    await put('units', row('s2', 'tee', '1'));
    const wanted = rows.map(({ bucket: _b, saleId: _s, ...rest }) => rest);
    const known = await rowsSeen(sale('s1'), new Map([['hall', ['A-1', 'A-2']]]));
    expect(known.seen).toStrictEqual(wanted);
    // A page of each of the partitions of serials, and of those of the two seats.
    expect(known.pages).toBeLessThanOrEqual(64 + 2);
    const unknown = await rowsSeen(sale('s1'), new Map());
    expect(unknown.seen).toStrictEqual(wanted);
    expect(unknown.pages).toBe(128);
  });

  it('costs an item of few units as many reads as it has units', async () => {
    const { pages, seen } = await rowsSeen(sale('s3', 3), new Map([['hall', []]]));
    expect([pages, seen]).toStrictEqual([3, []]);
  });

  it('stops when whoever asks has no more time', async () => {
    const stopped = evidence().rows(
      sale('s1'),
      new Map(),
      () => {},
      async () => Promise.reject(new Error('no more time')),
    );
    await expect(stopped).rejects.toThrow('no more time');
  });

  it('is which orders were made since, by the index', async () => {
    const entry = (orderId: string, shard: number, createdAtMs: number) => ({
      orderId,
      saleShard: `s4#${shard}`,
      listKey: `${String(createdAtMs).padStart(14, '0')}#${orderId}`,
    });
    for (const each of [entry('a', 0, 999), entry('b', 7, 1_000), entry('c', 15, 20_000)]) await put('orders', each);
    const seen = async (fromMs: number) => {
      const found: IndexedOrder[] = [];
      await evidence().orders('s4', fromMs, async (orders) => void found.push(...orders));
      return found.toSorted((a, b) => (a.orderId < b.orderId ? -1 : 1));
    };
    const [b, c] = [
      { orderId: 'b', createdAtMs: 1_000 },
      { orderId: 'c', createdAtMs: 20_000 },
    ];
    expect(await seen(-5)).toStrictEqual([{ orderId: 'a', createdAtMs: 999 }, b, c]);
    expect(await seen(1_000.9)).toStrictEqual([b, c]);
    expect(await seen(1_001)).toStrictEqual([c]);
  });

  it('is whose single units are, and which slots a buyer’s orders use', async () => {
    await put('units', row('s5', 'tee', '7'));
    await put('allowances', { saleBuyer: 's5#ada', slot: 3, orderId: 'ord_7' });
    await put('allowances', { saleBuyer: 's5#ada', slot: 1, orderId: 'ord_7' });
    expect(await evidence().rowsOf('s5', [{ sku: 'tee', units: ['7', '8'] }])).toStrictEqual([
      { sku: 'tee', unit: '7', orderId: 'ord_7', state: 'HELD' },
    ]);
    expect(await evidence().usedSlots('s5', 'ada')).toStrictEqual([1, 3]);
    expect(await evidence().usedSlots('s5', 'bob')).toStrictEqual([]);
  });
});

describe('the rows that a rebuild reads', () => {
  const rebuilt = async (bucket: string) => {
    const found = [];
    for await (const page of unitRows(tables.database, 'units').pages(bucket)) found.push(...page);
    return found;
  };

  it('name the hold of each unit, that of the order’s id where no other is named', async () => {
    const bucket = unitBucket('s6', 'tee', '7');
    const orderId = 'ord_AAAAAAAAAAAAAAAAAAAAAA';
    const rest = { sku: 'tee', buyerId: 'ada', state: 'HELD', atMs: 5 };
    await put('units', { bucket, unit: '7', orderId, slot: 2, ...rest });
    await put('units', { bucket, unit: '71', orderId, holdId: 'other', seated: true, ...rest });
    expect(await rebuilt(bucket)).toStrictEqual([
      { unit: '7', seated: false, holdId: 'AAAAAAAAAAAAAAAAAAAAAA', slot: 2, ...rest },
      { unit: '71', seated: true, holdId: 'other', ...rest },
    ]);
    expect(await rebuilt(unitBucket('s6', 'tee', '8'))).toStrictEqual([]);
    expect(unitRows(tables.database, 'units').bucketsOf('s6', 'tee')).toHaveLength(64);
  });
});
