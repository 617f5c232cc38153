import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPorts } from '../../functions/sales/change-sale.ts';
import { SaleForgotten } from '../../functions/sales/push-sale.ts';
import { stockIdsOf } from '../../functions/stock/shards.model.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { salesOn } from '../support/sales.ts';
import { loseStocks, snapshotOf } from '../support/shards.ts';

// A replica takes over from the node that a change was brought to, without the change, before anybody waits for a replica: whoever then
// does asks a node that has nothing to wait for. (A whole such failover, between real nodes, is in sale.replicas.test.ts.)

let engine: Engine;
let sales: ReturnType<typeof salesOn>;
beforeAll(async () => {
  engine = await startEngine();
  sales = salesOn(engine);
});
afterAll(() => engine.stop());

type ForgettingStock = { stock: ControlPorts['stock']; waits: () => number };

/** A stock that `forget` happens to each time that a replica is waited for, up to `times`. */
function forgetting(forget: () => Promise<unknown>, times = 1): ForgettingStock {
  let waits = 0;
  const settled = async () => {
    waits += 1;
    if (waits <= times) await forget();
  };
  return { stock: { ...sales.ports.stock, settled }, waits: () => waits };
}

describe('a change that was forgotten before a replica was waited for', () => {
  it('is answered once the node that took over has it, and what takes over from that one', async () => {
    const sale = await sales.open(10);
    const { stock, waits } = forgetting(await snapshotOf(engine, [sale.saleId]));
    expect(await sales.change(sale.saleId, { state: 'paused' }, { stock })).toMatchObject({
      outcome: 'changed',
      sale: { state: 'paused' },
    });
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
    expect(await engine.place(sale.saleId, 'ada')).toMatchObject({ outcome: 'paused' });
    // What it was brought to last was waited for, too.
    expect(waits()).toBe(3);
  });

  it('that somebody else had brought, and nobody had waited for, is answered no sooner', async () => {
    const sale = await sales.open(10);
    const { stock, waits } = forgetting(await snapshotOf(engine, [sale.saleId]));
    const settled = () => Promise.reject(new Error('died'));
    await expect(sales.change(sale.saleId, { state: 'paused' }, { stock: { ...stock, settled } })).rejects.toThrow('died');
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ version: 2 });
    expect(await sales.change(sale.saleId, { state: 'paused' }, { stock })).toMatchObject({ outcome: 'changed' });
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
    expect(waits()).toBe(3);
  });

  it('is not answered by what somebody else brought to the node that took over, and nobody has waited for', async () => {
    const sale = await sales.open(10);
    // What takes over next has what was there when a replica was last waited for.
    let takeOver = await snapshotOf(engine, [sale.saleId]);
    const { stock, waits } = forgetting(async () => {
      await takeOver();
      await engine.stock.update({ ...sale, control: 'paused', version: 2 });
    });
    const settled: typeof stock.settled = async (saleId) => {
      await stock.settled(saleId);
      if (waits() > 1) takeOver = await snapshotOf(engine, [saleId]);
    };
    await sales.change(sale.saleId, { state: 'paused' }, { stock: { ...stock, settled } });
    await takeOver();
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
  });

  it('is answered once all shards have it, when one of them has forgotten it', async () => {
    const sale = await sales.open(10, { shards: 3 });
    const { stock, waits } = forgetting(await snapshotOf(engine, stockIdsOf(sale).slice(1, 2)));
    expect(await sales.change(sale.saleId, { state: 'closed' }, { stock })).toMatchObject({
      outcome: 'changed',
      sale: { state: 'closed' },
    });
    expect(await engine.stock.read(sale.saleId, sale.shards)).toMatchObject({ control: 'closed', version: 2 });
    expect(waits()).toBe(3);
  });

  it('is answered once it was waited for where it was forgotten, also when another shard is not loaded', async () => {
    const sale = await sales.open(10, { shards: 3 });
    const [first = '', second = ''] = stockIdsOf(sale);
    const { stock, waits } = forgetting(await snapshotOf(engine, [second]));
    await loseStocks(engine, [first]);
    await sales.change(sale.saleId, { state: 'paused' }, { stock });
    expect(await engine.stock.read(second)).toMatchObject({ control: 'paused', version: 2 });
    expect(waits()).toBe(2);
  });

  it('calls a sale off for good all the same', async () => {
    const sale = await sales.open(10);
    const { stock } = forgetting(await snapshotOf(engine, [sale.saleId]));
    expect(await sales.cancel(sale.saleId, 'rain', { stock })).toMatchObject({ outcome: 'cancelled' });
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'cancelled', version: 2 });
  });

  it('has its seats there when it is answered, also when they alone were forgotten', async () => {
    for (const keepsCopy of [false, true]) {
      const sale = await sales.open(10, { hall: ['A-1'] });
      let forget = await snapshotOf(engine, [sale.saleId]);
      const { stock, waits } = forgetting(() => forget());
      const update: typeof stock.update = async (changed) => {
        const reply = await stock.update(changed);
        if (keepsCopy && reply.outcome === 'UPDATED') forget = await snapshotOf(engine, [sale.saleId]);
        return reply;
      };
      const wish = { sku: 'hall', seats: ['A-2', 'A-3'] };
      expect(await sales.restock(sale.saleId, wish, 'more', { stock: { ...stock, update } })).toMatchObject({ outcome: 'restocked' });
      expect(await sales.inRedis(sale.saleId)).toMatchObject({ version: 2, totals: { tee: 10, hall: 3 } });
      expect(waits()).toBe(3);
    }
  });

  it('is not overtaken by a load of the sale as it was, though the note of its version was forgotten', async () => {
    for (const isPublishedFirst of [false, true]) {
      const sale = await sales.open(10);
      await loseStocks(engine, [sale.saleId]);
      // Whoever loads it has read it by now.
      await engine.stock.beginLoad(sale.saleId, 2);
      const items = sale.items.map(({ sku, total }) => ({ sku, kind: 'counted' as const, total, next: 1, free: 0 }));
      const publish = () => engine.stock.publishLoad(sale, { epoch: 2, chunks: 0, items, behind: true });
      const fallBack = await snapshotOf(engine, [sale.saleId]);
      const { stock, waits } = forgetting(async () => {
        await fallBack();
        if (isPublishedFirst) expect(await publish()).toEqual({ outcome: 'LOADED' });
      });
      expect(await sales.change(sale.saleId, { state: 'paused' }, { stock })).toMatchObject({
        outcome: 'changed',
        sale: { state: 'paused' },
      });
      expect(waits()).toBe(isPublishedFirst ? 3 : 2);
      if (isPublishedFirst) expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
      else expect(await publish()).toEqual({ outcome: 'STALE_VERSION' });
    }
  });

  it('is not answered where it is forgotten again and again', async () => {
    const sale = await sales.open(10);
    const { stock, waits } = forgetting(await snapshotOf(engine, [sale.saleId]), Number.POSITIVE_INFINITY);
    await expect(sales.change(sale.saleId, { state: 'paused' }, { stock })).rejects.toThrow(SaleForgotten);
    expect(waits()).toBe(4);
    // Whoever asks again heals it.
    expect(await sales.change(sale.saleId, { state: 'paused' })).toMatchObject({ outcome: 'changed', sale: { state: 'paused' } });
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
  });
});

describe('a change that nothing has forgotten', () => {
  it('is brought twice, and nothing of it happens twice', async () => {
    const { saleId } = await sales.open(10, { hall: ['A-1'] });
    const { stock, waits } = forgetting(async () => {});
    const told: string[] = [];
    const noting: ControlPorts['stock'] = {
      ...stock,
      async update(sale) {
        const reply = await stock.update(sale);
        told.push(reply.outcome);
        return reply;
      },
    };
    await sales.change(saleId, { state: 'paused' }, { stock: noting });
    expect(told.splice(0)).toEqual(['UPDATED', 'UP_TO_DATE']);
    expect(waits()).toBe(2);
    await sales.restock(saleId, { sku: 'hall', seats: ['A-2'] }, 'more', { stock: noting });
    expect(told).toEqual(['UPDATED', 'UP_TO_DATE']);
    expect(waits()).toBe(4);
    expect((await sales.inRedis(saleId)).items).toMatchObject([{ available: 10 }, { available: 2 }]);
  });
});
