import { describe, expect, it } from 'vitest';
import { BadCall } from '../../functions/shared/script.ts';
import * as definitions from '../../functions/stock/load.definitions.ts';
import type { OwnedUnit } from '../../functions/stock/load.scripts.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { redisBench } from './stock.harness.ts';
import { aRow, loadsOn } from './stock.load.harness.ts';

const bench = redisBench();
const { aSale, aLoad } = loadsOn(bench);

describe('a wrong call of a load', () => {
  it('is refused by every script for one key or argument too few or too many', async () => {
    const { sale } = stockKeys('wrong');
    for (const [name, { text, arity }] of Object.entries(definitions)) {
      const keys = Array.from({ length: arity.keys }, () => sale);
      const args = Array.from({ length: arity.args + arity.each }, () => '1');
      const wrong: [string[], string[]][] = [
        [keys.slice(1), args],
        [[...keys, sale], args],
        [keys, args.slice(1)],
        [keys, []],
        ...(arity.each === 1 ? [] : [[keys, [...args, '1']] as [string[], string[]]]),
      ];
      for (const [k, a] of wrong) {
        await expect(bench.redis.eval(text, k.length, ...k, ...a), `${name} ${k.length} ${a.length}`).rejects.toThrow(
          /^BAD_CALL stock\.load/,
        );
      }
    }
    expect(await bench.redis.exists(sale)).toBe(0);
  });

  it.each<Partial<OwnedUnit>>([
    { unit: '0' },
    { unit: '1e3' },
    { unit: '10000000' },
    { unit: 'A 1', seated: true },
    { unit: 'x'.repeat(33), seated: true },
    { sku: 'a|b' },
    { holdId: '' },
    { holdId: 'a|b' },
    { buyerId: 'a|b' },
    { state: 'FREE' as 'HELD' },
    { slot: 21 },
    { atMs: -1 },
    { atMs: Number.NaN },
  ])('puts no row in that cannot be: %j', async (wrong) => {
    const sale = await aSale();
    const load = aLoad(sale);
    await load.begin();
    await expect(load.units([aRow(1), aRow(2, wrong)])).rejects.toThrow(BadCall);
    expect(await bench.redis.hkeys(stockKeys(sale.saleId).sale)).toEqual(['l']);
  });

  it.each([[[0, 1]], [[2, 1]], [[1, 10_000_000]]] as [number, number][][])('puts no range in that cannot be: %j', async (range) => {
    const load = aLoad(await aSale());
    await load.begin();
    await expect(load.free('tee', range)).rejects.toThrow(BadCall);
  });

  it.each([{ next: 0 }, { next: 3, free: 3 }, { free: -1 }, { next: 10_000_001 }])(
    'publishes no counters that cannot be: %j',
    async (wrong) => {
      const sale = await aSale();
      const load = aLoad(sale);
      await load.begin();
      await expect(load.publish([{ sku: 'tee', ...wrong }])).rejects.toThrow(BadCall);
      expect(await bench.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
    },
  );
});
