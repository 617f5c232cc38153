import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { productRepository } from '../../functions/catalogue/product.repository.ts';
import { type CreateSalePorts, createSale } from '../../functions/sales/create-sale.ts';
import { NewSale } from '../../functions/sales/sale.schemas.ts';
import { writtenTables } from '../support/database.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { gate, rebuilding } from '../support/rebuilding.ts';
import { salesOn } from '../support/sales.ts';

let engine: Engine;
let ports: CreateSalePorts;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  work = rebuilding(engine);
  const products = productRepository(engine.database, 'products');
  const details = { name: 'A tee', priceMinor: 2_500, currency: 'EUR', createdAtMs: 0, updatedAtMs: 0 };
  await products.create({ sku: 'tee', ...details, revision: randomUUID(), saleIds: [] });
  const { sales, seats, ports: live } = salesOn(engine);
  ports = { ...live, sales, seats, products, stock: engine.stock, noteRedis: async () => {}, tables: writtenTables, newId: randomUUID };
});
afterAll(() => engine?.stop());

/** One sale of three units under one key, however often it is created. */
function creation() {
  const saleId = randomUUID();
  const [opensAt, closesAt] = [-60_000, 3_600_000].map((ms) => new Date(Date.now() + ms).toISOString());
  const body = NewSale.parse({ saleId, name: 'A sale', opensAt, closesAt, items: [{ sku: 'tee', units: 3 }] });
  return {
    saleId,
    create: (changes: Partial<CreateSalePorts> = {}) =>
      createSale(body, { scope: saleId, payloadHash: 'p', by: 'olga' }, { ...ports, ...changes }),
  };
}

type Step = 'loading' | 'load' | 'markFirstLoad';

/** An attempt that is held up before a step of its load, or right after it. */
function heldUp(step: Step, when: 'before' | 'after' = 'before') {
  const slowly = gate();
  const held =
    <Args extends readonly unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (when === 'before') await slowly.pass();
      const result = await run(...args);
      if (when === 'after') await slowly.pass();
      return result;
    };
  const { sales, stock } = ports;
  const changes: Record<Step, Partial<CreateSalePorts>> = {
    loading: { sales: { ...sales, loading: held(sales.loading) } },
    load: { stock: { load: held(stock.load) } },
    markFirstLoad: { sales: { ...sales, markFirstLoad: held(sales.markFirstLoad) } },
  };
  return { changes: changes[step], ...slowly };
}

const place = async (saleId: string, buyer: string) =>
  orderOf(await engine.place(saleId, buyer, { method: 'external', ports: work.placePorts }));
async function sellAll(saleId: string): Promise<void> {
  for (const buyer of ['a', 'b', 'c']) await place(saleId, buyer);
}
const lose = () => engine.redis.flushall();
const isLoaded = async (saleId: string) => (await engine.stock.read(saleId)).outcome === 'READ';

describe('whoever creates a sale and is slow to load it', () => {
  it.each([
    ['loading', 'after'],
    ['load', 'before'],
    ['markFirstLoad', 'before'],
    ['markFirstLoad', 'after'],
  ] as const)('loads nothing over a rebuild that sold everything and that Redis lost again: %s, %s', async (step, when) => {
    const { saleId, create } = creation();
    const slow = heldUp(step, when);
    const creating = create(slow.changes);
    await slow.arrived;
    expect(await work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
    await sellAll(saleId);
    await lose();
    slow.open();
    expect(await creating).toMatchObject({ outcome: 'created' });
    expect(await isLoaded(saleId)).toBe(false);
    await work.rebuild(saleId);
    expect(await engine.available(saleId)).toBe(0);
  });

  it.each([
    ['loading', 'after'],
    ['load', 'before'],
    ['markFirstLoad', 'before'],
    ['markFirstLoad', 'after'],
  ] as const)('loads nothing over what a repeat of its request loaded, sold and lost: %s, %s', async (step, when) => {
    const { saleId, create } = creation();
    const slow = heldUp(step, when);
    const creating = create(slow.changes);
    await slow.arrived;
    expect(await create()).toMatchObject({ outcome: 'replayed' });
    if (!(await isLoaded(saleId))) await work.rebuild(saleId);
    await sellAll(saleId);
    await lose();
    slow.open();
    expect(await creating).toMatchObject({ outcome: 'created' });
    expect(await isLoaded(saleId)).toBe(false);
  });
});

describe('whoever repeats the creation of a sale', () => {
  it.each(['before', 'after'] as const)('loads nothing over what its creator loaded, sold and lost: held up %s the mark', async (when) => {
    const { saleId, create } = creation();
    const creator = heldUp('load');
    const creating = create(creator.changes);
    await creator.arrived;
    const slow = heldUp('markFirstLoad', when);
    const repeating = create(slow.changes);
    await slow.arrived;
    creator.open();
    await creating;
    if (!(await isLoaded(saleId))) await work.rebuild(saleId);
    await sellAll(saleId);
    await lose();
    slow.open();
    await repeating;
    expect(await isLoaded(saleId)).toBe(false);
  });

  it('loads a sale that an attempt before left without stock', async () => {
    const { saleId, create } = creation();
    const stock = { load: () => Promise.reject(new Error('the function died')) };
    await expect(create({ stock })).rejects.toThrow('died');
    expect(await create()).toMatchObject({ outcome: 'replayed' });
    expect(await engine.available(saleId)).toBe(3);
  });
});

describe('a creation that dies right before the sale begins to sell', () => {
  it('leaves a sale that a rebuild brings, in full', async () => {
    const { saleId, create } = creation();
    const markFirstLoad: typeof ports.sales.markFirstLoad = async (sale) => {
      await ports.sales.markFirstLoad(sale);
      throw new Error('the function died');
    };
    await expect(create({ sales: { ...ports.sales, markFirstLoad } })).rejects.toThrow('died');
    expect(await create()).toMatchObject({ outcome: 'replayed' });
    expect(await isLoaded(saleId)).toBe(false);
    expect(await work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
    expect(await engine.available(saleId)).toBe(3);
  });
});

describe('an ordinary creation', () => {
  it('costs one read and one write beside its transaction, and leaves a stock that need not look for orders', async () => {
    const { saleId, create } = creation();
    const asked: string[] = [];
    const sales = Object.fromEntries(
      Object.entries(ports.sales).map(([name, run]) => [
        name,
        (...args: never[]) => {
          asked.push(name);
          return (run as (...all: never[]) => unknown)(...args);
        },
      ]),
    ) as typeof ports.sales;
    await create({ sales });
    expect(asked.filter((name) => name !== 'getMany')).toEqual(['loading', 'markFirstLoad']);
    await sellAll(saleId);
    expect(await engine.place(saleId, 'dan', { ports: work.placePorts })).toMatchObject({ outcome: 'sold-out' });
    expect(await engine.redis.hexists(`{${saleId}}:sale`, 'behind')).toBe(0);
  });

  it('sells by what an operator changed while it was loading', async () => {
    const { saleId, create } = creation();
    const slow = heldUp('markFirstLoad');
    const creating = create(slow.changes);
    await slow.arrived;
    const paused = await work.change(saleId, { control: 'paused' });
    expect(await engine.stock.update(paused)).toEqual({ outcome: 'NOT_LOADED' });
    slow.open();
    await creating;
    expect(await engine.stock.read(saleId)).toMatchObject({ control: 'paused', version: 2 });
  });
});
