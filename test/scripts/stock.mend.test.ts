import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as scripts from '../../functions/stock/mend.definitions.ts';
import { type MendStock, mendScripts } from '../../functions/stock/mend.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import type { Hold } from '../../functions/stock/stock.model.ts';
import type { SaleToLoad } from '../../functions/stock/stock.scripts.ts';
import { census, expectConserved, held, openHall, openSale, redisBench, tees, wantingSeats } from './stock.harness.ts';

const bench = redisBench();
let mend: MendStock;
let sale: SaleToLoad;
let load: { saleId: string; epoch: number };
let hold: Hold;
beforeEach(async () => {
  mend = mendScripts(bench.redis);
  sale = await openSale(bench, { perBuyerLimit: 10, items: [{ sku: 'tee', total: 10 }] });
  load = { saleId: sale.saleId, epoch: 1 };
  hold = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 3 }] });
});

const keys = () => stockKeys(sale.saleId);
const plant = (field: string, value: string) => bench.redis.hset(keys().sale, field, value);
const stateOf = async () => [await bench.redis.hgetall(keys().sale), await bench.redis.zrangebylex(keys().free, '-', '+')];

describe('every repair', () => {
  it('is refused for another load than the one that was looked at, and for a sale that is not loaded', async () => {
    const old = { ...load, epoch: 2 };
    const calls = (ref: typeof load) => [
      mend.look(ref, hold),
      mend.follow(ref, hold, 'live'),
      mend.keep(ref, hold),
      mend.end(ref, hold, { lines: [], slots: [] }),
      mend.mark(ref, hold),
      mend.listExpired(ref, { ...hold, state: 'held' }),
      mend.watch(ref, 'token', [{ sku: 'tee', serials: [1] }]),
      mend.free(ref, 'token', [{ sku: 'tee', serials: [1] }]),
      mend.seat(ref, { sku: 'tee', seat: 'A-1', owner: '-' }),
      mend.beginCount(ref, 'tee', 'token'),
      mend.endCount(ref, { sku: 'tee', token: 'token', total: 0, free: 0 }),
      mend.behind(ref, 'set', 'token'),
      mend.saleFields(ref, sale),
    ];
    const before = await stateOf();
    for (const { outcome } of await Promise.all(calls(old))) expect(outcome).toBe('STALE_EPOCH');
    expect(await stateOf()).toEqual(before);
    for (const { outcome } of await Promise.all(calls({ ...load, saleId: 'nowhere' }))) expect(outcome).toBe('NOT_LOADED');
    expect(await bench.redis.exists(stockKeys('nowhere').sale)).toBe(0);
  });

  it('is refused for one key or argument too few or too many', async () => {
    const before = await stateOf();
    for (const [name, { text, arity }] of Object.entries(scripts)) {
      const [k, a] = [Array.from({ length: arity.keys }, () => keys().sale), Array.from({ length: arity.args + arity.each }, () => '1')];
      const wrong: [string[], string[]][] = [
        [k.slice(1), a],
        [[...k, keys().sale], a],
        [k, a.slice(1)],
        [k, [...a, '1']],
        [k, []],
      ];
      for (const [some, args] of wrong) {
        const called = bench.redis.eval(text, some.length, ...some, ...args);
        await expect(called, `${name} ${some.length} ${args.length}`).rejects.toThrow(/^BAD_CALL stock\./);
      }
    }
    expect(await stateOf()).toEqual(before);
  });
});

describe('looking at an order', () => {
  it('tells at one moment its hold, its buyer’s slots, and where its units are', async () => {
    await bench.redis.zadd(keys().free, 0, 'tee|0000002-0000002');
    await bench.redis.zadd(keys().suspects, 0, 'tee|0000003-0000003');
    const seen = await mend.look(load, { ...hold, lines: [tees(9, 3, 2, 1)] });
    expect(seen).toMatchObject({
      outcome: 'SEEN',
      order: {
        hold: { state: 'held', lines: [tees(1, 2, 3)] },
        slots: [1, 2, 3],
        places: [{ places: ['ahead', 'suspect', 'free', 'elsewhere'] }],
      },
    });
    expect(await mend.look(load, { ...hold, holdId: 'none', lines: [] })).toMatchObject({ order: { hold: undefined, places: [] } });
  });
});

