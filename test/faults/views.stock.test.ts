import { randomUUID } from 'node:crypto';
import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BusEntry } from '../../functions/messaging/dispatch.ts';
import { busEntriesOf } from '../../functions/messaging/outbox.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import { readSale } from '../../functions/sales/read-sales.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import type { SaleStock } from '../../functions/sales/sale.ports.ts';
import { saleSubject } from '../../functions/sales/sale-outbox.model.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { batchConsumer } from '../../functions/views/batch.ts';
import { countStock } from '../../functions/views/count-stock.ts';
import { countedStock } from '../../functions/views/counted.ts';
import { levelReader, type StockLevels, stockLevels } from '../../functions/views/stock-level.repository.ts';
import { StockEvent } from '../../functions/views/stock-message.schemas.ts';
import { startTables } from '../support/database.ts';
import { type Life, lifeOf, putInto } from '../support/histories.ts';
import { batchOf, bodyOf, deliver, failuresOf, shuffledBy } from '../support/messages.ts';
import { anOrder, freshHoldId } from '../support/orders.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let levels: StockLevels;
beforeAll(async () => {
  tables = await startTables();
  levels = stockLevels(tables.database, { levels: 'stockLevels', inbox: 'inbox' });
});
afterAll(() => tables?.stop());

const consume = (changes: Partial<StockLevels> = {}) => batchConsumer(StockEvent, countStock({ levels: { ...levels, ...changes }, clock }));

const placed = (saleId: string, changes: Partial<Order> = {}): Order =>
  anOrder({
    holdId: freshHoldId(),
    saleId,
    slots: [],
    items: [
      { sku: 'tee', quantity: 2, units: [freshHoldId(), freshHoldId()], priceMinor: 1 },
      { sku: 'hall', quantity: 1, units: [freshHoldId()], priceMinor: 1, seated: true },
    ],
    ...changes,
  });

const messagesOf = (lives: readonly Life[]): BusEntry[] =>
  lives.flatMap(({ writes }) => writes.flatMap((each) => putInto('outbox', each)).flatMap(busEntriesOf));
const aboutStock = (entries: readonly BusEntry[]) =>
  entries.filter(({ name, detail }) => name === 'OrderUpdated' && (detail as { data: { movesStock: boolean } }).data.movesStock);

const saleEvent = (saleId: string, version: number, name: 'SaleCreated' | 'StockAdjusted', data: Record<string, unknown>): BusEntry[] =>
  busEntriesOf({
    subject: saleSubject(saleId),
    version,
    saleId,
    by: 'olga',
    changes: {},
    events: [{ name, data: { by: 'olga', ...data } }],
    atMs: 0,
  });
const created = (saleId: string, total = 100) =>
  saleEvent(saleId, 1, 'SaleCreated', { items: ['tee', 'hall'].map((sku) => ({ sku, total, seated: sku === 'hall' })) });
const restocked = (saleId: string, version: number, total: number) =>
  saleEvent(saleId, version, 'StockAdjusted', { reason: 'more', sku: 'tee', delta: 1, total, seated: false });

/** One held, one sold, one retired, and three that came and went. */
const livesOf = (saleId: string): Life[] => [
  lifeOf(placed(saleId), []),
  lifeOf(placed(saleId), ['authorise', 'confirm', 'capture', 'fulfil']),
  lifeOf(placed(saleId), ['authorise', 'confirm', 'capture', 'fulfil', 'refundAndRetire', 'refund', 'release']),
  lifeOf(placed(saleId), ['expire', 'release']),
  lifeOf(placed(saleId), ['decline', 'release']),
  lifeOf(placed(saleId), ['authorise', 'confirm', 'cancel', 'refund', 'release']),
];
const figures = { held: 1, sold: 1, retired: 1 };
const asCounted = [
  { sku: 'hall', total: 100, ...figures },
  { sku: 'tee', total: 100, ...Object.fromEntries(Object.entries(figures).map(([place, orders]) => [place, orders * 2])) },
];
const levelsOf = (saleId: string) => levelReader(tables.database, 'stockLevels').of(saleId);

