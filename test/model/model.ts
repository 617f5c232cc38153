import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { explore, run, stopAll } from './explore.ts';
import { type Exploration, rulesOf } from './pan.ts';
import { shownBy, variants } from './runs.ts';

// `npm run model`: explores each model of the protocol completely, and once without each of its rules, where an error must be found. Exits 1 when
// anything else comes out.

const help = `npm run model -- [options]
  --only <text>     only models whose name has this in it
  --large           also the variants that take many minutes and some gigabytes
  --seconds <s>     for each exploration at most (300; with --large 3600)
  --memory <MB>     at most, for the two explorations that run at a time together (6000)
  --json <file>     the result as JSON
  --help            this
`;

/** Explorations at a time. */
const lanes = 2;
let isStopped = false;

const directory = dirname(fileURLToPath(import.meta.url));

interface Row extends Exploration {
  readonly model: string;
  readonly variant: string;
  /** The rule that was left out. */
  readonly without?: string;
  readonly mustEnd?: true;
  readonly defines: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** As it must be: complete, or an error where a rule was left out. */
  readonly isExpected: boolean;
}

interface Options {
  readonly only: string;
  readonly large: boolean;
  readonly secondsMax: number;
  readonly memoryMb: number;
  readonly json: string | undefined;
}

class BadOption extends Error {
  override readonly name = 'BadOption';
}

function wholeOf(name: string, text: string, min: number, max: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < min || number > max) throw new BadOption(`--${name} is a whole number from ${min} to ${max}.`);
  return number;
}

function optionsOf(): Options | undefined {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: 'string', default: '' },
        large: { type: 'boolean', default: false },
        seconds: { type: 'string' },
        memory: { type: 'string', default: '6000' },
        json: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return undefined;
    return {
      only: values.only,
      large: values.large,
      secondsMax: wholeOf('seconds', values.seconds ?? (values.large ? '3600' : '300'), 1, 86_400),
      memoryMb: wholeOf('memory', values.memory, 100, 1_000_000),
      json: values.json,
    };
  } catch (error) {
    throw error instanceof BadOption ? error : new BadOption(error instanceof Error ? error.message : String(error));
  }
}

/** The tools that this needs, as far as they are missing. */
async function missingTools(): Promise<string[]> {
  const tools = [
    ['spin', '-V'],
    ['gcc', '--version'],
  ] as const;
  const found = await Promise.all(
    tools.map(([tool, option]) =>
      run(tool, [option], directory, 10).then(
        () => [],
        () => [tool],
      ),
    ),
  );
  return found.flat();
}

interface Task {
  readonly model: string;
  readonly variant: string;
  readonly without?: string;
  readonly defines: Readonly<Record<string, number>>;
  readonly mustEnd?: true;
}

async function tasksOf({ only, large }: Options): Promise<Task[]> {
  const chosen = variants.filter(({ model }) => model.includes(only));
  const models = [...new Set(chosen.map(({ model }) => model))];
  const withoutRules = await Promise.all(
    models.map(async (model) =>
      rulesOf(await readFile(join(directory, `${model}.pml`), 'utf8')).map(({ name }) => {
        return { model, variant: 'a rule less', without: name, defines: { ...shownBy[model]?.[name], [name]: 0 } };
      }),
    ),
  );
  const whole = chosen.filter((variant) => large || !variant.large).map(({ name, large: _, ...rest }) => ({ ...rest, variant: name }));
  return [...withoutRules.flat(), ...whole];
}

const count = (number: number) => number.toLocaleString('en-GB');

function say({ model, variant, without, outcome, states, transitions, depth, seconds, isExpected, detail, mustEnd }: Row): void {
  const what = without === undefined ? `${variant}${mustEnd ? ', ends' : ''}` : `without ${without}`;
  const wrong = isExpected ? '' : `  NOT AS EXPECTED: ${detail}`;
  const figures = `${count(states).padStart(12)} ${count(transitions).padStart(13)} ${String(depth).padStart(6)} ${seconds.toFixed(0).padStart(5)}`;
  process.stdout.write(`${model.padEnd(10)} ${what.padEnd(34)} ${figures}  ${outcome}${wrong}\n`);
}

async function main(): Promise<number> {
  const options = optionsOf();
  if (!options) {
    process.stdout.write(help);
    return 0;
  }
  const missing = await missingTools();
  if (missing.length > 0) {
    process.stderr.write(`Missing: ${missing.join(' and ')}. Install with: apt-get install spin gcc libc6-dev\n`);
    return 2;
  }
  const { secondsMax, memoryMb } = options;
  const tasks = await tasksOf(options);
  if (tasks.length === 0) throw new BadOption(`No model has "${options.only}" in its name.`);
  process.stdout.write(
    `${'model'.padEnd(10)} ${'variant'.padEnd(34)} ${'states'.padStart(12)} ${'transitions'.padStart(13)}  depth     s  result\n`,
  );
  const rows: Row[] = [];
  const todo = tasks[Symbol.iterator]();
  const work = async () => {
    for (const task of todo) {
      if (isStopped) return;
      const startMs = performance.now();
      const found = await explore(join(directory, `${task.model}.pml`), task.defines, {
        secondsMax,
        memoryMb: Math.floor(memoryMb / lanes),
        mustEnd: task.mustEnd ?? false,
      });
      if (isStopped) return;
      const isExpected = found.outcome === (task.without === undefined ? 'complete' : 'error');
      const row = { ...task, ...found, seconds: (performance.now() - startMs) / 1_000, isExpected };
      rows.push(row);
      say(row);
    }
  };
  await Promise.all(Array.from({ length: lanes }, work));
  if (isStopped) return 130;
  return conclude(rows, options);
}

async function conclude(rows: readonly Row[], { json }: Options): Promise<number> {
  const whole = rows.filter(({ without }) => without === undefined);
  const broken = rows.filter(({ without }) => without !== undefined);
  const states = whole.reduce((sum, row) => sum + row.states, 0);
  const isRight = rows.every(({ isExpected }) => isExpected);
  const summary = {
    states,
    explored: whole.filter(({ outcome }) => outcome === 'complete').length,
    variants: whole.length,
    rulesShown: broken.filter(({ outcome }) => outcome === 'error').length,
    rules: broken.length,
    isRight,
  };
  const { explored, rulesShown } = summary;
  process.stdout.write(
    `${explored} of ${whole.length} variants explored completely, ${count(states)} states; ${rulesShown} of ${broken.length} rules missed when left out: ${isRight ? 'as it must be' : 'BROKEN'}\n`,
  );
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ ...summary, rows }, null, 2)}\n`);
  return isRight ? 0 : 1;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isStopped = true;
    stopAll();
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  stopAll();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = isStopped ? 130 : 2;
}
