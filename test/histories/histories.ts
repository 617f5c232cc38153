import { randomInt, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Gate } from '../../lib/client/bounded.ts';
import { Client } from '../../lib/client/client.ts';
import { Connection } from '../../lib/client/connection.ts';
import { localCallers } from '../../lib/client/tokens.ts';
import { startRuntime } from '../../lib/local/index.ts';
import { randomOf } from '../simulation/random.ts';
import { type Checked, check, sumOf } from './check.ts';
import { makeProducts, runWindow, type WindowPlan } from './window.ts';

// `npm run histories`: small sales over HTTP, all that their clients saw recorded, and whether any order of operations explains it.

const help = `npm run histories -- [options]

Starts the embedded runtime, lets a few clients at many small sales, records every operation with the moments of its request and its answer,
and decides whether no unit had two owners, whether each item's stock behaved as one object, and whether all adds up at the end.

  --windows N   how many sales, 1 to 100000   (300)
  --seed S      what the clients do           (a new one)
  --json FILE   where to write the figures
  -h, --help    this text

Exit code: 0 all is explained, 1 something is not, or was too long to decide, 2 it could not run.`;

/** Sales that run side by side: the clients of one are in each other's way, and all of them in the runtime's. */
const windowsAtOnce = 6;

class UsageError extends Error {
  override readonly name = 'UsageError';
}

function readOptions() {
  try {
    const text = { type: 'string' } as const;
    const { values } = parseArgs({ options: { windows: text, seed: text, json: text, help: { type: 'boolean', short: 'h' } } });
    const windows = Number(values.windows ?? 300);
    if (!Number.isInteger(windows) || windows < 1 || windows > 100_000) throw new UsageError('--windows takes a number from 1 to 100000.');
    return { ...values, windows, seed: values.seed ?? String(randomInt(2 ** 31)) };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(error instanceof Error ? error.message : String(error));
  }
}

const planOf = (index: number): WindowPlan => ({
  clients: 5,
  stepsEach: 5,
  strategy: index % 4 === 3 ? 'charge-first' : 'reserve-first',
});

async function run({ windows, seed, json }: ReturnType<typeof readOptions>): Promise<boolean> {
  const runtime = await startRuntime({ port: 0 });
  const connection = new Connection(runtime.url, { connections: 64 });
  const stop = async () => {
    await connection.close();
    await runtime.stop();
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop().finally(() => process.exit(130)));
  try {
    const prefix = `h-${randomUUID().slice(0, 8)}`;
    const client = new Client(connection);
    const callers = localCallers(client, prefix);
    const operator = client.as(await callers.operator());
    await makeProducts(operator, prefix);
    const random = randomOf(seed);
    const gate = new Gate(windowsAtOnce);
    const sumOfWindow = async (index: number): Promise<Checked> => {
      const bench = { client, operator, callers, prefix };
      const checked = check(await runWindow(bench, `${prefix}-${index}`, planOf(index), random.fork(`window ${index}`)));
      for (const violation of checked.violations) process.stdout.write(`${violation}\n`);
      return checked;
    };
    const startMs = performance.now();
    const sum = sumOf(await Promise.all(Array.from({ length: windows }, (_, index) => gate.run(() => sumOfWindow(index)))));
    const { violations, ...figures } = sum;
    const seconds = Math.round((performance.now() - startMs) / 1_000);
    if (json) writeFileSync(json, `${JSON.stringify({ seed, windows, seconds, ...figures, violations: violations.length }, null, 2)}\n`);
    process.stdout.write(
      `histories: seed ${seed}, ${windows} sales, ${sum.operations} operations and ${sum.possessions} possessions checked, ${sum.states} states looked at, ` +
        `${sum.undecided} undecided, ${violations.length} violations (${seconds} s)\n`,
    );
    return violations.length === 0 && sum.undecided === 0;
  } finally {
    await stop();
  }
}

try {
  const options = readOptions();
  if (options.help) process.stdout.write(`${help}\n`);
  else process.exitCode = (await run(options)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof UsageError ? `${error.message}\n\n${help}` : error instanceof Error ? error.stack : error}\n`);
  process.exitCode = 2;
}
