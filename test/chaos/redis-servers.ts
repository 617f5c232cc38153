import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { until } from '../../lib/client/bounded.ts';
import { becomesReady, CannotStart, type Child, freePort, startChild } from '../../lib/local/child.ts';
import { findProgram } from '../../lib/local/redis.ts';

export interface RedisServer {
  readonly port: number;
  /** Sends one command on a connection of its own, and gives the answer as text. */
  ask(command: string, ...args: readonly string[]): Promise<string>;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** As `kill`, and starts another over what it had written to its append-only file. */
  revive(): Promise<RedisServer>;
}

export interface RedisServers {
  /** A server with nothing in it, or a replica of the one at `replicaOf`. All append what they do to a file of their own. */
  start(options?: { readonly replicaOf?: number }): Promise<RedisServer>;
  stop(): Promise<void>;
}

const readyMsMax = 30_000;
const attemptsMax = 5;

/** Native Redis servers below `directory`. Throws `CannotStart` where this machine has no native Redis. */
export function redisServers(directory: string): RedisServers {
  const found = findProgram();
  if (!found) throw new CannotStart('This needs a native Redis: put redis-server or valkey-server on the PATH.');
  const program = found;
  const children = new Set<Child>();
  let started = 0;

  async function launch(place: string, replicaOf: number | undefined): Promise<RedisServer> {
    await mkdir(place, { recursive: true });
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const port = await freePort();
      const child = await startChild({ command: program.command, name: program.name, args: argumentsOf(port, place, replicaOf) });
      children.add(child);
      void child.ended.then(() => children.delete(child));
      const isReady = async () => {
        const words = await ask(port, 'INFO').catch(() => '');
        return words.includes(`process_id:${child.pid}\r\n`) && words.includes('\r\nloading:0\r\n');
      };
      if (await becomesReady(isReady, child.ended, readyMsMax)) return serverOf(child, port, place);
      await child.stop();
    }
    throw new Error(`no Redis came up in ${attemptsMax} attempts`);
  }

  function serverOf(child: Child, port: number, place: string): RedisServer {
    const kill = async () => {
      if (children.has(child)) process.kill(child.pid, 'SIGKILL');
      await child.ended;
    };
    return {
      port,
      ask: (command, ...args) => ask(port, command, ...args),
      kill,
      async revive() {
        await kill();
        return launch(place, undefined);
      },
    };
  }

  return {
    start: ({ replicaOf } = {}) => launch(join(directory, `redis-${++started}`), replicaOf),
    async stop() {
      await Promise.all([...children].map((child) => child.stop()));
    },
  };
}

const argumentsOf = (port: number, dir: string, replicaOf: number | undefined): string[] => {
  const options = {
    ...{ bind: '127.0.0.1', port: String(port), save: '', 'maxmemory-policy': 'noeviction', dir },
    ...{ appendonly: 'yes', appendfsync: 'no', 'aof-load-truncated': 'yes', 'repl-diskless-sync-delay': '0' },
  };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  return replicaOf === undefined ? args : [...args, '--replicaof', `127.0.0.1 ${replicaOf}`];
};

async function ask(port: number, command: string, ...args: readonly string[]): Promise<string> {
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => null, commandTimeout: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return String(await client.call(command, ...args));
  } finally {
    client.disconnect();
  }
}

/** Bytes of writes that the server has made or followed. */
export async function offsetOf(server: RedisServer): Promise<number> {
  const [, offset] = /^master_repl_offset:(\d+)/m.exec(await server.ask('INFO', 'replication')) ?? [];
  return Number(offset ?? 0);
}

/** Waits until a replica has all that its primary had at this moment. */
export async function follows(replica: RedisServer, primary: RedisServer): Promise<void> {
  const offset = await offsetOf(primary);
  const hasCaughtUp = async () => {
    const words = await replica.ask('INFO', 'replication');
    const [, at] = /^slave_repl_offset:(\d+)/m.exec(words) ?? [];
    return words.includes('master_link_status:up') && Number(at ?? -1) >= offset ? true : undefined;
  };
  await until('the replica follows', hasCaughtUp, { withinMs: readyMsMax, everyMs: 50 });
}
