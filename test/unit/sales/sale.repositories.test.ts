import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { cancellationRepository, type EndingPass } from '../../../functions/sales/cancellation.repository.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { saleRepository } from '../../../functions/sales/sale.repository.ts';
import { changeSaleWrite, createSaleWrite, putSeatsWrite, saleOutboxWrite } from '../../../functions/sales/sale.writes.ts';
import { packSeats } from '../../../functions/sales/seat.model.ts';
import { SeatRowsMissing, seatRepository } from '../../../functions/sales/seat.repository.ts';
import { transact, type Write } from '../../../functions/shared/dynamo.ts';
import { startTables } from '../../support/database.ts';
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
afterEach(() => vi.clearAllMocks());

const sales = () => saleRepository(tables.database, 'sales');
const broken = () => saleRepository(tables.database, 'no-such-table');
const dayMs = 86_400_000;
const nowMs = 100 * dayMs;
let count = 0;
const aSale = (changes: Partial<Sale> = {}): Sale => ({
  saleId: `sale-${++count}`,
  name: 'A sale',
  opensAtMs: 0,
  closesAtMs: nowMs,
  strategy: 'reserve-first',
  holdSeconds: 300,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [],
  createdAtMs: 0,
  ...changes,
});
const committed = async (...writes: Write[]) => (await transact(tables.database, writes)).outcome === 'committed';
async function created(changes: Partial<Sale> = {}): Promise<Sale> {
  const sale = aSale(changes);
  expect(await committed(createSaleWrite(sale, 'sales'))).toBe(true);
  return sale;
}
const stored = async (saleId: string) =>
  (await tables.database.send(new GetCommand({ TableName: 'sales', Key: { saleId }, ConsistentRead: true }))).Item;

describe('a sale', () => {
  it('is made once, without its stock loaded, and read as rules know it', async () => {
    const sale = await created();
    expect(await committed(createSaleWrite({ ...sale, name: 'Other' }, 'sales'))).toBe(false);
    expect(await stored(sale.saleId)).toStrictEqual({ ...sale, stockLoaded: false });
    expect(await sales().get(sale.saleId, { consistent: true })).toStrictEqual(sale);
    expect(await sales().loading(sale.saleId)).toStrictEqual({ sale, stockLoaded: false });
    expect(await sales().getMany([sale.saleId, 'nothing'])).toStrictEqual([sale]);
    expect(reads.weak()).toStrictEqual([]);
    expect(await sales().get(sale.saleId)).toStrictEqual(sale);
    expect(await sales().get('nothing')).toBeUndefined();
    expect(await sales().loading('nothing')).toBeUndefined();
    // Who only shows a sale need not pay for the latest of it.
    expect(reads.weak()).toStrictEqual(['sales', 'sales']);
  });

  it('is marked as loaded, and no sale is made by the mark', async () => {
    const sale = await created();
    await sales().markLoaded(sale.saleId);
    expect(await sales().loading(sale.saleId)).toStrictEqual({ sale, stockLoaded: true });
    await expect(sales().markLoaded('nothing')).rejects.toThrow();
    expect(await stored('nothing')).toBeUndefined();
  });

  it('is marked as loaded for the first time by the load of its epoch alone', async () => {
    const sale = await created({ epoch: 3 });
    expect(await sales().markFirstLoad({ ...sale, epoch: 2 })).toBeUndefined();
    expect(await sales().markFirstLoad(sale)).toStrictEqual(sale);
    expect(await sales().loading(sale.saleId)).toStrictEqual({ sale, stockLoaded: true });
    expect(await sales().markFirstLoad(sale)).toBeUndefined();
    expect(await sales().markFirstLoad(aSale())).toBeUndefined();
    await expect(broken().markFirstLoad(sale)).rejects.toThrow();
  });

  it('gives each load an epoch of its own', async () => {
    const sale = await created({ epoch: 3 });
    expect(await sales().bumpEpoch(sale)).toBe(4);
    expect(await sales().bumpEpoch(sale)).toBeUndefined();
    expect(await sales().get(sale.saleId)).toStrictEqual({ ...sale, epoch: 4 });
    await expect(broken().bumpEpoch(sale)).rejects.toThrow();
  });

  it('is changed in what is changed alone, by whoever saw its version', async () => {
    const sale = await created({ version: 4 });
    await sales().markLoaded(sale.saleId);
    const change = changeSaleWrite(sale, { control: 'paused', closesAtMs: 7 }, 'sales');
    expect(await committed(change)).toBe(true);
    expect(await stored(sale.saleId)).toStrictEqual({ ...sale, control: 'paused', closesAtMs: 7, version: 5, stockLoaded: true });
    expect(await committed(change)).toBe(false);
  });

  it('has a row in the outbox for each change, which waits for a poller only where one publishes', async () => {
    const row = { subject: 'sale:s', version: 2, saleId: 's', by: 'ann', changes: {}, events: [], atMs: 7 };
    expect(saleOutboxWrite(row, { table: 'outbox', mode: 'stream' })).toStrictEqual({ Put: { TableName: 'outbox', Item: row } });
    expect(saleOutboxWrite(row, { table: 'outbox', mode: 'polling' }).Put?.Item).toMatchObject({ ...row, pollAtMs: 7 });
  });
});

