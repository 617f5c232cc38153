import { format } from 'node:util';
import { expect, vi } from 'vitest';

// What test files import as `vitest` while mutants are tried: they are collected once and run as often as there are mutants, in a process that
// stays. Starting vitest anew for each mutant costs half a second; most mutants are decided in a millisecond.
export { expect, vi };

type Body = (...args: readonly unknown[]) => unknown;

export interface Suite {
  readonly name: string;
  readonly parent: Suite | undefined;
  readonly before: Body[];
  readonly after: Body[];
  readonly beforeEach: Body[];
  readonly afterEach: Body[];
  readonly children: (Suite | Test)[];
}

export interface Test {
  readonly name: string;
  readonly suite: Suite;
  readonly body: Body;
  readonly skipped: boolean;
}

const suiteOf = (name: string, parent: Suite | undefined): Suite => ({
  name,
  parent,
  before: [],
  after: [],
  beforeEach: [],
  afterEach: [],
  children: [],
});

/** Beside the modules, which are loaded again for mutants of what runs at their loading. */
interface State {
  suite: Suite | undefined;
  finished: Body[];
}
const shared = globalThis as { mutationHarness?: State };
shared.mutationHarness ??= { suite: undefined, finished: [] };
const state = shared.mutationHarness;

const current = (): Suite => {
  if (!state.suite) throw new Error('a test outside of a file that is being collected');
  return state.suite;
};

/** Everything that a test file declares while it is imported. */
export async function collect(load: () => Promise<unknown>): Promise<Suite> {
  const file = suiteOf('', undefined);
  state.suite = file;
  try {
    await load();
  } finally {
    state.suite = undefined;
  }
  return file;
}

/** What the test that has just run wants done after it. */
export function takeFinished(): Body[] {
  const finished = state.finished;
  state.finished = [];
  return finished;
}

const isBody = (value: unknown): value is Body => typeof value === 'function';
const nameOf = (template: string, args: readonly unknown[], index: number): string =>
  `${format(template, ...args.map((arg) => (typeof arg === 'object' ? JSON.stringify(arg) : arg)))} #${index}`;
const rowOf = (row: unknown): readonly unknown[] => (Array.isArray(row) ? row : [row]);

const unitTest =
  (skipped: boolean) =>
  (name: string, ...rest: unknown[]): void => {
    current().children.push({ name, suite: current(), body: rest.find(isBody) ?? (() => {}), skipped });
  };
const eachOf =
  (declare: (name: string, body: Body) => void) =>
  (rows: readonly unknown[]) =>
  (template: string, ...rest: unknown[]): void => {
    const body = rest.find(isBody) ?? (() => {});
    for (const [index, row] of rows.entries()) declare(nameOf(template, rowOf(row), index), () => body(...rowOf(row)));
  };

const group =
  (skipped: boolean) =>
  (name: string, ...rest: unknown[]): void => {
    if (skipped) return;
    const parent = current();
    const suite = suiteOf(name, parent);
    parent.children.push(suite);
    state.suite = suite;
    try {
      rest.find(isBody)?.();
    } finally {
      state.suite = parent;
    }
  };

export const it = Object.assign(unitTest(false), {
  each: eachOf(unitTest(false)),
  skip: unitTest(true),
  skipIf: (skips: unknown) => unitTest(Boolean(skips)),
  runIf: (runs: unknown) => unitTest(!runs),
});
export const test = it;
export const describe = Object.assign(group(false), {
  each: eachOf(group(false)),
  skip: group(true),
  concurrent: group(false),
  skipIf: (skips: unknown) => group(Boolean(skips)),
  runIf: (runs: unknown) => group(!runs),
});

export const beforeAll = (body: Body): void => void current().before.push(body);
export const afterAll = (body: Body): void => void current().after.push(body);
export const beforeEach = (body: Body): void => void current().beforeEach.push(body);
export const afterEach = (body: Body): void => void current().afterEach.push(body);
export const onTestFinished = (body: Body): void => void state.finished.push(body);
