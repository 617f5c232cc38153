import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import type { Stock } from '../../functions/stock/stock.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openHall, openSale, redisBench, tees, wantingSeats } from './stock.harness.ts';

const bench = redisBench();

describe('a newer copy of a sale', () => {
  it('brings window, limit, control and totals, and gives no unit out again', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 4 });
    const hold = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 4 }] });
    await bench.stock.release(sale.saleId, { ...(await held(bench, sale.saleId, { buyerId: 'bob' })), cause: 'order' });
    const changes = { version: 2, perBuyerLimit: 2, closesAtMs: sale.closesAtMs + 1, opensAtMs: sale.opensAtMs - 1, holdSeconds: 60 };
    const newer = { ...sale, ...changes, items: [{ sku: 'tee', total: 12 }] };
    expect(await bench.stock.update(newer)).toEqual({ outcome: 'UPDATED' });
    expect(await bench.stock.update(newer)).toEqual({ outcome: 'UP_TO_DATE' });
    const { closesAtMs, opensAtMs } = changes;
    expect(await bench.stock.read(sale.saleId)).toMatchObject({
      ...{ version: 2, limit: 2, closesAtMs, opensAtMs, holdMs: 60_000, epoch: 1 },
      items: [{ sku: 'tee', total: 12, available: 8, given: 4 }],
    });
    const { holds } = await expectConserved(bench, sale.saleId);
    expect(holds).toContainEqual({ ...hold, state: 'held' });
    // A lowered limit takes nothing from anyone, and binds what comes.
    expect(await bench.stock.reserve(aRequest(sale.saleId))).toEqual({ outcome: 'BUYER_LIMIT', limit: 2, used: 4, behind: false });
    expect((await held(bench, sale.saleId, { buyerId: 'eve' })).lines).toEqual([tees(5)]);
  });

  it('never lowers a total, so no unit that somebody has falls out of the count', async () => {
    const sale = await openSale(bench);
    await bench.stock.update({ ...sale, version: 2, items: [{ sku: 'tee', total: 3 }] });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ version: 2, items: [{ sku: 'tee', total: 10 }] });
  });

  it('leaves a seated item to what brings seats', async () => {
    const sale = await openHall(bench, ['A-1', 'A-2']);
    await bench.stock.update({ ...sale, version: 2, items: [{ sku: 'hall', total: 50, seated: true }] });
    expect((await expectConserved(bench, sale.saleId)).items.hall).toMatchObject({ total: 2, available: 2 });
  });

  it('that comes late or again changes nothing', async () => {
    const sale = await openSale(bench, { version: 5 });
    for (const version of [4, 5]) {
      expect(await bench.stock.update({ ...sale, version, control: 'closed' })).toEqual({ outcome: 'UP_TO_DATE' });
    }
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ control: 'open', version: 5 });
  });

  it('ends as the newest, however the copies cross', async () => {
    const sale = await openSale(bench);
    const copies = [2, 3, 4, 5, 6, 7].map((version) => ({ ...sale, version, items: [{ sku: 'tee', total: 10 * version }] }));
    await Promise.all([...copies.slice(3), ...copies, ...copies.slice(0, 2)].map((copy) => bench.stock.update(copy)));
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ version: 7, items: [{ total: 70, available: 70 }] });
  });

  it('keeps births above those that were withdrawn', async () => {
    const sale = await openSale(bench);
    const hold = await held(bench, sale.saleId);
    await bench.stock.release(sale.saleId, { ...hold, bornUs: hold.bornUs + 60_000_000, cause: 'tombstone' });
    await bench.stock.update({ ...sale, version: 2 });
    expect((await held(bench, sale.saleId)).bornUs).toBeGreaterThan(hold.bornUs + 60_000_000);
  });

  it('of a sale that is not loaded leaves a note of the newest version and nothing else', async () => {
    const sale = await openSale(bench);
    const { sale: key, ...others } = stockKeys(sale.saleId);
    await bench.redis.del(key);
    for (const version of [3, 5, 4]) expect(await bench.stock.update({ ...sale, version })).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.redis.hgetall(key)).toEqual({ v: '5' });
    expect(await bench.redis.exists(...Object.values(others))).toBe(0);
    expect(await bench.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.stock.reserve(aRequest(sale.saleId))).toEqual({ outcome: 'NOT_LOADED' });
  });

  it('brings nothing when a part of it cannot be', async () => {
    const sale = await openSale(bench);
    const before = await bench.redis.hgetall(stockKeys(sale.saleId).sale);
    const wrong: Partial<Parameters<Stock['update']>[0]>[] = [
      { items: [] },
      { items: [{ sku: 'mug', total: 1 }] },
      { items: [{ sku: 'tee', total: 0 }] },
      { items: [{ sku: 'tee', total: 10_000_000 }] },
      { items: [{ sku: 'a|b', total: 1 }] },
      { items: [sale.items[0] ?? { sku: 'tee', total: 1 }, { sku: 'tee', total: 2 }] },
      { perBuyerLimit: 21 },
      { holdSeconds: 0 },
      { version: 0 },
      { opensAtMs: -1 },
      { closesAtMs: Number.NaN },
      { control: 'shut' as 'closed' },
    ];
    for (const change of wrong) {
      await expect(bench.stock.update({ ...sale, version: 2, ...change }), JSON.stringify(change)).rejects.toThrow(BadCall);
    }
    expect(await bench.redis.hgetall(stockKeys(sale.saleId).sale)).toEqual(before);
  });
});

