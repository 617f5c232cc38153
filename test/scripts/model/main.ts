import { randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { connectRedis } from '../../../functions/shared/redis.ts';
import { startRedis } from '../../../lib/local/redis.ts';
import { numberOf } from '../../support/command-line.ts';
import { outcomesOf } from '../any-call.ts';
import { covered, type Figures, noFigures, told, trySequences } from './run.ts';

// The long form of the models. Exits 1 when a script differs from its model, 2 when it could not run.

const help = `npm run fuzz:scripts -- [options]
  --sequences <count>  how many sequences of 60 commands are tried (10000)
  --seed <number>      what they are drawn from (a fresh one, printed)
  --minutes <count>    no further sequence after that long (30)
  --json <file>        writes the figures there too
`;
const say = (line: string) => process.stdout.write(`${line}\n`);

function optionsOf(args: string[]) {
  const text = (preset: string) => ({ type: 'string', default: preset }) as const;
  const { values } = parseArgs({
    args,
    options: {
      sequences: text('10000'),
      seed: text(String(randomInt(1, 2 ** 31))),
      minutes: text('30'),
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    sequences: numberOf('sequences', values.sequences, 1, 10_000_000),
    seed: numberOf('seed', values.seed, 0, 2 ** 32 - 1),
    minutes: numberOf('minutes', values.minutes, 1, 600),
    ...{ json: values.json, help: values.help },
  };
}

/** The outcomes of headers that no sequence came to. */
export const unmet = (figures: Figures): string[] =>
  covered(figures).files.flatMap((file) =>
    [...outcomesOf(file)].filter((word) => !figures.met.get(file)?.has(word)).map((word) => `${file} ${word}`),
  );

async function run(options: ReturnType<typeof optionsOf>): Promise<number> {
  let isStopped = false;
  const stop = () => {
    isStopped = true;
  };
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const server = await startRedis();
  const redis = connectRedis({ url: server.url, mode: 'single' });
  const [figures, startMs] = [noFigures(), Date.now()];
  try {
    const endMs = startMs + options.minutes * 60_000;
    const goesOn = () => !isStopped && Date.now() < endMs;
    const failure = await trySequences(redis, { seed: options.seed, count: options.sequences, goesOn }, figures);
    if (failure) say(`BROKEN: ${told(failure)}`);
    const { files, met } = covered(figures);
    const missed = unmet(figures);
    const { sequences, commands } = figures;
    const seconds = Math.round((Date.now() - startMs) / 1_000);
    for (const each of missed) say(`never answered: ${each}`);
    say(
      `${failure ? 'BROKEN' : 'CLEAN'}: ${sequences} sequences of ${commands} commands in ${seconds} s (seed ${options.seed}): every answer and all that ` +
        `Redis had after it as its model says; ${met.length} of ${files.length} scripts, ${missed.length} of their outcomes never met.`,
    );
    const outcomes = Object.fromEntries([...figures.met].map(([file, words]) => [file, Object.fromEntries(words)]));
    const json = {
      seed: options.seed,
      sequences,
      commands,
      seconds,
      scripts: files.length,
      covered: met.length,
      unmet: missed,
      outcomes,
      failure,
    };
    if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(json, null, 2)}\n`);
    return failure ? 1 : 0;
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

export async function main(args: string[]): Promise<number> {
  try {
    const options = optionsOf(args);
    if (!options.help) {
      say(`seed ${options.seed}`);
      return await run(options);
    }
    say(help);
    return 0;
  } catch (error) {
    say(`Could not run: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
}
