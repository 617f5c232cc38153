import { describe, expect, it } from 'vitest';
import { rebuildKeys, stockKeys } from '../../functions/stock/stock.keys.ts';
import { expectConserved, held, redisBench } from './stock.harness.ts';
import { aRow, loadsOn } from './stock.load.harness.ts';

const bench = redisBench();
const { aSale, aLoad } = loadsOn(bench);

describe('a load that another has overtaken', () => {
  it('adds nothing and publishes nothing, while the other is under way and after it', async () => {
    const sale = await aSale();
    const [slow, newer] = [aLoad(sale, 2), aLoad(sale, 3)];
    await slow.begin();
    await newer.begin();
    const late = async () => {
      const rows = await slow.units([aRow(1)], 1);
      const seats = await slow.seats('hall', ['A-1'], 2);
      const free = await bench.stock.loadFree(sale.saleId, { epoch: 2, chunk: 3, ranges: [{ sku: 'tee', first: 1, last: 2 }] });
      return [rows.outcome, seats.outcome, free.outcome];
    };
    expect(await late()).toEqual(['STALE_EPOCH', 'STALE_EPOCH', 'STALE_EPOCH']);
    expect(await slow.begin()).toEqual({ outcome: 'STALE_EPOCH' });
    expect(await slow.publish()).toEqual({ outcome: 'STALE_EPOCH' });
    expect(await newer.publish()).toEqual({ outcome: 'LOADED' });
    const before = await bench.redis.hgetall(stockKeys(sale.saleId).sale);
    expect(await late()).toEqual(['STALE_EPOCH', 'STALE_EPOCH', 'STALE_EPOCH']);
    expect(await slow.begin()).toEqual({ outcome: 'ALREADY_LOADED' });
    expect(await slow.publish()).toEqual({ outcome: 'ALREADY_LOADED' });
    expect(await bench.redis.hgetall(stockKeys(sale.saleId).sale)).toEqual(before);
    await expectConserved(bench, sale.saleId);
  });

  it('is refused also when Redis lost all of it midway', async () => {
    const sale = await aSale();
    const load = aLoad(sale);
    await load.begin();
    await load.units([aRow(1)]);
    await bench.redis.del(...Object.values(stockKeys(sale.saleId)));
    expect(await load.units([aRow(2)])).toEqual({ outcome: 'STALE_EPOCH' });
    expect(await load.publish([{ sku: 'tee', next: 3 }])).toEqual({ outcome: 'STALE_EPOCH' });
    expect(await bench.redis.exists(...Object.values(stockKeys(sale.saleId)))).toBe(0);
  });
});

describe('publishing', () => {
  it('is refused while a chunk is missing', async () => {
    const sale = await aSale();
    const load = aLoad(sale);
    await load.begin();
    await load.units([aRow(1)]);
    expect(await load.publish([{ sku: 'tee', next: 2 }], {}, 2)).toEqual({ outcome: 'INCOMPLETE' });
    await load.units([aRow(2)]);
    expect(await load.publish([{ sku: 'tee', next: 3 }])).toEqual({ outcome: 'LOADED' });
  });

  it('is final: the second time it changes nothing', async () => {
    const sale = await aSale();
    const load = aLoad(sale);
    await load.begin();
    await load.publish();
    await held(bench, sale.saleId);
    expect(await load.publish([], { control: 'closed', version: 9 })).toEqual({ outcome: 'ALREADY_LOADED' });
    await expectConserved(bench, sale.saleId);
  });

  it('leaves the keys beside the stock alone', async () => {
    const sale = await aSale();
    const { lease, asked } = rebuildKeys(sale.saleId);
    await bench.redis.mset(lease, 'me', asked, '1');
    await aLoad(sale).begin();
    expect(await bench.redis.mget(lease, asked)).toEqual(['me', '1']);
  });

  it('of a cancelled sale says so', async () => {
    const sale = await aSale({ cancellation: { reason: 'rain', atMs: 1 } });
    const load = aLoad(sale);
    await load.begin();
    await load.publish();
    expect(await bench.stock.read(sale.saleId)).toMatchObject({ control: 'cancelled' });
  });
});
