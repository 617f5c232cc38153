import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterIsKnown, connectionName, connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import { findProgram, type Redis as RedisServer, startRedis } from '../../lib/local/redis.ts';
import { type RedisCluster, startCluster } from './redis-cluster.ts';

/** All other connections of a server are cut. */
async function cut(node: Redis): Promise<void> {
  await node.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
}

/** What the client calls its connections before and after they were cut, a command having gone through before either. */
async function namesAround(redis: RedisClient, cutThem: () => Promise<unknown>): Promise<[string, string, string]> {
  const name = connectionName(redis);
  const answers = () => expect.poll(() => redis.set('{a}key', 'b').catch(() => 'away'), { timeout: 30_000 }).toBe('OK');
  await clusterIsKnown(redis);
  await answers();
  const first = name();
  await answers();
  const same = name();
  await cutThem();
  await expect.poll(name, { timeout: 30_000 }).not.toBe(first);
  await answers();
  return [first, same, name()];
}

describe('the name of a container’s connections', () => {
  let server: RedisServer;
  let redis: RedisClient;
  let other: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = connectRedis({ url: server.url, mode: 'single' });
    other = new Redis(server.url);
  });
  afterAll(async () => {
    redis?.disconnect();
    other?.disconnect();
    await server?.stop();
  });

  it('stays as long as the connection, and is another one after it', async () => {
    const [first, same, after] = await namesAround(redis, () => cut(other));
    expect(same).toBe(first);
    expect(after).not.toBe(first);
  });
});

describe.skipIf(findProgram() === undefined)('the name of a container’s connections to a cluster', () => {
  let cluster: RedisCluster | undefined;
  let redis: RedisClient;
  beforeAll(async () => {
    cluster = await startCluster(3);
    redis = connectRedis({ url: cluster?.url ?? '', mode: 'cluster' });
  }, 180_000);
  afterAll(async () => {
    redis?.disconnect();
    await cluster?.stop();
  });

  it('is another one after any was made anew', async () => {
    const masters = cluster?.masters ?? [];
    const [first, , after] = await namesAround(redis, () => Promise.all(masters.map(({ node }) => cut(node))));
    expect(after).not.toBe(first);
  });
});
