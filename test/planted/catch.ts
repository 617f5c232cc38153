import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { invariants } from '../simulation/findings.ts';
import { type Ended, runNode } from './process.ts';

/** What a run of catchers in a copy came to. */
export interface Verdicts {
  /** Full names of the tests that passed. */
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
  /** Why the run says nothing: a file that could not be loaded, or the time was over. */
  readonly broken?: string;
  readonly tookMs: number;
}

/** How long, and until when. */
export interface Bounds {
  readonly msMax: number;
  readonly signal?: AbortSignal;
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const reportName = 'planted-report.json';

/** A pattern for any name that has one of these pieces. */
const nameLike = (names: readonly string[]): string => names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');

/** Runs those tests of a file (`faults/place`) whose names have one of the pieces, in a copy of the tree. */
export async function runTests(directory: string, test: string, names: readonly string[], { msMax, signal }: Bounds): Promise<Verdicts> {
  const reportPath = join(directory, reportName);
  rmSync(reportPath, { force: true });
  const args = [
    join(directory, 'node_modules', 'vitest', 'vitest.mjs'),
    ...['run', `test/${test}.test.ts`, '--project', 'parts', '--maxWorkers', '1', '--testNamePattern', nameLike(names)],
    // What was transformed without the bug, or with another one, is not looked at.
    ...['--no-fsModuleCache', '--reporter', 'json', '--outputFile', reportPath],
  ];
  const ended = await runNode(directory, args, msMax, signal);
  const { killed: broken, tookMs } = ended;
  return broken === undefined ? { ...verdictsOf(reportPath, ended), tookMs } : { passed: [], failed: [], broken, tookMs };
}

function verdictsOf(reportPath: string, { words, code }: Ended): Omit<Verdicts, 'tookMs'> {
  let report: Report;
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8')) as Report;
  } catch {
    return { passed: [], failed: [], broken: `it ended with ${code} and left no report:\n${words}` };
  }
  const tests = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  const unloadable = report.testResults.find(({ message, assertionResults }) => message !== '' && assertionResults.length === 0);
  return {
    passed: tests.filter(({ status }) => status === 'passed').map(({ fullName }) => fullName),
    failed: tests
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages = [] }) => ({ name: fullName, message: failureMessages.join('\n') })),
    ...(unloadable ? { broken: unloadable.message } : {}),
  };
}

/** The lines in which it says that this invariant was broken. */
const findingOf = (invariant: string) => new RegExp(`^ {2}${invariant}: (.*)$`, 'gm');

/** Runs the first seeds of the simulation in a copy. An invariant that is broken stands for a test that failed, by its name. */
export async function runSimulation(directory: string, seeds: number, { msMax, signal }: Bounds): Promise<Verdicts> {
  const args = ['test/simulation/simulate.ts', '--seeds', String(seeds), '--no-shrink'];
  const { code, words, killed, tookMs } = await runNode(directory, args, msMax, signal);
  if (killed !== undefined) return { passed: [], failed: [], broken: killed, tookMs };
  if (code === 0) return { passed: [`${seeds} seeds`], failed: [], tookMs };
  const failed = invariants.flatMap((name) => [...words.matchAll(findingOf(name))].map(([, message = '']) => ({ name, message })));
  return {
    passed: [],
    failed,
    tookMs,
    ...(code === 1 && failed.length > 0 ? {} : { broken: `it ended with ${code}:\n${words.slice(-2_000)}` }),
  };
}