describe('the sales that somebody looks after', () => {
  it('are those that are not over for two days, and those called off whose orders have not all ended', async () => {
    const cancellation = { reason: 'rain', atMs: 1 };
    const live = [
      await created({ closesAtMs: nowMs + 1 }),
      await created({ closesAtMs: nowMs - 2 * dayMs + 1 }),
      await created({ closesAtMs: 0, cancellation }),
      await created({ closesAtMs: nowMs, cancellation: { ...cancellation, doneAtMs: 2 } }),
    ];
    const over = [
      await created({ closesAtMs: nowMs - 2 * dayMs }),
      await created({ closesAtMs: 0, cancellation: { ...cancellation, doneAtMs: 2 } }),
    ];
    const found = await sales().liveSales(nowMs);
    const ids = new Set(found.map(({ saleId }) => saleId));
    expect(live.filter(({ saleId }) => !ids.has(saleId))).toStrictEqual([]);
    expect(over.filter(({ saleId }) => ids.has(saleId))).toStrictEqual([]);
    expect(found.find(({ saleId }) => saleId === live[0]?.saleId)).toStrictEqual(live[0]);
    expect(reads.weak()).toStrictEqual([]);
  });

  it('are shown as pages of the list of all', async () => {
    const made: string[] = [];
    for (let number = 0; number < 5; number++) made.push((await created()).saleId);
    const ids: string[] = [];
    let after: string | undefined;
    do {
      const page = await sales().list({ limit: 3, after });
      for (const sale of page.sales) expect(sale).not.toHaveProperty('stockLoaded');
      ids.push(...page.sales.map(({ saleId }) => saleId));
      after = page.next;
    } while (after !== undefined);
    expect(new Set(ids).size).toBe(ids.length);
    expect(made.filter((saleId) => !ids.includes(saleId))).toStrictEqual([]);
  });
});

describe('the seats of a sale', () => {
  const names = new Map([['hall', Array.from({ length: 30 }, (_, index) => `A-${index + 1}`)]]);
  const seats = () => seatRepository(tables.database, 'seats');

  it('are as many rows as the sale says, of which none is ever written over', async () => {
    const { saleId } = aSale();
    const chunks = packSeats(saleId, names, 0);
    expect(await committed(...chunks.map((chunk) => putSeatsWrite(chunk, 'seats')))).toBe(true);
    expect(await committed(putSeatsWrite(chunks[0] ?? ({} as never), 'seats'))).toBe(false);
    expect(await seats().list({ saleId, seatChunks: chunks.length })).toStrictEqual(names);
    expect(reads.weak()).toStrictEqual([]);
    await expect(seats().list({ saleId, seatChunks: chunks.length + 1 })).rejects.toThrow(SeatRowsMissing);
  });

  it('are those of this copy of the sale, and none that were put on sale after it', async () => {
    const { saleId } = aSale();
    const first = packSeats(saleId, names, 0);
    const more = packSeats(saleId, new Map([['hall', ['B-1']]]), first.length);
    for (const chunk of [...first, ...more]) await committed(putSeatsWrite(chunk, 'seats'));
    expect(await seats().list({ saleId, seatChunks: first.length })).toStrictEqual(names);
  });

  it('are not looked for where a sale has none', async () => {
    expect(await seatRepository(tables.database, 'no-such-table').list({ saleId: 'any' })).toStrictEqual(new Map());
    expect(await seatRepository(tables.database, 'no-such-table').list({ saleId: 'any', seatChunks: 0 })).toStrictEqual(new Map());
  });
});

