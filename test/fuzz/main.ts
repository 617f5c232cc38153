import { randomBytes, randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { Connection } from '../../lib/client/connection.ts';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { BadOption, numberOf } from '../support/command-line.ts';
import { boundsOf, type RawDocument, readDocument } from './document.ts';
import { type FoundFault, type FuzzResult, fuzz, unreached, usualWeights } from './fuzz.ts';
import { differences, emptyLedger } from './ledger.ts';
import { done, setScene, watchedState } from './scene.ts';
import { curlOf } from './wire.ts';

// `npm run fuzz`: bad input at scale against an embedded runtime of its own. Exits 1 when anything is wrong, 2 when it could not run.

const help = `npm run fuzz -- [options]
  --requests <count>  how many requests are sent (200000)
  --seed <number>     what they are drawn from (a fresh one, printed)
  --minutes <count>   no further request after that long (30)
  --lanes <count>     requests under way at once (16)
  --url <address>     an embedded runtime that runs already, instead of one of its own; it takes PAYMENT_WEBHOOK_SECRETS from
                      the environment, as the runtime did
  --json <file>       writes the figures there too
  --logs              shows what the runtime's functions write
`;
const say = (line: string) => process.stdout.write(`${line}\n`);

function optionsOf(args: string[]) {
  const text = (preset: string) => ({ type: 'string', default: preset }) as const;
  const { values } = parseArgs({
    args,
    options: {
      requests: text('200000'),
      seed: text(String(randomInt(1, 2 ** 31))),
      minutes: text('30'),
      lanes: text('16'),
      url: { type: 'string' },
      json: { type: 'string' },
      logs: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return {
    requests: numberOf('requests', values.requests, 1, 10_000_000),
    seed: numberOf('seed', values.seed, 1, 2 ** 32),
    minutes: numberOf('minutes', values.minutes, 1, 600),
    lanes: numberOf('lanes', values.lanes, 1, 256),
    ...{ url: values.url, json: values.json, logs: values.logs, help: values.help },
  };
}
type Options = ReturnType<typeof optionsOf>;

/** What functions wrote of requests that they could not finish, by the request's id. */
class Failures {
  readonly #byRequest = new Map<string, string>();
  readonly kinds = new Map<string, number>();

  note(line: string): void {
    if (!line.includes('request failed')) return;
    try {
      const { requestId, error } = JSON.parse(line) as { requestId: string; error: { name: string; message: string; stack: string } };
      const kind = `${error.name}: ${error.message.slice(0, 150)}`;
      this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
      this.#byRequest.set(requestId, error.stack);
    } catch {
      // No line of ours.
    }
  }

  of(requestId: string | undefined): string | undefined {
    return requestId === undefined ? undefined : this.#byRequest.get(requestId);
  }
}

function tableOf(result: FuzzResult): string[] {
  const rows = [...result.statuses].sort(([one], [other]) => one.localeCompare(other));
  return rows.map(([operationId, statuses]) => {
    const counts = [...statuses].sort(([one], [other]) => one - other);
    const valid = counts.filter(([status]) => status < 300).reduce((sum, [, count]) => sum + count, 0);
    const all = counts.reduce((sum, [, count]) => sum + count, 0);
    const each = counts.map(([status, count]) => `${status}×${count}`).join(' ');
    return `${operationId.padEnd(22)} ${String(all).padStart(7)} ${String(valid).padStart(7)} ${String(all - valid).padStart(7)}  ${each}`;
  });
}

function tellFault({ operationId, kind, detail, count, draft, requestId }: FoundFault, url: string, failures: Failures): void {
  say(`\nBROKEN: ${operationId}: ${kind} (${count} times)\n  ${detail}\n  ${curlOf(draft.wire, url)}`);
  const stack = failures.of(requestId);
  if (stack !== undefined) say(`  ${stack}`);
}

/** How long a plain read takes when all is over, in the middle of 50. */
async function pulseMs(read: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < 50; count++) {
    const startMs = performance.now();
    await read();
    times.push(performance.now() - startMs);
  }
  return times.sort((one, other) => one - other)[25] ?? 0;
}

async function attack(
  runtime: Pick<Runtime, 'url'>,
  webhookSecrets: readonly string[],
  options: Options,
  failures: Failures,
  signal?: AbortSignal,
): Promise<number> {
  const connection = new Connection(runtime.url, { connections: 16, timeoutMs: 40_000 });
  try {
    const raw = (await (await fetch(`${runtime.url}/v1/openapi.json`)).json()) as RawDocument;
    const scene = await setScene({ connection, webhookSecrets, buyers: 8, sales: 6 });
    const before = await watchedState(scene);
    const [document, ledger, startMs] = [readDocument(raw), emptyLedger(), Date.now()];
    const { hostname: host, port } = new URL(runtime.url);
    const result = await fuzz({
      ...{ document, ledger, scene, bounds: boundsOf(raw), weights: usualWeights },
      ...{ endpoint: { host, port: Number(port) }, seed: options.seed, requests: options.requests, lanes: options.lanes },
      endMs: startMs + options.minutes * 60_000,
      onProgress: (sent) => sent % 10_000 === 0 && say(`${sent} requests in ${Math.round((Date.now() - startMs) / 1_000)} s`),
    });
    // What is refused by a runtime that is being stopped says nothing.
    signal?.throwIfAborted();
    const tookSeconds = (Date.now() - startMs) / 1_000;
    say(`\n${'operation'.padEnd(22)}     all   valid refused  by status`);
    for (const row of tableOf(result)) say(row);
    for (const fault of result.faults) tellFault(fault, runtime.url, failures);

    const moved = isDeepStrictEqual(await watchedState(scene), before) ? [] : ['what was watched has changed'];
    const differ = [...moved, ...(await differences(scene, ledger, 90_000))];
    const health = done(await scene.client.health(), 'GET /v1/health');
    const medianMs = await pulseMs(() => scene.client.sale(scene.watched.sales[0]?.saleId ?? ''));
    const missed = unreached(document, result, usualWeights);

    for (const each of differ.slice(0, 20)) say(`BROKEN: ${each}`);
    for (const each of missed) say(`BROKEN: no request to ${each} has succeeded, so it was not tried behind its door`);
    if (health.status !== 'ok') say(`BROKEN: GET /v1/health says ${health.status}`);
    for (const [kind, count] of failures.kinds) say(`not finished ${count} times for now: ${kind}`);
    const isBroken = result.faults.length + differ.length + missed.length > 0 || health.status !== 'ok';
    const isCutShort = result.sent < options.requests && !isBroken;
    const serverErrors = [...result.statuses.values()].reduce(
      (sum, each) => sum + [...each].reduce((all, [status, count]) => all + (status >= 500 ? count : 0), 0),
      0,
    );
    const figures = {
      ...{
        seed: options.seed,
        requests: result.sent,
        seconds: Math.round(tookSeconds),
        operations: document.operations.length - missed.length,
      },
      ...{ serverErrors, refusedForNow: result.forNow, faults: result.faults.length, differences: differ.length },
      ...{
        orders: ledger.orders.size,
        sales: ledger.saleIds.size,
        slowestMs: Math.round(result.slowestMs),
        medianMsAfter: Number(medianMs.toFixed(1)),
      },
    };
    say(
      `\n${isBroken ? 'BROKEN' : 'CLEAN'}: ${figures.requests}${isCutShort ? ` of ${options.requests} (the time was over)` : ''} requests to ${figures.operations} operations in ${figures.seconds} s (seed ${figures.seed}): ` +
        `${serverErrors} server errors, ${figures.faults} wrong answers, ${figures.differences} differences in stock, orders and money over ` +
        `${figures.sales} sales and ${figures.orders} orders; ${figures.refusedForNow} refused for now and answered when sent again.`,
    );
    if (options.json !== undefined)
      await writeFile(
        options.json,
        `${JSON.stringify({ ...figures, isBroken, statuses: [...result.statuses].map(([name, each]) => [name, ...each]), differ }, null, 2)}\n`,
      );
    return isBroken ? 1 : 0;
  } finally {
    await connection.close();
  }
}

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options.help) {
    say(help);
    return 0;
  }
  say(`seed ${options.seed}`);
  const failures = new Failures();
  if (options.url !== undefined) {
    const secrets = (process.env.PAYMENT_WEBHOOK_SECRETS ?? '').split(/[\s,]+/).filter(Boolean);
    if (secrets.length === 0) throw new BadOption('--url needs PAYMENT_WEBHOOK_SECRETS in the environment, as the runtime has it.');
    return attack({ url: options.url }, secrets, options, failures);
  }
  const stopping = new AbortController();
  const webhookSecrets = [`whsec_${randomBytes(32).toString('base64')}`];
  const runtime = await startRuntime({
    ...{ port: 0, webhookSecrets, signal: stopping.signal },
    onLog(source, line) {
      failures.note(line);
      if (options.logs) process.stderr.write(`[${source}] ${line}\n`);
    },
  });
  const interrupted = () => {
    stopping.abort(new Error('it was stopped'));
    void runtime.stop().finally(() => process.exit(2));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    return await attack(runtime, webhookSecrets, options, failures, stopping.signal);
  } finally {
    await runtime.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof BadOption || (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'));
  process.stderr.write(
    isUsage
      ? `${error.message}\nnpm run fuzz -- --help shows every option.\n`
      : `The fuzzer could not run: ${String(error)}\n${error instanceof Error ? error.stack : ''}\n`,
  );
  process.exitCode = 2;
}
