import type { Sale } from '../sales/sale.model.ts';
import { orderIdOf } from '../shared/ids.ts';
import type { Lease } from '../shared/lease.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { isBehindAnywhere, markBehind } from './behind.ts';
import { type GoesOn, type Look, lookAtAll, lookAtChanged } from './compare.ts';
import type { Drift } from './drift.model.ts';
import { freeLoose, type LooseDrift } from './free-loose.ts';
import { type MendOutcome, mendOne, type SingleDrift } from './mend.ts';
import { type ReconcilePorts, Stopped } from './reconcile.ports.ts';
import { SaleFindings, type SaleOutcome, type SaleReport } from './report.model.ts';
import { loadOf } from './sale-load.ts';
import type { SaleMemory } from './state.repository.ts';
import { compareViews } from './views.ts';

/** More looks than a mended sale needs: one finds, one finds nothing left, and some for what is mended in steps. */
const passesMax = 4;
/** Repairs under way at once. */
const lanes = 8;

interface Course {
  readonly sale: Sale;
  readonly scope: SaleReport['scope'];
  readonly memory: SaleMemory;
  readonly identity: string;
  readonly findings: SaleFindings;
  readonly goesOn: GoesOn;
  readonly token: string;
  passes: number;
  compared: Look['compared'];
}

/**
 * Compares a sale in Redis with its rows and orders, and mends what two looks agree on. Everything is compared when that is asked for, for the first time,
 * when Redis is another one than before, while the sale is marked as behind, and from time to time; otherwise what changed since the last run.
 * Nothing that is live is cleared, so this is also what a rebuild of live state means.
 */
export async function reconcileSale(
  sale: Sale,
  wish: { readonly all: boolean; readonly hasTime: () => boolean },
  ports: ReconcilePorts,
): Promise<SaleReport> {
  const { saleId } = sale;
  const startMs = ports.clock.nowMs();
  const findings = new SaleFindings();
  const report = (outcome: SaleOutcome, course?: Course, behind = false): SaleReport => ({
    saleId,
    scope: course?.scope ?? (wish.all ? 'all' : 'changed'),
    outcome,
    passes: course?.passes ?? 0,
    compared: course?.compared ?? { units: 0, holds: 0, orders: 0 },
    drift: findings.drift,
    mended: findings.mended,
    repairs: findings.repairs,
    behind,
    tookMs: ports.clock.nowMs() - startMs,
  });

  const lease = await ports.lease(saleId);
  if (!lease) return report('busy');
  let course: Course | undefined;
  try {
    course = await courseOf(sale, wish, { findings, lease }, ports);
    if (!course) return report('not-loaded');
    const outcome = await runPasses(course, ports);
    return report(outcome, course, await isBehindAnywhere(sale, ports.mend));
  } catch (error) {
    // What was mended stays mended, and is told.
    if (error instanceof Stopped) log.warn('a reconciliation has stopped', { saleId, why: error.message });
    else log.error('a sale could not be reconciled', { saleId, error });
    return report(error instanceof Stopped ? 'unfinished' : 'failed', course, true);
  } finally {
    await lease.release().catch((error: unknown) => log.warn('a lease was not released and will run out', { saleId, error }));
  }
}

/** What is to be compared; undefined for a sale that Redis does not have. A Redis that is another one than before marks the sale at once. */
async function courseOf(
  sale: Sale,
  { all, hasTime }: { readonly all: boolean; readonly hasTime: () => boolean },
  { findings, lease }: { readonly findings: SaleFindings; readonly lease: Lease },
  { stock, mend, memories, identityOf, clock, timing, newId }: ReconcilePorts,
): Promise<Course | undefined> {
  const { saleId, shards } = sale;
  const identity = await identityOf(saleId, shards);
  const read = await stock.read(saleId, shards);
  const load = read.outcome === 'READ' ? await loadOf(sale, read.epoch, stock) : undefined;
  if (read.outcome === 'NOT_LOADED' || !load) return undefined;
  const known = await memories.of(saleId);
  const isAnother = known.identity !== undefined && !(known.identity === identity && known.epoch === read.epoch);
  if (isAnother) await markBehind(load, 'set', newId(), mend);
  const isBehind = await isBehindAnywhere(sale, mend);
  const behindSinceMs = isBehind ? (isAnother ? read.nowMs : (known.behindSinceMs ?? read.nowMs)) : undefined;
  await memories.note(saleId, { identity, epoch: read.epoch, behindSinceMs: behindSinceMs ?? null });
  const isDue = known.fullAtMs === undefined || clock.nowMs() - known.fullAtMs >= timing.fullEveryMs;
  const { behindSinceMs: _, ...rest } = known;
  return {
    sale,
    scope: all || isAnother || isBehind || isDue || known.comparedToMs === undefined ? 'all' : 'changed',
    memory: { ...rest, ...(behindSinceMs === undefined ? {} : { behindSinceMs }) },
    identity,
    findings,
    goesOn: async () => {
      if (!hasTime()) throw new Stopped('no time is left');
      if (!(await lease.stillOurs())) throw new Stopped('the lease is lost');
    },
    token: newId(),
    passes: 0,
    compared: { units: 0, holds: 0, orders: 0 },
  };
}

