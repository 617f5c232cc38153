import type { Drift, DriftKind } from './drift.model.ts';

/** What became of one sale in a run. */
export type SaleOutcome =
  /** All of the scope was compared, and what could be mended was. */
  | 'compared'
  /** The time, or the lease, ended first: the next run goes on. */
  | 'unfinished'
  /** Somebody else is at it. */
  | 'busy'
  | 'not-loaded'
  | 'failed';

export type Counts = Partial<Record<DriftKind, number>>;

/** Something that was found wrong twice. `left`: it could not be mended, and somebody has to look. */
export interface Repair {
  readonly kind: DriftKind;
  readonly subject: string;
  readonly detail: string;
  readonly outcome: 'mended' | 'left';
}

export interface SaleReport {
  readonly saleId: string;
  readonly scope: 'all' | 'changed';
  readonly outcome: SaleOutcome;
  readonly passes: number;
  readonly compared: { readonly units: number; readonly holds: number; readonly orders: number };
  readonly drift: Counts;
  readonly mended: Counts;
  /** The first of what was found. */
  readonly repairs: readonly Repair[];
  /** Redis may still have forgotten orders: whoever is refused is looked for in the database. */
  readonly behind: boolean;
  readonly tookMs: number;
}

export interface RunReport {
  readonly reconciliationId: string;
  readonly trigger: 'schedule' | 'request';
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  /** How many sales there were to look at; `sales` shows those with drift first, 100 at most. */
  readonly salesCount: number;
  readonly sales: readonly SaleReport[];
}

export const repairsShownMax = 50;
export const salesShownMax = 100;
const detailCharactersMax = 300;

/** Collects what a run finds of one sale. */
export class SaleFindings {
  readonly #drift = new Map<DriftKind, number>();
  readonly #mended = new Map<DriftKind, number>();
  readonly #repairs: Repair[] = [];

  add({ kind, subject, detail }: Pick<Drift, 'kind' | 'subject' | 'detail'>, outcome: Repair['outcome'], count = 1): void {
    this.#drift.set(kind, (this.#drift.get(kind) ?? 0) + count);
    if (outcome === 'mended') this.#mended.set(kind, (this.#mended.get(kind) ?? 0) + count);
    if (this.#repairs.length < repairsShownMax)
      this.#repairs.push({ kind, subject, detail: detail.slice(0, detailCharactersMax), outcome });
  }

  get drift(): Counts {
    return Object.fromEntries(this.#drift);
  }

  get mended(): Counts {
    return Object.fromEntries(this.#mended);
  }

  get repairs(): readonly Repair[] {
    return this.#repairs;
  }
}

export const sumOf = (counts: Counts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** The sales that a report shows, those with drift first. A report is one item of a table, so of each but the first repairs stay few. */
export function salesShown(sales: readonly SaleReport[]): SaleReport[] {
  const withDrift = [...sales].sort((a, b) => sumOf(b.drift) - sumOf(a.drift)).slice(0, salesShownMax);
  let left = repairsShownMax * 4;
  return withDrift.map((sale) => {
    const repairs = sale.repairs.slice(0, left);
    left -= repairs.length;
    return { ...sale, repairs };
  });
}
