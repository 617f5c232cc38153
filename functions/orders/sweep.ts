import type { Sale } from '../sales/sale.model.ts';
import { orderIdOf } from '../shared/ids.ts';
import { inParallel } from '../shared/parallel.ts';
import { ScriptUnanswered } from '../shared/script.ts';
import { log } from '../shared/telemetry.ts';
import { stockIdOf, stockIdsOf } from '../stock/shards.model.ts';
import type { Hold, LineUnits } from '../stock/stock.model.ts';
import type { Stock } from '../stock/stock.ports.ts';
import { advance } from './advance.ts';
import type { ClaimRepository } from './claim.repository.ts';
import { byItem } from './collision.model.ts';
import { StockAway } from './compensate.ts';
import type { DueOrders } from './due.repository.ts';
import { hasEnded, isPaidAndPending, type Order, type StepName } from './order.model.ts';
import type { OrderRepository, Step } from './order.ports.ts';
import { takeStep } from './order.step.ts';
import { disown } from './order.transitions.model.ts';
import { hasNothingInStock, holdOf, standingOf } from './placement.model.ts';

export interface SweepPorts {
  readonly sales: { live(nowMs: number): Promise<readonly Sale[]> };
  readonly stock: Stock;
  readonly orders: OrderRepository;
  readonly claims: ClaimRepository;
  readonly due: DueOrders;
  readonly steps: (nowMs: () => number) => Readonly<Record<StepName, Step>>;
  /**
   * What else is looked after for each live sale, one thing for all sales before the next. Each may run any number of times, also at once, and
   * stops when little time is left.
   */
  readonly tend: readonly SaleCare[];
  /** At least 0, below 1. */
  readonly random: () => number;
  /** How long the run may still go on. */
  readonly remainingMs: () => number;
}

/** One thing that a sweep does for a sale. `hasTime` says whether more work may be begun. */
export type SaleCare = (sale: Sale, hasTime: () => boolean) => Promise<unknown>;

/** What a sweep found and settled. `failed` comes again with the next one. */
export interface SweepReport {
  orders: number;
  holds: number;
  suspects: number;
  failed: number;
}

const pageOrders = 50;
const pageHolds = 200;
const pageSuspects = 200;
const atOnce = 16;
/** A hold whose end could not be decided is looked at again after this. */
const retryMs = 30_000;
/** A run stops taking on work when less than this is left. */
const reserveMs = 5_000;
const salesAtOnce = 4;

/**
 * Settles whatever events have not: orders whose status, money or release is owed, holds that never got an order, and suspects.
 * Level-triggered: it looks at what is, so any number of runs, also at once, come to the same. Its time is Redis'.
 */
export async function sweep(ports: SweepPorts): Promise<SweepReport> {
  const report: SweepReport = { orders: 0, holds: 0, suspects: 0, failed: 0 };
  const startMs = await ports.stock.nowMs();
  // Side by side, and each by itself: one order's or one sale's trouble must not keep the others waiting.
  await Promise.all([
    guarded('the due orders could not be swept', report, () => sweepOrders(startMs, ports, report)),
    guarded('the sales could not be listed', report, async () => {
      await sweepSales(await ports.sales.live(startMs), ports, report);
    }),
  ]);
  return report;
}

/**
 * Holds and suspects of all sales first, then one care after the other: what takes long for some sales must not keep the others' units from
 * coming back. In an order of its own each time, so that where a run's time is too short, it is not always the same sales that go short.
 */
async function sweepSales(live: readonly Sale[], ports: SweepPorts, report: SweepReport): Promise<void> {
  const sales = shuffled(live, ports.random);
  const stocks = sales.flatMap((sale) => stockIdsOf(sale).map((stockId) => ({ sale, stockId })));
  await inParallel(stocks, salesAtOnce, async ({ sale, stockId }) => {
    await guarded(`the holds of ${stockId} could not be swept`, report, () => sweepHolds(stockId, ports, report));
    await guarded(`the suspects of ${stockId} could not be swept`, report, () => sweepSuspects({ sale, stockId }, ports, report));
  });
  for (const care of ports.tend) {
    await inParallel(sales, salesAtOnce, async (sale) => {
      if (!hasTime(ports)) return;
      await guarded(`${sale.saleId} could not be looked after`, report, () => care(sale, () => hasTime(ports)));
    });
  }
}

const shuffled = <T>(items: readonly T[], random: () => number): T[] =>
  items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

async function guarded(message: string, report: SweepReport, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    report.failed += 1;
    log.error(message, { error });
  }
}

async function sweepOrders(nowMs: number, ports: SweepPorts, report: SweepReport): Promise<void> {
  const steps = ports.steps(() => nowMs);
  const away = new Set<string>();
  const paused = new Set<string>();
  for await (const orders of ports.due.due(nowMs, pageOrders)) {
    await forEachAtOnce(orders, ports, report, async (order) => {
      // The stock of this order's sale did not answer a moment ago, and this one waits for nothing else: the time is better spent on others.
      if (away.has(order.saleId) && awaitsStockAlone(order)) return;
      // Nor does a sale that was paused a moment ago give units to those that are paid and wait for it: there may be a great many.
      if (paused.has(order.saleId) && isPaidAndPending(order)) return;
      try {
        const left = await advance(order, steps, () => nowMs);
        report.orders += 1;
        if (isPaidAndPending(left)) paused.add(order.saleId);
      } catch (error) {
        if (error instanceof StockAway || error instanceof ScriptUnanswered) away.add(order.saleId);
        throw error;
      }
    });
    if (!hasTime(ports)) return;
  }
}

