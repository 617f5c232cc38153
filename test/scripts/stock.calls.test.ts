import { describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import * as scripts from '../../functions/stock/stock.definitions.ts';
import type { Stock } from '../../functions/stock/stock.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { aRequest, expectConserved, held, openSale, redisBench, tees } from './stock.harness.ts';

const bench = redisBench();
const wrongQuantities = [0, -1, 1.5, 21, 1e9, Number.NaN, Number.POSITIVE_INFINITY];
const wrongTexts = ['', ' 1', '1 ', '0x10', '1e1', '+1', 'one', '１'];

describe('a wrong call', () => {
  it('is refused by every script for one key or argument too few or too many', async () => {
    const { saleId } = await openSale(bench);
    const before = await bench.redis.dumpBuffer(stockKeys(saleId).sale);
    for (const [name, script] of Object.entries(scripts)) {
      const { text, arity } = script;
      const keys = Array.from({ length: arity.keys }, () => stockKeys(saleId).sale);
      const args = Array.from({ length: arity.args + arity.each }, () => '1');
      const wrong: [string[], string[]][] = [
        [keys.slice(1), args],
        [[...keys, ...keys.slice(0, 1)], args],
        [keys, args.slice(1)],
        [keys, [...args, '1']],
        [keys, []],
      ];
      for (const [k, a] of wrong) {
        if (k.length === arity.keys && a.length === args.length) continue;
        await expect(bench.redis.eval(text, k.length, ...k, ...a), `${name} ${k.length} ${a.length}`).rejects.toThrow(/^BAD_CALL stock\./);
      }
    }
    expect(await bench.redis.dumpBuffer(stockKeys(saleId).sale)).toEqual(before);
  });

  it.each([...wrongQuantities, ...wrongTexts])('moves no stock for the quantity %j', async (wrong) => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 20, items: [{ sku: 'tee', total: 1_000 }] });
    const hold = await held(bench, saleId);
    // The type says number, which is what a script must not rely on.
    const lines = [{ sku: 'tee', quantity: wrong as number }];
    await expect(bench.stock.reserve(aRequest(saleId, { lines }))).rejects.toThrow(BadCall);
    await expect(bench.stock.swap(saleId, { ...hold, lines, owned: [] })).rejects.toThrow(BadCall);
    expect((await expectConserved(bench, saleId, 20)).items.tee?.available).toBe(999);
  });

  it('moves no stock for more units than an order may have, however they are spread', async () => {
    const { saleId } = await openSale(bench, { items: ['a', 'b', 'c'].map((sku) => ({ sku, total: 20 })) });
    const lines = ['a', 'b', 'c'].map((sku) => ({ sku, quantity: 7 }));
    await expect(bench.stock.reserve(aRequest(saleId, { lines }))).rejects.toThrow('BAD_CALL stock.reserve quantity');
    await expectConserved(bench, saleId);
  });

  it('moves no stock for an item on two lines: merging is done before', async () => {
    const { saleId } = await openSale(bench);
    const twice = [
      { sku: 'tee', quantity: 1 },
      { sku: 'tee', quantity: 1 },
    ];
    await expect(bench.stock.reserve(aRequest(saleId, { lines: twice }))).rejects.toThrow('BAD_CALL stock.reserve line');
    await expectConserved(bench, saleId);
  });

  it.each(['', 'a|b', 'x'.repeat(129)])('is refused for an id that could break a record: %j', async (id) => {
    const { saleId } = await openSale(bench);
    for (const part of [{ holdId: id }, { buyerId: id }, { payloadHash: id }]) {
      await expect(bench.stock.reserve(aRequest(saleId, part))).rejects.toThrow('BAD_CALL stock.reserve id');
    }
    await expectConserved(bench, saleId);
  });

  it.each(['', 'a|b', 'a=1', 'a;b', 'a b', 'a\nb', 'ä', '*'])(
    'knows and makes no item whose name could break a record: %j',
    async (sku) => {
      const { saleId } = await openSale(bench);
      expect(await bench.stock.reserve(aRequest(saleId, { lines: [{ sku, quantity: 1 }] }))).toEqual({ outcome: 'UNKNOWN_SKU', sku });
      await expect(openSale(bench, { items: [{ sku, total: 1 }] })).rejects.toThrow('BAD_CALL stock.load-publish item');
    },
  );

  it('loads no sale from numbers that make none', async () => {
    const wrong: Partial<Parameters<Stock['load']>[0]>[] = [
      { items: [] },
      { items: [{ sku: 'tee', total: 0 }] },
      { items: [{ sku: 'tee', total: 10_000_000 }] },
      { items: [{ sku: 'tee', total: 1.5 }] },
      {
        items: [
          { sku: 'tee', total: 1 },
          { sku: 'tee', total: 2 },
        ],
      },
      { items: Array.from({ length: 51 }, (_, index) => ({ sku: `i${index}`, total: 1 })) },
      { perBuyerLimit: 21 },
      { perBuyerLimit: -1 },
      { holdSeconds: 0 },
      { holdSeconds: 3_601 },
      { version: 0 },
      { epoch: 0 },
      { opensAtMs: -1 },
      { closesAtMs: Number.NaN },
      { control: 'shut' as 'closed' },
    ];
    for (const [index, change] of wrong.entries()) {
      await expect(openSale(bench, { saleId: `wrong-${index}`, ...change }), JSON.stringify(change)).rejects.toThrow(BadCall);
      expect(await bench.stock.read(`wrong-${index}`)).toEqual({ outcome: 'NOT_LOADED' });
    }
  });

  it('changes nothing for units, slots, times and states that cannot be', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3 });
    const hold = await held(bench, saleId);
    const { sale: key } = stockKeys(saleId);
    const before = await bench.redis.hgetall(key);
    const acknowledge = { holdId: hold.holdId, buyerId: 'ada', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, slots: 1, orderState: 'live' };
    for (const units of ['', '0', '2-1', '1,1', '3,2', 'x', '1-', '-1', '1-21', '10000000']) {
      const call = { keys: stockKeys(saleId), args: acknowledge, each: [{ sku: 'tee', units }] };
      await expect(scripts.acknowledge(bench.redis, call), units).rejects.toThrow(BadCall);
    }
    for (const change of [
      { slots: 2 ** 20 },
      { slots: -1 },
      { bornUs: 0 },
      { expiresAtMs: 'soon' },
      { orderState: 'maybe' },
      { buyerId: 'a|b' },
    ]) {
      const call = { keys: stockKeys(saleId), args: { ...acknowledge, ...change }, each: [{ sku: 'tee', units: '1' }] };
      await expect(scripts.acknowledge(bench.redis, call), JSON.stringify(change)).rejects.toThrow(BadCall);
    }
    await expect(bench.stock.acknowledge(saleId, { ...hold, lines: [{ sku: 'mug', units: ['1'] }] }, 'live')).rejects.toThrow(BadCall);
    await expect(bench.stock.release(saleId, { ...hold, cause: 'whim' as 'order' })).rejects.toThrow(BadCall);
    await expect(bench.stock.release(saleId, { ...hold, bornUs: -1, cause: 'order' })).rejects.toThrow(BadCall);
    await expect(bench.stock.swap(saleId, { ...hold, lines: [{ sku: 'mug', quantity: 1 }], owned: [] })).rejects.toThrow(BadCall);
    await expect(bench.stock.returnSuspects(saleId, [{ sku: 'mug', units: ['1'] }])).rejects.toThrow(BadCall);
    await expect(bench.stock.returnSuspects(saleId, [tees()])).rejects.toThrow(BadCall);
    await expect(bench.stock.takeExpired(saleId, { limit: 0, retryMs: 1 })).rejects.toThrow(BadCall);
    await expect(bench.stock.takeExpired(saleId, { limit: 1, retryMs: 0 })).rejects.toThrow(BadCall);
    await expect(bench.stock.suspects(saleId, { limit: 1_001 })).rejects.toThrow(BadCall);
    await expect(bench.stock.mendAllowance(saleId, { ...hold, usedSlots: [21] })).rejects.toThrow(RangeError);
    expect(await bench.redis.hgetall(key)).toEqual(before);
  });
});
