import { Redis } from 'ioredis';
import { CannotStart } from '../../lib/local/child.ts';
import { findProgram, startRedis } from '../../lib/local/redis.ts';
import { pinApart } from './pinning.ts';

export interface BenchRedisOptions {
  /**
   * The server to one core, this process to the others, until the server stops. Children that this process starts meanwhile inherit that. Without
   * `taskset`, or with a single core, nothing happens: `isPinned` says so.
   */
  readonly pinned?: boolean;
}

export interface BenchRedis extends Meter {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** `redis-server 7.0.15` */
  readonly version: string;
  readonly isPinned: boolean;
  /** A connection for what is not measured. */
  readonly admin: Redis;
  /** Bytes that its data takes. */
  usedBytes(): Promise<number>;
  /** Nothing is left of what was stored. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** What a server says of its own work. */
export interface Meter {
  /** What all its threads have used so far, user and system, in microseconds: the kernel's own account. */
  cpuMicros(): Promise<number>;
  /** Counts anew what `executed` tells. */
  resetStats(): Promise<void>;
  /** By command in lower case: how many, and microseconds inside them altogether (`INFO commandstats`). */
  executed(): Promise<ReadonlyMap<string, Executed>>;
}

export interface Executed {
  readonly calls: number;
  readonly micros: number;
}

/** A native Redis, alone on a free port, that keeps nothing. Throws `CannotStart` where there is none: Valkey in WebAssembly is no measurement. */
export async function startBenchRedis({ pinned = false }: BenchRedisOptions = {}): Promise<BenchRedis> {
  if (!findProgram()) throw new CannotStart('The bench needs a native Redis: put redis-server or valkey-server on the PATH.');
  const server = await startRedis();
  const admin = new Redis(server.url, { disableClientInfo: true });
  const pid = await pidOf(admin);
  const release = pinned ? pinApart(pid) : undefined;
  return {
    url: server.url,
    port: Number(new URL(server.url).port),
    pid,
    version: await versionOf(admin, server.kind),
    isPinned: release !== undefined,
    admin,
    ...meterOf(admin),
    usedBytes: async () => numberIn(await admin.info('memory'), 'used_memory'),
    async flush() {
      await admin.flushall('SYNC');
    },
    async stop() {
      release?.();
      admin.disconnect();
      await server.stop();
    },
  };
}

/** By a connection to the server. What it asks is in its answers too: a few commands. */
export const meterOf = (admin: Redis): Meter => ({
  async cpuMicros() {
    const text = await admin.info('cpu');
    return Math.round((numberIn(text, 'used_cpu_sys') + numberIn(text, 'used_cpu_user')) * 1e6);
  },
  async resetStats() {
    await admin.config('RESETSTAT');
  },
  executed: async () => executedIn(await admin.info('commandstats')),
});

export const pidOf = async (admin: Redis): Promise<number> => numberIn(await admin.info('server'), 'process_id');

/** `redis-server 7.0.15` */
export const versionOf = async (admin: Redis, program: string): Promise<string> =>
  `${program} ${textIn(await admin.info('server'), program === 'valkey-server' ? 'valkey_version' : 'redis_version')}`;

function textIn(info: string, field: string): string {
  const [, value] = new RegExp(`^${field}:(.*?)\\r?$`, 'm').exec(info) ?? [];
  if (value === undefined) throw new Error(`Redis' INFO has no ${field}`);
  return value;
}

const numberIn = (info: string, field: string): number => Number(textIn(info, field));

/** Exported for its test. */
export function executedIn(info: string): ReadonlyMap<string, Executed> {
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=(\d+),usec=(\d+)/gm);
  return new Map([...lines].map(([, command = '', calls, usec]) => [command, { calls: Number(calls), micros: Number(usec) }]));
}
