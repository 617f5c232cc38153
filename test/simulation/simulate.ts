import { fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { helpText, readOptions, type SimulateOptions, UsageError } from './options.ts';
import { planOf } from './plan.ts';
import { type Kit, makeKit, type Outcome, runPlan } from './run.ts';
import { shrink } from './shrink.ts';
import { addOutcome, commandOf, mergeTotals, noTotals, storyOf, summaryOf, type Totals } from './story.ts';

const shrinkTriesMax = 150;
const shrinkMsMax = 120_000;
/** Seeds that are shrunk and told; the others are named. */
const storiesMax = 3;
const hashDigits = 16;

interface Progress {
  totals: Totals;
  stories: number;
}

const exit = { clean: 0, broken: 1, notRun: 2 } as const;

const say = (text: string) => process.stdout.write(`${text}\n`);

async function runSeeds(options: SimulateOptions, seeds: Iterable<number>, kit: Kit): Promise<Totals> {
  const progress: Progress = { totals: noTotals, stories: 0 };
  for (const seed of seeds) {
    if (isStopped) break;
    const outcome = await runPlan(planOf(seed, options), kit, { lines: options.trace && options.seeds === 1 });
    progress.totals = addOutcome(progress.totals, outcome);
    const broken = outcome.findings.length > 0;
    say(
      `seed ${seed}  trace ${outcome.hash.slice(0, hashDigits)}  ${outcome.steps} steps, ${outcome.orders} orders${broken ? '  BROKEN' : ''}`,
    );
    for (const line of outcome.trace) say(`    ${line}`);
    if (options.trace) say(storyOf(outcome));
    if (broken) await tell(outcome, options, kit, progress);
  }
  return progress.totals;
}

async function tell(outcome: Outcome, { shrinks }: SimulateOptions, kit: Kit, progress: Progress): Promise<void> {
  for (const { invariant, what } of outcome.findings) say(`  ${invariant}: ${what}`);
  say(`  again: ${commandOf(outcome.plan)}`);
  if (!shrinks || progress.stories++ >= storiesMax) return;
  const nowMs = () => performance.now();
  const small = await shrink(outcome, (plan) => runPlan(plan, kit), { triesMax: shrinkTriesMax, msMax: shrinkMsMax, nowMs });
  say(`\nWith ${small.plan.actions.length} actions and ${small.plan.faults.length} faults it is still broken:\n${storyOf(small)}\n`);
}

let isStopped = false;

/** Every so manieth seed is a process' own, so that all have as much to do. */
function* seedsOf({ first, seeds, jobs }: SimulateOptions, job: number): Generator<number> {
  for (let seed = first + job; seed < first + seeds; seed += jobs) yield seed;
}

/** A process for each job; what they print comes through as it is. */
async function runJobs(options: SimulateOptions, args: readonly string[]): Promise<Totals> {
  const jobs = Array.from({ length: options.jobs }, (_, job) => runJob(args, job));
  return (await Promise.all(jobs)).reduce(mergeTotals, noTotals);
}

function runJob(args: readonly string[], job: number): Promise<Totals> {
  const child = fork(new URL(import.meta.url), args, { env: { ...process.env, [jobVariable]: String(job) } });
  stopping.add(() => child.kill());
  return new Promise((resolve, reject) => {
    let totals: Totals | undefined;
    child.on('message', (message) => {
      totals = message as Totals;
    });
    child.on('exit', (code, signal) => (totals ? resolve(totals) : reject(new Error(`a process ended with ${signal ?? `code ${code}`}`))));
  });
}

const jobVariable = 'SIMULATION_JOB';
const stopping = new Set<() => void>();

async function main(): Promise<number> {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  if (!options) {
    say(helpText);
    return exit.clean;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (isStopped) process.exit(exit.notRun);
      isStopped = true;
      for (const stop of stopping) stop();
    });
  }
  const job = process.env[jobVariable];
  const beganMs = performance.now();
  const totals =
    options.jobs > 1 && job === undefined ? await runJobs(options, args) : await runHere(options, Number(job ?? 0), job !== undefined);
  if (job !== undefined) {
    process.send?.(totals);
    process.disconnect?.();
    return 0;
  }
  say(`\n${summaryOf(totals)} in ${Math.round((performance.now() - beganMs) / 1_000)} s`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(totals, undefined, 2)}\n`);
  if (totals.violations > 0) return exit.broken;
  if (!isStopped) return exit.clean;
  throw new UsageError(`Stopped after ${totals.seeds} of ${options.seeds} seeds.`);
}

function runHere(options: SimulateOptions, job: number, isOneOfMany: boolean): Promise<Totals> {
  return runSeeds(options, seedsOf(isOneOfMany ? options : { ...options, jobs: 1 }, job), makeKit());
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof UsageError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
  return exit.notRun;
});
