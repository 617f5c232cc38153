import { faultOf } from './fault-kinds.ts';
import { rowsMax } from './fault-rows.ts';
import type { Plan } from './plan.ts';
import type { Outcome } from './run.ts';

/** How a seed is run again: the same plan and the same steps, so the same hash. */
export const commandOf = ({ seed, activeMs }: Plan): string => `npm run simulate -- --seed ${seed} --minutes ${activeMs / 60_000} --trace`;

const clockOf = (ms: number): string => {
  const sign = ms < 0 ? '-' : ' ';
  const seconds = Math.abs(ms) / 1_000;
  const minutes = Math.floor(seconds / 60);
  return `${sign}${String(minutes).padStart(2, '0')}:${(seconds % 60).toFixed(3).padStart(6, '0')}`;
};

/** What happened, as somebody would tell it: who did what, what was answered, what failed, and what was broken. */
export function storyOf({ plan, told, findings, hash }: Outcome): string {
  const items = plan.items.map(
    ({ sku, units, seats, priceMinor }) => `${seats ? `${seats.length} seats` : `${units} units`} of ${sku} at ${priceMinor}`,
  );
  const terms = [
    plan.strategy,
    `holds of ${plan.holdSeconds} s`,
    plan.perBuyerLimit === undefined ? 'no limit' : `a limit of ${plan.perBuyerLimit}`,
    ...(plan.shards === undefined ? [] : [`${plan.shards} shards`]),
    `outbox by ${plan.outboxMode}`,
    ...(plan.isBusOff ? ['the bus switched off'] : []),
    ...(plan.isReconcilerOff ? ['nobody reconciles'] : []),
  ];
  return [
    `Seed ${plan.seed}: ${items.join(', ')}; ${terms.join(', ')}. ${plan.actions.length} actions, ${plan.faults.length} faults. Trace ${hash}.`,
    ...plan.faults.map(({ id, kind, fromMs, toMs }) => `  fault ${id} from ${clockOf(fromMs)} to ${clockOf(toMs)}: ${faultOf(kind).what}`),
    '',
    ...told.map(({ atMs, text }) => `  ${clockOf(atMs)}  ${text}`),
    '',
    ...findings.map(({ invariant, what }) => `  BROKEN  ${invariant}: ${what}`),
  ].join('\n');
}

/** What all runs came to. */
export interface Totals {
  readonly seeds: number;
  /** Those whose sale has several shards, and how often units were moved between those. */
  readonly shardedSeeds: number;
  readonly runsMoved: number;
  readonly simulatedHours: number;
  readonly steps: number;
  readonly looks: number;
  readonly requests: number;
  readonly orders: number;
  readonly unitsSold: number;
  readonly stock: number;
  readonly ledgerDifferenceMinor: number;
  /** By row of the fault table, the first is row 1. */
  readonly faultsByRow: readonly number[];
  readonly violations: number;
  readonly violatingSeeds: readonly number[];
}

export const noTotals: Totals = {
  ...{ seeds: 0, shardedSeeds: 0, runsMoved: 0, simulatedHours: 0 },
  ...{ steps: 0, looks: 0, requests: 0, orders: 0, unitsSold: 0, stock: 0, ledgerDifferenceMinor: 0 },
  ...{ faultsByRow: new Array<number>(rowsMax).fill(0), violations: 0, violatingSeeds: [] },
};

export function addOutcome(totals: Totals, outcome: Outcome): Totals {
  const violations = outcome.findings.length;
  return {
    seeds: totals.seeds + 1,
    shardedSeeds: totals.shardedSeeds + (outcome.plan.shards === undefined ? 0 : 1),
    runsMoved: totals.runsMoved + outcome.runsMoved,
    simulatedHours: totals.simulatedHours + outcome.simulatedMs / 3_600_000,
    steps: totals.steps + outcome.steps,
    looks: totals.looks + outcome.looks,
    requests: totals.requests + outcome.requests,
    orders: totals.orders + outcome.orders,
    unitsSold: totals.unitsSold + outcome.unitsSold,
    stock: totals.stock + outcome.stock,
    ledgerDifferenceMinor: totals.ledgerDifferenceMinor + Math.abs(outcome.ledgerDifferenceMinor),
    faultsByRow: totals.faultsByRow.map((count, index) => count + (outcome.rows[index] ?? 0)),
    violations: totals.violations + violations,
    violatingSeeds: violations > 0 ? [...totals.violatingSeeds, outcome.plan.seed] : totals.violatingSeeds,
  };
}

export function mergeTotals(one: Totals, other: Totals): Totals {
  return {
    seeds: one.seeds + other.seeds,
    shardedSeeds: one.shardedSeeds + other.shardedSeeds,
    runsMoved: one.runsMoved + other.runsMoved,
    simulatedHours: one.simulatedHours + other.simulatedHours,
    steps: one.steps + other.steps,
    looks: one.looks + other.looks,
    requests: one.requests + other.requests,
    orders: one.orders + other.orders,
    unitsSold: one.unitsSold + other.unitsSold,
    stock: one.stock + other.stock,
    ledgerDifferenceMinor: one.ledgerDifferenceMinor + other.ledgerDifferenceMinor,
    faultsByRow: one.faultsByRow.map((count, index) => count + (other.faultsByRow[index] ?? 0)),
    violations: one.violations + other.violations,
    violatingSeeds: [...one.violatingSeeds, ...other.violatingSeeds].sort((a, b) => a - b),
  };
}

const grouped = (number: number): string => Math.round(number).toLocaleString('en-GB');

/** The rows that never happened. */
export const missingRows = ({ faultsByRow }: Totals): number[] => faultsByRow.flatMap((count, index) => (count === 0 ? [index + 1] : []));

export function summaryOf(totals: Totals): string {
  const { seeds, shardedSeeds, runsMoved, simulatedHours, steps, looks, requests, orders, unitsSold, stock } = totals;
  const { faultsByRow, ledgerDifferenceMinor, violations } = totals;
  const missing = missingRows(totals);
  return [
    `faults by row of the table: ${faultsByRow.map((count, index) => `${index + 1}: ${grouped(count)}`).join(', ')}`,
    ...(missing.length > 0 ? [`rows that did not happen: ${missing.join(', ')}`] : []),
    [
      `${grouped(seeds)} seeds (${grouped(shardedSeeds)} of several shards, ${grouped(runsMoved)} runs of units moved between them)`,
      `${simulatedHours.toFixed(1)} simulated hours`,
      `${grouped(steps)} steps`,
      `${grouped(looks)} looks at all that is stored`,
      `${grouped(requests)} requests`,
      `${grouped(orders)} orders`,
      `${grouped(unitsSold)} units sold of ${grouped(stock)}`,
      `${grouped(faultsByRow.reduce((sum, count) => sum + count, 0))} faults`,
      `ledger difference ${ledgerDifferenceMinor}`,
      `${violations} violations`,
    ].join(', '),
  ].join('\n');
}