describe('keeping an order’s units', () => {
  it('takes them off sale, and touches no other hold’s', async () => {
    await bench.stock.acknowledge(sale.saleId, hold, 'live');
    await bench.redis.zadd(keys().free, 0, 'tee|0000002-0000002');
    await plant('i:tee', 'c|10|3|1');
    expect(await mend.keep(load, hold)).toMatchObject({ outcome: 'KEPT' });
    await expectConserved(bench, sale.saleId, 10);
    expect(await mend.keep(load, hold)).toEqual({ outcome: 'KEPT', count: 0 });
    expect(await mend.keep(load, { ...hold, lines: [tees(7)] })).toEqual({ outcome: 'KEPT', count: 0 });
  });

  it('does nothing for a hold that no order has', async () => {
    expect(await mend.keep(load, hold)).toEqual({ outcome: 'CHANGED' });
    expect(await mend.keep(load, { ...hold, holdId: 'none' })).toEqual({ outcome: 'CHANGED' });
  });
});

describe('ending the hold of an ended order', () => {
  it('gives back once what nobody else has, units and slots', async () => {
    await bench.stock.acknowledge(sale.saleId, hold, 'live');
    expect(await mend.end(load, { ...hold, bornUs: hold.bornUs - 1 }, { lines: [], slots: [] })).toEqual({ outcome: 'CHANGED' });
    expect(await mend.end(load, hold, { lines: [tees(2)], slots: [3] })).toEqual({ outcome: 'ENDED', count: 2 });
    expect((await census(bench, sale.saleId)).items.tee?.free).toEqual(['1', '3']);
    expect(await bench.redis.hget(keys().sale, 'b:ada')).toBe('4');
    expect(await mend.end(load, hold, { lines: [], slots: [] })).toEqual({ outcome: 'CHANGED' });
    expect(await bench.stock.acknowledge(sale.saleId, hold, 'live')).toEqual({ outcome: 'ALREADY_ENDED' });
  });

  it('does nothing to a hold that no order has: that one may be becoming an order', async () => {
    expect(await mend.end(load, hold, { lines: [], slots: [] })).toEqual({ outcome: 'CHANGED' });
  });
});

describe('the mark of an ended order', () => {
  it('is left where there is no hold, and nowhere else', async () => {
    expect(await mend.mark(load, hold)).toEqual({ outcome: 'CHANGED' });
    expect(await mend.mark(load, { ...hold, holdId: 'gone' })).toEqual({ outcome: 'MARKED' });
    expect(await mend.mark(load, { ...hold, holdId: 'gone' })).toEqual({ outcome: 'CHANGED' });
    await expectConserved(bench, sale.saleId, 10);
  });
});