/** Its money is settled and its rows say that it has ended, and Redis is to be told; or it is paid and asks Redis for units. */
const awaitsStockAlone = (order: Order): boolean =>
  (hasEnded(order) && (order.stock === 'releasing' || order.late !== undefined)) || isPaidAndPending(order);

async function sweepHolds(stockId: string, ports: SweepPorts, report: SweepReport): Promise<void> {
  while (hasTime(ports)) {
    const taken = await ports.stock.takeExpired(stockId, { limit: pageHolds, retryMs });
    if (taken.outcome === 'NOT_LOADED' || taken.holds.length === 0) return;
    await forEachAtOnce(taken.holds, ports, report, async (hold) => {
      await endHold(stockId, hold, taken.nowMs, ports);
      report.holds += 1;
    });
  }
}

/** A hold whose time has come: it follows its order if that one has it, otherwise a tombstone ends it and then its units go back. */
async function endHold(stockId: string, hold: Hold, nowMs: number, { stock, claims, orders }: SweepPorts): Promise<void> {
  const ended = await claims.tombstone(hold, orderIdOf(hold.holdId), nowMs);
  if (ended.outcome === 'order-exists') {
    // An order that waits for units may be about to get this hold's: the order first, so that whoever is slow loses there.
    const { order } = await takeStep(ended.order, orders, (current) => disown(current, hold.bornUs, nowMs));
    if (isHoldOf(order, hold)) return follow(order, stock);
  }
  await stock.release(stockId, { holdId: hold.holdId, bornUs: hold.bornUs, cause: 'tombstone' });
}

/** Whether the order has decided about this hold: it has the hold's units, or has ended with it. */
const isHoldOf = (order: Order, { holdId }: Hold): boolean => order.holdId === holdId && !hasNothingInStock(order);

/** Redis is made to say of the order's hold what the order says. */
async function follow(order: Order, stock: Stock): Promise<void> {
  await stock.acknowledge(stockIdOf(order), holdOf(order), standingOf(order));
}

/** One stock of a sale. */
interface StockOfSale {
  readonly sale: Sale;
  readonly stockId: string;
}

async function sweepSuspects(of: StockOfSale, ports: SweepPorts, report: SweepReport): Promise<void> {
  let after: { sku: string; unit: string } | undefined;
  do {
    const page = await ports.stock.suspects(of.stockId, { limit: pageSuspects, ...(after ? { after } : {}) });
    if (page.outcome === 'NOT_LOADED' || page.lines.length === 0) return;
    await clearSuspects(of, page.lines, ports, report);
    const last = page.lines.at(-1);
    const unit = last?.units.at(-1);
    after = last && unit !== undefined ? { sku: last.sku, unit } : undefined;
  } while (after && hasTime(ports));
}

/** Those without a row are free again; of the others the order is known now, and Redis is told of it. */
async function clearSuspects(
  { sale, stockId }: StockOfSale,
  lines: readonly LineUnits[],
  ports: SweepPorts,
  report: SweepReport,
): Promise<void> {
  const owners = await ports.claims.owners(sale.saleId, lines);
  await forEachAtOnce([...new Set(owners.map(({ orderId }) => orderId))], ports, report, async (orderId) => {
    const order = await ports.orders.get(orderId);
    // A row without its order can only be one that is ending at this moment; the next run finds it free.
    if (!order) return;
    await follow(order, ports.stock);
    // Its units are known where its buyer is at home, and are none of this shard's.
    if (stockIdOf(order) !== stockId) await ports.stock.drop(stockId, byItem(owners.filter((owner) => owner.orderId === orderId)));
  });
  const owned = new Set(owners.map(({ sku, unit }) => `${sku} ${unit}`));
  const free = byItem(
    lines.flatMap(({ units, ...line }) => units.filter((unit) => !owned.has(`${line.sku} ${unit}`)).map((unit) => ({ ...line, unit }))),
  );
  if (free.length === 0) return;
  const returned = await ports.stock.returnSuspects(stockId, free);
  if (returned.outcome === 'RETURNED') report.suspects += returned.count;
}

const hasTime = (ports: Pick<SweepPorts, 'remainingMs'>) => ports.remainingMs() > reserveMs;

/** Runs the work side by side, bounded, while there is time; a failure is logged and counted, and the rest goes on. */
async function forEachAtOnce<T>(
  items: readonly T[],
  ports: Pick<SweepPorts, 'remainingMs'>,
  report: SweepReport,
  work: (item: T) => Promise<void>,
): Promise<void> {
  await inParallel(items, atOnce, async (item) => {
    if (!hasTime(ports)) return;
    try {
      await work(item);
    } catch (error) {
      report.failed += 1;
      log.warn('left for the next sweep', { error });
    }
  });
}
