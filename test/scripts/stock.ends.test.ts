import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { all, aRequest, expectConserved, held, openSale, redisBench, serials, tees } from './stock.harness.ts';

const bench = redisBench();
const two = { lines: [{ sku: 'tee', quantity: 2 }] };

describe('acknowledge', () => {
  it('marks the hold of a live order, and again when repeated', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 2 });
    const hold = await held(bench, saleId, two);
    for (let run = 0; run < 3; run++) expect(await bench.stock.acknowledge(saleId, hold, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    expect((await expectConserved(bench, saleId, 2)).holds).toEqual([{ ...hold, state: 'acknowledged' }]);
  });

  it('gives what the hold has beyond its order back for sale', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 4 });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 4 }] });
    await bench.stock.acknowledge(saleId, { ...hold, lines: [tees(2, 4)], slots: [1, 3] }, 'live');
    const { items, holds } = await expectConserved(bench, saleId, 4);
    expect(holds).toMatchObject([{ lines: [tees(2, 4)], slots: [1, 3] }]);
    expect(items.tee).toMatchObject({ free: ['1', '3'], available: 8 });
  });

  it('adopts what its order has beyond the hold: from the free units, from the suspects, and from those to come', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const returned = await held(bench, saleId, two);
    const hold = await held(bench, saleId, two);
    await bench.stock.release(saleId, { ...returned, cause: 'tombstone' });
    await bench.stock.swap(saleId, { ...hold, ...two, owned: [tees(4)] });
    // Now: hold 1, 3; free 2; suspect 4; next 5.
    const order = { ...hold, lines: [tees(2, 3, 4, 8)], slots: [2, 3, 4, 5] };
    expect(await bench.stock.acknowledge(saleId, order, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    const { items, holds } = await expectConserved(bench, saleId, 5);
    expect(holds).toEqual([{ ...order, state: 'acknowledged' }]);
    // 5 to 7 were skipped: a Redis that forgot may have given them out, so they wait until their rows were read.
    expect(items.tee).toMatchObject({ free: ['1'], suspect: ['5', '6', '7'], ahead: ['9', '10'] });
  });

  it('makes the hold of an order that Redis has forgotten', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const order = { holdId: 'forgotten', buyerId: 'ada', payloadHash: 'p', bornUs: 1_700_000_000_000_123, expiresAtMs: 1_700_000_000_999 };
    const hold = { ...order, lines: [tees(3, 4)], slots: [2, 4] };
    expect(await bench.stock.acknowledge(saleId, hold, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    const { items, holds } = await expectConserved(bench, saleId, 5);
    expect(holds).toEqual([{ ...hold, state: 'acknowledged' }]);
    expect(items.tee).toMatchObject({ suspect: ['1', '2'], ahead: serials(5, 10) });
    expect((await held(bench, saleId, two)).slots).toEqual([1, 3]);
  });

  it('adopts a unit beyond the total that Redis knows, and offers nothing for it', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 3 }] });
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, { ...hold, lines: [tees(5)] }, 'live');
    expect(await bench.stock.read(saleId)).toMatchObject({ items: [{ total: 3, available: 1 }] });
    expect((await held(bench, saleId)).lines).toEqual([tees(1)]);
    const refused = await bench.stock.reserve(aRequest(saleId));
    expect(refused).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 0, behind: false });
    // Nor does a suspect beyond the total come on sale before the restock has come here.
    expect(await bench.stock.returnSuspects(saleId, [tees(4)])).toEqual({ outcome: 'RETURNED', count: 0 });
    expect(await all(bench.stock.freeRanges(saleId))).toEqual([]);
    expect(await bench.stock.returnSuspects(saleId, [tees(2, 3, 4)])).toEqual({ outcome: 'RETURNED', count: 2 });
  });

  it('keeps a confirmed hold confirmed', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, hold, 'confirmed');
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect((await expectConserved(bench, saleId)).holds).toMatchObject([{ state: 'confirmed' }]);
  });

  it('releases for an ended order, and no late word of a live one brings the hold back', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 2 });
    const hold = await held(bench, saleId, two);
    expect(await bench.stock.acknowledge(saleId, hold, 'ended')).toEqual({ outcome: 'RELEASED' });
    for (const state of ['ended', 'live', 'confirmed'] as const) {
      expect(await bench.stock.acknowledge(saleId, hold, state)).toEqual({ outcome: 'ALREADY_ENDED' });
    }
    expect((await expectConserved(bench, saleId, 2)).items.tee).toMatchObject({ free: ['1', '2'], available: 10 });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId, ...two }))).toEqual({ outcome: 'ENDED' });
  });

  it('remembers an ended order that Redis did not know, so that a retry takes no units', async () => {
    const { saleId } = await openSale(bench);
    const order = { holdId: 'ended', buyerId: 'ada', payloadHash: 'payload', bornUs: 1, expiresAtMs: 1, lines: [tees(3)], slots: [] };
    expect(await bench.stock.acknowledge(saleId, order, 'ended')).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: 'ended' }))).toEqual({ outcome: 'ENDED' });
    expect((await expectConserved(bench, saleId)).items.tee?.ahead).toHaveLength(10);
  });

  it('says nothing of a sale that is not loaded', async () => {
    const hold = { holdId: 'h', buyerId: 'ada', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, lines: [tees(1)], slots: [] };
    for (const state of ['live', 'confirmed', 'ended'] as const) {
      expect(await bench.stock.acknowledge('nowhere', hold, state)).toEqual({ outcome: 'NOT_LOADED' });
    }
    expect(await bench.redis.exists(...Object.values(stockKeys('nowhere')))).toBe(0);
  });
});