describe('a cancelled sale', () => {
  it.each([1, 2])('gives out nothing, and refuses replays of holds that no order has (hold %i of 2)', async (which) => {
    const sale = await openHall(bench, ['A-1', 'A-2'], { items: [{ sku: 'tee', total: 5 }] });
    const request = aRequest(sale.saleId, which === 1 ? {} : wantingSeats('A-1'));
    const placed = aRequest(sale.saleId, which === 1 ? {} : wantingSeats('A-2'));
    const [hold, order] = [await held(bench, sale.saleId, request), await held(bench, sale.saleId, placed)];
    await bench.stock.acknowledge(sale.saleId, order, 'live');
    // Closed alone, a hold lives on and may become an order.
    expect(await bench.stock.update({ ...sale, version: 2, control: 'closed' })).toEqual({ outcome: 'UPDATED' });
    expect(await bench.stock.reserve(request)).toMatchObject({ outcome: 'RESERVED', replayed: true });
    const cancellation = { reason: 'rain', atMs: 1 };
    expect(await bench.stock.update({ ...sale, version: 3, control: 'closed', cancellation })).toEqual({ outcome: 'UPDATED' });
    const closed = { outcome: 'NOT_OPEN', state: 'closed', behind: false };
    expect(await bench.stock.reserve(request)).toEqual(closed);
    expect(await bench.stock.reserve(aRequest(sale.saleId))).toEqual(closed);
    expect(await bench.stock.reserve({ ...request, payloadHash: 'other' })).toEqual({ outcome: 'KEY_REUSED' });
    // Who has an order gets its replay, whatever has happened since.
    expect(await bench.stock.reserve(placed)).toMatchObject({ outcome: 'RESERVED', replayed: true, hasOrder: true });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ control: 'cancelled' });
    // Holds still end as they do.
    expect(await bench.stock.release(sale.saleId, { ...hold, cause: 'tombstone' })).toMatchObject({ outcome: 'RELEASED' });
    await expectConserved(bench, sale.saleId);
  });
});

describe('since when a sale that was called off is closed', () => {
  const cancellation = { reason: 'rain', atMs: 1 };

  it('is the moment of the first question, and stays', async () => {
    const sale = await openSale(bench);
    expect(await bench.stock.closedSince(sale.saleId)).toEqual({ outcome: 'SELLING' });
    await bench.stock.update({ ...sale, version: 2, control: 'closed', cancellation });
    const beforeMs = await bench.stock.nowMs();
    const first = await bench.stock.closedSince(sale.saleId);
    expect(first).toEqual({ outcome: 'CLOSED', sinceMs: expect.any(Number) });
    expect(first.outcome === 'CLOSED' && first.sinceMs).toBeGreaterThanOrEqual(beforeMs);
    await pause(2);
    expect(await bench.stock.closedSince(sale.saleId)).toEqual(first);
    await expectConserved(bench, sale.saleId);
  });

  it('is not told of a sale that an operator only closed, or that is not loaded', async () => {
    const sale = await openSale(bench);
    await bench.stock.update({ ...sale, version: 2, control: 'closed' });
    expect(await bench.stock.closedSince(sale.saleId)).toEqual({ outcome: 'SELLING' });
    expect(await bench.stock.closedSince('nobody-made')).toEqual({ outcome: 'NOT_LOADED' });
  });
});
