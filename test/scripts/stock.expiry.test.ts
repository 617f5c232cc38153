import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();
const bounds = { limit: 100, retryMs: 60_000 };

/** Waits until Redis' clock has passed this moment. */
const passed = (ms: number) => expect.poll(() => bench.stock.nowMs(), { interval: 5, timeout: 30_000 }).toBeGreaterThan(ms);

async function due(saleId: string, limits = bounds) {
  const taken = await bench.stock.takeExpired(saleId, limits);
  if (taken.outcome !== 'DUE') throw new Error(taken.outcome);
  return taken;
}

describe('takeExpired', () => {
  it('gives a hold whose time is up, as it is, and none before its time', async () => {
    const { saleId: early } = await openSale(bench, { holdSeconds: 300, perBuyerLimit: 2 });
    await held(bench, early, { lines: [{ sku: 'tee', quantity: 2 }] });
    expect((await due(early)).holds).toEqual([]);

    const { saleId } = await openSale(bench, { holdSeconds: 0.05, perBuyerLimit: 2 });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    await passed(hold.expiresAtMs);
    const { holds, nowMs, more } = await due(saleId);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect(nowMs).toBeGreaterThanOrEqual(hold.expiresAtMs);
    expect(more).toBe(false);
    // Taking decides nothing: the hold stays until somebody ends it.
    expect((await expectConserved(bench, saleId, 2)).holds).toHaveLength(1);
  });

  it('gives each hold to one taker at a time, and again after the retry time if nobody ended it', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.02 });
    const hold = await held(bench, saleId);
    await passed(hold.expiresAtMs);
    const takers = await Promise.all(Array.from({ length: 5 }, () => due(saleId, { limit: 10, retryMs: 1_000 })));
    const [first] = takers.filter(({ holds }) => holds.length > 0);
    expect(takers.filter(({ holds }) => holds.length > 0)).toHaveLength(1);
    await passed((first?.nowMs ?? 0) + 1_000);
    for (let again = 0; again < 3; again++) {
      const { holds, nowMs } = await due(saleId, { limit: 10, retryMs: 30 });
      expect(holds).toEqual([{ ...hold, state: 'held' }]);
      await passed(nowMs + 30);
    }
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    expect((await due(saleId)).holds).toEqual([]);
    const { expiry, undecided } = stockKeys(saleId);
    expect([await bench.redis.llen(expiry), await bench.redis.llen(undecided)]).toEqual([0, 0]);
  });

  it('passes over holds that an order has, that ended, and that were born again', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.05 });
    const [acknowledged, confirmed, ended, reborn] = [
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
    ];
    await bench.stock.acknowledge(saleId, acknowledged, 'live');
    await bench.stock.acknowledge(saleId, confirmed, 'live');
    expect(await bench.stock.confirm(saleId, confirmed.holdId)).toEqual({ outcome: 'CONFIRMED' });
    await bench.stock.release(saleId, { ...ended, cause: 'order' });
    await bench.stock.release(saleId, { ...reborn, cause: 'tombstone' });
    const again = await held(bench, saleId, { holdId: reborn.holdId });
    await passed(again.expiresAtMs);
    expect((await due(saleId)).holds).toEqual([{ ...again, state: 'held' }]);
    expect(await bench.redis.llen(stockKeys(saleId).expiry)).toBe(0);
  });

  it('gives a hold that was never compared with its order, although a confirmation came', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.03 });
    const hold = await held(bench, saleId);
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'NOT_ACKNOWLEDGED' });
    await passed(hold.expiresAtMs);
    const { holds, nowMs } = await due(saleId, { limit: 10, retryMs: 30 });
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    // Nor does one that comes while somebody decides about it take it off the list.
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'NOT_ACKNOWLEDGED' });
    await passed(nowMs + 30);
    expect((await due(saleId, { limit: 10, retryMs: 1 })).holds).toEqual([{ ...hold, state: 'held' }]);
    await bench.stock.acknowledge(saleId, hold, 'confirmed');
    await passed((await bench.stock.nowMs()) + 1);
    expect((await due(saleId)).holds).toEqual([]);
  });

  it('gives no more than asked for, oldest first, and says that there may be more', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.03 });
    const holds = [await held(bench, saleId), await held(bench, saleId), await held(bench, saleId)];
    await passed(holds[2]?.expiresAtMs ?? 0);
    const first = await due(saleId, { limit: 2, retryMs: 60_000 });
    expect(first.holds.map(({ holdId }) => holdId)).toEqual(holds.slice(0, 2).map(({ holdId }) => holdId));
    expect(first.more).toBe(true);
    const second = await due(saleId, { limit: 2, retryMs: 60_000 });
    expect(second.holds.map(({ holdId }) => holdId)).toEqual([holds[2]?.holdId]);
    expect(second.more).toBe(false);
  });

  it('finds the one hold that is due behind thousands that are settled', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.05 });
    const hold = await held(bench, saleId);
    await passed(hold.expiresAtMs);
    const settled = Array.from({ length: 4_500 }, (_, index) => `settled-${index}|${hold.expiresAtMs}|1`);
    await bench.redis.lpush(stockKeys(saleId).expiry, ...settled);
    expect((await due(saleId, { limit: 10, retryMs: 60_000 })).holds).toEqual([{ ...hold, state: 'held' }]);
  });

  it('changes nothing in a sale that is not loaded', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.01 });
    const hold = await held(bench, saleId);
    await bench.redis.del(stockKeys(saleId).sale);
    await passed(hold.expiresAtMs);
    expect(await bench.stock.takeExpired(saleId, bounds)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.redis.llen(stockKeys(saleId).expiry)).toBe(1);
  });

  it('does not end a hold by itself: a replay after the time still finds it', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 0.02 });
    const hold = await held(bench, saleId);
    await passed(hold.expiresAtMs);
    await due(saleId);
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId }))).toMatchObject({ hold, replayed: true, hasOrder: false });
  });
});