describe('confirm', () => {
  it('confirms once, and says so when repeated', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'CONFIRMED' });
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'ALREADY_CONFIRMED' });
    expect((await expectConserved(bench, saleId)).holds).toEqual([{ ...hold, state: 'confirmed' }]);
  });

  it('confirms no hold that was never compared with its order, and the order’s units are the buyer’s once it was', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, two);
    const { sale, expiry } = stockKeys(saleId);
    const before = await Promise.all([bench.redis.hgetall(sale), bench.redis.lrange(expiry, 0, -1)]);
    for (let run = 0; run < 2; run++) expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'NOT_ACKNOWLEDGED' });
    expect(await Promise.all([bench.redis.hgetall(sale), bench.redis.lrange(expiry, 0, -1)])).toEqual(before);
    // The order has other units than the hold: confirmed as it was, the hold would have kept 1 and 2 from everyone for good.
    const order = { ...hold, lines: [tees(2, 5)] };
    expect(await bench.stock.acknowledge(saleId, order, 'confirmed')).toEqual({ outcome: 'ACKNOWLEDGED' });
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'ALREADY_CONFIRMED' });
    const { holds, items } = await expectConserved(bench, saleId, 3);
    expect(holds).toEqual([{ ...order, state: 'confirmed' }]);
    expect(items.tee).toMatchObject({ free: ['1'], suspect: ['3', '4'] });
  });

  it('confirms nothing that ended, nothing unknown, and nothing without its sale', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect(await bench.stock.confirm(saleId, hold.holdId)).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await bench.stock.confirm(saleId, 'unknown')).toEqual({ outcome: 'UNKNOWN_HOLD' });
    expect(await bench.stock.confirm('nowhere', hold.holdId)).toEqual({ outcome: 'NOT_LOADED' });
  });
});

describe('release', () => {
  it.each(['order', 'tombstone'] as const)('gives units and allowance back once, however often it runs (%s)', async (cause) => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, two);
    await held(bench, saleId);
    const replies = await Promise.all(Array.from({ length: 10 }, () => bench.stock.release(saleId, { ...hold, cause })));
    expect(replies.filter(({ outcome }) => outcome === 'RELEASED')).toEqual([{ outcome: 'RELEASED', lines: [tees(1, 2)] }]);
    const after = cause === 'order' ? 'ALREADY_ENDED' : 'UNKNOWN_HOLD';
    expect(replies.filter(({ outcome }) => outcome === after)).toHaveLength(9);
    expect((await expectConserved(bench, saleId, 3)).items.tee).toMatchObject({ free: ['1', '2'], available: 9 });
  });

  it.each(['live', 'confirmed'] as const)('ends the hold of an ended order, whatever its state was (%s)', async (state) => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, hold, state);
    expect(await bench.stock.release(saleId, { holdId: hold.holdId, bornUs: 1, cause: 'order' })).toMatchObject({ outcome: 'RELEASED' });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId }))).toEqual({ outcome: 'ENDED' });
    await expectConserved(bench, saleId);
  });

  it.each(['live', 'confirmed'] as const)('takes nothing from an order by a tombstone (%s)', async (state) => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, hold, state);
    expect(await bench.stock.release(saleId, { ...hold, cause: 'tombstone' })).toEqual({ outcome: 'ORDER_EXISTS' });
    expect((await expectConserved(bench, saleId)).items.tee?.held).toEqual(['1']);
  });

  it('leaves a hold alone that is younger than the tombstone', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    const older = { holdId: hold.holdId, bornUs: hold.bornUs - 1, cause: 'tombstone' as const };
    expect(await bench.stock.release(saleId, older)).toEqual({ outcome: 'ALREADY_ENDED' });
    expect((await expectConserved(bench, saleId)).holds).toEqual([{ ...hold, state: 'held' }]);
  });

  it('lets a fresh attempt follow a tombstone, born later than it even if the clock has stepped back', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    const again = await held(bench, saleId, { holdId: hold.holdId });
    expect(again.bornUs).toBeGreaterThan(hold.bornUs);
    // A tombstone from the future is what a clock that stepped back looks like.
    const futureUs = again.bornUs + 60_000_000;
    await bench.stock.release(saleId, { ...again, bornUs: futureUs, cause: 'tombstone' });
    expect((await held(bench, saleId, { holdId: hold.holdId })).bornUs).toBe(futureUs + 1);
    await expectConserved(bench, saleId);
  });

  it('knows no hold that was never made, and nothing without its sale', async () => {
    const { saleId } = await openSale(bench);
    for (const cause of ['order', 'tombstone'] as const) {
      expect(await bench.stock.release(saleId, { holdId: 'unknown', bornUs: 1, cause })).toEqual({ outcome: 'UNKNOWN_HOLD' });
      expect(await bench.stock.release('nowhere', { holdId: 'unknown', bornUs: 1, cause })).toEqual({ outcome: 'NOT_LOADED' });
    }
  });
});
