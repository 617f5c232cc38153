import { describe, expect, it } from 'vitest';
import type { Hold } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openHall, openSale, redisBench, wantingSeats } from './stock.harness.ts';

const bench = redisBench();
const two = { lines: [{ sku: 'tee', quantity: 2 }] };
const mend = (saleId: string, hold: Hold, ...usedSlots: number[]) => bench.stock.mendAllowance(saleId, { ...hold, usedSlots });
const maskOf = async (saleId: string, buyerId: string) => Number((await bench.redis.hget(stockKeys(saleId).sale, `b:${buyerId}`)) ?? 0);

describe('mendAllowance', () => {
  it('gives the hold other slots for those that the buyer’s orders use, and remembers these', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const hold = await held(bench, saleId, two);
    expect(await mend(saleId, hold, 1, 3)).toEqual({ outcome: 'MENDED', slots: [2, 4] });
    expect(await maskOf(saleId, 'ada')).toBe(0b1111);
    expect((await held(bench, saleId)).slots).toEqual([5]);
    expect(await bench.stock.reserve(aRequest(saleId))).toEqual({ outcome: 'BUYER_LIMIT', limit: 5, used: 5, behind: true });
  });

  it('changes nothing when it is repeated', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const hold = await held(bench, saleId, two);
    const first = await mend(saleId, hold, 1);
    expect(await mend(saleId, hold, 1)).toEqual(first);
    expect(await maskOf(saleId, 'ada')).toBe(0b111);
  });

  it('leaves slots alone that do not collide', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const hold = await held(bench, saleId, two);
    expect(await mend(saleId, hold)).toEqual({ outcome: 'MENDED', slots: [1, 2] });
    await expectConserved(bench, saleId, 5);
  });

  it('refuses at the limit, and neither a replay nor the end of that hold gets round it', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, two);
    expect(await mend(saleId, hold, 1, 2)).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 2 });
    const replay = await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId, ...two }));
    expect(replay).toMatchObject({ outcome: 'BUYER_LIMIT', limit: 3, behind: true });
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    expect(await maskOf(saleId, 'ada')).toBe(0b11);
    expect((await held(bench, saleId)).slots).toEqual([3]);
    expect(await bench.stock.reserve(aRequest(saleId, two))).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 3, behind: true });
  });

  it('counts seats as units, beside others', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2', '17'], { items: [{ sku: 'tee', total: 5 }], perBuyerLimit: 4 });
    const lines = [{ sku: 'tee', quantity: 1 }, ...wantingSeats('A-1', '17').lines];
    const [bob, ada] = [
      await held(bench, saleId, { buyerId: 'bob', lines: [{ sku: 'tee', quantity: 1 }] }),
      await held(bench, saleId, { lines }),
    ];
    expect(await mend(saleId, bob, 1)).toEqual({ outcome: 'MENDED', slots: [2] });
    expect(await mend(saleId, ada, 1)).toEqual({ outcome: 'MENDED', slots: [2, 3, 4] });
    const replay = () => bench.stock.reserve(aRequest(saleId, { holdId: ada.holdId, lines }));
    expect(await replay()).toMatchObject({ outcome: 'RESERVED', hold: { slots: [2, 3, 4] } });
    expect(await mend(saleId, { ...ada, slots: [2, 3, 4] }, 1, 2)).toEqual({ outcome: 'BUYER_LIMIT', limit: 4, used: 2 });
    expect(await replay()).toEqual({ outcome: 'BUYER_LIMIT', limit: 4, used: 4, behind: true });
  });

  it('has nothing to mend in a sale without a limit', async () => {
    const { saleId } = await openSale(bench);
    expect(await mend(saleId, await held(bench, saleId, two), 1)).toEqual({ outcome: 'MENDED', slots: [] });
    expect(await maskOf(saleId, 'ada')).toBe(0);
    const refused = await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'tee', quantity: 9 }] }));
    expect(refused).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 8, behind: false });
  });

  it('acts on a held hold of this birth alone', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const hold = await held(bench, saleId);
    expect(await mend('nowhere', hold, 1)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await mend(saleId, { ...hold, holdId: 'unknown' }, 1)).toEqual({ outcome: 'UNKNOWN_HOLD' });
    expect(await mend(saleId, { ...hold, bornUs: hold.bornUs + 1 }, 1)).toEqual({ outcome: 'UNKNOWN_HOLD' });
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect(await mend(saleId, hold, 1)).toEqual({ outcome: 'ORDER_EXISTS' });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect(await mend(saleId, hold, 1)).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await maskOf(saleId, 'ada')).toBe(0);
  });
});

describe('a forgotten order whose slots Redis has learned', () => {
  /** Ada's order has slot 1 and no hold; her hold, mended, has slot 2. */
  async function forgotten() {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId);
    expect(await mend(saleId, hold, 1)).toEqual({ outcome: 'MENDED', slots: [2] });
    return { saleId, order: { ...hold, holdId: 'forgotten', slots: [1] } };
  }

  it('gives them back with its end, once, whoever uses them by then', async () => {
    const { saleId, order } = await forgotten();
    expect(await bench.stock.acknowledge(saleId, order, 'ended')).toEqual({ outcome: 'ALREADY_ENDED' });
    await expectConserved(bench, saleId, 3);
    expect((await held(bench, saleId)).slots).toEqual([1]);
    expect(await bench.stock.acknowledge(saleId, order, 'ended')).toEqual({ outcome: 'ALREADY_ENDED' });
    await expectConserved(bench, saleId, 3);
  });

  it('gives them back beside those of a hold that was made under its key meanwhile', async () => {
    const { saleId, order } = await forgotten();
    expect((await held(bench, saleId, { holdId: order.holdId })).slots).toEqual([3]);
    expect(await bench.stock.acknowledge(saleId, order, 'ended')).toEqual({ outcome: 'RELEASED' });
    await expectConserved(bench, saleId, 3);
    expect(await maskOf(saleId, 'ada')).toBe(0b10);
  });

  it('keeps them for good once it is retired', async () => {
    const { saleId, order } = await forgotten();
    expect(await bench.stock.acknowledge(saleId, { ...order, lines: [{ sku: 'tee', units: ['9'] }] }, 'retired')).toEqual({
      outcome: 'RELEASED',
    });
    expect(await maskOf(saleId, 'ada')).toBe(0b11);
    await bench.stock.acknowledge(saleId, order, 'ended');
    expect(await maskOf(saleId, 'ada')).toBe(0b11);
  });
});
