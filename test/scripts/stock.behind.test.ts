import { describe, expect, it } from 'vitest';
import type { Hold, LineUnits } from '../../functions/stock/stock.model.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, held, openSale, redisBench, tees } from './stock.harness.ts';

const bench = redisBench();
const two = { lines: [{ sku: 'tee', quantity: 2 }] };
const tooMany = { lines: [{ sku: 'tee', quantity: 11 }] };
const swap = (saleId: string, hold: Hold, ...owned: LineUnits[]) => bench.stock.swap(saleId, { ...hold, ...two, owned });
const mend = (saleId: string, hold: Hold, ...usedSlots: number[]) => bench.stock.mendAllowance(saleId, { ...hold, usedSlots });

/** Whether Redis is behind, as buyers hear who had nothing to do with it: in a refusal for want of units, and in one for the limit of 20. */
async function refusals(saleId: string) {
  const soldOut = await bench.stock.reserve(aRequest(saleId, { buyerId: 'yan', ...tooMany }));
  await held(bench, saleId, { buyerId: 'zoe' });
  const atLimit = await bench.stock.reserve(aRequest(saleId, { buyerId: 'zoe', lines: [{ sku: 'tee', quantity: 20 }] }));
  if (soldOut.outcome !== 'SOLD_OUT' || atLimit.outcome !== 'BUYER_LIMIT') throw new Error('not refused');
  return [soldOut.behind, atLimit.behind];
}

const openLimited = () => openSale(bench, { perBuyerLimit: 20 });