/** Looks and mends until a look finds nothing to mend; while the sale is behind, the second look at the earliest may say so. */
async function runPasses(course: Course, ports: ReconcilePorts): Promise<SaleOutcome> {
  const { sale, scope, memory, goesOn } = course;
  const { saleId } = sale;
  let beganMs: number | undefined;
  for (let pass = 1; pass <= passesMax; pass++) {
    await goesOn();
    const look = await lookOnce(course, ports);
    if (!look) return 'not-loaded';
    beganMs ??= look.fromMs;
    course.passes = pass;
    course.compared = look.compared;
    const isBehind = scope === 'all' && (await isBehindAnywhere(sale, ports.mend));
    const { mended, left } = await settle(look, course, ports);
    if (mended === 0 && (!isBehind || pass > 1)) {
      if (isBehind && left === 0) await clearMark(look, course, ports);
      await compareViews(sale, look.orderIds ?? { fromMs: viewsFrom(course, ports) }, course.findings, goesOn, ports);
      const full = scope === 'all' ? { fullAtMs: ports.clock.nowMs() } : {};
      await ports.memories.note(saleId, { comparedToMs: beganMs, ...full });
      return 'compared';
    }
    await ports.pause(ports.timing.pauseMs);
  }
  log.warn('a sale has drifted on while it was being mended', { saleId, behindSinceMs: memory.behindSinceMs });
  return 'unfinished';
}

const viewsFrom = ({ scope, memory, sale }: Course, { timing }: ReconcilePorts): number =>
  scope === 'all' ? 0 : (memory.comparedToMs ?? 0) - sale.holdSeconds * 1000 - timing.inFlightMs - timing.recentMs;

async function lookOnce({ sale, scope, memory, goesOn, token }: Course, ports: ReconcilePorts): Promise<Look | undefined> {
  if (scope === 'changed') return lookAtChanged(sale, memory.comparedToMs ?? 0, goesOn, ports);
  const read = await ports.stock.read(sale.saleId, sale.shards);
  const load = read.outcome === 'READ' ? await loadOf(sale, read.epoch, ports.stock) : undefined;
  // Whoever finds an order that Redis had forgotten, from here on, takes our token off the mark.
  if (load) await markBehind(load, 'begin', token, ports.mend);
  return lookAtAll(sale, goesOn, ports);
}

/**
 * Lots to be mended one after the other, each of it groups that may be mended at the same time: the sale itself comes first, what concerns the same order
 * stays together, and what is free is counted when the other repairs no longer move it.
 */
function lotsOf(drift: readonly SingleDrift[]): SingleDrift[][][] {
  const ofSale = drift.filter(({ about }) => about === 'sale');
  const ofItems = drift.filter(({ about }) => about === 'item');
  const others = drift.filter(({ about }) => about !== 'sale' && about !== 'item');
  return [ofSale, others, ofItems].map((lot) => [...Map.groupBy(lot, subjectOf).values()]);
}

function subjectOf(drift: SingleDrift): string {
  if (drift.about === 'order') return drift.orderId;
  return drift.about === 'hold' ? orderIdOf(drift.hold.holdId) : drift.subject;
}

/** Looks again at what was found, some seconds later, and mends what is still so. -> how many things were, and how many could not be mended */
async function settle({ load, drift }: Look, course: Course, ports: ReconcilePorts): Promise<Record<'mended' | 'left', number>> {
  const agreed = { mended: 0, left: 0 };
  if (drift.length === 0) return agreed;
  await ports.pause(ports.timing.pauseMs);
  const note = (each: Drift, outcome: Exclude<MendOutcome, 'not-so'>, count: number) => {
    agreed[outcome] += 1;
    // One that is left is left at every look.
    if (outcome === 'left' && course.passes > 1) return;
    course.findings.add(each, outcome, count);
    const { kind, subject, detail } = each;
    log[outcome === 'mended' ? 'warn' : 'error']('drift', { saleId: load.saleId, kind, subject, detail, outcome, count });
  };
  const loose: LooseDrift[] = [];
  const single: SingleDrift[] = [];
  for (const each of drift) {
    if (each.recent) agreed.left += 1;
    else if (each.about === 'units' || each.about === 'slots') loose.push(each);
    else single.push(each);
  }
  for (const lot of lotsOf(single)) {
    await inParallel(lot, lanes, async (related) => {
      for (const each of related) {
        await course.goesOn();
        const outcome = await mendOne(each, load, ports);
        if (outcome !== 'not-so') note(each, outcome, 1);
      }
    });
  }
  for (const [each, count] of await freeLoose(loose, load, course.goesOn, ports)) note(each, 'mended', count);
  return agreed;
}

/**
 * Takes the mark off a sale that is behind, after a look at everything that found nothing wrong. Not as long as an order may have been on its way when the mark
 * was first seen: it could have been written since the index was read. And not when Redis became another one meanwhile.
 */
async function clearMark({ load, fromMs }: Look, { sale, memory, identity, token }: Course, ports: ReconcilePorts): Promise<void> {
  const { mend, memories, identityOf, timing } = ports;
  const { saleId } = load;
  const hasSettled = memory.behindSinceMs !== undefined && fromMs - timing.recentMs >= memory.behindSinceMs + timing.inFlightMs;
  if (!hasSettled || (await identityOf(saleId, sale.shards)) !== identity) return;
  // Of several shards some may have been marked already, and others not: what counts is that none is left.
  const isDone = await markBehind(load, 'end', token, mend);
  if (!isDone && (load.shards === undefined || (await isBehindAnywhere(sale, mend)))) return;
  log.info('a sale is no more behind', { saleId });
  await memories.note(saleId, { behindSinceMs: null });
}
