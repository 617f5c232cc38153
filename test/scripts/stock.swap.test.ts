import { describe, expect, it } from 'vitest';
import type { Hold, LineUnits, StockLine } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openSale, redisBench, serials, tees } from './stock.harness.ts';

const bench = redisBench();
const wanting = (quantity: number): { lines: StockLine[] } => ({ lines: [{ sku: 'tee', quantity }] });
const swap = (saleId: string, hold: Hold, quantity: number, ...owned: LineUnits[]) =>
  bench.stock.swap(saleId, { ...hold, ...wanting(quantity), owned });

describe('swap', () => {
  it('exchanges owned units for others, and puts them under suspicion', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, wanting(3));
    const { bornUs, expiresAtMs, slots } = hold;
    const swapped = { outcome: 'SWAPPED', bornUs, expiresAtMs, slots, lines: [tees(2, 4, 5)] };
    expect(await swap(saleId, hold, 3, tees(1, 3))).toEqual(swapped);
    const { items, holds } = await expectConserved(bench, saleId);
    expect(holds).toMatchObject([{ lines: [tees(2, 4, 5)], state: 'held' }]);
    expect(items.tee).toMatchObject({ suspect: ['1', '3'], ahead: serials(6, 10) });
  });

  it('has the same effect once when it is repeated', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, wanting(2));
    const first = await swap(saleId, hold, 2, tees(1));
    expect(await swap(saleId, hold, 2, tees(1))).toEqual(first);
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ suspect: ['1'], held: ['2', '3'] });
  });

  it('passes a whole owned run at once, so that a Redis that forgot a thousand sales costs one retry', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 2_000 }] });
    const hold = await held(bench, saleId);
    expect(await swap(saleId, hold, 1, tees(...serials(1, 1_000)))).toMatchObject({ outcome: 'SWAPPED', lines: [tees(1_001)] });
    const { items } = await expectConserved(bench, saleId);
    expect(items.tee?.suspect).toEqual(serials(1, 1_000));
    expect((await held(bench, saleId)).lines).toEqual([tees(1_002)]);
  });

  it('hands out no owned unit that lies further on, and leaves those between them for others', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, wanting(2));
    expect(await swap(saleId, hold, 2, tees(1, 2, 4, 6, 7))).toMatchObject({ lines: [tees(3, 5)] });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ suspect: ['1', '2', '4', '6', '7'], ahead: ['8', '9', '10'] });
  });

  it('takes owned units out of the free ones too, and fills up from the rest of those first', async () => {
    const { saleId } = await openSale(bench);
    const returned = await held(bench, saleId, wanting(4));
    const hold = await held(bench, saleId, wanting(2));
    await bench.stock.release(saleId, { ...returned, cause: 'tombstone' });
    expect(await swap(saleId, hold, 2, tees(1, 3, 5))).toMatchObject({ lines: [tees(2, 6)] });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: ['4'], suspect: ['1', '3', '5'], available: 5 });
  });

  it('finds owned units in every piece of the free ones', async () => {
    const { saleId } = await openSale(bench);
    const returned = [
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
    ];
    for (const hold of returned.filter((_, at) => at % 2 === 0)) await bench.stock.release(saleId, { ...hold, cause: 'order' });
    const last = await held(bench, saleId, wanting(4));
    await bench.stock.release(saleId, { ...last, cause: 'order' });
    const loser = await held(bench, saleId);
    expect(await swap(saleId, loser, 1, tees(...serials(1, 7)))).toMatchObject({ lines: [tees(8)] });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({
      suspect: ['1', '3', '5', '6', '7'],
      held: ['2', '4', '8'],
      free: [],
    });
  });

  it('leaves units alone that are in somebody else’s hold', async () => {
    const { saleId } = await openSale(bench);
    const other = await held(bench, saleId, wanting(2));
    const hold = await held(bench, saleId);
    await swap(saleId, hold, 1, tees(1, 2, 3));
    const { holds } = await expectConserved(bench, saleId);
    expect(holds).toContainEqual({ ...other, state: 'held' });
  });

  it('refuses when too few are left, says how many the buyer could have, and keeps what is not owned', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 5 }] });
    const hold = await held(bench, saleId, wanting(3));
    expect(await swap(saleId, hold, 3, tees(1, 2, 5))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 2 });
    const { items, holds } = await expectConserved(bench, saleId);
    expect(holds).toMatchObject([{ lines: [tees(3)], state: 'held' }]);
    expect(items.tee).toMatchObject({ suspect: ['1', '2'], ahead: ['4', '5'], available: 2 });
    // A replay shows the hold as it is, not as it was asked for.
    const replay = await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId, ...wanting(3) }));
    expect(replay).toMatchObject({ outcome: 'RESERVED', replayed: true, hold: { lines: [tees(3)] } });
  });

  it('fills a hold that came out short once there are units again', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 2 }] });
    const hold = await held(bench, saleId, wanting(2));
    expect(await swap(saleId, hold, 2, tees(1, 2))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 0 });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId }))).toMatchObject({ hold: { lines: [tees()] } });
    await bench.stock.returnSuspects(saleId, [tees(1, 2)]);
    expect(await swap(saleId, hold, 2)).toMatchObject({ outcome: 'SWAPPED', lines: [tees(1, 2)] });
    await expectConserved(bench, saleId);
  });

  it('takes all lines or none', async () => {
    const { saleId } = await openSale(bench, {
      items: [
        { sku: 'tee', total: 9 },
        { sku: 'mug', total: 1 },
      ],
    });
    const lines = [
      { sku: 'tee', quantity: 2 },
      { sku: 'mug', quantity: 1 },
    ];
    const hold = await held(bench, saleId, { lines });
    const owned = [tees(1), { sku: 'mug', units: ['1'] }];
    expect(await bench.stock.swap(saleId, { ...hold, lines, owned })).toEqual({ outcome: 'SOLD_OUT', sku: 'mug', available: 0 });
    expect((await expectConserved(bench, saleId)).holds).toMatchObject([{ lines: [tees(2), { sku: 'mug', units: [] }] }]);
  });

  it('acts on a held hold of this birth alone', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    expect(await swap('nowhere', hold, 1, tees(1))).toEqual({ outcome: 'NOT_LOADED' });
    expect(await swap(saleId, { ...hold, holdId: 'unknown' }, 1, tees(1))).toEqual({ outcome: 'UNKNOWN_HOLD' });
    expect(await swap(saleId, { ...hold, bornUs: hold.bornUs - 1 }, 1, tees(1))).toEqual({ outcome: 'UNKNOWN_HOLD' });
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect(await swap(saleId, hold, 1, tees(1))).toEqual({ outcome: 'ORDER_EXISTS' });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect(await swap(saleId, hold, 1, tees(1))).toEqual({ outcome: 'ALREADY_ENDED' });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: ['1'], suspect: [] });
  });
});

