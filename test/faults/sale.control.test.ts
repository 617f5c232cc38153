import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlPorts } from '../../functions/sales/change-sale.ts';
import { transact, UnsettledTransaction } from '../../functions/shared/dynamo.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { salesOn } from '../support/sales.ts';

let engine: Engine;
let sales: ReturnType<typeof salesOn>;
beforeAll(async () => {
  engine = await startEngine();
  sales = salesOn(engine);
});
afterAll(() => engine.stop());

const died = async (): Promise<never> => {
  throw new Error('the function died');
};
/** A stock that is not reached after the database was written. */
const unreached = (): { stock: ControlPorts['stock'] } => ({ stock: { ...sales.ports.stock, update: died, addSeats: died } });
/** A transaction that commits, and whose answer is lost. */
const unanswered = {
  transact: async (...writes: Parameters<ControlPorts['transact']>): Promise<never> => {
    await transact(engine.database, ...writes);
    throw new UnsettledTransaction('the answer was lost');
  },
};

describe('what an operator changes', () => {
  it('is answered once it is where a failover finds it, and not before', async () => {
    const { saleId } = await sales.open(10);
    /** Runs the change, and says what Redis had of the sale when it was asked whether that is settled. */
    const settledBy = async (change: (ports: { stock: ControlPorts['stock'] }) => Promise<unknown>) => {
      const seen: number[] = [];
      const settled = async (id: string) => {
        seen.push((await sales.inRedis(id)).version);
      };
      await change({ stock: { ...sales.ports.stock, settled } });
      return seen;
    };
    expect(await settledBy((ports) => sales.change(saleId, { state: 'paused' }, ports))).toEqual([2, 2]);
    expect(await settledBy((ports) => sales.change(saleId, { state: 'paused' }, ports)), 'repeated').toEqual([2, 2]);
    expect(await settledBy((ports) => sales.restock(saleId, { sku: 'tee', units: 5 }, 'more', ports))).toEqual([3, 3]);
    expect(await settledBy((ports) => sales.cancel(saleId, 'rain', ports))).toEqual([4, 4]);
    const unsettled = { stock: { ...sales.ports.stock, settled: died } };
    await expect(sales.change(saleId, { state: 'closed' }, unsettled)).rejects.toThrow('died');
  });
});

describe('a change whose writer died before it told Redis', () => {
  it('holds after a repeat, which changes nothing else', async () => {
    const { saleId } = await sales.open(10);
    await expect(sales.change(saleId, { state: 'paused' }, unreached())).rejects.toThrow('died');
    expect((await sales.stored(saleId)).control).toBe('paused');
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'open', version: 1 });

    expect(await sales.change(saleId, { state: 'paused' })).toMatchObject({ outcome: 'changed', sale: { state: 'paused' } });
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'paused', version: 2 });
    expect(await engine.place(saleId, 'ada')).toMatchObject({ outcome: 'paused' });
    expect((await sales.stored(saleId)).version).toBe(2);
    expect(await sales.outbox(saleId)).toMatchObject([{ version: 2, by: 'olga', events: [{ name: 'SalePaused' }] }]);
  });

  it('holds after a sweep, when nobody repeats it', async () => {
    const { saleId } = await sales.open(10, { perBuyerLimit: 4 });
    await expect(sales.change(saleId, { perBuyerLimit: 1 }, unreached())).rejects.toThrow('died');
    await sales.tend(saleId);
    expect(await sales.inRedis(saleId)).toMatchObject({ limit: 1, version: 2 });
    expect(await engine.place(saleId, 'ada', { quantity: 2 })).toMatchObject({ outcome: 'buyer-limit', limit: 1 });
  });

  it('is done once when it was the database whose answer was lost', async () => {
    const { saleId } = await sales.open(10);
    await expect(sales.change(saleId, { state: 'paused' }, unanswered)).rejects.toThrow(UnsettledTransaction);
    expect(await sales.change(saleId, { state: 'paused' })).toMatchObject({ outcome: 'changed' });
    expect((await sales.stored(saleId)).version).toBe(2);
    expect(await sales.outbox(saleId)).toHaveLength(1);
  });
});

