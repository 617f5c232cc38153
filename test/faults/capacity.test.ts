import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bringToLevel } from '../../functions/capacity/level.ts';
import { planSale } from '../../functions/capacity/plan.ts';
import { atExpression, scheduleName } from '../../functions/capacity/sale-schedules.ts';
import { until } from '../../lib/client/bounded.ts';
import { aliasArn, type CapacityServices, group, startCapacityServices } from '../support/capacity.ts';
import { aSale, CapacityWorld, minuteMs, opensAtMs, wants } from '../unit/capacity/capacity.world.ts';

// The adapters that ship, against the services of the embedded runtime, on a way on which calls and replies are lost.

let services: CapacityServices;
let world: CapacityWorld;
let saleId: string;
let made = 0;
const dayMs = 86_400_000;

beforeAll(async () => {
  services = await startCapacityServices({ nowMs: () => world.nowMs });
});
afterAll(() => services?.stop());
beforeEach(() => {
  world = new CapacityWorld();
  world.nowMs = opensAtMs - 3 * dayMs;
  saleId = `drop-${made++}`;
  world.sales.set(saleId, aSale(saleId));
});

const planPorts = () => ({ ...world.planPorts(), schedules: services.adapters.schedules });
const levelPorts = () => ({ ...world.levelPorts(), environments: services.adapters.environments, tables: services.adapters.tables });
/** The sale's schedules as the service has them: their times by their names. */
const standing = () =>
  Object.fromEntries(
    services.schedules.all
      .filter(({ Description }) => Description?.endsWith(` ${saleId}`))
      .map(({ Description = '', ScheduleExpression }) => [Description.split(' ')[0], ScheduleExpression]),
  );
const wanted = {
  tables: atExpression(opensAtMs - dayMs),
  warm: atExpression(opensAtMs - 15 * minuteMs),
  cool: atExpression(opensAtMs + 65 * minuteMs),
};

describe('schedules', () => {
  it('stand once each when the reply of their making is lost', async () => {
    services.ways.scheduler.fates.push('reply-lost', 'answered', 'reply-lost', 'reply-lost');
    await planSale(saleId, planPorts());
    expect(standing()).toEqual(wanted);
  });

  it('stand after the service was too busy for some of them, and for a whole plan that is tried again', async () => {
    services.ways.scheduler.fates.push('throttled', 'answered', 'throttled');
    await planSale(saleId, planPorts());
    expect(standing()).toEqual(wanted);
    world.sales.set(saleId, aSale(saleId, { opensAtMs: opensAtMs + minuteMs, version: 2 }));
    services.ways.scheduler.fates.push('throttled', 'throttled', 'throttled');
    await expect(planSale(saleId, planPorts())).rejects.toThrow('Rate exceeded');
    services.ways.scheduler.fates.length = 0;
    await planSale(saleId, planPorts());
    expect(standing()).toMatchObject({ warm: atExpression(opensAtMs - 14 * minuteMs) });
  });

  it('move when the reply of their moving is lost, and are gone when that of their removal is', async () => {
    await planSale(saleId, planPorts());
    world.sales.set(saleId, aSale(saleId, { opensAtMs: opensAtMs + minuteMs, version: 2 }));
    // Each is refused as there already, and then moved.
    services.ways.scheduler.fates.push('answered', 'reply-lost');
    await planSale(saleId, planPorts());
    expect(standing()).toMatchObject({ tables: atExpression(opensAtMs - dayMs + minuteMs), warm: atExpression(opensAtMs - 14 * minuteMs) });
    world.sales.set(saleId, aSale(saleId, { control: 'closed', version: 3 }));
    services.ways.scheduler.fates.push('reply-lost', 'reply-lost');
    await planSale(saleId, planPorts());
    expect(standing()).toEqual({});
  });

  it('call once, at their time, and are gone then', async () => {
    await planSale(saleId, planPorts());
    const calls = () => services.calls.filter((call) => (call as { saleId?: string }).saleId === saleId);
    world.nowMs = opensAtMs - dayMs + 1_000;
    await until('the first has called', async () => calls().length === 1 || undefined, { everyMs: 20 });
    world.nowMs = opensAtMs + dayMs;
    await until('all have called', async () => calls().length === 3 || undefined, { everyMs: 20 });
    expect(calls()).toEqual(['tables', 'warm', 'cool'].map((edge) => ({ saleId, edge })));
    expect(standing()).toEqual({});
    // A sale that is planned again, after all that, has none to make and none to miss.
    await planSale(saleId, planPorts());
    expect(standing()).toEqual({});
  });

  it('are named within what the service allows, whatever a sale is called, and apart from those of any other sale', () => {
    const names = ['a'.repeat(64), `${'a'.repeat(63)}b`, '..', '-'].flatMap((id) => [scheduleName(id, 'tables'), scheduleName(id, 'warm')]);
    for (const name of names) expect(name).toMatch(/^[0-9a-zA-Z-_.]{1,64}$/);
    expect(new Set(names).size).toBe(names.length);
    expect(services.schedules.all.every(({ GroupName }) => GroupName === group)).toBe(true);
  });

  it('never call before the moment: a part of a second is rounded up', () => {
    expect(atExpression(Date.UTC(2026, 10, 27, 9))).toBe('at(2026-11-27T09:00:00)');
    expect(atExpression(Date.UTC(2026, 10, 27, 9) + 1)).toBe('at(2026-11-27T09:00:01)');
  });
});

