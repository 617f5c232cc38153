import { setTimeout as pause } from 'node:timers/promises';
import { BroadcastChannel } from 'node:worker_threads';
import { Redis } from 'ioredis';
import { type Runtime, startRuntime } from '../../lib/local/index.ts';
import { cpuMicrosOf, databasesOf } from './cpu.ts';
import { type Profile, threadProfiler } from './profiler.ts';
import { serveParent } from './remote.ts';

// The embedded runtime as `npm start` has it: one process, functions as threads of it, with a Redis and a DynamoDB server of its own.

/** CPU used so far, in microseconds, by process. The database's is missing where the system does not tell. */
export interface RuntimeCpu {
  readonly runtime: number;
  readonly redis: number;
  readonly database: number | undefined;
}

export interface RuntimeProfiles {
  readonly frontEnd: Profile;
  readonly containers: readonly Profile[];
}

const profilesMsMax = 15_000;

let runtime: Runtime | undefined;
let redis: Redis | undefined;
const complaints: string[] = [];
const complaintsMax = 20;

const frontEnd = threadProfiler();
const commands = new BroadcastChannel('bench.profile.commands');
const profiles = new BroadcastChannel('bench.profile.profiles');
for (const channel of [commands, profiles]) channel.unref();

async function start({ cdkOut }: { cdkOut: string }): Promise<{ url: string }> {
  const onLog = (source: string, line: string) => {
    if (!line.startsWith('{"level":"info"') && complaints.length < complaintsMax) complaints.push(`[${source}] ${line}`);
  };
  runtime = await startRuntime({ port: 0, cdkOut, outboxMode: 'stream', onLog });
  redis = new Redis(runtime.redisUrl, { disableClientInfo: true });
  return { url: runtime.url };
}

async function cpu(): Promise<RuntimeCpu> {
  const { user, system } = process.cpuUsage();
  const info = (await redis?.info('cpu')) ?? '';
  const seconds = ['user', 'sys'].map((kind) => Number(new RegExp(`^used_cpu_${kind}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0));
  const [databasePid] = databasesOf(process.pid);
  return {
    runtime: user + system,
    redis: seconds.reduce((sum, each) => sum + each, 0) * 1e6,
    database: databasePid === undefined ? undefined : cpuMicrosOf(databasePid),
  };
}

async function startProfiles(): Promise<void> {
  commands.postMessage('start');
  await frontEnd.start();
}

async function stopProfiles({ containers }: { containers: number }): Promise<RuntimeProfiles> {
  const arrived: Profile[] = [];
  profiles.onmessage = ({ data }: { data: unknown }) => void arrived.push(data as Profile);
  profiles.ref();
  commands.postMessage('stop');
  const ofFrontEnd = await frontEnd.stop();
  const deadlineMs = performance.now() + profilesMsMax;
  while (arrived.length < containers && performance.now() < deadlineMs) await pause(50);
  profiles.unref();
  if (arrived.length === 0) throw new Error('no container has told its profile');
  return { frontEnd: ofFrontEnd, containers: arrived };
}

serveParent({ start, cpu, startProfiles, stopProfiles, complaints: () => complaints }, async () => {
  redis?.disconnect();
  await runtime?.stop();
});