describe('a restock whose writer died before it told Redis', () => {
  it('is there after a repeat with its key, once', async () => {
    const { saleId } = await sales.open(10, { hall: ['A-1'] });
    await expect(sales.restock(saleId, { sku: 'tee', units: 5 }, 'units', unreached())).rejects.toThrow('died');
    await expect(sales.restock(saleId, { sku: 'hall', seats: ['A-2', 'A-3'] }, 'seats', unreached())).rejects.toThrow('died');
    expect((await sales.inRedis(saleId)).totals).toEqual({ tee: 10, hall: 1 });

    expect(await sales.restock(saleId, { sku: 'tee', units: 5 }, 'units')).toMatchObject({ outcome: 'replayed' });
    expect((await sales.inRedis(saleId)).totals).toEqual({ tee: 15, hall: 1 });
    expect(await sales.restock(saleId, { sku: 'hall', seats: ['A-2', 'A-3'] }, 'seats')).toMatchObject({ outcome: 'replayed' });
    expect((await sales.inRedis(saleId)).totals).toEqual({ tee: 15, hall: 3 });
    expect((await sales.stored(saleId)).items.map(({ total }) => total)).toEqual([15, 3]);
  });

  it('is there after a sweep, units and seats', async () => {
    const { saleId } = await sales.open(10, { hall: ['A-1'] });
    await expect(sales.restock(saleId, { sku: 'tee', units: 5 }, 'units', unreached())).rejects.toThrow('died');
    await expect(sales.restock(saleId, { sku: 'hall', seats: ['A-2'] }, 'seats', unreached())).rejects.toThrow('died');
    await sales.tend(saleId);
    expect((await sales.inRedis(saleId)).totals).toEqual({ tee: 15, hall: 2 });
    // Once they are there, a sweep adds nothing.
    await sales.tend(saleId);
    expect(await sales.inRedis(saleId)).toMatchObject({ totals: { tee: 15, hall: 2 }, items: [{ available: 15 }, { available: 2 }] });
  });

  it('has its seats after a sweep also when Redis heard of the sale and not of them', async () => {
    const { saleId } = await sales.open(10, { hall: ['A-1'] });
    const halfWay = { stock: { ...sales.ports.stock, addSeats: died } };
    await expect(sales.restock(saleId, { sku: 'hall', seats: ['A-2'] }, 'seats', halfWay)).rejects.toThrow('died');
    expect(await sales.inRedis(saleId)).toMatchObject({ version: 2, totals: { hall: 1 } });
    await sales.tend(saleId);
    expect((await sales.inRedis(saleId)).totals).toEqual({ tee: 10, hall: 2 });
  });

  it('is done once when it was the database whose answer was lost', async () => {
    const { saleId } = await sales.open(10);
    expect(await sales.restock(saleId, { sku: 'tee', units: 5 }, 'key', unanswered)).toMatchObject({ outcome: 'replayed' });
    expect(await sales.restock(saleId, { sku: 'tee', units: 5 }, 'key')).toMatchObject({ outcome: 'replayed' });
    expect((await sales.inRedis(saleId)).totals.tee).toBe(15);
    expect(await sales.outbox(saleId)).toHaveLength(1);
  });
});

describe('changes at one moment', () => {
  it('all happen, each once, and Redis ends with the newest', async () => {
    const { saleId } = await sales.open(10, { perBuyerLimit: 4, hall: ['A-1'] });
    const restocks = Array.from({ length: 4 }, (_, index) => [`key-${index}`, `key-${index}`]).flat();
    await Promise.all([
      ...restocks.map((key) => sales.restock(saleId, { sku: 'tee', units: 5 }, key)),
      sales.restock(saleId, { sku: 'hall', seats: ['B-1', 'B-2'] }),
      sales.change(saleId, { state: 'paused' }),
      sales.change(saleId, { perBuyerLimit: 2 }),
    ]);
    const stored = await sales.stored(saleId);
    expect(stored).toMatchObject({ control: 'paused', perBuyerLimit: 2, version: 8, items: [{ total: 30 }, { total: 3 }] });
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'paused', limit: 2, version: 8, totals: { tee: 30, hall: 3 } });
    expect((await sales.outbox(saleId)).map(({ version }) => version)).toEqual([2, 3, 4, 5, 6, 7, 8]);
    expect((await sales.seats.list(stored)).get('hall')).toEqual(['A-1', 'B-1', 'B-2']);
  });

  it('that want the same seats put each of them on sale once', async () => {
    const { saleId } = await sales.open(1, { hall: ['A-1'] });
    const wishes = [
      ['B-1', 'B-2'],
      ['B-2', 'B-3'],
      ['B-3', 'B-1'],
    ];
    const outcomes = await Promise.all(wishes.map((seats) => sales.restock(saleId, { sku: 'hall', seats })));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['already-there', 'already-there', 'restocked']);
    const hall = (await sales.seats.list(await sales.stored(saleId))).get('hall') ?? [];
    expect(new Set(hall).size).toBe(3);
    expect((await sales.inRedis(saleId)).totals.hall).toBe(3);
  });
});

describe('a sale that Redis has lost', () => {
  it('takes a change, and is not loaded as it was before', async () => {
    const sale = await sales.open(10);
    await engine.redis.del(`{${sale.saleId}}:sale`);
    expect(await sales.change(sale.saleId, { state: 'paused' })).toMatchObject({ outcome: 'changed', sale: { state: 'paused' } });
    expect(await engine.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
    await engine.stock.load({ ...sale, epoch: 2 }).catch(() => undefined);
    expect(await engine.stock.read(sale.saleId)).toEqual({ outcome: 'NOT_LOADED' });
    await engine.stock.load({ ...(await sales.stored(sale.saleId)), epoch: 3 });
    expect(await sales.inRedis(sale.saleId)).toMatchObject({ control: 'paused', version: 2 });
  });

  it('never says that it is paused or sold out when it will sell again, and has taken the change all the same', async () => {
    const sale = await sales.open(10, { perBuyerLimit: 8 });
    await engine.redis.del(`{${sale.saleId}}:sale`);
    expect(await sales.change(sale.saleId, { perBuyerLimit: 7 })).toEqual({ outcome: 'stock-not-ready' });
    await engine.stock.load({ ...(await sales.stored(sale.saleId)), epoch: 2 });
    expect(await sales.change(sale.saleId, { perBuyerLimit: 7 })).toMatchObject({
      outcome: 'changed',
      sale: { state: 'open', perBuyerLimit: 7 },
    });
  });

  it('is not restocked before it is there again, and a key that was used replays', async () => {
    const { saleId } = await sales.open(10);
    await sales.restock(saleId, { sku: 'tee', units: 5 }, 'key');
    await engine.redis.del(`{${saleId}}:sale`);
    expect(await sales.restock(saleId, { sku: 'tee', units: 5 })).toEqual({ outcome: 'stock-not-ready' });
    expect(await sales.restock(saleId, { sku: 'tee', units: 5 }, 'key')).toMatchObject({ outcome: 'replayed' });
    expect((await sales.stored(saleId)).items[0]?.total).toBe(15);
  });
});
