import type { Sale } from '../sales/sale.model.ts';
import type { Clock } from '../shared/clock.ts';
import type { EdgeName, Prewarm } from './capacity.model.ts';

/** One-time schedules that call for a look at the level. Every method may be repeated. */
export interface Schedules {
  /** Makes the sale's schedule of that name, or moves it there. Its time lies ahead. */
  put(saleId: string, name: EdgeName, atMs: number): Promise<void>;
  /** Takes it away, if it is there. */
  remove(saleId: string, name: EdgeName): Promise<void>;
}

/** The environments of the reserve function that are kept ready. */
export interface ReadyEnvironments {
  /** How many are asked for; undefined when what was asked for could not be had. */
  asked(): Promise<number | undefined>;
  /** Asks for so many, 0 for none. */
  ask(count: number): Promise<void>;
}

/** What one table, or one of its indexes, can take at once. */
export interface WarmPart {
  /** Undefined for the table itself. */
  readonly index: string | undefined;
  readonly writeUnits: number;
}

/** A table that orders are written to. */
export interface WarmTable {
  readonly table: string;
  /** The table, and those of its indexes that are written with it: each has a warm throughput of its own. */
  readonly parts: readonly WarmPart[];
  /** It is being raised: nobody can ask for more before that is done. */
  readonly isRising: boolean;
}

/** Warm throughput of the tables that orders are written to. It is raised, and never lowered. */
export interface WarmTables {
  all(): Promise<readonly WarmTable[]>;
  /** Raises these parts of a table. `rising`: it was being raised already, and this was not asked. */
  raise(table: string, parts: readonly WarmPart[], writeUnits: number): Promise<'asked' | 'rising'>;
}

export interface LevelPorts {
  readonly sales: { liveSales(nowMs: number): Promise<readonly Sale[]> };
  readonly environments: ReadyEnvironments;
  readonly tables: WarmTables;
  readonly wants: Prewarm;
  readonly clock: Clock;
}

export interface PlanPorts {
  readonly sales: { get(saleId: string, options: { consistent: true }): Promise<Sale | undefined> };
  readonly schedules: Schedules;
  /** Has the level looked at now, without waiting for it. */
  readonly look: () => Promise<void>;
  readonly wants: Prewarm;
  readonly clock: Clock;
}
