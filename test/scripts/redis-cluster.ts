import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { becomesReady, type Child, freePort, startChild } from '../../lib/local/child.ts';
import { findProgram } from '../../lib/local/redis.ts';

const slotsInAll = 16_384;
const startMsMax = 10_000;
const meetMsMax = 20_000;
const attemptsMax = 5;

export interface RedisCluster {
  /** Any of the masters. */
  readonly url: string;
  readonly masters: readonly { readonly node: Redis; readonly slots: { readonly first: number; readonly last: number } }[];
  stop(): Promise<void>;
}

/**
 * A cluster of masters on free ports of 127.0.0.1, without persistence and replicas, its slots evenly spread. Undefined where this machine has no
 * Redis server of its own. The ports were free when we asked: another process may take one, and it is tried anew.
 */
export async function startCluster(size: number): Promise<RedisCluster | undefined> {
  const program = findProgram();
  if (!program) return undefined;
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const cluster = await tryToStart(program, size);
    if (cluster) return cluster;
  }
  throw new Error(`no cluster came up in ${attemptsMax} attempts`);
}

async function tryToStart(program: { command: string; name: string }, size: number): Promise<RedisCluster | undefined> {
  const servers: Server[] = [];
  const stop = async () => {
    for (const { node } of servers) node.disconnect();
    await Promise.all(servers.map(({ stop }) => stop()));
  };
  for (let index = 0; index < size; index++) servers.push(await startServer(program));
  if (!(await joined(servers))) {
    await stop();
    return undefined;
  }
  return {
    url: `redis://127.0.0.1:${servers[0]?.port}`,
    masters: servers.map(({ node }, index) => ({ node, slots: share(index, size) })),
    stop,
  };
}

interface Server {
  readonly node: Redis;
  readonly port: number;
  readonly busPort: number;
  readonly child: Child;
  stop(): Promise<void>;
}

async function startServer({ command, name }: { command: string; name: string }): Promise<Server> {
  const [port, busPort, directory] = [await freePort(), await freePort(), await mkdtemp(join(tmpdir(), 'cluster-'))];
  const options = {
    ...{ bind: '127.0.0.1', port: String(port), save: '', appendonly: 'no', 'maxmemory-policy': 'noeviction', dir: directory },
    ...{ 'cluster-enabled': 'yes', 'cluster-port': String(busPort), 'cluster-announce-ip': '127.0.0.1' },
  };
  const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
  const child = await startChild({ command, args, name, scratch: [directory] });
  const node = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 0, retryStrategy: () => 50, disableClientInfo: true });
  node.on('error', () => {});
  return {
    ...{ node, port, busPort, child },
    async stop() {
      await child.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Whether the servers have become one cluster that serves every slot. */
async function joined(servers: readonly Server[]): Promise<boolean> {
  for (const { node, child } of servers) {
    const isOurs = async () => (await node.info('server').catch(() => '')).includes(`process_id:${child.pid}\r\n`);
    if (!(await becomesReady(isOurs, child.ended, startMsMax))) return false;
  }
  for (const [index, { node }] of servers.entries()) {
    const { first, last } = share(index, servers.length);
    await node.cluster('ADDSLOTS', ...Array.from({ length: last - first + 1 }, (_, at) => first + at));
    for (const { port, busPort } of servers.slice(index + 1)) await node.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
  }
  const ended = Promise.race(servers.map(({ child }) => child.ended));
  const isWhole = async () => {
    const states = await Promise.all(servers.map(({ node }) => node.cluster('INFO')));
    return states.every((state) => state.includes('cluster_state:ok') && state.includes(`cluster_known_nodes:${servers.length}`));
  };
  return becomesReady(isWhole, ended, meetMsMax);
}

/** The slots of one of so many masters. */
function share(index: number, size: number): { first: number; last: number } {
  const from = (part: number) => Math.floor((part * slotsInAll) / size);
  return { first: from(index), last: from(index + 1) - 1 };
}
