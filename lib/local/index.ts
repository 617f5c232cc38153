import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOf } from './api.ts';
import { assemble } from './assembly.ts';
import { startBus } from './bus.ts';
import { guardDirectories } from './child.ts';
import type { ContainerKind } from './container.hosts.ts';
import { type Kept, nothingKept, openDataDirectory } from './data-directory.ts';
import { startDatabase } from './dynamodb.ts';
import { type HostedFunctions, hostFunctions } from './functions.ts';
import { startGateways } from './gateways.ts';
import { createIssuer } from './issuer.ts';
import { startLambda } from './lambda.ts';
import { localRoutes } from './local-routes.ts';
import { startMappings } from './mappings.ts';
import { startQueues } from './queues.ts';
import { startRedis, useRedis } from './redis.ts';
import { startScheduler } from './scheduler.ts';
import { type OneTimeSchedule, startSchedules } from './schedules.ts';
import { startSecrets } from './secrets.ts';
import { readAssembly, synthesise } from './synthesis.ts';
import { createTables } from './tables.ts';
import { startWarmThroughputs } from './warm-throughput.ts';
import { newestSecret, storedSecrets, webhookSecretArn } from './webhook-secrets.ts';

export interface RuntimeOptions {
  /** 0 picks a free one. Front ends beyond the first have the ports that follow, or free ones too. */
  readonly port: number;
  /** How many front ends serve the one set of data, each with containers of its own; 1 when left out. */
  readonly replicas?: number | undefined;
  /** What containers of functions are: threads of this process when left out, or processes of their own. */
  readonly containers?: ContainerKind | undefined;
  /** Where everything is kept that is to outlive a restart; nothing is without. Made when it is missing. */
  readonly dataDirectory?: string | undefined;
  /** A Redis to use instead of one of our own. */
  readonly redisUrl?: string | undefined;
  /** A DynamoDB server to use instead of one of our own. */
  readonly dynamodbEndpoint?: string | undefined;
  /** Who publishes the outbox, as the app knows it: `stream`, `polling` or `both`; what the environment says when left out. */
  readonly outboxMode?: string | undefined;
  /** What payment providers sign with, newest first; one of our own when left out, kept with everything else. */
  readonly webhookSecrets?: readonly string[] | undefined;
  /** Values for parameters of the templates, such as `PrewarmConcurrency`; those that are left out have their defaults. */
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  /** A synthesised assembly to host, instead of synthesising the app now. */
  readonly cdkOut?: string | undefined;
  /** What happens, in words for people. */
  readonly out?: (line: string) => void;
  /** What functions write, and what goes wrong around them. */
  readonly onLog?: (source: string, line: string) => void;
  readonly nowMs?: () => number;
  /** Gives up a start that is under way: what was started by then is stopped, and the signal's reason thrown. Nothing after the start. */
  readonly signal?: AbortSignal | undefined;
}

export interface Runtime {
  /** The first front end's address, which also names the tokens' issuer. */
  readonly url: string;
  /** Every front end's address, the first one's first. */
  readonly urls: readonly string[];
  readonly redisUrl: string;
  readonly dynamodbEndpoint: string;
  readonly sqsUrl: string;
  /** What is kept ready at this moment: provisioned concurrency by the alias' ARN, warm throughput by table (and index), and schedules ahead. */
  readonly capacity: () => RuntimeCapacity;
  /** What payments from outside are signed with, `whsec_…`; undefined where the template takes none. */
  readonly webhookSecret: string | undefined;
  /** Physical names by the template's logical ids: `tables`, `queues`. */
  readonly names: { readonly tables: Readonly<Record<string, string>>; readonly queues: Readonly<Record<string, string>> };
  /** Lets requests under way finish, then ends everything that was started. Safe to call again. */
  stop(): Promise<void>;
}

