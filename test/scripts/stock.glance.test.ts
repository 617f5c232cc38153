import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { soldOutGlance } from '../../functions/stock/glance.ts';
import { stockKeys, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { aRequest, held, openSale, redisBench } from './stock.harness.ts';

const bench = redisBench();
afterEach(() => {
  vi.restoreAllMocks();
});
const soldOut = { outcome: 'SOLD_OUT', sku: 'tee', available: 0, behind: false };

/** A sale with nothing left, and a stock that has been told so, with the glance's clock in the test's hand. */
async function openSoldOut(changes: Parameters<typeof openSale>[1] = {}) {
  const sale = await openSale(bench, { items: [{ sku: 'tee', total: 1 }], ...changes });
  const hold = await held(bench, sale.saleId);
  const clock = { ms: Date.now() };
  vi.spyOn(Date, 'now').mockImplementation(() => clock.ms);
  const stock = stockScripts(bench.redis);
  // By the script, by the script that has seen the terms before, and at a glance.
  for (let n = 0; n < 3; n++) expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'bob' }))).toEqual(soldOut);
  return { sale, hold, stock, clock };
}

/** How many calls of scripts this takes. */
async function scriptsCalledBy(work: () => Promise<unknown>): Promise<number> {
  const spy = vi.spyOn(bench.redis, 'evalsha');
  await work();
  const { length } = spy.mock.calls;
  spy.mockRestore();
  return length;
}

describe('a sold-out item', () => {
  it('is refused without the script to whoever asks after the script has said so, for a second', async () => {
    const { sale, stock, clock } = await openSoldOut();
    const ask = async () => expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toEqual(soldOut);
    clock.ms += 999;
    expect(await scriptsCalledBy(ask)).toBe(0);
    clock.ms += 1;
    expect(await scriptsCalledBy(ask)).toBe(1);
    expect(await scriptsCalledBy(ask)).toBe(0);
    clock.ms -= 60_000;
    expect(await scriptsCalledBy(ask)).toBe(1);
    expect(await scriptsCalledBy(ask)).toBe(0);
  });

  it('is not said to be sold out long after its end by a container that was frozen in between', async () => {
    const { sale, stock, clock } = await openSoldOut({ closesAtMs: (await bench.stock.nowMs()) + 4_000 });
    // Clocks that count what a process has been through stand still while it is frozen.
    vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    await expect.poll(() => bench.stock.nowMs()).toBeGreaterThan(sale.closesAtMs);
    clock.ms += 1_500;
    expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toMatchObject({ outcome: 'NOT_OPEN', state: 'closed' });
  });

  it('keeps nobody from the order that was won: the same request is a replay', async () => {
    const { sale, hold, stock } = await openSoldOut();
    const again = await stock.reserve(aRequest(sale.saleId, { holdId: hold.holdId }));
    expect(again).toMatchObject({ outcome: 'RESERVED', replayed: true, hold: { lines: hold.lines } });
  });

  it('is sold again at once when a unit comes back', async () => {
    const { sale, hold, stock } = await openSoldOut();
    await stock.release(sale.saleId, { ...hold, cause: 'order' });
    expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toMatchObject({ outcome: 'RESERVED' });
    expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'fay' }))).toEqual(soldOut);
  });

  it('is refused in other words at once when it is paused, closed or rescheduled', async () => {
    const { sale, stock } = await openSoldOut();
    const answers = [
      [{ version: 2, control: 'paused' }, 'PAUSED'],
      [{ version: 3, opensAtMs: sale.closesAtMs - 1 }, 'NOT_OPEN'],
      [{ version: 4, closesAtMs: sale.opensAtMs + 1 }, 'NOT_OPEN'],
      [{ version: 5 }, 'SOLD_OUT'],
      [{ version: 6, control: 'closed' }, 'NOT_OPEN'],
    ] as const;
    for (const [change, outcome] of answers) {
      expect(await stock.update({ ...sale, ...change })).toEqual({ outcome: 'UPDATED' });
      for (let n = 0; n < 3; n++) expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toMatchObject({ outcome });
    }
  });

  it('tells whoever was caught behind: the caller looks for the order first', async () => {
    const { sale, stock } = await openSoldOut();
    await bench.redis.hset(stockKeys(sale.saleId).sale, 'behind', '1');
    expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toEqual({ ...soldOut, behind: true });
  });

  it('is not sold out but lost when Redis has lost the sale', async () => {
    const { sale, stock } = await openSoldOut();
    await bench.redis.del(stockKeys(sale.saleId).sale);
    expect(await stock.reserve(aRequest(sale.saleId, { buyerId: 'eve' }))).toEqual({ outcome: 'NOT_LOADED' });
  });

  it('is refused at a glance in the very words of the script, or not at all, whatever Redis has', async () => {
    const serial = fc.integer({ min: 1, max: 6 });
    const state = fc.record({
      total: serial,
      next: serial,
      free: fc.constantFrom(0, 0, 0, 2),
      token: fc.constantFrom('', '', '|#token'),
      mask: fc.constantFrom(undefined, undefined, '1', '3'),
      behind: fc.constantFrom(undefined, undefined, undefined, '1'),
      quantity: fc.integer({ min: 1, max: 5 }),
    });
    const { saleId, ...sale } = await openSale(bench);
    const { sale: saleKey, free: freeKey } = stockKeys(saleId);
    let refusals = 0;
    await fc.assert(
      // One after the other, so that what was seen of the one might be taken for the other.
      fc.asyncProperty(fc.constantFrom(0, 0, 2, 4), fc.array(state, { minLength: 1, maxLength: 4 }), async (limit, states) => {
        const glance = soldOutGlance(bench.redis, () => 0);
        const terms = ['open', sale.opensAtMs, sale.closesAtMs, limit, 300_000];
        glance.note(aRequest(saleId), [...terms, 1, 1].join('|'));
        for (const { total, next, free, token, mask, behind, quantity } of states) {
          await bench.redis.del(saleKey, freeKey);
          const record = [...terms, 0, 1, 1].join('|');
          await bench.redis.hset(saleKey, { s: record, items: 'tee', 'i:tee': `c|${total}|${next}|${free}${token}` });
          if (free > 0) await bench.redis.zadd(freeKey, 0, 'tee|0000008-0000009');
          if (mask) await bench.redis.hset(saleKey, 'b:eve', mask);
          if (behind) await bench.redis.hset(saleKey, { behind });
          const asked = aRequest(saleId, { buyerId: 'eve', lines: [{ sku: 'tee', quantity }] });
          const { refused } = await glance.look(asked);
          const said = await bench.stock.reserve(asked);
          if (refused) refusals++;
          if (refused) expect(refused).toEqual(said);
          if (!mask && !behind && said.outcome === 'SOLD_OUT') expect(refused).toEqual(said);
        }
      }),
      { numRuns: 200 },
    );
    expect(refusals).toBeGreaterThan(0);
  });
});
