import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushSale } from '../../functions/sales/push-sale.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { connectRedis, NotReplicated, type RedisClient, replicated } from '../../functions/shared/redis.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { stockScripts } from '../../functions/stock/stock.scripts.ts';
import { settledOn } from '../../functions/stock/stock.wiring.ts';
import { until } from '../../lib/client/bounded.ts';
import { findProgram, startRedis } from '../../lib/local/redis.ts';
import { type RedisCluster, startCluster } from '../scripts/redis-cluster.ts';

const hasServer = findProgram() !== undefined;
const where = hasServer ? 'what was written' : 'what was written (left out: no redis-server or valkey-server on the PATH)';

const aSale = (saleId: string): Sale => ({
  saleId,
  name: saleId,
  opensAtMs: 0,
  closesAtMs: 9_000_000_000_000,
  strategy: 'reserve-first',
  holdSeconds: 300,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [{ sku: 'tee', name: 'Tee', priceMinor: 2_500, currency: 'EUR', total: 10, seated: false }],
  createdAtMs: 0,
});

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

  type Node = RedisCluster['masters'][number];

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
    const goOn = await stopped(other.node);
    try {
      await redis.set('{sale}:sale', 'unheard');
      await expect(replicated(redis, '{sale}:sale')).rejects.toThrow(NotReplicated);
      expect(await master.node.get('{sale}:sale')).toBe('unheard');
    } finally {
      goOn();
    }
    await until('the replica has caught up', async () => (await other.node.get('{sale}:sale')) === 'unheard' || undefined);
    await replicated(redis, '{sale}:sale');
    expect(await other.node.get('{sale}:sale')).toBe('unheard');
  });

  it('of a sale that is paused is there too when that is answered, although a replica took over that had not heard of it', {
    timeout: 180_000,
  }, async () => {
    const { master, other } = nodes();
    await becomeReplica();
    redis.disconnect();
    redis = connectRedis({ url: cluster.url, mode: 'cluster' });
    const stock = stockScripts(redis);
    const settled = settledOn(redis);
    const sale = aSale('failed-over');
    await stock.load(sale);
    await settled(sale.saleId);

    const seen: unknown[] = [];
    const goOn = await stopped(other.node);
    try {
      // Nothing that is written from now on is on its way to it.
      await master.node.call('CLIENT', 'KILL', 'TYPE', 'replica');
      await pushSale(
        { ...sale, version: 2, control: 'paused' },
        {
          addSeats: stock.addSeats,
          async update(copy) {
            const reply = await stock.update(copy);
            seen.push(reply.outcome);
            return reply;
          },
          async settled(saleId) {
            if (seen.length === 1) {
              await takeOver(other, master, goOn);
              seen.push(await stock.read(saleId));
            }
            await settled(saleId);
            seen.push('settled');
          },
        },
      );
    } finally {
      goOn();
    }
    const forgotten = expect.objectContaining({ control: 'open', version: 1 });
    expect(seen).toEqual(['UPDATED', forgotten, 'settled', 'UPDATED', 'settled', 'UP_TO_DATE', 'settled']);
    // On the node that took over, and on its replica, which the former master is now.
    await master.node.readonly();
    for (const { node } of [other, master]) expect(await node.hget(stockKeys(sale.saleId).sale, 's')).toMatch(/^paused\|/);
  });

  /** A node's process stands still. -> lets it go on */
  async function stopped(node: Redis): Promise<() => void> {
    const [, pid] = /^process_id:(\d+)/m.exec(await node.info('server')) ?? [];
    process.kill(Number(pid), 'SIGSTOP');
    return () => void process.kill(Number(pid), 'SIGCONT');
  }

  /** A replica that stands still takes over as soon as it goes on; returns when the former master follows it. */
  async function takeOver(replica: Node, master: Node, goOn: () => void): Promise<void> {
    // It reads that before it has a connection again over which it would hear of anything.
    const taken = replica.node.call('CLUSTER', 'FAILOVER', 'TAKEOVER');
    goOn();
    await taken;
    await until('the former master follows', async () => {
      const told = await master.node.info('replication');
      return told.includes('role:slave') && told.includes('master_link_status:up') ? true : undefined;
    });
  }

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