describe('the figures of a sale beside Redis', () => {
  it('are the same when each event comes five times in any order as when it comes once', async () => {
    for (const seed of [1, 2]) {
      const saleId = randomUUID();
      await deliver(consume(), [...aboutStock(messagesOf(livesOf(saleId))), ...created(saleId)], { seed });
      expect(await levelsOf(saleId)).toMatchObject(asCounted);
    }
  });

  it('are the same when two consumers have the same messages at the same moment', async () => {
    const saleId = randomUUID();
    const entries = [...aboutStock(messagesOf(livesOf(saleId))), ...created(saleId)];
    await Promise.all([1, 2].map((seed) => deliver(consume(), entries, { times: 2, seed })));
    expect(await levelsOf(saleId)).toMatchObject(asCounted);
  });

  it('count a batch once whose answer was lost', async () => {
    const saleId = randomUUID();
    const entries = [...aboutStock(messagesOf(livesOf(saleId))), ...created(saleId)];
    const batch = batchOf(entries.map((entry, index) => [String(index), bodyOf(entry)]));
    const lost = consume({
      count: async (...args) => {
        await levels.count(...args);
        throw new Error('the answer was lost');
      },
    });
    expect(failuresOf(await lost(batch))).toHaveLength(entries.length - 1);
    expect(failuresOf(await consume()(batch))).toEqual([]);
    expect(await levelsOf(saleId)).toMatchObject(asCounted);
  });

  it('are not held up by a message that is none', async () => {
    const saleId = randomUUID();
    const [event] = aboutStock(messagesOf([lifeOf(placed(saleId), [])]));
    if (!event) throw new Error('no event');
    const opened = { source: 'stampede.sales', name: 'SaleOpened', detail: { saleId } };
    const batch = batchOf([
      ['no JSON', 'x'],
      ['of something else', bodyOf(opened)],
      ['good', bodyOf(event)],
    ]);
    expect(failuresOf(await consume()(batch)).toSorted()).toEqual(['no JSON', 'of something else']);
    expect(await levelsOf(saleId)).toMatchObject([
      { sku: 'hall', held: 1 },
      { sku: 'tee', held: 2 },
    ]);
  });

  it('take a newer total and never an older one', async () => {
    const saleId = randomUUID();
    const events = [created(saleId), restocked(saleId, 2, 110), restocked(saleId, 3, 120)].flat();
    for (const seed of [1, 2, 3]) for (const event of shuffledBy(events, seed)) await deliver(consume(), [event], { times: 1 });
    expect(await levelsOf(saleId)).toMatchObject([
      { sku: 'hall', total: 100 },
      { sku: 'tee', total: 120, saleVersion: 3 },
    ]);
  });

  it('count a batch that is too large for one transaction in several', async () => {
    const saleId = randomUUID();
    const manyItems = () =>
      placed(saleId, {
        items: Array.from({ length: 20 }, (_, n) => ({ sku: `s${n}`, quantity: 1, units: [freshHoldId()], priceMinor: 1 })),
      });
    const entries = aboutStock(messagesOf(Array.from({ length: 90 }, () => lifeOf(manyItems(), []))));
    await deliver(consume(), entries, { times: 1, atOnce: entries.length });
    const counted = await levelsOf(saleId);
    expect(counted.map(({ held }) => held)).toEqual(Array(20).fill(90));
  });

  it('remember a message for longer than any queue can keep it', async () => {
    const { Items = [] } = await tables.database.send(new ScanCommand({ TableName: 'inbox', Limit: 10 }));
    for (const { expiresAtSeconds } of Items) expect(Number(expiresAtSeconds) - Date.now() / 1_000).toBeGreaterThan(30 * 86_400);
    expect(Items).not.toHaveLength(0);
  });
});

describe('a sale whose stock can’t be read', () => {
  const saleOf = (saleId: string, changes: Partial<Sale> = {}): Sale => {
    const item = { name: 'It', priceMinor: 1, currency: 'EUR', total: 100 };
    return {
      saleId,
      name: saleId,
      opensAtMs: Date.now() - 60_000,
      closesAtMs: Date.now() + 60_000,
      strategy: 'reserve-first',
      holdSeconds: 300,
      control: 'open',
      version: 1,
      epoch: 1,
      currency: 'EUR',
      items: [
        { ...item, sku: 'tee', seated: false },
        { ...item, sku: 'hall', seated: true },
      ],
      createdAtMs: 0,
      ...changes,
    };
  };
  const asked: string[] = [];
  const read = (sale: Sale, stock: Pick<SaleStock, 'read'>, counted = countedStock(levelReader(tables.database, 'stockLevels'))) =>
    readSale(sale.saleId, {
      sales: { get: async () => sale, list: async () => ({ sales: [sale], next: undefined }) },
      stock,
      counted,
      askForRebuild: async (saleId) => void asked.push(saleId),
      clock,
    });
  const lost = { read: async () => ({ outcome: 'NOT_LOADED' as const }) };
  const away = { read: () => Promise.reject(new Error('away')) };

  it('shows what was counted, never as open, and asks for the rebuild of one that was lost', async () => {
    const saleId = randomUUID();
    await deliver(consume(), [...aboutStock(messagesOf(livesOf(saleId))), ...created(saleId)], { times: 1 });
    for (const stock of [lost, away]) {
      expect(await read(saleOf(saleId), stock)).toMatchObject({
        outcome: 'found',
        sale: {
          state: 'paused',
          items: [
            { sku: 'tee', available: 94 },
            { sku: 'hall', available: 97 },
          ],
        },
      });
    }
    expect(asked).toEqual([saleId]);
    expect(await read(saleOf(saleId, { control: 'closed' }), lost)).toMatchObject({ sale: { state: 'closed' } });
    expect(asked).toEqual([saleId]);
  });

  it('is not ready, or an error, where not all of its items were counted or the figures can’t be read: never full', async () => {
    const saleId = randomUUID();
    const unreadable = () => Promise.reject(new Error('no figures'));
    for (const counted of [undefined, unreadable]) {
      expect(await read(saleOf(saleId), lost, counted)).toEqual({ outcome: 'stock-not-ready' });
      await expect(read(saleOf(saleId), away, counted)).rejects.toThrow('away');
    }
    await deliver(consume(), restocked(saleId, 2, 100), { times: 1 });
    expect(await read(saleOf(saleId), lost)).toEqual({ outcome: 'stock-not-ready' });
  });
});
