import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import {
  type DryRunOptions,
  type DryRunResult,
  DryRunStatus,
  type MutantRunOptions,
  type MutantRunResult,
  MutantRunStatus,
  type TestResult,
  type TestRunner,
  TestStatus,
} from '@stryker-mutator/api/test-runner';
import { createVitest, type Vitest } from 'vitest/node';
import { type MutationGroup, mutationGroup } from './groups.ts';
import { distances } from './imports.ts';
import { type Answer, type Ask, channelVariable } from './protocol.ts';
import type { TestOutcome } from './run-file.ts';

/** The test files of a group, by their paths in the project. */
export const testFilesOf = ({ tests, testsNot = [] }: MutationGroup): string[] =>
  globSync([...tests], { exclude: [...testsNot] }).toSorted();

/** A mutant of what runs when a module is loaded is tried with so many test files. */
const filesAtLoadingMax = 6;

/** Runs tests for Stryker in one process of vitest that stays, see `driver.ts`. */
export class StayingRunner implements TestRunner {
  readonly #files = testFilesOf(mutationGroup());
  #driver: Driver | undefined;
  readonly #reach = new Map<string, ReadonlyMap<string, number>>();
  #durations: Readonly<Record<string, number>> | undefined;

  constructor() {
    // Whoever started this process is gone, and nobody will ask any more.
    process.once('disconnect', () => process.exit());
  }

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun({ files }: DryRunOptions): Promise<DryRunResult> {
    const sources = files ?? [];
    const related = this.#files.filter((file) => sources.some((source) => this.#distance(file, source) !== undefined));
    const answer = await this.#ask({ ask: 'dry-run', files: related });
    if (answer.answer !== 'dry-run') return { status: DryRunStatus.Error, errorMessage: JSON.stringify(answer) };
    writeFileSync(durationsFile, JSON.stringify(durationsOf(answer.outcomes)));
    return { status: DryRunStatus.Complete, tests: answer.outcomes.map(resultOf), mutantCoverage: answer.coverage };
  }

  async mutantRun({ activeMutant, testFilter, sandboxFileName, hitLimit }: MutantRunOptions): Promise<MutantRunResult> {
    const tests = testFilter ? this.#quickestFirst(byFile(testFilter)) : this.#related(sandboxFileName);
    const ask: Ask = { ask: 'mutant', id: activeMutant.id, tests, atLoading: !testFilter, hitLimit: testFilter && hitLimit };
    let answer = await this.#ask(ask);
    if (answer.answer === 'broken' || (answer.answer === 'mutant' && answer.isSpoilt)) {
      // What an earlier mutant left behind is gone with the process.
      await this.dispose();
      answer = await this.#ask(ask);
    }
    if (answer.answer !== 'mutant') return { status: MutantRunStatus.Error, errorMessage: JSON.stringify(answer) };
    const { failed, testsRun: nrOfTests, hitLimitReached } = answer;
    if (hitLimitReached) return { status: MutantRunStatus.Timeout, reason: 'Hit limit reached' };
    if (!failed) return { status: MutantRunStatus.Survived, nrOfTests };
    if (failed.outcome === 'timed-out') {
      // It may still be running.
      await this.dispose();
      return { status: MutantRunStatus.Timeout, reason: failed.message };
    }
    return { status: MutantRunStatus.Killed, killedBy: [failed.id], failureMessage: failed.message, nrOfTests };
  }

  async dispose(): Promise<void> {
    const driver = this.#driver;
    this.#driver = undefined;
    await driver?.stop();
  }

  async #ask(ask: Ask): Promise<Answer> {
    this.#driver ??= await startDriver();
    return this.#driver.ask(ask);
  }

  /** How far the test file is from the source that it loads; undefined where it does not. */
  #distance(file: string, source: string): number | undefined {
    return this.#reachOf(file).get(resolve(source));
  }

  #reachOf(file: string): ReadonlyMap<string, number> {
    const reach = this.#reach.get(file) ?? distances(file);
    this.#reach.set(file, reach);
    return reach;
  }

  /** Test files that load the source, the nearest first: those that are about it. Each has to be loaded anew for the mutant. */
  #related(source: string): { file: string }[] {
    return this.#files
      .map((file) => ({ file, distance: this.#distance(file, source), size: this.#reachOf(file).size }))
      .filter(({ distance }) => distance !== undefined)
      .toSorted((one, other) => Number(one.distance) - Number(other.distance) || one.size - other.size)
      .slice(0, filesAtLoadingMax)
      .map(({ file }) => ({ file }));
  }

  #quickestFirst(tests: readonly { file: string; only: string[] }[]): typeof tests {
    this.#durations ??= JSON.parse(readFileSync(durationsFile, 'utf8')) as Record<string, number>;
    const tookMs = ({ file }: { file: string }) => this.#durations?.[file] ?? 0;
    return tests.toSorted((one, other) => tookMs(one) - tookMs(other));
  }
}

/** How long each test file took in the first run, for the other processes of the run: its directory is gone with it. */
const durationsFile = 'mutation-durations.json';

function durationsOf(outcomes: readonly TestOutcome[]): Record<string, number> {
  const durations: Record<string, number> = {};
  for (const { id, tookMs } of outcomes) durations[fileOf(id)] = (durations[fileOf(id)] ?? 0) + tookMs;
  return durations;
}

const fileOf = (id: string): string => id.slice(0, id.indexOf('#'));

interface Driver {
  ask(ask: Ask): Promise<Answer>;
  stop(): Promise<void>;
}

let driversStarted = 0;

async function startDriver(): Promise<Driver> {
  const name = `mutation-${process.pid}-${driversStarted++}`;
  process.env[channelVariable] = name;
  const channel = new BroadcastChannel(name);
  let take: (answer: Answer) => void = () => {};
  const next = () =>
    new Promise<Answer>((done) => {
      take = done;
    });
  channel.onmessage = ({ data }: { data: Answer }) => take(data);
  const vitest: Vitest = await createVitest('test', {
    config: 'test/mutation/vitest.config.ts',
    watch: false,
    reporters: [{}],
    onConsoleLog: () => false,
  });
  const ready = next();
  const over = vitest.start().catch((error: unknown) => take({ answer: 'broken', message: String(error) }));
  const began = await Promise.race([ready, over.then((): Answer => ({ answer: 'broken', message: 'the driver ended' }))]);
  if (began.answer !== 'ready') throw new Error(`the driver did not start: ${JSON.stringify(began)}`);
  return {
    async ask(ask) {
      const answer = next();
      channel.postMessage(ask);
      return await answer;
    },
    async stop() {
      channel.postMessage({ ask: 'stop' } satisfies Ask);
      channel.close();
      await vitest.close();
    },
  };
}

function byFile(ids: readonly string[]): { file: string; only: string[] }[] {
  const files = new Map<string, string[]>();
  for (const id of ids) {
    const file = fileOf(id);
    files.set(file, [...(files.get(file) ?? []), id]);
  }
  return [...files].map(([file, only]) => ({ file, only }));
}

function resultOf({ id, outcome, message, tookMs }: TestOutcome): TestResult {
  const base = { id, name: id.slice(id.indexOf('#') + 1), fileName: resolve(fileOf(id)), timeSpentMs: Math.ceil(tookMs) };
  if (outcome === 'passed') return { ...base, status: TestStatus.Success };
  if (outcome === 'skipped') return { ...base, status: TestStatus.Skipped };
  return { ...base, status: TestStatus.Failed, failureMessage: message };
}
