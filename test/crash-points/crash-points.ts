import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { UsageError } from '../simulation/options.ts';
import { randomOf } from '../simulation/random.ts';
import { makeKit } from '../simulation/run.ts';
import { type CrashPointOptions, helpText, readOptions } from './options.ts';
import { perform } from './perform.ts';
import { idOf, type Point } from './points.ts';
import { commandOf, complaintsOf, storyOf, summaryOf, tableOf, violationText } from './report.ts';
import { scenarios } from './scenarios/all.ts';
import { type Enumeration, enumerate, mergeTotals, noTotals, sweep, type Totals, type Violation } from './sweep.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);
const progressEvery = 50;
const violationsShownMax = 40;

let isStopped = false;
const children = new Set<ChildProcess>();

/** What a process gets to do, and what it says of it. */
interface Work {
  readonly seed: number;
  readonly points: readonly Point[];
}
type Said = { readonly progress: number } | { readonly broken: Violation } | { readonly totals: Totals };

const isWorker = process.env.CRASH_POINTS_WORKER === 'yes' && process.send !== undefined;

function work(): void {
  process.once('message', async ({ seed, points }: Work) => {
    const kit = makeKit();
    let told = 0;
    const onDone = ({ points: done, violations }: Totals) => {
      for (const broken of violations.slice(told)) process.send?.({ broken });
      told = violations.length;
      if (done % progressEvery === 0) process.send?.({ progress: progressEvery });
      return process.connected;
    };
    const totals = await sweep(points, scenarios, kit, { seed, onDone });
    process.send?.({ totals }, () => process.disconnect());
  });
}

/** Every so manieth point is a process' own, so that all have as much to do. */
async function sweepInJobs({ seed, jobs }: CrashPointOptions, points: readonly Point[]): Promise<Totals> {
  let done = 0;
  let shown = 0;
  const onSaid = (said: Said) => {
    if ('progress' in said) {
      done += said.progress;
      say(`${done} of ${points.length}`);
    }
    if ('broken' in said && shown++ < violationsShownMax) say(`\n${violationText(said.broken, seed)}\n`);
  };
  const shares = Array.from({ length: jobs }, (_, job) => points.filter((_, index) => index % jobs === job));
  const results = await Promise.all(shares.map((share) => runJob({ seed, points: share }, onSaid)));
  return results.reduce(mergeTotals, noTotals);
}

function runJob(given: Work, onSaid: (said: Said) => void): Promise<Totals> {
  const child = fork(new URL(import.meta.url), [], { env: { ...process.env, CRASH_POINTS_WORKER: 'yes' } });
  children.add(child);
  child.send(given);
  return new Promise((resolve, reject) => {
    let totals: Totals | undefined;
    child.on('message', (said: Said) => {
      if ('totals' in said) totals = said.totals;
      else onSaid(said);
    });
    child.on('exit', (code, signal) => {
      children.delete(child);
      if (totals) resolve(totals);
      else reject(new Error(isStopped ? 'stopped' : `a process ended with ${signal ?? `code ${code}`}`));
    });
  });
}

function chosenOf({ points }: Enumeration, { only, scenario }: CrashPointOptions): readonly Point[] {
  const chosen = points.filter(
    (point) => (only === undefined || point.functionName.includes(only)) && (scenario === undefined || point.scenario === scenario),
  );
  if (chosen.length === 0)
    throw new UsageError('there is no such point; --only is part of a name such as orders/place, --scenario a whole one.');
  return chosen;
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    say(helpText);
    return 0;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isStopped = true;
      for (const child of children) child.kill();
    });
  }
  const beganMs = performance.now();
  const kit = makeKit();
  const enumeration = await enumerate(scenarios, kit, options.seed);
  if (options.point !== undefined) return tellPoint(options.point, enumeration, kit);
  // In any order, so that what a sweep has found by half its time is not all of one kind.
  const points = randomOf(`order/${options.seed}`).shuffle(chosenOf(enumeration, options));
  say(`seed ${options.seed}: ${points.length} points in ${scenarios.length} scenarios`);
  const totals = await sweepInJobs(options, points);
  return report(totals, enumeration, options, (performance.now() - beganMs) / 1_000);
}

async function tellPoint(id: string, { points, seed }: Enumeration, kit: ReturnType<typeof makeKit>): Promise<number> {
  const point = points.find((each) => idOf(each) === id);
  const scenario = scenarios.find(({ name }) => name === point?.scenario);
  if (!point || !scenario) throw new UsageError(`with seed ${seed} there is no point ${id}.`);
  const done = await perform(scenario, kit, { seed, point });
  say(storyOf(done));
  if (!done.struck) say('the run never came to the point');
  return done.broken.length > 0 || !done.struck ? 1 : 0;
}

function report(totals: Totals, enumeration: Enumeration, { seed, json }: CrashPointOptions, seconds: number): number {
  const { violations, unreached } = totals;
  const complaints = [...complaintsOf(enumeration)];
  if (violations.length > violationsShownMax)
    say(`\nand ${violations.length - violationsShownMax} more, such as ${commandOf(violations.at(-1)?.id ?? '', seed)}`);
  for (const point of unreached) say(`not tried, the run never came there: ${point}`);
  for (const complaint of complaints) say(complaint);
  say(`\n${tableOf(totals, enumeration.silent)}`);
  say(`\n${summaryOf(totals)} in ${Math.round(seconds)} s`);
  if (json !== undefined) {
    const { missing, silent } = enumeration;
    writeFileSync(json, `${JSON.stringify({ seed, ...totals, scenarios: scenarios.length, missing, silent, complaints }, undefined, 2)}\n`);
  }
  return violations.length + unreached.length + complaints.length > 0 ? 1 : 0;
}

if (isWorker) work();
else
  process.exitCode = await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof UsageError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    return 2;
  });
