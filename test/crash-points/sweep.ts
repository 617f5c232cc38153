import type { Kit } from '../simulation/run.ts';
import { type Broken, type Performance, perform } from './perform.ts';
import { describePoint, idOf, type Mode, modes, type Point, pointsOf, type Seen } from './points.ts';
import type { Scenario } from './scenario.ts';

/** Everything that there is to try. */
export interface Enumeration {
  readonly seed: number;
  readonly points: readonly Point[];
  /** Handlers that no scenario invokes. */
  readonly missing: readonly string[];
  /** Handlers that are invoked and call nothing outside, so that there is nothing to fail at. */
  readonly silent: readonly string[];
  /** Scenarios that are broken with no fault at all. */
  readonly broken: readonly Violation[];
}

export interface Violation {
  /** The point, by its id; the scenario's name where no fault was injected. */
  readonly id: string;
  readonly about: string;
  readonly broken: readonly Broken[];
}

/** Plays every scenario without a fault, and lists what its functions call. */
export async function enumerate(scenarios: readonly Scenario[], kit: Kit, seed: number): Promise<Enumeration> {
  const runs: { scenario: string; calls: readonly Seen[] }[] = [];
  const broken: Violation[] = [];
  const invoked = new Set<string>();
  for (const scenario of scenarios) {
    const { name } = scenario;
    const done = await perform(scenario, kit, { seed });
    runs.push({ scenario: name, calls: done.calls });
    for (const functionName of done.invoked) invoked.add(functionName);
    if (done.broken.length > 0) broken.push({ id: name, about: 'with no fault at all', broken: done.broken });
  }
  const points = pointsOf(runs);
  const calling = new Set(points.map(({ functionName }) => functionName));
  const { functionNames } = kit.bundles;
  return {
    ...{ seed, points, broken },
    missing: functionNames.filter((name) => !invoked.has(name)),
    silent: functionNames.filter((name) => invoked.has(name) && !calling.has(name)),
  };
}

/** What came of the points of one handler. */
export interface Tally {
  readonly points: number;
  readonly tried: number;
  readonly byMode: Readonly<Record<Mode, number>>;
  readonly violations: number;
}

const noTally: Tally = { points: 0, tried: 0, byMode: { 'die-before': 0, 'die-after': 0, 'reply-lost': 0 }, violations: 0 };

/** What came of a sweep. */
export interface Totals {
  readonly points: number;
  readonly tried: number;
  readonly simulatedHours: number;
  readonly byHandler: Readonly<Record<string, Tally>>;
  /** Points that the run never came to. */
  readonly unreached: readonly string[];
  readonly violations: readonly Violation[];
}

export const noTotals: Totals = { points: 0, tried: 0, simulatedHours: 0, byHandler: {}, unreached: [], violations: [] };

/** One run for each point, with the fault at it. */
export async function sweep(
  points: readonly Point[],
  scenarios: readonly Scenario[],
  kit: Kit,
  { seed, onDone = () => true }: { readonly seed: number; readonly onDone?: (totals: Totals) => boolean },
): Promise<Totals> {
  let totals = noTotals;
  for (const point of points) {
    const scenario = scenarios.find(({ name }) => name === point.scenario);
    if (!scenario) throw new Error(`there is no scenario ${point.scenario}`);
    totals = addRun(totals, point, await perform(scenario, kit, { seed, point }));
    if (!onDone(totals)) break;
  }
  return totals;
}

function addRun(totals: Totals, point: Point, { struck, broken, simulatedMs }: Performance): Totals {
  const tried = struck ? 1 : 0;
  const before = totals.byHandler[point.functionName] ?? noTally;
  const tally: Tally = {
    points: before.points + 1,
    tried: before.tried + tried,
    byMode: { ...before.byMode, [point.mode]: before.byMode[point.mode] + tried },
    violations: before.violations + (broken.length > 0 ? 1 : 0),
  };
  return {
    points: totals.points + 1,
    tried: totals.tried + tried,
    simulatedHours: totals.simulatedHours + simulatedMs / 3_600_000,
    byHandler: { ...totals.byHandler, [point.functionName]: tally },
    unreached: struck ? totals.unreached : [...totals.unreached, describePoint(point)],
    violations: broken.length === 0 ? totals.violations : [...totals.violations, { id: idOf(point), about: describePoint(point), broken }],
  };
}

const mergeTallies = (one: Tally, other: Tally): Tally => ({
  points: one.points + other.points,
  tried: one.tried + other.tried,
  byMode: Object.fromEntries(modes.map((mode) => [mode, one.byMode[mode] + other.byMode[mode]])) as Tally['byMode'],
  violations: one.violations + other.violations,
});

export function mergeTotals(one: Totals, other: Totals): Totals {
  const names = new Set([...Object.keys(one.byHandler), ...Object.keys(other.byHandler)]);
  const tallies = [...names].map((name) => [name, mergeTallies(one.byHandler[name] ?? noTally, other.byHandler[name] ?? noTally)] as const);
  return {
    points: one.points + other.points,
    tried: one.tried + other.tried,
    simulatedHours: one.simulatedHours + other.simulatedHours,
    byHandler: Object.fromEntries(tallies),
    unreached: [...one.unreached, ...other.unreached],
    violations: [...one.violations, ...other.violations],
  };
}
