import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CannotStart } from '../../lib/local/child.ts';
import { BadOption } from '../../test/support/command-line.ts';
import { machineLines } from './machine.ts';
import { type BenchOptions, helpText, readOptions } from './options.ts';
import { picture } from './picture.ts';
import { faultsOf, goalsText, type Report, sectionText, summaryLine } from './report.ts';
import { runBench } from './run.ts';

const exit = { right: 0, wrong: 1, notRun: 2 } as const;
const results = new URL('../results/', import.meta.url);

const say = (text: string) => void process.stdout.write(`${text}\n`);

export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = readOptions(args);
    if (!options) {
      say(helpText);
      return exit.right;
    }
    return await bench(options);
  } catch (error) {
    const isForItsUser = error instanceof BadOption || error instanceof CannotStart || error instanceof Stopped;
    process.stderr.write(`${isForItsUser ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    return exit.notRun;
  }
}

class Stopped extends Error {
  override readonly name = 'Stopped';
}

async function bench(options: BenchOptions): Promise<number> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // Whoever asks twice does not want to wait for an orderly end; servers end with this process.
      if (stopping.signal.aborted) process.exit(exit.notRun);
      stopping.abort(new Stopped('Stopped before it was done.'));
    });
  }
  const startMs = performance.now();
  const report = await runBench(options, {
    signal: stopping.signal,
    log: (line) => process.stderr.write(`${((performance.now() - startMs) / 1_000).toFixed(0).padStart(5)} s  ${line}\n`),
    onSection: (section) => say(`\n${sectionText(section)}`),
  });
  say(`\n${machineLines(report.machine).join('\n')}\n\n${goalsText(report)}\n\n${summaryLine(report)}`);
  await write(report, options);
  return faultsOf(report).length === 0 ? exit.right : exit.wrong;
}

async function write(report: Report, { json, svg, writes }: BenchOptions): Promise<void> {
  const [figures, drawn] = [`${JSON.stringify(report, undefined, 2)}\n`, picture(report)];
  if (writes) await mkdir(results, { recursive: true });
  const inResults = (name: string) => (writes ? [fileURLToPath(new URL(name, results))] : []);
  for (const file of [...(json ? [json] : []), ...inResults('latest.json')]) await writeFile(file, figures);
  for (const file of [...(svg ? [svg] : []), ...inResults('latest.svg')]) await writeFile(file, drawn);
}
