import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, guardDirectories } from '../../lib/local/child.ts';
import { type Database, startDatabase } from '../../lib/local/dynamodb.ts';
import { synthesise } from '../../lib/local/synthesis.ts';
import type { Random } from '../simulation/random.ts';
import { startProxy, type TcpProxy } from './proxy.ts';
import { type RedisServer, type RedisServers, redisServers } from './redis-servers.ts';
import { type RuntimeProcess, runtimeProcess } from './runtime.ts';
import { noSkew, type SkewPlan } from './skew.ts';
import { skewAssembly } from './skewed-assembly.ts';
import { type Throttling, throttlingInspector } from './throttling.ts';
import { unlessAborted } from './unless-aborted.ts';

/** All that a sale runs on, and that can be hurt. Between the functions and their servers stands a proxy each. */
export interface World {
  readonly runtime: RuntimeProcess;
  readonly redisProxy: TcpProxy;
  readonly databaseProxy: TcpProxy;
  readonly throttling: Throttling;
  /** Behind the proxies. */
  readonly database: Database;
  readonly servers: RedisServers;
  /** The one that the proxy leads to. */
  redis: RedisServer;
  /** A proxy for one replication, to be stopped after it. */
  linkTo(port: number): Promise<TcpProxy>;
  /** Where everything lies that goes with it. */
  readonly directory: string;
  readonly clocks: { set(plan: SkewPlan): Promise<void> };
  /** Ends all that is going on, so that nothing but what was done before is left of it. */
  calm(): Promise<void>;
  /** Safe to call again. */
  stop(): Promise<void>;
}

/** Starts everything. When a part can't be started, or `signal` says so, what was started by then is stopped, and the reason thrown. */
export async function startWorld(random: Random, signal: AbortSignal): Promise<World> {
  const undo: (() => unknown)[] = [];
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= (async () => {
      for (let step = undo.pop(); step; step = undo.pop()) await Promise.resolve(step()).catch(() => {});
    })();
    return stopped;
  };
  try {
    const world = await start(random, signal, undo);
    signal.throwIfAborted();
    return { ...world, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(random: Random, signal: AbortSignal, undo: (() => unknown)[]): Promise<Omit<World, 'stop'>> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-chaos-'));
  undo.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  undo.push(guardDirectories([directory]));
  const at = (name: string) => join(directory, name);
  const clocksFile = at('clocks.json');
  const clocks = { set: (plan: SkewPlan) => writeFile(clocksFile, JSON.stringify(plan)) };
  await clocks.set(noSkew);
  await mkdir(at('tmp'));

  await synthesise(at('cdk.out'), [], signal);
  await skewAssembly(at('cdk.out'), clocksFile);
  const database = await startDatabase({ scratch: [directory] });
  undo.push(() => database.stop());
  const servers = redisServers(directory);
  undo.push(() => servers.stop());
  const redis = await servers.start();

  const redisProxy = await startProxy(redis.port);
  undo.push(() => redisProxy.stop());
  const throttling: Throttling = { share: 0, refused: 0 };
  const draws = random.fork('throttling');
  const databaseProxy = await startProxy(Number(new URL(database.endpoint).port), () => throttlingInspector(throttling, draws));
  undo.push(() => databaseProxy.stop());

  const runtime = runtimeProcess(
    {
      port: await freePort(),
      cdkOut: at('cdk.out'),
      dataDirectory: at('data'),
      containers: 'processes',
      redisUrl: `redis://127.0.0.1:${redisProxy.port}`,
      dynamodbEndpoint: `http://127.0.0.1:${databaseProxy.port}`,
    },
    { TMPDIR: at('tmp') },
  );
  undo.push(() => runtime.stop());
  await unlessAborted(runtime.start(), signal);
  return {
    ...{ directory, runtime, redisProxy, databaseProxy, throttling, database, servers, redis, clocks },
    async linkTo(port) {
      const link = await startProxy(port);
      undo.push(() => link.stop());
      return link;
    },
    async calm() {
      throttling.share = 0;
      await clocks.set(noSkew);
      for (const proxy of [redisProxy, databaseProxy]) {
        proxy.end();
        proxy.heal();
        proxy.breakOld();
      }
    },
  };
}
