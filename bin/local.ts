import { resolve } from 'node:path';
import * as z from 'zod';
import { BadWebhookSecret, webhookKey } from '../functions/payments/webhook.model.ts';
import { CannotStart } from '../lib/local/child.ts';
import { buyCommand, loadDemo, payCommand } from '../lib/local/demo.ts';
import { type Runtime, startRuntime } from '../lib/local/index.ts';
import { UnsupportedTemplate } from '../lib/local/intrinsics.ts';

// `npm start`: the whole system on this machine, until Ctrl-C.

const url = (protocol: RegExp, example: string) => z.url({ protocol, error: `must be an address such as ${example}` }).optional();

function areWebhookSecrets(secrets: readonly string[]): boolean {
  try {
    return secrets.length > 0 && secrets.map(webhookKey).length <= webhookSecretsMax;
  } catch (error) {
    if (error instanceof BadWebhookSecret) return false;
    throw error;
  }
}
const webhookSecretsMax = 10;

const portMessage = 'must be a port from 0 (picks a free one) to 65535';
const Settings = z.object({
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, portMessage)
    .default('4000')
    .transform(Number)
    .refine((port) => port <= 65_535, portMessage),
  REPLICAS: z
    .string()
    .regex(/^[1-8]$/, 'must be a number of front ends from 1 to 8')
    .default('1')
    .transform(Number),
  CONTAINERS: z.enum(['threads', 'processes'], { error: 'must be threads or processes' }).default('threads'),
  DATA_DIR: z
    .string()
    .transform((path) => resolve(path))
    .optional(),
  REDIS_URL: url(/^rediss?$/, 'redis://127.0.0.1:6379'),
  DYNAMODB_ENDPOINT: url(/^https?$/, 'http://127.0.0.1:8000'),
  PAYMENT_WEBHOOK_SECRETS: z
    .string()
    .transform((text) => text.split(/[\s,]+/).filter(Boolean))
    .refine(areWebhookSecrets, 'must be secrets like whsec_…, base64 of at least 24 bytes, newest first, with commas between them')
    .optional(),
  OUTBOX_MODE: z.enum(['stream', 'polling', 'both'], { error: 'must be stream, polling or both' }).default('stream'),
});

const say = (line: string) => process.stdout.write(`${line}\n`);
const complain = (line: string) => process.stderr.write(`${line}\n`);

let runtime: Promise<Runtime> | undefined;
let stoppingSinceMs: number | undefined;
/** A terminal gives Ctrl-C to all that it runs, and npm passes it on: what comes twice at one moment was asked once. */
const onceMs = 250;
const start = new AbortController();

async function stop(): Promise<void> {
  // Whoever asks twice does not want to wait. What was started ends with this process.
  const nowMs = performance.now();
  if (stoppingSinceMs !== undefined && nowMs - stoppingSinceMs > onceMs) process.exit(130);
  if (stoppingSinceMs !== undefined) return;
  stoppingSinceMs = nowMs;
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

function explain(error: unknown): string {
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE' && 'port' in error) {
    return `Port ${error.port} is in use. Stop what listens there, or choose another: PORT=0 npm start picks a free one.`;
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
const { PORT, REPLICAS, CONTAINERS, DATA_DIR, REDIS_URL, DYNAMODB_ENDPOINT, PAYMENT_WEBHOOK_SECRETS, OUTBOX_MODE } = settings.data;
const publishing = {
  stream: 'as its stream brings them',
  polling: 'by polling',
  both: 'as its stream brings them and by polling',
};
if (PORT + REPLICAS - 1 > 65_535) {
  complain(`PORT ${PORT} leaves no ports for ${REPLICAS} front ends: the last port is 65535.`);
  process.exit(1);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop());

try {
  say('Synthesising the CDK app and starting its parts.');
  runtime = startRuntime({
    port: PORT,
    replicas: REPLICAS,
    containers: CONTAINERS,
    dataDirectory: DATA_DIR,
    redisUrl: REDIS_URL,
    dynamodbEndpoint: DYNAMODB_ENDPOINT,
    webhookSecrets: PAYMENT_WEBHOOK_SECRETS,
    outboxMode: OUTBOX_MODE,
    out: say,
    signal: start.signal,
    // What went well is for the log of a deployment; here it would bury what did not.
    onLog: (source, line) => line.startsWith('{"level":"info"') || complain(`[${source}] ${line}`),
  });
  const started = await runtime;
  const demo = await loadDemo(started.url, Date.now());
  say(
    demo === 'open' ? 'A demo sale is open. Buy a unit of it as Ada:' : `The demo sale of an earlier start is ${demo}. It was bought so:`,
  );
  say(`\n${buyCommand(started.url)}\n`);
  if (started.webhookSecret !== undefined) {
    say(`Payments from outside are signed with ${started.webhookSecret}. To pay an order of payment method external:`);
    say(`\n${payCommand(started.url, started.webhookSecret)}\n`);
  }
  if (DATA_DIR !== undefined) say(`What is acknowledged is kept in ${DATA_DIR}.`);
  say(`Events leave the outbox ${publishing[OUTBOX_MODE]} (OUTBOX_MODE=${OUTBOX_MODE}).`);
  if (started.urls.length > 1) say(`${started.urls.length} front ends serve the same sales: ${started.urls.join(' ')}`);
  say(`Stampede is ready: ${started.url}`);
} catch (error) {
  if (stoppingSinceMs === undefined) {
    complain(explain(error));
    await (await runtime?.catch(() => undefined))?.stop();
    process.exit(1);
  }
}