export interface RuntimeCapacity {
  readonly provisioned: ReadonlyMap<string, number>;
  readonly writeUnits: ReadonlyMap<string, number>;
  readonly schedules: readonly OneTimeSchedule[];
}

const audience = 'stampede';
/** How long batches under way may take at a stop. */
const drainMs = 5_000;

/** Undoes what was started, last first; also half a start. */
class Undo {
  readonly #steps: (() => unknown)[] = [];

  /** Notes how a part is stopped, and gives the part. */
  async of<Part>(starting: Part | Promise<Part>, stop: (part: Part) => unknown): Promise<Part> {
    const part = await starting;
    this.#steps.push(() => stop(part));
    return part;
  }

  /** Runs every step even when one fails; throws the first failure at the end. */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Hosts the synthesised template on 127.0.0.1: the functions are the bundles that would be deployed, wired as the template says.
 * Several runtimes on one machine share nothing. When a part can't be started, the parts before it are stopped and the reason is thrown.
 * With a data directory, a later runtime finds there what this one has acknowledged, however this one ends; but messages that were in
 * queues are gone, and the sweeper goes on with what they were about.
 */
export async function startRuntime(options: RuntimeOptions): Promise<Runtime> {
  const undo = new Undo();
  try {
    const runtime = await start(options, undo);
    let stopped: Promise<void> | undefined;
    return {
      ...runtime,
      stop() {
        stopped ??= undo.run();
        return stopped;
      },
    };
  } catch (error) {
    await undo.run().catch(() => {});
    throw error;
  }
}

async function start(options: RuntimeOptions, undo: Undo): Promise<Omit<Runtime, 'stop'>> {
  const { replicas = 1, containers, out = () => {}, onLog = () => {}, nowMs = Date.now, signal = new AbortController().signal } = options;
  const log = (line: string) => onLog('runtime', line);
  const stopIt = (part: { stop(): unknown }) => part.stop();

  const keeps =
    options.dataDirectory === undefined ? undefined : await undo.of(openDataDirectory(options.dataDirectory), (it) => it.release());
  const keptAs = (name: string): Kept => keeps?.kept(name) ?? nothingKept;
  const directory = await undo.of(mkdtemp(join(tmpdir(), 'stampede-')), (path) => rm(path, { recursive: true, force: true }));
  await undo.of(guardDirectories([directory]), (release) => release());
  // First of all the ports: whoever has one already is known at once. Last to start and first to stop is what they serve.
  const gateways = await undo.of(startGateways({ port: options.port, count: replicas, nowMs, onLog: log }), stopIt);
  const [url] = gateways.urls;

  const assemblyDirectory = options.cdkOut ?? join(directory, 'cdk.out');
  // All at once; and all are waited for, so that a failure of one leaves none of the others behind.
  const settled = await Promise.allSettled([
    undo.of(options.redisUrl === undefined ? startRedis({ keeps, onLine: out }) : useRedis(options.redisUrl), stopIt),
    undo.of(startDatabase({ endpoint: options.dynamodbEndpoint, keeps, scratch: [directory], onLine: out }), stopIt),
    undo.of(startQueues(), stopIt),
    options.cdkOut === undefined ? synthesise(assemblyDirectory, [directory], signal, variablesOf(options)) : undefined,
  ] as const);
  signal.throwIfAborted();
  const [cache, database, queues] = [successOf(settled[0]), successOf(settled[1]), successOf(settled[2])];
  successOf(settled[3]);
  // A given address may hold a password.
  out(`Redis: ${cache.kind} at ${new URL(cache.url).host}. DynamoDB: ${database.endpoint}.`);

  const issuer = await createIssuer(`${url}/local`, audience, keptAs('issuer.json'));
  const parameters = { ...options.parameters, Issuer: issuer.url, Audience: issuer.audience };
  const assembly = assemble(await readAssembly(assemblyDirectory), { parameters, queueUrl: queues.urlOf });
  const place = keeps && database.bundled ? `DATA_DIR ${keeps.path}` : `The database at ${database.endpoint}`;
  const streams = await unlessAborted(createTables(database.endpoint, assembly.tables, place), signal);
  await unlessAborted(queues.create(assembly.queues), signal);
  const webhookArn = webhookSecretArn(assembly) ?? '';
  const given = options.webhookSecrets === undefined ? {} : { [webhookArn]: storedSecrets(options.webhookSecrets) };
  const secrets = await undo.of(startSecrets(assembly.secrets, keptAs('secrets.json'), given), stopIt);
  const webhookSecrets = secrets.textOf(webhookArn);
  const bus = await undo.of(startBus(assembly, queues.send, nowMs), stopIt);

  // They call functions that find them by their addresses.
  const functionOf = (arn: string, place: string) => functions.byArn(arn, place);
  const schedules = await undo.of(startSchedules(assembly, { functionOf, nowMs, onLog: log, kept: keptAs('schedules.json') }), stopIt);
  const lambda = await undo.of(
    startLambda(assembly, { byName: (name, by) => functions.byName(name, by), warm: (arn) => functions.warmOne(arn), onLog: log }),
    stopIt,
  );
  const warmth = await undo.of(startWarmThroughputs(database.endpoint, log), stopIt);
  const endpoints = {
    redisUrl: cache.url,
    dynamodb: database.endpoint,
    sqs: queues.url,
    eventBridge: bus.url,
    secretsManager: secrets.url,
    scheduler: schedules.url,
    lambda: lambda.url,
    warmDynamodb: warmth.url,
  };
  const functions: HostedFunctions = await undo.of(
    hostFunctions(assembly, endpoints, { replicas, containers, blankTransactionTokens: database.bundled, onLog }),
    stopIt,
  );
  await unlessAborted(functions.warm(), signal);
  await undo.of(
    startMappings({ assembly, functions, queues, databaseEndpoint: database.endpoint, streams, keptAs, onLog: log, nowMs }),
    (pollers) => bounded(pollers.stop()),
  );
  const scheduler = await undo.of(startScheduler(assembly, functions.byArn, log), stopIt);
  // Where a poller publishes, nothing goes on before its first run, which would be a minute from now.
  scheduler.begin('outbox');
  // What was ready is not kept, and may be wanted.
  scheduler.begin('capacity');
  schedules.begin();
  const local = localRoutes(issuer, scheduler, nowMs);
  gateways.open((replica) => ({
    ...apiOf(assembly, (arn, place) => functions.byArn(arn, place, replica), issuer, nowMs()),
    local,
  }));
  await undo.of(gateways, stopIt);

  const namesOf = (parts: readonly { logicalId: string; name: string }[]) =>
    Object.fromEntries(parts.map(({ logicalId, name }) => [logicalId, name]));
  return {
    url,
    urls: gateways.urls,
    redisUrl: cache.url,
    dynamodbEndpoint: database.endpoint,
    sqsUrl: queues.url,
    capacity: () => ({ provisioned: lambda.provisioned, writeUnits: warmth.raised, schedules: schedules.all }),
    webhookSecret: webhookSecrets === undefined ? undefined : newestSecret(webhookSecrets),
    names: { tables: namesOf(assembly.tables), queues: namesOf(assembly.queues) },
  };
}

const variablesOf = ({ outboxMode }: RuntimeOptions): Record<string, string> =>
  outboxMode === undefined ? {} : { OUTBOX_MODE: outboxMode };

/** Waits for work that its parts' own stops undo, and no longer than until the signal. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const giveUp = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

function successOf<Value>(settled: PromiseSettledResult<Value>): Value {
  if (settled.status === 'rejected') throw settled.reason;
  return settled.value;
}

const bounded = (work: Promise<unknown>) => Promise.race([work, new Promise((resolve) => setTimeout(resolve, drainMs).unref())]);
