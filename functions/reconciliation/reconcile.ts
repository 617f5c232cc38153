import type { Sale } from '../sales/sale.model.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import type { ReconcilePorts } from './reconcile.ports.ts';
import { reconcileSale } from './reconcile-sale.ts';
import { type RunReport, type SaleReport, salesShown } from './report.model.ts';
import type { Reports } from './report.repository.ts';

export interface RunPorts extends ReconcilePorts {
  readonly live: (nowMs: number) => Promise<readonly Sale[]>;
  readonly reports: Pick<Reports, 'put'>;
  /** Whether there is time for another step. */
  readonly hasTime: () => boolean;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Counts what was done, for whoever watches. */
  readonly onSale: (report: SaleReport) => void;
}

const salesAtOnce = 2;

/** Reconciles every live sale, in an order of its own each time, so that where the time is short it is not always the same sales that go short. */
export async function reconcileLive(trigger: RunReport['trigger'], ports: RunPorts): Promise<RunReport> {
  const live = await ports.live(await ports.stock.nowMs());
  const sales = live
    .map((sale) => ({ sale, at: ports.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ sale }) => sale);
  return run(sales, trigger, ports);
}

/** Reconciles one sale completely, also one that is over. Undefined when there is none of this id. */
export async function reconcileOne(saleId: string, trigger: RunReport['trigger'], ports: RunPorts): Promise<RunReport | undefined> {
  const sale = await ports.sales.get(saleId, { consistent: true });
  return sale && run([sale], trigger, ports);
}

/** The report says what became of each sale; whatever was mended is in it, whichever way the run ended. */
async function run(sales: readonly Sale[], trigger: RunReport['trigger'], ports: RunPorts): Promise<RunReport> {
  const startedAtMs = ports.clock.nowMs();
  const all = trigger === 'request';
  const reports = await inParallel(sales, salesAtOnce, async (sale) => {
    const report = ports.hasTime() ? await guarded(sale, all, ports) : unlooked(sale, 'unfinished');
    ports.onSale(report);
    return report;
  });
  const report: RunReport = {
    reconciliationId: ports.newId(),
    trigger,
    startedAtMs,
    finishedAtMs: ports.clock.nowMs(),
    salesCount: sales.length,
    sales: salesShown(reports),
  };
  await ports.reports.put(report);
  return report;
}

const unlooked = ({ saleId }: Sale, outcome: SaleReport['outcome']): SaleReport => {
  const compared = { units: 0, holds: 0, orders: 0 };
  return { saleId, scope: 'changed', outcome, passes: 0, compared, drift: {}, mended: {}, repairs: [], behind: false, tookMs: 0 };
};

/** One sale's trouble must not keep the others waiting. */
async function guarded(sale: Sale, all: boolean, ports: RunPorts): Promise<SaleReport> {
  try {
    return await reconcileSale(sale, { all, hasTime: ports.hasTime }, ports);
  } catch (error) {
    log.error('a sale could not be reconciled', { saleId: sale.saleId, error });
    return unlooked(sale, 'failed');
  }
}
