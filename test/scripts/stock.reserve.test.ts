import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openSale, redisBench, serials, tees } from './stock.harness.ts';

const bench = redisBench();
const fiveUnits = { items: [{ sku: 'tee', total: 5 }] };

describe('reserve', () => {
  it('gives the lowest serials, an expiry of the hold time, and a birth in microseconds', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 30 });
    const beforeMs = await bench.stock.nowMs();
    const reply = await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'tee', quantity: 3 }] }));
    const afterMs = await bench.stock.nowMs();

    if (reply.outcome !== 'RESERVED') throw new Error(reply.outcome);
    expect(reply).toMatchObject({ replayed: false, hasOrder: false, hold: { lines: [tees(1, 2, 3)], slots: [], buyerId: 'ada' } });
    const bornMs = Math.floor(reply.hold.bornUs / 1000);
    expect(reply.hold.expiresAtMs).toBe(bornMs + 30_000);
    expect(bornMs).toBeGreaterThanOrEqual(beforeMs);
    expect(bornMs).toBeLessThanOrEqual(afterMs);
  });

  it('fails closed without the sale, even for a hold that is asked for again', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.redis.del(stockKeys(saleId).sale);
    expect(await bench.stock.reserve(aRequest(saleId, { holdId: hold.holdId }))).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.stock.reserve(aRequest(saleId))).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.redis.exists(stockKeys(saleId).sale)).toBe(0);
  });

  it('gives one hold however often it runs', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 2 });
    const request = aRequest(saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    const replies = await Promise.all(Array.from({ length: 20 }, () => bench.stock.reserve(request)));
    const holds = replies.map((reply) => (reply.outcome === 'RESERVED' ? reply.hold : reply));
    expect(new Set(holds.map((hold) => JSON.stringify(hold))).size).toBe(1);
    expect(replies.filter((reply) => reply.outcome === 'RESERVED' && !reply.replayed)).toHaveLength(1);
    expect(await bench.redis.llen(stockKeys(saleId).expiry)).toBe(1);
    await expectConserved(bench, saleId, 2);
  });

  it.each(['closed', 'paused', 'sold out', 'at the limit'])('replays a hold before it looks at anything else: %s', async (change) => {
    const sale = await openSale(bench, { ...fiveUnits, perBuyerLimit: 5 });
    const { saleId } = sale;
    const request = aRequest(saleId, { lines: [{ sku: 'tee', quantity: 5 }] });
    const first = await bench.stock.reserve(request);
    if (change === 'closed') await bench.stock.update({ ...sale, version: 2, control: 'closed' });
    if (change === 'paused') await bench.stock.update({ ...sale, version: 2, control: 'paused' });
    expect(await bench.stock.reserve(request)).toEqual({ ...first, replayed: true });
  });

  it('never gives the hold of a key to another payload or another buyer', async () => {
    const { saleId } = await openSale(bench);
    const { holdId } = await held(bench, saleId);
    expect(await bench.stock.reserve(aRequest(saleId, { holdId, payloadHash: 'other' }))).toEqual({ outcome: 'KEY_REUSED' });
    expect(await bench.stock.reserve(aRequest(saleId, { holdId, buyerId: 'bob' }))).toEqual({ outcome: 'KEY_REUSED' });
  });

  it('says whether an order has the hold that it replays', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId);
    await bench.stock.acknowledge(saleId, hold, 'live');
    const request = aRequest(saleId, { holdId: hold.holdId });
    expect(await bench.stock.reserve(request)).toEqual({ outcome: 'RESERVED', hold, replayed: true, hasOrder: true });
    await bench.stock.confirm(saleId, hold.holdId);
    expect(await bench.stock.reserve(request)).toEqual({ outcome: 'RESERVED', hold, replayed: true, hasOrder: true });
  });

  it('refuses an item that the sale does not have, and says which', async () => {
    const { saleId } = await openSale(bench);
    const lines = [
      { sku: 'tee', quantity: 1 },
      { sku: 'mug', quantity: 1 },
    ];
    expect(await bench.stock.reserve(aRequest(saleId, { lines }))).toEqual({ outcome: 'UNKNOWN_SKU', sku: 'mug' });
    await expectConserved(bench, saleId);
  });

  it('takes nothing outside the window or while paused', async () => {
    const nowMs = await bench.stock.nowMs();
    const refusals = [
      [{ opensAtMs: nowMs + 60_000 }, { outcome: 'NOT_OPEN', state: 'scheduled', behind: false }],
      [{ closesAtMs: nowMs - 1 }, { outcome: 'NOT_OPEN', state: 'closed', behind: false }],
      [{ control: 'closed' as const }, { outcome: 'NOT_OPEN', state: 'closed', behind: false }],
      [{ control: 'paused' as const }, { outcome: 'PAUSED' }],
      [
        { control: 'paused' as const, opensAtMs: nowMs + 60_000 },
        { outcome: 'NOT_OPEN', state: 'scheduled', behind: false },
      ],
      [
        { control: 'paused' as const, closesAtMs: nowMs - 1 },
        { outcome: 'NOT_OPEN', state: 'closed', behind: false },
      ],
    ] as const;
    for (const [change, refusal] of refusals) {
      const { saleId } = await openSale(bench, change);
      expect(await bench.stock.reserve(aRequest(saleId))).toEqual(refusal);
      const { items } = await expectConserved(bench, saleId);
      expect(items.tee?.ahead).toHaveLength(10);
    }
  });

  it('opens and closes by the clock of Redis alone', async () => {
    const nowMs = await bench.stock.nowMs();
    const [opensAtMs, closesAtMs] = [nowMs + 60, nowMs + 200];
    const { saleId } = await openSale(bench, { opensAtMs, closesAtMs, items: [{ sku: 'tee', total: 100_000 }] });
    const attempt = async () => {
      const beforeMs = await bench.stock.nowMs();
      const reply = await bench.stock.reserve(aRequest(saleId));
      const afterMs = await bench.stock.nowMs();
      const state = reply.outcome === 'NOT_OPEN' ? reply.state : reply.outcome;
      // What was true all through the call must be what was answered, however slow this machine is.
      if (afterMs < opensAtMs) expect(state).toBe('scheduled');
      if (beforeMs >= opensAtMs && afterMs < closesAtMs) expect(state).toBe('RESERVED');
      return state;
    };
    await expect.poll(attempt, { interval: 5, timeout: 30_000 }).toBe('closed');
    expect(await bench.stock.nowMs()).toBeGreaterThanOrEqual(closesAtMs);
  });

  it('says how many are left to whoever asks for more, and gives them to whoever asks for those', async () => {
    const { saleId } = await openSale(bench, fiveUnits);
    await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    const refused = await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'tee', quantity: 4 }] }));
    expect(refused).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 3, behind: false });
    expect((await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 3 }] })).lines).toEqual([tees(3, 4, 5)]);
    const late = await bench.stock.reserve(aRequest(saleId));
    expect(late).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 0, behind: false });
    await expectConserved(bench, saleId);
  });

  it('takes all lines or none', async () => {
    const { saleId } = await openSale(bench, {
      perBuyerLimit: 20,
      items: [
        { sku: 'tee', total: 10 },
        { sku: 'mug', total: 1 },
      ],
    });
    const twoMugs = [
      { sku: 'tee', quantity: 3 },
      { sku: 'mug', quantity: 2 },
    ];
    const refused = await bench.stock.reserve(aRequest(saleId, { lines: twoMugs }));
    expect(refused).toEqual({ outcome: 'SOLD_OUT', sku: 'mug', available: 1, behind: false });
    expect((await expectConserved(bench, saleId)).items.tee?.available).toBe(10);
    const oneMug = [
      { sku: 'mug', quantity: 1 },
      { sku: 'tee', quantity: 3 },
    ];
    const hold = await held(bench, saleId, { lines: oneMug });
    expect(hold).toMatchObject({ lines: [{ sku: 'mug', units: ['1'] }, tees(1, 2, 3)], slots: [1, 2, 3, 4] });
    await expectConserved(bench, saleId, 20);
  });

  it('holds a buyer to the limit over all their holds, and nobody else to theirs', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    expect((await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] })).slots).toEqual([1, 2]);
    const refused = await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'tee', quantity: 2 }] }));
    expect(refused).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 2, behind: false });
    expect((await held(bench, saleId)).slots).toEqual([3]);
    const again = await bench.stock.reserve(aRequest(saleId));
    expect(again).toEqual({ outcome: 'BUYER_LIMIT', limit: 3, used: 3, behind: false });
    expect((await held(bench, saleId, { buyerId: 'bob', lines: [{ sku: 'tee', quantity: 3 }] })).slots).toEqual([1, 2, 3]);
    await expectConserved(bench, saleId, 3);
  });

  it('gives returned units first, lowest first, then goes on with the serials', async () => {
    const { saleId } = await openSale(bench);
    const [first, , third] = [
      await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] }),
      await held(bench, saleId),
      await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 3 }] }),
    ];
    await bench.stock.release(saleId, { ...third, cause: 'tombstone' });
    await bench.stock.release(saleId, { ...first, cause: 'tombstone' });
    expect((await held(bench, saleId)).lines).toEqual([tees(1)]);
    expect((await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 6 }] })).lines).toEqual([tees(2, 4, 5, 6, 7, 8)]);
    await expectConserved(bench, saleId);
  });

  it('never gives a unit twice, nor more than there are, to a crowd', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 500 }] });
    const replies = await Promise.all(
      Array.from({ length: 1_000 }, (_, buyer) =>
        bench.stock.reserve(aRequest(saleId, { buyerId: `buyer-${buyer}`, lines: [{ sku: 'tee', quantity: 1 + (buyer % 3) }] })),
      ),
    );
    const units = replies.flatMap((reply) => (reply.outcome === 'RESERVED' ? reply.hold.lines.flatMap((line) => line.units) : []));
    expect([...units].sort((a, b) => Number(a) - Number(b))).toEqual(serials(1, 500));
    await expectConserved(bench, saleId);
  });

  it('keeps buyers and items that are named like internal fields apart from them', async () => {
    const names = ['s', 'items', 'behind', 'b', 'h', 'i', 'available', '__proto__', 'constructor'];
    const { saleId } = await openSale(bench, { perBuyerLimit: 20, items: names.map((sku) => ({ sku, total: 3 })) });
    for (const name of names) {
      const hold = await held(bench, saleId, { holdId: name, buyerId: name, lines: [{ sku: name, quantity: 2 }] });
      expect(hold.lines).toEqual([{ sku: name, units: ['1', '2'] }]);
    }
    await bench.stock.release(saleId, { holdId: 's', bornUs: 1, cause: 'order' });
    const { items } = await expectConserved(bench, saleId, 20);
    expect(items.s?.available).toBe(3);
    expect(items.items?.available).toBe(1);
    expect(await bench.stock.reserve(aRequest(saleId, { lines: [{ sku: 'tee', quantity: 1 }] }))).toEqual({
      outcome: 'UNKNOWN_SKU',
      sku: 'tee',
    });
  });

  it('keeps items apart whose names begin alike', async () => {
    const skus = ['a', 'a-1', 'a.1', 'ab', 'A', 'a_'];
    const { saleId } = await openSale(bench, { items: skus.map((sku) => ({ sku, total: 2 })) });
    const lines = skus.map((sku) => ({ sku, quantity: 2 }));
    const hold = await held(bench, saleId, { lines });
    await bench.stock.release(saleId, { ...hold, cause: 'tombstone' });
    for (const sku of skus) {
      expect((await held(bench, saleId, { lines: [{ sku, quantity: 2 }] })).lines).toEqual([{ sku, units: ['1', '2'] }]);
    }
    await expectConserved(bench, saleId);
  });

  it('puts no lifetime on any key: stock does not evaporate', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    await bench.stock.swap(saleId, { ...hold, lines: [{ sku: 'tee', quantity: 2 }], owned: [tees(1)] });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    for (const key of await bench.redis.keys(`{${saleId}}:*`)) expect(await bench.redis.ttl(key), key).toBe(-1);
  });
});
