import { writeFile } from 'node:fs/promises';
import { CannotStart } from '../../lib/local/child.ts';
import { BadOption } from '../../test/support/command-line.ts';
import { machine, machineLines } from '../lib/machine.ts';
import { startCountedRedis } from './counted-redis.ts';
import { countAll } from './measure.ts';
import { helpText, type InstructionsOptions, readOptions } from './options.ts';
import { reportOf, reportText, summaryLine } from './report.ts';

const exit = { right: 0, wrong: 1, notRun: 2 } as const;
const runMsMax = 15 * 60_000;
const say = (text: string) => void process.stdout.write(`${text}\n`);

class Stopped extends Error {
  override readonly name = 'Stopped';
}

export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (options) return await count(options);
    say(helpText);
    return exit.right;
  } catch (error) {
    const isForItsUser = error instanceof BadOption || error instanceof CannotStart || error instanceof Stopped;
    process.stderr.write(`${isForItsUser ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return exit.notRun;
  }
}

async function count(options: InstructionsOptions): Promise<number> {
  const signal = stopSignal();
  const startMs = performance.now();
  const log = (line: string) => process.stderr.write(`${((performance.now() - startMs) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`);
  const redis = await startCountedRedis();
  try {
    const counts = await unlessStopped(signal, countAll(redis, { ...options, signal, log }));
    const report = reportOf(counts);
    const [of, { calls, rounds }] = [machine(), options];
    say(
      `${reportText(report)}\n\n${machineLines(of)[0]}; ${redis.version}; the lowest of ${rounds} × ${calls} calls\n\n${summaryLine(report)}`,
    );
    const figures = { calls, rounds, server: redis.version, machine: of, report };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(figures, undefined, 2)}\n`);
    return report.faults.length === 0 ? exit.right : exit.wrong;
  } finally {
    await redis.stop();
  }
}

/** Aborted by Ctrl-C, by SIGTERM, and when the time for a run is over. */
function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      // Whoever asks twice does not want to wait for an orderly end; the server ends with this process.
      if (stopping.signal.aborted) process.exit(exit.notRun);
      stopping.abort(new Stopped('Stopped before it was done.'));
    });
  }
  setTimeout(() => stopping.abort(new Stopped(`Stopped: not done within ${runMsMax / 60_000} minutes.`)), runMsMax).unref();
  return stopping.signal;
}

/** A call that waits for its answer hears of no signal: whoever started the server stops it then, and with it whatever waits. */
function unlessStopped<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const stopped = new Promise<never>((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  return Promise.race([work, stopped]);
}
