import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { log } from './telemetry.ts';

export type RedisClient = Redis | Cluster;

const connectTimeoutMs = 2_000;

export interface RedisAddress {
  /** `redis://` or `rediss://`, host and port; the latter is TLS. */
  readonly url: string;
  /** `cluster`: the address is any node, or the configuration endpoint, of a cluster. */
  readonly mode: 'single' | 'cluster';
  readonly password?: string | undefined;
  /** How long one command may take in all. */
  readonly commandTimeoutMs?: number;
}

/**
 * One client per container. A command ends with an answer or an error within `commandTimeoutMs` (3 s when left out); what was in flight when a
 * connection broke is rejected at once and never sent again behind the caller's back. Reconnects by itself, for as long as it lives.
 * `disconnect()` closes it.
 */
export function connectRedis({ url, mode, password, commandTimeoutMs = 3_000 }: RedisAddress): RedisClient {
  const address = new URL(url);
  const options = optionsOf(address, password, commandTimeoutMs);
  const port = Number(address.port || 6379);
  const client = mode === 'cluster' ? connectCluster(address.hostname, port, options) : connectSingle(address.hostname, port, options);
  client.on('error', (error: Error) => log.warn('redis connection', { error: error.message }));
  return client;
}

const optionsOf = ({ protocol, username, password: urlPassword }: URL, password: string | undefined, commandTimeoutMs: number) => ({
  ...(username ? { username: decodeURIComponent(username) } : {}),
  ...(password || urlPassword ? { password: password || decodeURIComponent(urlPassword) } : {}),
  ...(protocol === 'rediss:' ? { tls: {} } : {}),
  connectTimeout: connectTimeoutMs,
  commandTimeout: commandTimeoutMs,
  // A socket that died while the container was frozen gives no error: without this each command on it would wait for its own timeout.
  socketTimeout: Math.max(500, commandTimeoutMs - 500),
  // ioredis sends what was unanswered again after a reconnect, unless told not to. Who asked decides that.
  autoResendUnfulfilledCommands: false,
  // 0: unanswered commands are rejected as soon as the connection breaks; with any other number they are left without an answer until they time out.
  maxRetriesPerRequest: 0,
  disableClientInfo: true,
});

const connectSingle = (host: string, port: number, options: ReturnType<typeof optionsOf>) =>
  new Redis({ ...options, host, port, retryStrategy: (times) => Math.min(50 * times, 1_000) });

function connectCluster(host: string, port: number, options: ReturnType<typeof optionsOf>): Cluster {
  return new Cluster([{ host, port }], {
    redisOptions: options,
    // ElastiCache's certificate names hosts, so addresses must not be resolved before TLS sees them.
    dnsLookup: (address, done) => done(null, address),
    slotsRefreshTimeout: 2_000,
    clusterRetryStrategy: (times) => Math.min(50 * times, 1_000),
    // After a failover the cluster client learns its map again only on this path, which also repeats the command. All that is sent here may run
    // twice (see script.ts); few times, so that the answer comes while somebody waits for it.
    retryDelayOnFailover: 100,
    maxRedirections: 4,
  });
}

/**
 * Waits until a cluster's client knows the cluster, and throws when that takes longer than the time to connect. What is sent before would wait
 * in a queue that has no timeout. (A single server's commands are under `commandTimeout` wherever they wait.)
 */
export async function clusterIsKnown(redis: RedisClient): Promise<void> {
  if (!(redis instanceof Cluster) || redis.status === 'ready') return;
  const deadline = AbortSignal.timeout(connectTimeoutMs);
  await once(redis, 'ready', { signal: deadline }).catch((cause: unknown) => {
    throw new Error('the cluster was not reached', { cause });
  });
}

/** What was written is on one node alone, for longer than anybody waits: a failover would lose it. */
export class NotReplicated extends Error {
  override readonly name = 'NotReplicated';
}

const replicationMsMax = 1_000;

/**
 * Returns when a replica has all that this client wrote to the node of `key`, so that a failover keeps it; throws `NotReplicated` after a
 * second. A node that no replica follows is not waited for. What counts are this connection's writes, so call it after yours.
 */
export async function replicated(redis: RedisClient, key: string): Promise<void> {
  const node = redis instanceof Cluster ? await masterOf(redis, key) : redis;
  const [, replicas] = /^connected_slaves:(\d+)/m.exec(await node.info('replication')) ?? [];
  if (Number(replicas ?? 0) === 0) return;
  const reached = await node.wait(1, replicationMsMax);
  if (reached === 0) throw new NotReplicated(`no replica has what was written to ${key}`);
}

/**
 * Which Redis has this key: the run of its process, and the history of writes that it continues. One that has restarted, or that took over from another,
 * is another one, and may not know what the former did.
 */
export async function identityOf(redis: RedisClient, key: string): Promise<string> {
  const node = redis instanceof Cluster ? await masterOf(redis, key) : redis;
  const [, run] = /^run_id:(\w+)/m.exec(await node.info('server')) ?? [];
  const [, history] = /^master_replid:(\w+)/m.exec(await node.info('replication')) ?? [];
  return `${run ?? ''} ${history ?? ''}`;
}

/**
 * Names the connections that the client has, by what it knows itself: another name once one was made anew or the cluster's masters are others. As
 * long as the name stays, whoever answers is whoever answered before, but for a node that was demoted and promoted again behind a connection that held.
 */
export function connectionName(redis: RedisClient): () => string {
  let made = 0;
  const count = (node: RedisClient) => node.on('ready', () => made++);
  if (!(redis instanceof Cluster)) {
    count(redis);
    return () => String(made);
  }
  for (const node of redis.nodes()) count(node);
  redis.on('+node', count);
  const addressOf = ({ options }: Redis) => `${options.host}:${options.port}`;
  return () => [made, ...redis.nodes('master').map(addressOf).sort()].join(' ');
}

/** The node that writes of this key go to, on the very connection that they go over. */
async function masterOf(redis: Cluster, key: string): Promise<Redis> {
  await clusterIsKnown(redis);
  const [address] = redis.slots[await redis.cluster('KEYSLOT', key)] ?? [];
  const node = redis.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address);
  if (!node) throw new NotReplicated(`the node of ${key} is not known`);
  return node;
}
