import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis, NotReplicated, type RedisClient, replicated } from '../../functions/shared/redis.ts';
import { until } from '../../lib/client/bounded.ts';
import { findProgram, startRedis } from '../../lib/local/redis.ts';
import { type RedisCluster, startCluster } from '../scripts/redis-cluster.ts';

const hasServer = findProgram() !== undefined;
const where = hasServer ? 'what was written' : 'what was written (left out: no redis-server or valkey-server on the PATH)';

describe.skipIf(!hasServer)(where, () => {
  let cluster: RedisCluster;
  let redis: RedisClient;
  beforeAll(async () => {
    const started = await startCluster(2);
    if (!started) throw new Error('the server that was there is gone');
    cluster = started;
  }, 180_000);
  afterAll(async () => {
    redis?.disconnect();
    await cluster?.stop();
  });

  const nodes = () => {
    const [master, other] = cluster.masters;
    if (!master || !other) throw new Error('two were asked for');
    return { master, other };
  };

  it('to a single server, or a node without replicas, is not waited for', async () => {
    const server = await startRedis();
    const single = connectRedis({ url: server.url, mode: 'single' });
    redis = connectRedis({ url: cluster.url, mode: 'cluster' });
    await replicated(single, '{sale}:sale');
    await replicated(redis, '{sale}:sale');
    for (const node of [single as Redis, ...cluster.masters.map((each) => each.node)]) {
      const commands = await node.info('commandstats');
      expect(commands).toContain('cmdstat_info:');
      expect(commands).not.toContain('cmdstat_wait:');
    }
    single.disconnect();
    redis.disconnect();
    await server.stop();
  });

  it('to a node with a replica is there too when it was waited for, or said to be nowhere else', { timeout: 180_000 }, async () => {
    const { master, other } = nodes();
    await becomeReplica();
    redis = connectRedis({ url: cluster.url, mode: 'cluster' });
    for (let count = 0; count < 20; count++) {
      await redis.set('{sale}:sale', count);
      await replicated(redis, '{sale}:sale');
      expect(await other.node.get('{sale}:sale')).toBe(String(count));
    }

    // A replica that stands still takes nothing in meanwhile.
    const [, pid] = /^process_id:(\d+)/m.exec(await other.node.info('server')) ?? [];
    process.kill(Number(pid), 'SIGSTOP');
    try {
      await redis.set('{sale}:sale', 'unheard');
      await expect(replicated(redis, '{sale}:sale')).rejects.toThrow(NotReplicated);
      expect(await master.node.get('{sale}:sale')).toBe('unheard');
    } finally {
      process.kill(Number(pid), 'SIGCONT');
    }
    await until('the replica has caught up', async () => (await other.node.get('{sale}:sale')) === 'unheard' || undefined);
    await replicated(redis, '{sale}:sale');
    expect(await other.node.get('{sale}:sale')).toBe('unheard');
  });

  /** Gives all slots to the first master, and makes the second its replica. */
  async function becomeReplica(): Promise<void> {
    const { master, other } = nodes();
    const masterId = String(await master.node.cluster('MYID'));
    for (const { node } of [master, other]) {
      const pipeline = node.pipeline();
      for (let slot = other.slots.first; slot <= other.slots.last; slot++) pipeline.cluster('SETSLOT', slot, 'NODE', masterId);
      await pipeline.exec();
    }
    await until(
      'it may be a replica',
      async () => (await other.node.call('CLUSTER', 'REPLICATE', masterId).catch(() => undefined)) as string,
    );
    await until('it follows', async () => ((await other.node.info('replication')).includes('master_link_status:up') ? true : undefined));
    await other.node.readonly();
  }
});
