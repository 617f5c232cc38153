import { writeFileSync } from 'node:fs';
import { bugs } from './bugs/index.ts';
import { CannotCopy, type Copy, copyTree } from './copy.ts';
import { groupsOf, hunt, type Result } from './hunt.ts';
import { helpText, readOptions, UsageError } from './options.ts';

/** One run of one file of tests, or of some seeds, on a machine that is busy with others. */
const runMsMax = 300_000;
const exit = { caught: 0, missed: 1, notRun: 2 } as const;

const say = (text: string) => process.stdout.write(`${text}\n`);
const seconds = (ms: number) => `${(ms / 1_000).toFixed(1)} s`;

function lineOf({ bug, judgement, tookMs }: Result): string {
  if (judgement.outcome !== 'caught') return `${judgement.outcome.toUpperCase().padEnd(6)}  ${bug.name}: ${judgement.why}`;
  const where = 'test' in bug.caughtBy ? bug.caughtBy.test : `${bug.caughtBy.seeds} simulated seeds`;
  return `caught  ${bug.name}  by ${where}: ${judgement.by} (${seconds(tookMs)})`;
}

/** Side by side in copies of their own, a group at a time. */
async function plant(names: readonly string[], jobs: number, signal: AbortSignal): Promise<Result[]> {
  const groups = groupsOf(bugs.filter(({ name }) => names.length === 0 || names.includes(name)));
  const copies: Copy[] = [];
  const results: Result[] = [];
  try {
    for (let job = 0; job < Math.min(jobs, groups.length); job++) copies.push(copyTree());
    await Promise.all(
      copies.map(async (copy) => {
        for (let group = groups.shift(); group && !signal.aborted; group = groups.shift()) {
          for await (const result of hunt(copy, group, { msMax: runMsMax, signal })) {
            results.push(result);
            say(lineOf(result));
          }
        }
      }),
    );
    return results;
  } finally {
    for (const copy of copies) copy.remove();
  }
}

async function main(): Promise<number> {
  const options = readOptions(
    process.argv.slice(2),
    bugs.map(({ name }) => name),
  );
  if (options === 'help' || options === 'list') {
    say(options === 'help' ? helpText : bugs.map(({ name, harm }) => `${name}\n    ${harm}`).join('\n'));
    return exit.caught;
  }
  const stopping = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stopping.abort());
  const startMs = performance.now();
  const results = await plant(options.only, options.jobs, stopping.signal);
  if (stopping.signal.aborted) throw new UsageError('Stopped before every fault was planted.');
  const caught = results.filter(({ judgement }) => judgement.outcome === 'caught').length;
  const tookMs = performance.now() - startMs;
  if (options.json !== undefined) {
    const each = results.map(({ bug, judgement, tookMs: ms }) => {
      const files = [...new Set(bug.edits.map(({ file }) => file))];
      return { name: bug.name, harm: bug.harm, files, caughtBy: bug.caughtBy, ...judgement, tookMs: Math.round(ms) };
    });
    const figures = { date: new Date().toISOString(), caught, planted: results.length, tookMs: Math.round(tookMs), bugs: each };
    writeFileSync(options.json, `${JSON.stringify(figures, undefined, 2)}\n`);
  }
  say(`\nCaught ${caught} / planted ${results.length} in ${Math.round(tookMs / 1_000)} s`);
  return caught === results.length ? exit.caught : exit.missed;
}

process.exitCode = await main().catch((error: unknown) => {
  const isForeseen = error instanceof UsageError || error instanceof CannotCopy;
  process.stderr.write(`${isForeseen ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  return exit.notRun;
});
