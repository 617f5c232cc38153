import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EndpointRefused } from '../../lib/client/crowd.ts';
import { UsageError } from '../../lib/client/options.ts';
import { table } from '../../lib/client/report.ts';
import { CannotStart } from '../../lib/local/child.ts';
import { type FaultKind, faultKinds } from './faults.ts';
import { type RunReport, run } from './run.ts';

const helpText = `npm run chaos -- [options]

Sale after sale on the embedded runtime with native Redis, while processes are killed, Redis is emptied, restarted and failed over, and proxies
before Redis and DynamoDB delay, drop, reset and swallow what passes. After each sale everything comes to rest, and every guarantee is checked
against what buyers were told and what is stored. Sales go on until the time is over and every kind of fault has met something.

  --minutes M   how long, 1 to 1440                                           (10)
  --seed S      what is drawn: sales, buyers, faults and their times. What meets what is the machine's, so a seed gives the same
                plan, and not the same run                                    (a fresh one)
  --only KIND   this kind of fault alone; more than one with commas between
  --json FILE   writes the report there too
  -h, --help    this text

Kinds: ${faultKinds.join(', ')}.
Exit code: 0 every guarantee was kept, 1 one was broken or a fault met nothing, 2 the run could not be made (the message says why).`;

const exit = { clean: 0, broken: 1, notRun: 2 } as const;

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly kinds: readonly FaultKind[];
  readonly json: string | undefined;
}

function readOptions(args: readonly string[]): Options | 'help' {
  const { values } = parsed(args);
  if (values.help) return 'help';
  const whole = (name: 'minutes' | 'seed', least: number, most: number, otherwise: number) => {
    const given = values[name];
    if (given === undefined) return otherwise;
    const value = /^\d{1,10}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${given}".`);
  };
  return {
    minutes: whole('minutes', 1, 1_440, 10),
    seed: whole('seed', 0, 2 ** 32 - 1, randomInt(1_000_000)),
    kinds: values.only === undefined ? faultKinds : values.only.split(',').map(kindOf),
    json: values.json,
  };
}

function parsed(args: readonly string[]) {
  const option = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { minutes: option, seed: option, only: option, json: option, help: { type: 'boolean', short: 'h' } },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function kindOf(name: string): FaultKind {
  const kind = faultKinds.find((each) => each === name);
  if (kind === undefined) throw new UsageError(`--only takes ${faultKinds.join(', ')}, not "${name}".`);
  return kind;
}

const say = (line: string) => void process.stdout.write(`${line}\n`);

function summary(report: RunReport): string {
  const { injections, effects, sales } = report;
  const missed = Object.entries(injections).flatMap(([kind, count]) => (count === 0 ? [kind] : []));
  return [
    table([['fault', 'injected', 'met'], ...Object.keys(injections).map((kind) => [kind, injections[kind] ?? 0, effects[kind] ?? 0])]),
    ...(missed.length > 0 ? [`MET NOTHING: ${missed.join(', ')}`] : []),
    `${report.isClean ? 'CLEAN' : 'BROKEN'} (seed ${report.seed}, ${report.minutes} min): ${sales.length} sales, ${report.unitsSold} of ${report.unitsOnSale} units sold, ` +
      `${report.killsSurvived} kills survived, ledger difference ${report.ledgerDifference}, oversold ${report.oversold}, lost ${report.lost}, duplicates ${report.duplicates}.`,
  ].join('\n');
}

async function main(): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // Whoever asks twice does not want to wait: what was started ends with this process.
      if (stopping.signal.aborted) process.exit(130);
      say('Stopping; once more to stop at once.');
      stopping.abort(new Error(`ended by ${signal}`));
    });
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === 'help') {
      say(helpText);
      return exit.clean;
    }
    const report = await run({ ...options, say, signal: stopping.signal });
    say(summary(report));
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
    return report.isClean ? exit.clean : exit.broken;
  } catch (error) {
    if (stopping.signal.aborted) return exit.notRun;
    const isSaidWhole = error instanceof UsageError || error instanceof CannotStart || error instanceof EndpointRefused;
    process.stderr.write(`${isSaidWhole ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return exit.notRun;
  }
}

process.exit(await main());