describe('the ending of a sale’s orders', () => {
  const passes = () => cancellationRepository(tables.database, 'sales');
  const pass = (closedAtMs: number, changes: Partial<EndingPass> = {}): EndingPass => ({
    closedAtMs,
    startedAtMs: 5,
    position: { shard: 0 },
    failed: 0,
    ended: false,
    ...changes,
  });
  const cancelled = () => created({ cancellation: { reason: 'rain', atMs: 1 } });

  it('begins once, and only of a sale that was called off', async () => {
    const { saleId } = await cancelled();
    expect(await passes().pass(saleId)).toBeUndefined();
    expect(await passes().begin(saleId, pass(1), undefined)).toStrictEqual(pass(1));
    expect(await passes().pass(saleId)).toStrictEqual(pass(1));
    expect(await passes().begin(saleId, pass(2), undefined)).toBeUndefined();
    expect(await passes().pass(saleId)).toStrictEqual(pass(1));
    expect(await passes().begin((await created()).saleId, pass(1), undefined)).toBeUndefined();
    expect(reads.weak()).toStrictEqual([]);
  });

  it('begins anew for another closing, whatever was said to be done', async () => {
    const { saleId } = await cancelled();
    await passes().begin(saleId, pass(1), undefined);
    await passes().finish(saleId, pass(1, { ended: true }), 9);
    expect((await sales().get(saleId))?.cancellation).toStrictEqual({ reason: 'rain', atMs: 1, doneAtMs: 9 });
    expect(await passes().pass(saleId)).toStrictEqual(pass(1, { ended: true }));
    expect(await passes().begin(saleId, pass(3), pass(2))).toBeUndefined();
    expect(await passes().begin(saleId, pass(2), pass(1))).toStrictEqual(pass(2));
    expect((await sales().get(saleId))?.cancellation).toStrictEqual({ reason: 'rain', atMs: 1 });
  });

  it('is kept step by step by a walk of its own closing, until all is done', async () => {
    const { saleId } = await cancelled();
    await passes().begin(saleId, pass(1), undefined);
    const step = pass(1, { position: { shard: 3, after: 'x' }, failed: 1 });
    await passes().keep(saleId, step);
    expect(await passes().pass(saleId)).toStrictEqual(step);
    await passes().keep(saleId, pass(2));
    expect(await passes().pass(saleId)).toStrictEqual(step);
    await passes().finish(saleId, pass(2), 9);
    expect((await sales().get(saleId))?.cancellation?.doneAtMs).toBeUndefined();
    await passes().finish(saleId, pass(1), 9);
    await passes().keep(saleId, step);
    expect(await passes().pass(saleId)).toStrictEqual(pass(1));
    await passes().finish(saleId, step, 10);
    expect((await sales().get(saleId))?.cancellation?.doneAtMs).toBe(9);
  });

  it('is not said to be another’s by a database that fails', async () => {
    const failing = cancellationRepository(tables.database, 'no-such-table');
    await expect(failing.begin('sale', pass(1), undefined)).rejects.toThrow();
    await expect(failing.pass('sale')).rejects.toThrow();
  });

  it('is no business of whoever reads the sale', async () => {
    const sale = await cancelled();
    await tables.database.send(new PutCommand({ TableName: 'sales', Item: { ...sale, endingPass: pass(1), stockLoaded: true } }));
    expect(await sales().get(sale.saleId)).toStrictEqual(sale);
  });
});
