import { describe, expect, it } from 'vitest';
import { aRequest, expectConserved, held, openSale, redisBench, tees } from './stock.harness.ts';

const bench = redisBench();

describe('load', () => {
  it('puts all items on sale in one call, up to the 50 of a sale', async () => {
    const items = Array.from({ length: 50 }, (_, index) => ({ sku: `item-${index}`, total: index + 1 }));
    const { saleId } = await openSale(bench, { items });
    const state = await bench.stock.read(saleId);
    expect(state).toMatchObject({ outcome: 'READ', items: items.map((item) => ({ ...item, available: item.total, given: 0 })) });
    await expectConserved(bench, saleId);
  });

  it('changes nothing when it is repeated, also after units were given out', async () => {
    const sale = await openSale(bench);
    const hold = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 4 }] });
    expect(await bench.stock.load(sale)).toEqual({ outcome: 'ALREADY_LOADED' });
    const { holds } = await expectConserved(bench, sale.saleId);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect((await held(bench, sale.saleId)).lines).toEqual([tees(5)]);
  });

  it('takes a newer copy of the sale without giving any unit out again', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 4 });
    const hold = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 4 }] });
    await bench.stock.release(sale.saleId, { ...(await held(bench, sale.saleId, { buyerId: 'bob' })), cause: 'order' });
    const newer = {
      ...{ ...sale, version: 2, perBuyerLimit: 2 },
      items: [
        { sku: 'tee', total: 12 },
        { sku: 'mug', total: 3 },
      ],
    };
    expect(await bench.stock.load(newer)).toEqual({ outcome: 'LOADED' });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({
      version: 2,
      limit: 2,
      items: [
        { sku: 'tee', total: 12, available: 8, given: 4 },
        { sku: 'mug', total: 3, available: 3, given: 0 },
      ],
    });
    const { holds } = await expectConserved(bench, sale.saleId);
    expect(holds).toContainEqual({ ...hold, state: 'held' });
    // A lowered limit takes nothing from anyone, and binds what comes.
    expect(await bench.stock.reserve(aRequest(sale.saleId))).toEqual({ outcome: 'BUYER_LIMIT', limit: 2, used: 4, behind: false });
  });

  it('never lowers a total, so no unit that somebody has falls out of the count', async () => {
    const sale = await openSale(bench);
    await bench.stock.load({ ...sale, version: 2, items: [{ sku: 'tee', total: 3 }] });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ items: [{ sku: 'tee', total: 10 }] });
  });

  it('ignores an older copy and a lower epoch', async () => {
    const sale = await openSale(bench, { epoch: 3, version: 5 });
    for (const stale of [{ version: 4 }, { version: 5 }, { version: 6, epoch: 2 }]) {
      expect(await bench.stock.load({ ...sale, ...stale, control: 'closed' })).toEqual({ outcome: 'ALREADY_LOADED' });
    }
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ control: 'open', version: 5, epoch: 3 });
  });
});

describe('read', () => {
  it('shows the sale as it was loaded, with the time of Redis', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 3, holdSeconds: 60 });
    const { saleId: _, epoch, version, control, opensAtMs, closesAtMs } = sale;
    const state = await bench.stock.read(sale.saleId);
    const items = [{ sku: 'tee', total: 10, available: 10, given: 0 }];
    expect(state).toMatchObject({ outcome: 'READ', epoch, version, control, opensAtMs, closesAtMs, limit: 3, holdMs: 60_000, items });
    if (state.outcome === 'READ') expect(Math.abs((await bench.stock.nowMs()) - state.nowMs)).toBeLessThan(5_000);
  });

  it('says that it does not know a sale', async () => {
    expect(await bench.stock.read('nowhere')).toEqual({ outcome: 'NOT_LOADED' });
  });
});
