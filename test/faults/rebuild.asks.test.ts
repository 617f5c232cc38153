import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PlacePorts } from '../../functions/orders/place.ts';
import { knownSeats } from '../../functions/sales/known-seats.ts';
import { listSeats } from '../../functions/sales/list-seats.ts';
import { listSales, readSale } from '../../functions/sales/read-sales.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';
import { salesOn } from '../support/sales.ts';

const dayMs = 86_400_000;
let engine: Engine;
let sales: ReturnType<typeof salesOn>;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  sales = salesOn(engine);
  work = rebuilding(engine);
});
afterAll(() => engine?.stop());

/** The sales whose rebuild was asked for, each time. */
let asked: string[] = [];
beforeEach(() => {
  asked = [];
});
const askForRebuild = async (saleId: string) => void asked.push(saleId);

const reading = () => ({
  sales: sales.sales,
  stock: engine.stock,
  counted: async () => undefined,
  askForRebuild,
  clock,
  knownSeats: knownSeats(sales.seats.list),
});
/** A container that hears of sales for the first time. */
const placing = (): PlacePorts => ({ ...work.placePorts, ...rebuilding(engine).placePorts, askForRebuild });
const place = (saleId: string, buyerId: string, ports = placing()) => engine.place(saleId, buyerId, { method: 'external', ports });
const lose = () => engine.redis.flushall();
const longAgo = () => ({ opensAtMs: Date.now() - 40 * dayMs, closesAtMs: Date.now() - 30 * dayMs });
/** A sale of which ada has an order, that is over since, by its window or by an operator, and that Redis has lost. */
async function lostAndOver(how: 'window' | 'operator') {
  const { saleId } = await sales.open(10);
  const order = orderOf(await place(saleId, 'ada'));
  await sales.change(saleId, how === 'window' ? longAgo() : { state: 'closed' });
  await lose();
  return { saleId, order };
}

describe('anybody who reads', () => {
  it('causes no work for sales that never were', async () => {
    for (let n = 0; n < 20; n++) expect(await readSale(`made-up-${n}`, reading())).toEqual({ outcome: 'not-found' });
    expect(await listSeats('made-up', { sku: 'hall', limit: 10 }, reading())).toEqual({ outcome: 'not-found' });
    expect(asked).toEqual([]);
  });

  it('causes no rebuild of a sale that is over, and is told that nothing is left', async () => {
    const sale = await sales.open(10, { hall: ['A', 'B'], ...longAgo() });
    const { saleId } = sale;
    await lose();
    const read = await readSale(saleId, reading());
    expect(read).toMatchObject({ outcome: 'found', sale: { state: 'closed', items: [{ available: 0 }, { available: 0 }] } });
    const { sales: listed } = await listSales({ limit: 100 }, reading());
    expect(listed.find((each) => each.saleId === saleId)).toMatchObject({ state: 'closed' });
    const page = await listSeats(saleId, { sku: 'hall', limit: 10 }, reading());
    expect(page).toMatchObject({ outcome: 'page', seats: ['A', 'B'].map((seat) => ({ seat, state: 'held' })) });
    expect(asked).not.toContain(saleId);
  });

  it.each([
    ['a sale', (saleId: string) => readSale(saleId, reading())],
    ['its seats', (saleId: string) => listSeats(saleId, { sku: 'hall', limit: 10 }, reading())],
    ['all sales', () => listSales({ limit: 100 }, reading())],
  ])('%s asks for the rebuild of one that may still sell', async (_, read) => {
    const { saleId } = await sales.open(10, { hall: ['A'] });
    await lose();
    const answer = await read(saleId);
    if ('outcome' in answer) expect(answer.outcome).toBe('stock-not-ready');
    expect(asked).toContain(saleId);
  });

  it('asks for nothing while Redis is away', async () => {
    await sales.open(10);
    const stock = { ...engine.stock, read: () => Promise.reject(new Error('away')) };
    await listSales({ limit: 100 }, { ...reading(), stock });
    expect(asked).toEqual([]);
  });
});

describe.each(['window', 'operator'] as const)('an order in a sale that Redis has lost and that is over by its %s', (how) => {
  it('is answered as it was, and is refused for good to who has none; nobody is asked for a rebuild', async () => {
    const { saleId, order } = await lostAndOver(how);
    expect(await place(saleId, 'ada')).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await place(saleId, 'bob')).toEqual({ outcome: 'not-open', state: 'closed' });
    expect(asked).toEqual([]);
  });
});

describe('an order in a sale that Redis has lost', () => {
  it('waits for a rebuild while the sale may still be open by the clock that went with it', async () => {
    const { saleId } = await sales.open(10, { closesAtMs: Date.now() - 1_000 });
    await lose();
    expect(await place(saleId, 'ada')).toEqual({ outcome: 'stock-not-ready' });
    expect(asked).toEqual([saleId]);
  });

  it('waits for it too where the window was extended after this container had read the sale', async () => {
    const { saleId } = await sales.open(10, longAgo());
    const ports = placing();
    expect(await place(saleId, 'ada', ports)).toEqual({ outcome: 'not-open', state: 'closed' });
    await work.change(saleId, { closesAtMs: Date.now() + dayMs } satisfies Partial<Sale>);
    await lose();
    expect(await place(saleId, 'ada', ports)).toEqual({ outcome: 'stock-not-ready' });
    expect(asked).toEqual([saleId]);
  });

  it('that never was is refused before anybody is asked', async () => {
    expect(await place(`made-up-${randomUUID()}`, 'ada')).toEqual({ outcome: 'unknown-sale' });
    expect(asked).toEqual([]);
  });
});
