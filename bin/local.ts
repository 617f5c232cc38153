import * as z from 'zod';
import { CannotStart } from '../lib/local/child.ts';
import { buyCommand, loadDemo } from '../lib/local/demo.ts';
import { type Runtime, startRuntime } from '../lib/local/index.ts';
import { UnsupportedTemplate } from '../lib/local/intrinsics.ts';

// `npm start`: the whole system on this machine, until Ctrl-C.

const url = (protocol: RegExp, example: string) => z.url({ protocol, error: `must be an address such as ${example}` }).optional();

const portMessage = 'must be a port from 0 (picks a free one) to 65535';
const Settings = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, portMessage)
    .default('4000')
    .transform(Number)
    .refine((port) => port <= 65_535, portMessage),
  REDIS_URL: url(/^rediss?$/, 'redis://127.0.0.1:6379'),
  DYNAMODB_ENDPOINT: url(/^https?$/, 'http://127.0.0.1:8000'),
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`${line}\n`);

let runtime: Promise<Runtime> | undefined;
let stopping = false;
const start = new AbortController();

async function stop(): Promise<never> {
  // Whoever asks twice does not want to wait. What was started ends with this process.
  if (stopping) process.exit(130);
  stopping = true;
  say('Stopping; once more to stop at once.');
  start.abort();
  try {
    // A start that was given up has stopped what it had started.
    await (await runtime?.catch(() => undefined))?.stop();
    process.exit(0);
  } catch (error) {
    complain(`Stopped, but not cleanly: ${String(error)}`);
    process.exit(1);
  }
}

function explain(error: unknown, port: number): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return `Port ${port} is in use. Stop what listens there, or choose another: PORT=0 npm start picks a free one.`;
  }
  const isSaidWhole = error instanceof CannotStart || error instanceof UnsupportedTemplate;
  return error instanceof Error && !isSaidWhole ? (error.stack ?? error.message) : String(error instanceof Error ? error.message : error);
}

// A variable that is set to nothing is not set.
const given = Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== ''));
const settings = Settings.safeParse(given);
if (!settings.success) {
  for (const issue of settings.error.issues) complain(`${issue.path.join('.')} ${issue.message}.`);
  process.exit(1);
}
const { PORT, REDIS_URL, DYNAMODB_ENDPOINT } = settings.data;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());

try {
  say('Synthesising the CDK app and starting its parts.');
  runtime = startRuntime({
    port: PORT,
    redisUrl: REDIS_URL,
    dynamodbEndpoint: DYNAMODB_ENDPOINT,
    out: say,
    signal: start.signal,
    // What went well is for the log of a deployment; here it would bury what did not.
    onLog: (source, line) => line.startsWith('{"level":"info"') || complain(`[${source}] ${line}`),
  });
  const started = await runtime;
  await loadDemo(started.url, Date.now());
  say('A demo sale is open. Buy a unit of it as Ada:');
  say(`\n${buyCommand(started.url)}\n`);
  say(`Stampede is ready: ${started.url}`);
} catch (error) {
  if (!stopping) {
    complain(explain(error, PORT));
    await (await runtime?.catch(() => undefined))?.stop();
    process.exit(1);
  }
}