describe('suspects', () => {
  it('are read page by page, in order, also through a run longer than a page', async () => {
    const { saleId } = await openSale(bench, {
      items: [
        { sku: 'tee', total: 2_000 },
        { sku: 'mug', total: 5 },
      ],
    });
    const lines = [
      { sku: 'tee', quantity: 1 },
      { sku: 'mug', quantity: 2 },
    ];
    const hold = await held(bench, saleId, { lines });
    const owned = [tees(...serials(1, 25), 27, 1_500), { sku: 'mug', units: ['1'] }];
    await bench.stock.swap(saleId, { ...hold, lines, owned });

    const seen: string[] = [];
    let after: { sku: string; unit: string } | undefined;
    for (let pages = 0; pages < 20; pages++) {
      const page = await bench.stock.suspects(saleId, { limit: 10, ...(after ? { after } : {}) });
      if (page.outcome !== 'PAGE') throw new Error(page.outcome);
      const units = page.lines.flatMap(({ sku, units }) => units.map((unit) => ({ sku, unit })));
      if (units.length === 0) break;
      expect(units.length).toBeLessThanOrEqual(10);
      seen.push(...units.map(({ sku, unit }) => `${sku} ${unit}`));
      after = units.at(-1);
    }
    // 26 went to the hold. 1500 was not looked at: it was never given out, so nobody has to suspect it yet.
    expect(seen).toEqual(['mug 1', ...[...serials(1, 25), '27'].map((unit) => `tee ${unit}`)]);
  });

  it('come back for sale once, and only those that are still under suspicion', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, wanting(3));
    await swap(saleId, hold, 3, tees(1, 2, 3));
    const units = tees(1, 2, 4, 9);
    expect(await bench.stock.returnSuspects(saleId, [units])).toEqual({ outcome: 'RETURNED', count: 2 });
    expect(await bench.stock.returnSuspects(saleId, [units])).toEqual({ outcome: 'RETURNED', count: 0 });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: ['1', '2'], suspect: ['3'] });
  });

  it('are cleared by the order that turns out to own them, and by its end', async () => {
    const { saleId } = await openSale(bench);
    const winner = await held(bench, saleId, wanting(2));
    await bench.redis.hdel(stockKeys(saleId).sale, `h:${winner.holdId}`, 'i:tee');
    await bench.redis.hset(stockKeys(saleId).sale, 'i:tee', 'c|10|1|0');
    const loser = await held(bench, saleId, wanting(2));
    await swap(saleId, loser, 2, tees(1, 2));
    expect(await bench.stock.suspects(saleId, { limit: 10 })).toEqual({ outcome: 'PAGE', lines: [tees(1, 2)] });
    await bench.stock.acknowledge(saleId, winner, 'live');
    expect((await expectConserved(bench, saleId)).items.tee?.suspect).toEqual([]);
    // Nor do they stay there when the order's hold has them all along.
    await bench.redis.zadd(stockKeys(saleId).suspects, 0, 'tee|0000002-0000002');
    await bench.stock.acknowledge(saleId, winner, 'live');
    expect((await expectConserved(bench, saleId)).items.tee?.suspect).toEqual([]);
    await bench.stock.release(saleId, { ...winner, cause: 'order' });
    expect((await expectConserved(bench, saleId)).items.tee?.free).toEqual(['1', '2']);
  });

  it('that a rolled-back Redis gave out twice are for sale once when both holds have ended', async () => {
    const { saleId } = await openSale(bench);
    const winner = await held(bench, saleId, wanting(2));
    await bench.redis.hset(stockKeys(saleId).sale, 'i:tee', 'c|10|1|0');
    const loser = await held(bench, saleId, wanting(3));
    await bench.stock.release(saleId, { ...loser, cause: 'tombstone' });
    await bench.stock.release(saleId, { ...winner, cause: 'order' });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: ['1', '2', '3'], available: 10 });
  });

  it('stop being suspects when the order that had them ends, so that they come back once', async () => {
    const { saleId } = await openSale(bench);
    const winner = await held(bench, saleId, wanting(2));
    await bench.stock.acknowledge(saleId, winner, 'live');
    await bench.redis.hset(stockKeys(saleId).sale, 'i:tee', 'c|10|1|0');
    await swap(saleId, await held(bench, saleId, wanting(2)), 2, tees(1, 2));
    await bench.stock.release(saleId, { ...winner, cause: 'order' });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: ['1', '2'], suspect: [] });
    expect(await bench.stock.returnSuspects(saleId, [tees(1, 2)])).toEqual({ outcome: 'RETURNED', count: 0 });
  });

  it('are none in a sale that is not loaded', async () => {
    expect(await bench.stock.suspects('nowhere', { limit: 10 })).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.stock.returnSuspects('nowhere', [tees(1)])).toEqual({ outcome: 'NOT_LOADED' });
  });
});
