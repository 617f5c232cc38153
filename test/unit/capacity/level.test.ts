import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { levelAt, neededLevel } from '../../../functions/capacity/capacity.model.ts';
import { bringToLevel, CapacityUnsettled } from '../../../functions/capacity/level.ts';
import { planSale, planSales, UnknownSale } from '../../../functions/capacity/plan.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { aSale, CapacityWorld, minuteMs, opensAtMs, wants } from './capacity.world.ts';

const needed = (world: CapacityWorld) => neededLevel([...world.sales.values()], wants, world.nowMs);

describe('a run', () => {
  it('brings environments up and down, and tables only up', async () => {
    const world = new CapacityWorld();
    world.sales.set('drop', aSale('drop'));
    expect(await bringToLevel(world.levelPorts())).toEqual({ concurrency: 100, writeUnits: 10_000 });
    expect([world.environments, ...world.tables.values()]).toEqual([100, 10_000, 10_000]);
    world.sales.set('drop', aSale('drop', { control: 'closed', version: 2 }));
    await bringToLevel(world.levelPorts());
    expect([world.environments, ...world.tables.values()]).toEqual([0, 10_000, 10_000]);
  });

  it('takes down what was left up when it is turned off, without reading a sale', async () => {
    const world = new CapacityWorld();
    world.environments = 100;
    const off = { ...wants, concurrency: 0, writeUnits: 0 };
    const sales = { liveSales: () => Promise.reject(new Error('nobody is to ask')) };
    await bringToLevel({ ...world.levelPorts(), sales, wants: off });
    expect(world.environments).toBe(0);
  });

  it('asks again for what could not be had, and says so when that goes on', async () => {
    const world = new CapacityWorld();
    world.sales.set('drop', aSale('drop'));
    const asked: number[] = [];
    const environments = { asked: async () => undefined, ask: async (count: number) => void asked.push(count) };
    await expect(bringToLevel({ ...world.levelPorts(), environments })).rejects.toThrow(CapacityUnsettled);
    expect(new Set(asked)).toEqual(new Set([100]));
  });

  it('brings each part as far as it goes when another one fails, and then fails', async () => {
    const world = new CapacityWorld();
    world.sales.set('drop', aSale('drop'));
    const refused = new Error('over the quota');
    const ports = world.levelPorts();
    const environments = { ...ports.environments, ask: () => Promise.reject(refused) };
    await expect(bringToLevel({ ...ports, environments })).rejects.toBe(refused);
    expect([...world.tables.values()]).toEqual([10_000, 10_000]);
    const tables = { ...ports.tables, raise: () => Promise.reject(refused) };
    world.tables.set('orders', 4_000);
    await expect(bringToLevel({ ...ports, tables })).rejects.toBe(refused);
    expect(world.environments).toBe(100);
  });

  it('leaves a table alone that is rising already', async () => {
    const world = new CapacityWorld();
    world.sales.set('drop', aSale('drop'));
    const rising = { table: 'orders', parts: [{ index: undefined, writeUnits: 4_000 }], isRising: true };
    const tables = { all: async () => [rising], raise: () => Promise.reject(new Error('not now')) };
    expect(await bringToLevel({ ...world.levelPorts(), tables })).toMatchObject({ writeUnits: 10_000 });
  });
});

type Step = { readonly kind: 'sale'; readonly sale: Sale } | { readonly kind: 'time'; readonly byMs: number } | { readonly kind: 'run' };

const anySale = fc
  .record({
    id: fc.constantFrom('a', 'b', 'c'),
    opens: fc.integer({ min: -30, max: 30 }),
    lasts: fc.integer({ min: 1, max: 60 }),
    control: fc.constantFrom('open', 'paused', 'closed'),
  })
  .map(({ id, opens, lasts, control }) =>
    aSale(id, { control, opensAtMs: opensAtMs + opens * minuteMs, closesAtMs: opensAtMs + (opens + lasts) * minuteMs }),
  );
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  anySale.map((sale): Step => ({ kind: 'sale', sale })),
  fc.integer({ min: 1, max: 40 * minuteMs }).map((byMs): Step => ({ kind: 'time', byMs })),
  fc.constant<Step>({ kind: 'run' }),
);