describe('the level', () => {
  const ready = () => services.lambda.provisioned.get(aliasArn);
  beforeEach(async () => {
    world.nowMs = opensAtMs;
  });

  it('is reached when replies are lost or calls are too many, for environments and for tables with their indexes', async () => {
    services.ways.lambda.fates.push('throttled', 'answered', 'reply-lost');
    services.ways.database.fates.push('reply-lost', 'answered', 'throttled');
    await bringToLevel(levelPorts());
    expect(ready()).toBe(wants.concurrency);
    expect(Object.fromEntries(services.warmth.raised)).toEqual({ orders: 10_000, 'orders/due': 10_000 });
  });

  it('is reached by the next run after one that gave up half-way', async () => {
    world.sales.set('second', aSale('second'));
    services.ways.lambda.fates.push(...Array.from({ length: 6 }, () => 'throttled' as const));
    await expect(bringToLevel(levelPorts())).rejects.toThrow('Rate exceeded');
    expect(services.warmth.raised.get('orders/due')).toBe(20_000);
    services.ways.lambda.fates.length = 0;
    await bringToLevel(levelPorts());
    expect(ready()).toBe(2 * wants.concurrency);
  });

  it('goes down to none, also when the reply of that is lost, and again when there is none', async () => {
    world.sales.clear();
    services.ways.lambda.fates.push('answered', 'reply-lost');
    await bringToLevel(levelPorts());
    expect(ready()).toBeUndefined();
    await services.adapters.environments.ask(0);
    expect(await services.adapters.environments.asked()).toBe(0);
    // What a table has been given stays, and nobody asks for less.
    expect(services.warmth.raised.get('orders')).toBe(20_000);
  });

  it('raises an index that is behind its table alone', async () => {
    const lower = [{ index: 'due', writeUnits: 20_000 }];
    expect(await services.adapters.tables.raise('orders', lower, 30_000)).toBe('asked');
    expect(Object.fromEntries(services.warmth.raised)).toEqual({ orders: 20_000, 'orders/due': 30_000 });
    expect(await services.adapters.tables.all()).toEqual([
      {
        table: 'orders',
        parts: [
          { index: undefined, writeUnits: 20_000 },
          { index: 'due', writeUnits: 30_000 },
        ],
        isRising: false,
      },
    ]);
  });
});
