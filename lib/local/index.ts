import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiOf } from './api.ts';
import { assemble } from './assembly.ts';
import { startBus } from './bus.ts';
import { guardDirectories } from './child.ts';
import { startDatabase } from './dynamodb.ts';
import { hostFunctions } from './functions.ts';
import { startGateway } from './gateway.ts';
import { createIssuer } from './issuer.ts';
import { localRoutes } from './local-routes.ts';
import { startMappings } from './mappings.ts';
import { startQueues } from './queues.ts';
import { startRedis, useRedis } from './redis.ts';
import { startScheduler } from './scheduler.ts';
import { startSecrets } from './secrets.ts';
import { readAssembly, synthesise } from './synthesis.ts';
import { createTables } from './tables.ts';

export interface RuntimeOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** A Redis to use instead of one of our own. */
  readonly redisUrl?: string | undefined;
  /** A DynamoDB server to use instead of one of our own. */
  readonly dynamodbEndpoint?: string | undefined;
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
  readonly url: string;
  readonly redisUrl: string;
  readonly dynamodbEndpoint: string;
  readonly sqsUrl: string;
  /** Physical names by the template's logical ids: `tables`, `queues`. */
  readonly names: { readonly tables: Readonly<Record<string, string>>; readonly queues: Readonly<Record<string, string>> };
  /** Lets requests under way finish, then ends everything that was started. Safe to call again. */
  stop(): Promise<void>;
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
  const { out = () => {}, onLog = () => {}, nowMs = Date.now, signal = new AbortController().signal } = options;
  const log = (line: string) => onLog('runtime', line);
  const stopIt = (part: { stop(): unknown }) => part.stop();

  const directory = await undo.of(mkdtemp(join(tmpdir(), 'stampede-')), (path) => rm(path, { recursive: true, force: true }));
  await undo.of(guardDirectories([directory]), (release) => release());
  // First of all the port: whoever has it already is known at once. Last to start and first to stop is what it serves.
  const gateway = await startGateway({ port: options.port, nowMs, onLog: log });
  let gatewayOpen = true;
  const closeGateway = async () => {
    if (gatewayOpen) await gateway.stop();
    gatewayOpen = false;
  };
  await undo.of(gateway, closeGateway);

  const assemblyDirectory = options.cdkOut ?? join(directory, 'cdk.out');
  // All at once; and all are waited for, so that a failure of one leaves none of the others behind.
  const settled = await Promise.allSettled([
    undo.of(options.redisUrl === undefined ? startRedis({ onLine: out }) : useRedis(options.redisUrl), stopIt),
    undo.of(startDatabase({ endpoint: options.dynamodbEndpoint, scratch: [directory], onLine: out }), stopIt),
    undo.of(startQueues(), stopIt),
    options.cdkOut === undefined ? synthesise(assemblyDirectory, [directory], signal) : undefined,
  ] as const);
  signal.throwIfAborted();
  const [cache, database, queues] = [successOf(settled[0]), successOf(settled[1]), successOf(settled[2])];
  successOf(settled[3]);
  // A given address may hold a password.
  out(`Redis: ${cache.kind} at ${new URL(cache.url).host}. DynamoDB: ${database.endpoint}.`);

  const issuer = await createIssuer(`${gateway.url}/local`, audience);
  const parameters = { Issuer: issuer.url, Audience: issuer.audience };
  const assembly = assemble(await readAssembly(assemblyDirectory), { parameters, queueUrl: queues.urlOf });
  const streams = await unlessAborted(createTables(database.endpoint, assembly.tables), signal);
  await unlessAborted(queues.create(assembly.queues), signal);
  const secrets = await undo.of(startSecrets(assembly.secrets), stopIt);
  const bus = await undo.of(startBus(assembly, queues.send, nowMs), stopIt);

  const endpoints = {
    redisUrl: cache.url,
    dynamodb: database.endpoint,
    sqs: queues.url,
    eventBridge: bus.url,
    secretsManager: secrets.url,
  };
  const functions = await undo.of(hostFunctions(assembly, endpoints, { blankTransactionTokens: database.bundled, onLog }), stopIt);
  await unlessAborted(functions.warm(), signal);
  await undo.of(
    startMappings({ assembly, functions, queues, databaseEndpoint: database.endpoint, streams, onLog: log, nowMs }),
    (pollers) => bounded(pollers.stop()),
  );
  const scheduler = await undo.of(startScheduler(assembly, functions.byArn, log), stopIt);
  gateway.open({ ...apiOf(assembly, functions.byArn, issuer, nowMs()), local: localRoutes(issuer, scheduler, nowMs) });
  await undo.of(gateway, closeGateway);

  const namesOf = (parts: readonly { logicalId: string; name: string }[]) =>
    Object.fromEntries(parts.map(({ logicalId, name }) => [logicalId, name]));
  return {
    url: gateway.url,
    redisUrl: cache.url,
    dynamodbEndpoint: database.endpoint,
    sqsUrl: queues.url,
    names: { tables: namesOf(assembly.tables), queues: namesOf(assembly.queues) },
  };
}

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
