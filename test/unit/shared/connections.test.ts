import { readFileSync } from 'node:fs';
import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientDefaults } from '../../../functions/shared/aws.ts';
import { attemptsMax, batchKeysMax, largeReadMsMax, transactMsMax } from '../../../functions/shared/dynamo.ts';
import { connectRedis, type RedisClient } from '../../../functions/shared/redis.ts';
import { startRedis } from '../../../lib/local/redis.ts';
import { startCluster } from '../../scripts/redis-cluster.ts';

const page = readFileSync(new URL('../../../docs/connections.md', import.meta.url), 'utf8');

/** The settings of the table under a heading, as the page gives them. */
function settingsUnder(heading: string): Record<string, string> {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? expect.fail(`no section ${heading}`);
  return Object.fromEntries([...section.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name, value?.trim()]));
}

const ms = (value: number | undefined): string => `${value} ms`;

/** A client of an address where nobody is: what counts is how it is set up. */
function setUp(mode: 'single' | 'cluster'): RedisClient {
  const client = connectRedis({ url: 'rediss://127.0.0.1:1', mode });
  onTestFinished(() => client.disconnect());
  return client;
}

/** The connections that a node has, but for the one that asks. */
async function connectionsOf(node: Redis): Promise<number> {
  const own = await node.client('ID');
  const lines = String(await node.client('LIST'))
    .trim()
    .split('\n');
  return lines.filter((line) => !line.startsWith(`id=${own} `)).length;
}

describe('the document of connection settings', () => {
  it('has of Redis exactly the settings that its clients have', () => {
    const single = setUp('single') as Redis;
    const cluster = setUp('cluster') as Cluster;
    const { connectTimeout, commandTimeout, socketTimeout, keepAlive, retryStrategy } = single.options;
    const { slotsRefreshTimeout, retryDelayOnFailover, maxRedirections, clusterRetryStrategy } = cluster.options;
    const waits = (strategy: ((times: number) => unknown) | null | undefined) => `${strategy?.(1)} to ${strategy?.(1_000)} ms`;
    expect(settingsUnder('Redis')).toEqual({
      connectTimeout: ms(connectTimeout),
      commandTimeout: ms(commandTimeout),
      socketTimeout: ms(socketTimeout),
      autoResendUnfulfilledCommands: String(single.options.autoResendUnfulfilledCommands),
      maxRetriesPerRequest: String(single.options.maxRetriesPerRequest),
      keepAlive: ms(keepAlive),
      retryStrategy: waits(retryStrategy),
      slotsRefreshTimeout: ms(slotsRefreshTimeout),
      retryDelayOnFailover: ms(retryDelayOnFailover),
      maxRedirections: String(maxRedirections),
    });
    expect(single.options.noDelay).toBe(true);
    expect(single.options.tls).toEqual({});
    // A cluster's connections are set up like a single one.
    const inCluster: Partial<RedisOptions> = cluster.options.redisOptions ?? {};
    for (const name of [
      'connectTimeout',
      'commandTimeout',
      'socketTimeout',
      'autoResendUnfulfilledCommands',
      'maxRetriesPerRequest',
      'tls',
    ] as const)
      expect(inCluster[name], name).toEqual(single.options[name]);
    expect(waits(clusterRetryStrategy)).toBe(waits(retryStrategy));
    expect(cluster.options.scaleReads).toBe('master');
  });

  it('has of the AWS clients exactly the settings that they are made with', () => {
    const { maxAttempts, requestHandler } = clientDefaults;
    expect(settingsUnder('DynamoDB')).toEqual({
      maxAttempts: String(maxAttempts),
      connectionTimeout: ms(requestHandler.connectionTimeout),
      requestTimeout: ms(requestHandler.requestTimeout),
      throwOnRequestTimeout: String(requestHandler.throwOnRequestTimeout),
      keepAlive: String(requestHandler.httpsAgent.keepAlive),
      maxSockets: String(requestHandler.httpsAgent.maxSockets),
      largeReadMsMax: ms(largeReadMsMax),
      transactMsMax: ms(transactMsMax),
      attemptsMax: String(attemptsMax),
      batchKeysMax: String(batchKeysMax),
    });
  });

  it('says truly that a container has one connection to a Redis, however much it asks at once', async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const [client, asker] = [connectRedis({ url: server.url, mode: 'single' }), connectRedis({ url: server.url, mode: 'single' }) as Redis];
    onTestFinished(() => [client, asker].forEach((each) => void each.disconnect()));
    await Promise.all(Array.from({ length: 50 }, (_, n) => client.set(`key-${n}`, n)));
    expect(await connectionsOf(asker)).toBe(1);
  });

  it('says truly that a container has one connection to each shard of a cluster', async (test) => {
    const cluster = await startCluster(3);
    if (!cluster) return test.skip('this machine has no Redis server of its own');
    onTestFinished(() => cluster.stop());
    const client = connectRedis({ url: cluster.url, mode: 'cluster' });
    onTestFinished(() => client.disconnect());
    expect(client).toBeInstanceOf(Cluster);
    for (let n = 0; n < 50; n++) await client.set(`key-${n}`, n);
    for (const { node } of cluster.masters) expect(await connectionsOf(node)).toBe(1);
  });

  it('names files that there are', () => {
    const named = [...page.matchAll(/`((?:functions|lib|test)\/[\w./-]+\.ts)`/g)].map(([, path]) => String(path));
    expect(named.length).toBeGreaterThan(5);
    for (const path of named) expect(() => readFileSync(new URL(`../../../${path}`, import.meta.url)), path).not.toThrow();
  });

  it('cites a source for each fact about AWS, and no other', () => {
    const cited = new Set([...page.matchAll(/\[(\d)\]/g)].map(([, number]) => number));
    const given = [...page.matchAll(/^(\d)\. <https:\/\/docs\.aws\.amazon\.com\//gm)].map(([, number]) => number);
    expect([...cited].sort()).toEqual(given);
  });
});
