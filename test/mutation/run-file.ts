import { type Suite, type Test, takeFinished } from './harness.ts';

/** Where a mutated source counts what was run of it, and looks which mutant is on. */
export interface Mutants {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> } | undefined;
}
export const mutants = (): Mutants => {
  const holder = globalThis as { __stryker__?: Mutants };
  holder.__stryker__ ??= {};
  return holder.__stryker__;
};

export interface TestOutcome {
  readonly id: string;
  readonly outcome: 'passed' | 'failed' | 'timed-out' | 'skipped';
  readonly message: string;
  readonly tookMs: number;
}

export interface FileRun {
  readonly file: string;
  /** Only these tests; all of them without. */
  readonly only?: ReadonlySet<string> | undefined;
  /** Stop at the first that fails. */
  readonly bails: boolean;
  readonly testMs: number;
}

/** A mutant that makes a test wait longer is noticed. */
export const testMsMax = 15_000;
const hookMsMax = 30_000;

class TimedOut extends Error {
  override readonly name = 'TimedOut';
}

export const idOf = (file: string, { name, suite }: Pick<Test, 'name' | 'suite'>): string => {
  const names = [name];
  for (let each: Suite | undefined = suite; each?.parent; each = each.parent) names.unshift(each.name);
  return `${file}#${names.join(' > ')}`;
};

const isSuite = (child: Suite | Test): child is Suite => 'children' in child;
const testsOf = (suite: Suite): Test[] => suite.children.flatMap((child) => (isSuite(child) ? testsOf(child) : [child]));

/** What suites that set up give the code to do is done for each of their tests: a mutant of it is not one of loading. */
const setupOf = (file: string, suite: Suite): string => idOf(file, { name: '(setup)', suite });

async function bounded(work: () => unknown, msMax: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimedOut(`not done in ${msMax} ms`)), msMax);
  });
  try {
    await Promise.race([(async () => await work())(), late]);
  } finally {
    clearTimeout(timer);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? `${error.name}: ${error.message}` : String(error));
const lineage = (suite: Suite): Suite[] => (suite.parent ? [...lineage(suite.parent), suite] : [suite]);

async function runTest(test: Test): Promise<void> {
  const suites = lineage(test.suite);
  try {
    for (const { beforeEach } of suites) for (const hook of beforeEach) await hook();
    await test.body();
  } finally {
    for (const { afterEach } of suites.toReversed()) for (const hook of afterEach.toReversed()) await hook();
    for (const finish of takeFinished().toReversed()) await finish();
  }
}

/** Runs a file's tests in order, hooks included. A suite whose set-up fails fails all of its tests. */
export async function runFile(root: Suite, { file, only, bails, testMs }: FileRun): Promise<TestOutcome[]> {
  const outcomes: TestOutcome[] = [];
  const wanted = (test: Test) => !only || only.has(idOf(file, test));
  const stopped = () => bails && outcomes.some(({ outcome }) => outcome === 'failed' || outcome === 'timed-out');
  const state = mutants();

  const note = (test: Test, sinceMs: number, error?: unknown) => {
    const outcome = error === undefined ? 'passed' : error instanceof TimedOut ? 'timed-out' : 'failed';
    outcomes.push({
      id: idOf(file, test),
      outcome,
      message: error === undefined ? '' : messageOf(error),
      tookMs: performance.now() - sinceMs,
    });
  };

  async function runSuite(suite: Suite): Promise<void> {
    const tests = testsOf(suite).filter((test) => wanted(test) && !test.skipped);
    if (tests.length === 0 || stopped()) return;
    const sinceMs = performance.now();
    const cleanups: unknown[] = [];
    state.currentTestId = setupOf(file, suite);
    try {
      for (const hook of suite.before) await bounded(async () => cleanups.push(await hook()), hookMsMax);
    } catch (error) {
      for (const test of tests) note(test, sinceMs, error);
    }
    state.currentTestId = undefined;
    if (!stopped()) await runChildren(suite);
    for (const hook of [...suite.after, ...cleanups].toReversed())
      if (typeof hook === 'function') await bounded(() => hook(), hookMsMax).catch(() => {});
  }

  async function runChildren(suite: Suite): Promise<void> {
    for (const child of suite.children) {
      if (stopped()) return;
      if (isSuite(child)) await runSuite(child);
      else if (wanted(child) && !child.skipped) {
        const sinceMs = performance.now();
        state.currentTestId = idOf(file, child);
        const failure = await bounded(() => runTest(child), testMs).then(
          () => undefined,
          (error: unknown) => error ?? new Error('thrown nothing'),
        );
        state.currentTestId = undefined;
        note(child, sinceMs, failure);
      }
    }
  }

  const environment = { ...process.env };
  await runSuite(root);
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
  return outcomes;
}

/** Gives each test of a suite what its suites' set-up covered. */
export function shareSetup(file: string, root: Suite): void {
  const perTest = mutants().mutantCoverage?.perTest ?? {};
  const share = (suite: Suite) => {
    const covered = perTest[setupOf(file, suite)];
    if (covered) {
      delete perTest[setupOf(file, suite)];
      for (const test of testsOf(suite)) {
        const id = idOf(file, test);
        const counts = perTest[id] ?? {};
        for (const [mutant, hits] of Object.entries(covered)) counts[mutant] = (counts[mutant] ?? 0) + hits;
        perTest[id] = counts;
      }
    }
    for (const child of suite.children) if (isSuite(child)) share(child);
  };
  share(root);
}