describe('listing a hold for the sweeper', () => {
  it('waits for its time, and lists none that is listed, whichever list that is', async () => {
    const seen = { ...hold, state: 'held' as const };
    expect(await mend.listExpired(load, seen)).toEqual({ outcome: 'CHANGED' });
    const record = String(await bench.redis.hget(keys().sale, `h:${hold.holdId}`));
    await plant(`h:${hold.holdId}`, record.replace(String(hold.expiresAtMs), '1000'));
    await bench.redis.del(keys().expiry);
    expect(await mend.listExpired(load, seen)).toEqual({ outcome: 'LISTED' });
    expect(await mend.listExpired(load, seen)).toEqual({ outcome: 'CHANGED' });
    expect(await bench.stock.takeExpired(sale.saleId, { limit: 10, retryMs: 60_000 })).toMatchObject({ holds: [{ holdId: hold.holdId }] });
    expect(await mend.listExpired(load, seen)).toEqual({ outcome: 'CHANGED' });
    expect(await mend.listExpired(load, { ...seen, state: 'acknowledged' })).toEqual({ outcome: 'CHANGED' });
  });

  it('lets it be taken at once, also while others wait for their next turn', async () => {
    const seen = { ...hold, state: 'held' as const };
    const record = String(await bench.redis.hget(keys().sale, `h:${hold.holdId}`));
    await plant(`h:${hold.holdId}`, record.replace(String(hold.expiresAtMs), '1000'));
    await bench.redis.del(keys().expiry);
    await bench.redis.rpush(keys().undecided, `another|${Date.now() + 60_000}|${hold.bornUs}`);
    expect(await mend.listExpired(load, seen)).toEqual({ outcome: 'LISTED' });
    expect(await bench.stock.takeExpired(sale.saleId, { limit: 10, retryMs: 60_000 })).toMatchObject({ holds: [{ holdId: hold.holdId }] });
  });
});

