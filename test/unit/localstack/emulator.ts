import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildApp } from '../../../lib/app.ts';
import { pause } from '../../../lib/client/bounded.ts';
import { type Assembly, assemble } from '../../../lib/local/assembly.ts';
import { closeServer, listenLocally } from '../../../lib/local/aws-json.ts';
import { startBus } from '../../../lib/local/bus.ts';
import { InvocationFailed } from '../../../lib/local/containers.ts';
import { nothingKept } from '../../../lib/local/data-directory.ts';
import { startDatabase } from '../../../lib/local/dynamodb.ts';
import { type HostedFunctions, hostFunctions } from '../../../lib/local/functions.ts';
import { startMappings } from '../../../lib/local/mappings.ts';
import { startQueues } from '../../../lib/local/queues.ts';
import { startRedis } from '../../../lib/local/redis.ts';
import { startSecrets } from '../../../lib/local/secrets.ts';
import { readAssembly } from '../../../lib/local/synthesis.ts';
import { createTables } from '../../../lib/local/tables.ts';
import { emulatedName } from '../../../lib/localstack/names.ts';

export interface InvokeApi {
  readonly url: string;
  /** The `Authorization` headers of all calls. */
  readonly authorizations: ReadonlySet<string>;
  stop(): Promise<void>;
}

/** Lambda's Invoke API as an emulator has it, with real containers behind it; `deployed` says which functions it has. */
export async function serveInvoke(
  assembly: Assembly,
  functions: HostedFunctions,
  deployed: (logicalId: string) => boolean = () => true,
): Promise<InvokeApi> {
  const authorizations = new Set<string>();
  const server = createServer(async (request, response) => {
    authorizations.add(String(request.headers.authorization));
    const [, name = ''] = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(request.url ?? '') ?? [];
    const found = assembly.functions.find(({ logicalId }) => emulatedName(logicalId) === name);
    if (!found || request.method !== 'POST' || !deployed(found.logicalId)) return response.writeHead(404).end('{"Type":"User"}');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    try {
      const result = await functions.byArn(found.arn, 'the Invoke API').invoke(JSON.parse(Buffer.concat(chunks).toString()));
      return response.writeHead(200).end(JSON.stringify(result));
    } catch (error) {
      if (!(error instanceof InvocationFailed)) return response.writeHead(500).end(String(error));
      const body = JSON.stringify({ errorMessage: error.message });
      return response.writeHead(200, { 'x-amz-function-error': 'Unhandled' }).end(body);
    }
  });
  return { url: await listenLocally(server), authorizations, stop: () => closeServer(server) };
}

/**
 * What an emulator is after `npm run localstack:deploy`, as far as this machine can be one without a container engine: the template for
 * emulators with its tables, queues, rules and stream, hosted by the embedded runtime's parts, and functions that are reached by the
 * Invoke API alone. Its schedules do not run, as in LocalStack without an account.
 */
export async function startEmulator() {
  // The CDK's check of the templates takes longer than all the rest, and is tested elsewhere.
  process.env.CDK_VALIDATION = 'false';
  const stops: (() => unknown)[] = [];
  const stop = async () => {
    for (const each of stops.splice(0).reverse()) await each();
  };
  /** Notes how a part is stopped, so that half a start leaves nothing either. */
  const started = async <Part extends { stop(): unknown }>(starting: Part | Promise<Part>): Promise<Part> => {
    const part = await starting;
    stops.push(() => part.stop());
    return part;
  };
  try {
    return { ...(await start(started, stops)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

type Started = <Part extends { stop(): unknown }>(starting: Part | Promise<Part>) => Promise<Part>;

async function start(started: Started, stops: (() => unknown)[]): Promise<{ url: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  stops.push(() => rm(directory, { recursive: true, force: true }));
  buildApp({ outdir: directory, host: 'emulator' }).synth();
  const redis = await started(startRedis({}));
  const database = await started(startDatabase({}));
  const queues = await started(startQueues());
  const assembly = assemble(await readAssembly(directory), { parameters: {}, queueUrl: queues.urlOf });
  const streams = await createTables(database.endpoint, assembly.tables, 'the test’s database');
  await queues.create(assembly.queues);
  const secrets = await started(startSecrets(assembly.secrets, nothingKept));
  const bus = await started(startBus(assembly, queues.send, Date.now));
  // An emulator has these services itself; nobody asks for capacity here.
  const noCapacity = { scheduler: database.endpoint, lambda: database.endpoint, warmDynamodb: database.endpoint };
  const endpoints = {
    redisUrl: redis.url,
    dynamodb: database.endpoint,
    sqs: queues.url,
    eventBridge: bus.url,
    secretsManager: secrets.url,
    ...noCapacity,
  };
  const onLog = () => {};
  const functions = await started(hostFunctions(assembly, endpoints, { replicas: 1, blankTransactionTokens: database.bundled, onLog }));
  const keptAs = () => nothingKept;
  const pollers = await startMappings({
    ...{ assembly, functions, queues, streams, keptAs, onLog },
    databaseEndpoint: database.endpoint,
    nowMs: Date.now,
  });
  // They wait for messages that do not come any more.
  stops.push(() => Promise.race([pollers.stop(), pause(1_000)]));
  const { url } = await started(serveInvoke(assembly, functions));
  return { url };
}
