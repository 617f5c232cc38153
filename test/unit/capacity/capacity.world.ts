import type { Prewarm } from '../../../functions/capacity/capacity.model.ts';
import type { LevelPorts, PlanPorts, ReadyEnvironments, Schedules, WarmTables } from '../../../functions/capacity/capacity.ports.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';

export const minuteMs = 60_000;
export const opensAtMs = Date.UTC(2026, 10, 27, 9);
export const wants: Prewarm = {
  ...{ concurrency: 100, concurrencyMax: 1_000, writeUnits: 10_000, writeUnitsMax: 40_000 },
  ...{ leadMinutes: 15, graceMinutes: 5, hoursMax: 6 },
};

export const aSale = (saleId: string, changes: Partial<Sale> = {}): Sale => ({
  ...{ saleId, name: saleId, opensAtMs, closesAtMs: opensAtMs + 60 * minuteMs, strategy: 'reserve-first', holdSeconds: 300 },
  ...{ control: 'open', version: 1, epoch: 1, currency: 'EUR', items: [], createdAtMs: 0 },
  ...changes,
});

/** Called at each step to the outside, before it is done. */
export type Pace = () => Promise<void>;

/** Sales, schedules and parts in memory, each call of which takes its time. */
export class CapacityWorld {
  nowMs = opensAtMs;
  readonly sales = new Map<string, Sale>();
  /** By sale and edge: when it calls. */
  readonly schedules = new Map<string, number>();
  environments = 0;
  readonly tables = new Map([
    ['orders', 4_000],
    ['units', 4_000],
  ]);
  looks = 0;

  levelPorts(pace: Pace = async () => {}): LevelPorts {
    const environments: ReadyEnvironments = {
      asked: async () => {
        await pace();
        return this.environments;
      },
      ask: async (count) => {
        await pace();
        this.environments = count;
      },
    };
    const tables: WarmTables = {
      all: async () => {
        await pace();
        return [...this.tables].map(([table, writeUnits]) => ({ table, parts: [{ index: undefined, writeUnits }], isRising: false }));
      },
      raise: async (table, _parts, writeUnits) => {
        await pace();
        // As DynamoDB refuses it.
        if (writeUnits < (this.tables.get(table) ?? 0)) throw new Error('it never comes down');
        this.tables.set(table, writeUnits);
        return 'asked';
      },
    };
    const sales = {
      liveSales: async () => {
        await pace();
        return [...this.sales.values()];
      },
    };
    return { sales, environments, tables, wants, clock: { nowMs: () => this.nowMs } };
  }

  planPorts(pace: Pace = async () => {}): PlanPorts {
    const schedules: Schedules = {
      put: async (saleId, name, atMs) => {
        await pace();
        this.schedules.set(`${saleId} ${name}`, atMs);
      },
      remove: async (saleId, name) => {
        await pace();
        this.schedules.delete(`${saleId} ${name}`);
      },
    };
    const sales = {
      get: async (saleId: string) => {
        await pace();
        return this.sales.get(saleId);
      },
    };
    const look = async () => {
      await pace();
      this.looks++;
    };
    return { sales, schedules, look, wants, clock: { nowMs: () => this.nowMs } };
  }
}
