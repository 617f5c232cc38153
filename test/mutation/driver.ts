import { resolve } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import fc from 'fast-check';
import { it, vi } from 'vitest';
import { collect, type Suite } from './harness.ts';
import { type Answer, type Ask, channelVariable } from './protocol.ts';
import { mutants, runFile, shareSetup, type TestOutcome, testMsMax } from './run-file.ts';
import { stopServers } from './servers.ts';

// The one test that vitest runs while mutants are tried: it loads the test files inside of vitest's process and runs them as it is asked to.

/** A mutant that is found need not be found by its smallest example; and a run is like the one before. */
fc.configureGlobal({ endOnFailure: true, seed: 20_261_121 });

const files = new Map<string, Suite>();

/** The file with modules of its own, which were loaded with this mutant on, or with none. */
async function loaded(file: string, mutant: string | undefined): Promise<Suite> {
  const known = mutant === undefined ? files.get(file) : undefined;
  if (known) return known;
  vi.resetModules();
  mutants().activeMutant = mutant;
  const suite = await collect(() => import(/* @vite-ignore */ resolve(file)));
  mutants().activeMutant = undefined;
  if (mutant === undefined) files.set(file, suite);
  return suite;
}

const failure = (file: string, error: unknown): TestOutcome => ({
  id: `${file}#(loading)`,
  outcome: 'failed',
  message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  tookMs: 0,
});

async function dryRun(names: readonly string[]): Promise<Answer> {
  const state = mutants();
  state.mutantCoverage = { static: {}, perTest: {} };
  const outcomes: TestOutcome[] = [];
  for (const file of names) {
    try {
      const suite = await loaded(file, undefined);
      outcomes.push(...(await runFile(suite, { file, bails: false, testMs: 4 * testMsMax })));
      shareSetup(file, suite);
    } catch (error) {
      outcomes.push(failure(file, error));
    }
  }
  const coverage = state.mutantCoverage;
  state.mutantCoverage = undefined;
  return { answer: 'dry-run', outcomes, coverage };
}

async function runTests(file: string, only: readonly string[] | undefined, mutant: string | undefined, atLoading: boolean) {
  try {
    const suite = await loaded(file, atLoading ? mutant : undefined);
    mutants().activeMutant = mutant;
    return await runFile(suite, { file, only: only && new Set(only), bails: true, testMs: testMsMax });
  } catch (error) {
    return [failure(file, error)];
  } finally {
    mutants().activeMutant = undefined;
  }
}

/** Whether the test passes without the mutant: what fails anyway says nothing about it. */
async function passesWithout({ id }: TestOutcome, file: string): Promise<boolean> {
  const outcomes = await runTests(file, [id], undefined, false);
  return outcomes.every(({ outcome }) => outcome === 'passed');
}

/** Tests that fail without any mutant say nothing, and the others are asked. */
const doubtfulMax = 3;

async function tryMutant({ id, tests, atLoading, hitLimit }: Extract<Ask, { ask: 'mutant' }>): Promise<Answer> {
  const state = mutants();
  const doubtful = new Set<string>();
  let testsRun = 0;
  const queue = [...tests];
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { file, only } = next;
    Object.assign(state, { hitCount: 0, hitLimit });
    const outcomes = await runTests(file, only, id, atLoading);
    const hitLimitReached = hitLimit !== undefined && (state.hitCount ?? 0) > hitLimit;
    Object.assign(state, { hitCount: undefined, hitLimit: undefined });
    testsRun += outcomes.length;
    const failed = outcomes.find(({ outcome }) => outcome === 'failed' || outcome === 'timed-out');
    if (!failed && !hitLimitReached) continue;
    const isDoubtful = failed?.outcome === 'failed' && !atLoading && !hitLimitReached && !(await passesWithout(failed, file));
    if (!isDoubtful) return { answer: 'mutant', failed, testsRun, hitLimitReached, isSpoilt: doubtful.size > 0 };
    doubtful.add(failed.id);
    const others = only?.filter((each) => !doubtful.has(each)) ?? [];
    if (others.length > 0 && doubtful.size <= doubtfulMax) queue.unshift({ file, only: others });
  }
  return { answer: 'mutant', testsRun, hitLimitReached: false, isSpoilt: doubtful.size > 0 };
}

it(
  'tries mutants until it is told to stop',
  async () => {
    const channel = new BroadcastChannel(process.env[channelVariable] ?? 'mutation');
    const tell = (answer: Answer) => channel.postMessage(answer);
    await new Promise<void>((done) => {
      channel.onmessage = async ({ data }: { data: Ask }) => {
        if (data.ask === 'stop') return done();
        try {
          tell(data.ask === 'dry-run' ? await dryRun(data.files) : await tryMutant(data));
        } catch (error) {
          tell({ answer: 'broken', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
        }
      };
      tell({ answer: 'ready' });
    });
    channel.close();
    await stopServers();
  },
  24 * 3_600_000,
);
