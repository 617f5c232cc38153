import { writeFileSync } from 'node:fs';
import { groups } from './groups.ts';
import { mutate } from './mutate.ts';
import { help, readOptions, WrongOption } from './options.ts';
import { figuresOf, type Mutant, mutantLine, needless, scorePercentMin, table, unexplained } from './report.ts';
import { tolerated } from './tolerated.ts';

// `npm run mutation`: small faults are made in the rules, the scripts' wrappers, the repositories and the ledger, one at a time, and the tests must
// notice. Exits 1 when fewer than 85 of 100 are noticed, of all or of one group, and 2 when it could not be tried.

const exit = { good: 0, bad: 1, notRun: 2 } as const;
const say = (text: string) => process.stdout.write(`${text}\n`);

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (!options) {
    say(help);
    return exit.good;
  }
  const startMs = performance.now();
  const mutants: Mutant[] = [];
  const rows: [string, ReturnType<typeof figuresOf>][] = [];
  for (const group of options.groups) {
    const groupMs = performance.now();
    const found = await mutate(group, options);
    mutants.push(...found);
    rows.push([group, figuresOf(found, tolerated)]);
    say(`${group}: ${found.length} mutants in ${Math.round((performance.now() - groupMs) / 1_000)} s`);
  }
  const all = figuresOf(mutants, tolerated);
  if (rows.length > 1) rows.push(['all', all]);
  const survivors = unexplained(mutants, tolerated);
  const tookSeconds = Math.round((performance.now() - startMs) / 1_000);
  for (const survivor of survivors) say(mutantLine(survivor));
  // A part of the sources says nothing about an entry for all of them.
  const isWhole = options.files.length === 0 && options.groups.length === Object.keys(groups).length;
  for (const { file, original } of isWhole ? needless(mutants, tolerated) : []) say(`tolerated, and found by now: ${file} ${original}`);
  say(table(rows));
  say(
    `mutation score ${all.scorePercent.toFixed(2)} % of ${all.mutants} mutants in ${tookSeconds} s, ${survivors.length} survivors without a reason`,
  );
  if (options.json !== undefined)
    writeFileSync(options.json, `${JSON.stringify({ ...all, tookSeconds, groups: Object.fromEntries(rows), survivors }, null, 2)}\n`);
  if (all.errors > 0) say(`${all.errors} mutants could not be decided`);
  return all.errors > 0 || rows.some(([, { scorePercent }]) => scorePercent < scorePercentMin) ? exit.bad : exit.good;
}

process.exitCode = await main().catch((error: unknown) => {
  const isAdvice = error instanceof WrongOption;
  process.stderr.write(
    `${isAdvice ? `${error.message}\n\n${help}` : `The mutants could not be tried: ${error instanceof Error ? error.stack : error}`}\n`,
  );
  return exit.notRun;
});