describe('whatever is lost, doubled, late or out of order', () => {
  it('the run that comes last leaves what is needed then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyStep, { maxLength: 20 }), async (steps) => {
        const world = new CapacityWorld();
        for (const step of steps) {
          if (step.kind === 'sale') world.sales.set(step.sale.saleId, step.sale);
          else if (step.kind === 'time') world.nowMs += step.byMs;
          else await bringToLevel(world.levelPorts());
        }
        await bringToLevel(world.levelPorts());
        expect(world.environments).toBe(needed(world).concurrency);
        for (const units of world.tables.values()) expect(units).toBeGreaterThanOrEqual(needed(world).writeUnits);
      }),
      { numRuns: 300 },
    );
  });

  it('runs that overlap with each other and with changes of sales leave what is needed, if each change is followed by one', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(anySale, { minLength: 1, maxLength: 5 }), async (scheduler, sales) => {
        const world = new CapacityWorld();
        const pace = () => scheduler.schedule(Promise.resolve());
        const changes = sales.map(async (sale) => {
          await pace();
          world.sales.set(sale.saleId, sale);
          await bringToLevel(world.levelPorts(pace));
        });
        await scheduler.waitFor(Promise.all(changes));
        expect(world.environments).toBe(needed(world).concurrency);
      }),
      { numRuns: 300 },
    );
  });

  it('the schedules of a sale end as its newest version says, in whatever order its events are planned', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.array(anySale, { minLength: 1, maxLength: 5 }), async (scheduler, versions) => {
        const [world, alone] = [new CapacityWorld(), new CapacityWorld()];
        const pace = () => scheduler.schedule(Promise.resolve());
        let version = 0;
        const changes = versions.map(async (sale) => {
          await pace();
          world.sales.set('drop', { ...sale, saleId: 'drop', version: ++version });
          await planSale('drop', world.planPorts(pace));
        });
        await scheduler.waitFor(Promise.all(changes));
        alone.sales.set('drop', world.sales.get('drop') ?? aSale('drop'));
        await planSale('drop', alone.planPorts());
        expect(world.schedules).toEqual(alone.schedules);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a plan', () => {
  it('stands at the moments at which a sale wants more or less, and has the level looked at', async () => {
    const world = new CapacityWorld();
    world.nowMs = opensAtMs - 3 * 86_400_000;
    world.sales.set('drop', aSale('drop'));
    expect(await planSale('drop', world.planPorts())).toBe('planned');
    expect(Object.fromEntries(world.schedules)).toEqual({
      'drop tables': opensAtMs - 86_400_000,
      'drop warm': opensAtMs - 15 * minuteMs,
      'drop cool': opensAtMs + 65 * minuteMs,
    });
    expect(world.looks).toBe(1);
    const sales = [...world.sales.values()];
    for (const [name, atMs] of world.schedules) {
      const [before, after] = [levelAt(sales, wants, atMs - 1), levelAt(sales, wants, atMs)];
      expect(before, name).not.toEqual(after);
    }
  });

  it('moves with the sale, and goes when it is called off', async () => {
    const world = new CapacityWorld();
    world.nowMs = opensAtMs - 3 * 86_400_000;
    world.sales.set('drop', aSale('drop'));
    await planSale('drop', world.planPorts());
    world.sales.set('drop', aSale('drop', { opensAtMs: opensAtMs + minuteMs, version: 2 }));
    await planSale('drop', world.planPorts());
    expect(world.schedules.get('drop warm')).toBe(opensAtMs - 14 * minuteMs);
    world.sales.set('drop', aSale('drop', { control: 'closed', version: 3 }));
    await planSale('drop', world.planPorts());
    expect(world.schedules.size).toBe(0);
    expect(world.looks).toBe(3);
  });

  it('makes no schedule and reads nothing where nobody asked for capacity', async () => {
    const world = new CapacityWorld();
    const off = { ...wants, concurrency: 0, writeUnits: 0 };
    const sales = { get: () => Promise.reject(new Error('nobody is to ask')) };
    expect(await planSale('drop', { ...world.planPorts(), sales, wants: off })).toBe('off');
    expect([world.schedules.size, world.looks]).toEqual([0, 0]);
  });

  it('of a batch makes each sale’s once, and fails the messages of the one that failed alone', async () => {
    const world = new CapacityWorld();
    world.nowMs = 0;
    world.sales.set('drop', aSale('drop'));
    const message = (messageId: string, saleId: string) => ({ messageId, detail: { saleId } });
    const failed = await planSales(world.planPorts())([message('1', 'drop'), message('2', 'gone'), message('3', 'drop')]);
    expect([...failed]).toEqual([['2', expect.any(UnknownSale)]]);
    expect(world.looks).toBe(1);
    expect(world.schedules.size).toBe(3);
  });
});