describe('a refusal', () => {
  it('does not call Redis behind while holds and orders only come and go', async () => {
    const sale = await openLimited();
    const { saleId } = sale;
    const [live, paid, ended, withdrawn, short] = [
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId),
      await held(bench, saleId, two),
    ];
    await bench.stock.acknowledge(saleId, live, 'live');
    await bench.stock.acknowledge(saleId, paid, 'live');
    await bench.stock.confirm(saleId, paid.holdId);
    await bench.stock.release(saleId, { ...ended, cause: 'order' });
    await bench.stock.release(saleId, { ...withdrawn, cause: 'tombstone' });
    // A swap that names no owned units only fills up.
    expect(await swap(saleId, short)).toMatchObject({ outcome: 'SWAPPED' });
    await bench.stock.takeExpired(saleId, { limit: 10, retryMs: 1_000 });
    expect(await bench.stock.update({ ...sale, version: 2 })).toEqual({ outcome: 'UPDATED' });
    expect(await refusals(saleId)).toEqual([false, false]);
  });

  it.each([
    ['found others', [1], 'SWAPPED'],
    ['found none', [1, 2, 3, 4, 5, 6, 7, 8, 9], 'SOLD_OUT'],
  ] as const)('calls Redis behind once a hold had units of another order, and the swap %s', async (_, owned, outcome) => {
    const { saleId } = await openLimited();
    expect(await swap(saleId, await held(bench, saleId, two), tees(...owned))).toMatchObject({ outcome });
    // Whoever is to meet the limit needs a unit first.
    await bench.stock.returnSuspects(saleId, [tees(...owned)]);
    expect(await refusals(saleId)).toEqual([true, true]);
  });

  it.each([
    ['got others', 5, 'MENDED'],
    ['got none', 3, 'BUYER_LIMIT'],
  ] as const)('calls Redis behind once a hold had slots of another order, and %s', async (_, perBuyerLimit, outcome) => {
    const { saleId } = await openSale(bench, { perBuyerLimit });
    const hold = await held(bench, saleId, two);
    expect(await mend(saleId, hold, 1, 2)).toMatchObject({ outcome });
    const request = aRequest(saleId, { buyerId: 'eve', lines: [{ sku: 'tee', quantity: perBuyerLimit + 1 }] });
    expect(await bench.stock.reserve(request)).toEqual({ outcome: 'BUYER_LIMIT', limit: perBuyerLimit, used: 0, behind: true });
  });

  it('that a replay of a hold without its slots gets says it too', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId, two);
    await mend(saleId, hold, 1, 2);
    const replay = await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId, ...two }));
    expect(replay).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 2, behind: true });
  });

  it.each([false, true])('says it for requests of many items as for those of one (behind: %s)', async (behind) => {
    const skus = ['a', 'b', 'c', 'd', 'e'];
    const { saleId } = await openSale(bench, { perBuyerLimit: 5, items: skus.map((sku) => ({ sku, total: 3 })) });
    const hold = await held(bench, saleId, { buyerId: 'bob', lines: [{ sku: 'a', quantity: 1 }] });
    if (behind) await mend(saleId, hold, 1);
    const mostOf = (last: number) => skus.slice(0, 4).map((sku) => ({ sku, quantity: sku === 'd' ? last : 1 }));
    const overLimit = aRequest(saleId, { lines: [...mostOf(1), { sku: 'e', quantity: 2 }] });
    expect(await bench.stock.reserve(overLimit)).toEqual({ outcome: 'BUYER_LIMIT', limit: 5, used: 0, behind });
    await held(bench, saleId, { buyerId: 'eve', lines: [{ sku: 'd', quantity: 2 }] });
    const soldOut = aRequest(saleId, { lines: mostOf(2) });
    expect(await bench.stock.reserve(soldOut)).toEqual({ outcome: 'SOLD_OUT', sku: 'd', available: 1, behind });
  });

  it('calls Redis behind for the sale whose hold it was, and for no other', async () => {
    const [caught, other] = [await openLimited(), await openLimited()];
    await swap(caught.saleId, await held(bench, caught.saleId, two), tees(1));
    expect(await refusals(other.saleId)).toEqual([false, false]);
    expect(await refusals(caught.saleId)).toEqual([true, true]);
  });

  it('calls Redis behind once it was told of an order whose hold it had forgotten', async () => {
    const { saleId } = await openLimited();
    const forgotten = { holdId: 'forgotten', buyerId: 'ada', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, slots: [1], lines: [tees(1)] };
    await bench.stock.acknowledge(saleId, forgotten, 'live');
    expect(await refusals(saleId)).toEqual([true, true]);
  });

  it('does not take a late swap or mend, which changes nothing, for a proof', async () => {
    const { saleId } = await openLimited();
    const [unborn, placed, ended] = [await held(bench, saleId, two), await held(bench, saleId, two), await held(bench, saleId, two)];
    await bench.stock.acknowledge(saleId, placed, 'live');
    await bench.stock.release(saleId, { ...ended, cause: 'order' });
    const late = [{ ...unborn, bornUs: unborn.bornUs + 1 }, { ...unborn, holdId: 'unknown' }, placed, ended];
    for (const hold of late) {
      expect(['UNKNOWN_HOLD', 'ORDER_EXISTS', 'ALREADY_ENDED']).toContain((await swap(saleId, hold, tees(1))).outcome);
      expect(['UNKNOWN_HOLD', 'ORDER_EXISTS', 'ALREADY_ENDED']).toContain((await mend(saleId, hold, 1)).outcome);
    }
    expect(await refusals(saleId)).toEqual([false, false]);
    // Nor does a mark make a sale that Redis does not have look loaded.
    await swap('nowhere', unborn, tees(1));
    await mend('nowhere', unborn, 1);
    expect(await bench.redis.exists(...Object.values(stockKeys('nowhere')))).toBe(0);
  });

  it('keeps calling Redis behind after a newer copy of the sale, and after the holds that showed it have ended', async () => {
    const sale = await openLimited();
    const { saleId } = sale;
    const hold = await held(bench, saleId, two);
    await swap(saleId, hold, tees(1));
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    await bench.stock.returnSuspects(saleId, [tees(1)]);
    const newer = { ...sale, version: 2, epoch: 2 };
    expect(await bench.stock.update(newer)).toEqual({ outcome: 'UPDATED' });
    expect(await bench.stock.update(newer)).toEqual({ outcome: 'UP_TO_DATE' });
    expect(await refusals(saleId)).toEqual([true, true]);
  });
});