describe('units and slots that nobody seems to have', () => {
  const lost = { sku: 'tee', serials: [1, 2, 3] };
  const slots = { buyerId: 'ada', slots: [1, 2, 3] };

  it('are freed when nobody has moved them since the watch began', async () => {
    await bench.redis.hdel(keys().sale, `h:${hold.holdId}`);
    await mend.watch(load, 'token', [lost, slots]);
    expect(await mend.free(load, 'another', [lost, slots])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
    expect(await mend.free(load, 'token', [lost, slots])).toEqual({ outcome: 'FREED', units: 3, slots: 3 });
    expect(await mend.free(load, 'token', [lost, slots])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
    await expectConserved(bench, sale.saleId, 10);
  });

  it('are left alone when their hold gave them back and another took them in between', async () => {
    await mend.watch(load, 'token', [lost, slots]);
    await bench.stock.release(sale.saleId, { ...hold, cause: 'tombstone' });
    const next = await held(bench, sale.saleId, { buyerId: 'bob', lines: [{ sku: 'tee', quantity: 2 }] });
    expect(next.lines).toEqual([tees(1, 2)]);
    expect(await mend.free(load, 'token', [lost, slots])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
    await expectConserved(bench, sale.saleId, 10);
  });

  it('are freed without those among them that moved', async () => {
    await bench.redis.hdel(keys().sale, `h:${hold.holdId}`);
    await mend.watch(load, 'token', [lost, slots]);
    // One of them turns out to be an order's, and goes to it.
    const order = { ...hold, holdId: 'an-order', buyerId: 'bob', lines: [tees(2)], slots: [1] };
    await bench.stock.acknowledge(sale.saleId, order, 'live');
    expect(await mend.free(load, 'token', [lost, slots])).toEqual({ outcome: 'FREED', units: 2, slots: 3 });
    await expectConserved(bench, sale.saleId, 10);
  });

  it('are left alone when a cart became a hold, or a hold went back to its cart', async () => {
    const cart = { saleId: sale.saleId, cartId: 'a-cart', buyerId: 'cleo' };
    await bench.stock.setCartLine({ ...cart, line: { sku: 'tee', quantity: 2 } });
    const [inCart, slot] = [
      { sku: 'tee', serials: [4, 5] },
      { buyerId: 'cleo', slots: [1, 2] },
    ];
    await mend.watch(load, 'one', [inCart, slot]);
    const out = await bench.stock.checkoutCart({ ...cart, holdId: 'from-cart', payloadHash: 'hash' });
    if (out.outcome !== 'RESERVED') throw new Error(out.outcome);
    expect(await mend.free(load, 'one', [inCart, slot])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
    await mend.watch(load, 'two', [inCart, slot]);
    await bench.stock.returnToCart(sale.saleId, { ...out.hold, cartId: cart.cartId });
    expect(await mend.free(load, 'two', [inCart, slot])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
    await expectConserved(bench, sale.saleId, 10);
  });

  it('are not watched when they are free, yet to be given out, or under suspicion', async () => {
    await bench.stock.release(sale.saleId, { ...hold, cause: 'tombstone' });
    await bench.redis.zadd(keys().suspects, 0, 'tee|0000004-0000004');
    await mend.watch(load, 'token', [{ sku: 'tee', serials: [1, 2, 3, 4, 5] }, slots]);
    const all = { sku: 'tee', serials: [1, 2, 3, 4, 5] };
    expect(await mend.free(load, 'token', [all, slots])).toEqual({ outcome: 'FREED', units: 0, slots: 0 });
  });
});

describe('the mark of a sale that is behind', () => {
  it('is taken off only by whoever began, and when nobody has set it anew since', async () => {
    expect(await mend.behind(load, 'begin', 'one')).toEqual({ outcome: 'CHANGED' });
    await mend.behind(load, 'set', 'anybody');
    expect(await mend.behind(load, 'begin', 'one')).toEqual({ outcome: 'DONE' });
    expect(await mend.behind(load, 'end', 'two')).toEqual({ outcome: 'CHANGED' });
    await bench.stock.swap(sale.saleId, { ...hold, lines: [{ sku: 'tee', quantity: 3 }], owned: [tees(1)] });
    expect(await mend.behind(load, 'end', 'one')).toEqual({ outcome: 'CHANGED' });
    expect(await mend.isBehind(sale.saleId)).toBe(true);
    await mend.behind(load, 'begin', 'one');
    expect(await mend.behind(load, 'end', 'one')).toEqual({ outcome: 'DONE' });
    expect(await mend.isBehind(sale.saleId)).toBe(false);
  });
});

describe('a sale’s own fields', () => {
  it('are put right of the version that they claim to be, and of no other', async () => {
    await plant('s', String(await bench.redis.hget(keys().sale, 's')).replace('open', 'closed'));
    expect(await mend.saleFields(load, { ...sale, version: 2 })).toEqual({ outcome: 'CHANGED' });
    expect(await mend.saleFields(load, sale)).toEqual({ outcome: 'MENDED' });
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ control: 'open', limit: 10, version: 1, epoch: 1 });
    await expectConserved(bench, sale.saleId, 10);
  });
});

async function recount(sku: string) {
  const begun = await mend.beginCount(load, sku, 'token');
  if (begun.outcome !== 'COUNTING') throw new Error(begun.outcome);
  return mend.endCount(load, { sku, token: 'token', ...(await mend.count(load, { sku, seated: begun.seated })) });
}

describe('counters', () => {
  afterEach(() => expectConserved(bench, sale.saleId, 10));

  it('of a counted item are what its pool has', async () => {
    await bench.stock.release(sale.saleId, { ...hold, cause: 'tombstone' });
    expect(await recount('tee')).toEqual({ outcome: 'COUNTED', before: 3, after: 3 });
    await plant('i:tee', 'c|10|4|1');
    expect(await recount('tee')).toEqual({ outcome: 'COUNTED', before: 1, after: 3 });
    expect(await bench.redis.hget(keys().sale, 'i:tee')).toBe('c|10|4|3');
  });

  it('of a seated item are what its seats say', async () => {
    sale = await openHall(bench, ['A-1', 'A-2', 'A-3']);
    load = { saleId: sale.saleId, epoch: 1 };
    await held(bench, sale.saleId, wantingSeats('A-1'));
    await plant('i:hall', 's|9|10|0');
    expect(await recount('hall')).toEqual({ outcome: 'COUNTED', before: 0, after: 2 });
    expect(await bench.redis.hget(keys().sale, 'i:hall')).toBe('s|3|4|2');
  });

  it('of more seats than one page has are what all of them say', async () => {
    const names = Array.from({ length: 1_200 }, (_, index) => `A-${index}`);
    sale = await openHall(bench, names, { items: [{ sku: 'hall2', total: 3 }] });
    load = { saleId: sale.saleId, epoch: 1 };
    await held(bench, sale.saleId, wantingSeats('A-1', 'A-700'));
    await plant('i:hall', 's|1|2|0');
    expect(await recount('hall')).toEqual({ outcome: 'COUNTED', before: 0, after: 1_198 });
    expect(await bench.redis.hget(keys().sale, 'i:hall')).toBe('s|1200|1201|1198');
  });

  it('are not set when a unit moved during the count, even if it came back', async () => {
    await bench.stock.release(sale.saleId, { ...hold, cause: 'tombstone' });
    const before = await bench.redis.hget(keys().sale, 'i:tee');
    expect(await mend.beginCount(load, 'tee', 'token')).toEqual({ outcome: 'COUNTING', seated: false, total: 10, free: 3 });
    const other = await held(bench, sale.saleId, { lines: [{ sku: 'tee', quantity: 1 }] });
    const torn = await mend.count(load, { sku: 'tee', seated: false });
    await bench.stock.release(sale.saleId, { ...other, cause: 'tombstone' });
    expect(await bench.redis.hget(keys().sale, 'i:tee')).toBe(before);
    expect(torn).toEqual({ total: 0, free: 2 });
    expect(await mend.endCount(load, { sku: 'tee', token: 'token', ...torn })).toEqual({ outcome: 'CHANGED' });
  });

  it('are not set when a seat moved during the count, and a hall that is being counted sells on', async () => {
    sale = await openHall(bench, ['A-1', 'A-2', 'A-3']);
    load = { saleId: sale.saleId, epoch: 1 };
    await mend.beginCount(load, 'hall', 'token');
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ items: [{ total: 3, available: 3 }] });
    expect(await mend.counters(sale.saleId, ['hall'])).toEqual([{ sku: 'hall', seated: true, total: 3, next: 4, free: 3 }]);
    await held(bench, sale.saleId, wantingSeats('A-1'));
    expect(await mend.endCount(load, { sku: 'hall', token: 'token', total: 3, free: 3 })).toEqual({ outcome: 'CHANGED' });
    await mend.beginCount(load, 'hall', 'token');
    expect(await bench.stock.addSeats(sale.saleId, 'hall', ['A-4'])).toMatchObject({ outcome: 'ADDED' });
    expect(await mend.endCount(load, { sku: 'hall', token: 'token', total: 3, free: 2 })).toEqual({ outcome: 'CHANGED' });
  });

  it('are not set by another count than the last that began', async () => {
    await mend.beginCount(load, 'tee', 'first');
    await mend.beginCount(load, 'tee', 'second');
    expect(await mend.endCount(load, { sku: 'tee', token: 'first', total: 0, free: 0 })).toEqual({ outcome: 'CHANGED' });
    expect(await mend.endCount(load, { sku: 'tee', token: 'second', total: 0, free: 0 })).toMatchObject({ outcome: 'COUNTED' });
  });
});

describe('a seat', () => {
  it('that a hold names is never freed, and one whose field says something else than was seen is left alone', async () => {
    sale = await openHall(bench, ['A-1', 'A-2']);
    load = { saleId: sale.saleId, epoch: 1 };
    const { holdId } = await held(bench, sale.saleId, wantingSeats('A-1'));
    expect(await mend.seat(load, { sku: 'hall', seat: 'A-1', owner: holdId })).toEqual({ outcome: 'CHANGED' });
    expect(await mend.seat(load, { sku: 'hall', seat: 'A-2', owner: holdId })).toEqual({ outcome: 'CHANGED' });
    await bench.redis.hset(keys().seats, 'hall|A-2', holdId);
    await plant('i:hall', 's|2|3|0');
    expect(await mend.seat(load, { sku: 'hall', seat: 'A-2', owner: holdId })).toEqual({ outcome: 'FREED' });
    await expectConserved(bench, sale.saleId);
  });
});
