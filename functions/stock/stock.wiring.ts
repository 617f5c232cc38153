import { createHash } from 'node:crypto';
import { awsCaller } from '../shared/aws-call.ts';
import { systemClock as clock } from '../shared/clock.ts';
import type { Environment } from '../shared/environment.ts';
import { connectRedis, identityOf, type RedisClient, replicated } from '../shared/redis.ts';
import { awsSecrets, secretReader } from '../shared/secrets.ts';
import { askingStock, rebuildAsker } from './rebuild.request.ts';
import { stockIdsOf } from './shards.model.ts';
import { rebuildKeys, stockKeys } from './stock.keys.ts';
import { stockScripts } from './stock.scripts.ts';

/** The variables that whoever talks to the cache needs. */
export const redisVariables = ['REDIS_URL', 'REDIS_MODE', 'REDIS_AUTH_SECRET'] as const;
/** The variables that whoever talks to the stock needs: it asks for what the cache has lost. */
export const stockVariables = [...redisVariables, 'REBUILD_QUEUE_URL'] as const;

/** The cache, with its password where it has one, and the stock in it as it is. */
export async function connectCache(environment: Pick<Environment, (typeof redisVariables)[number]>) {
  const { REDIS_URL: url, REDIS_MODE: mode, REDIS_AUTH_SECRET: secretId } = environment;
  const password = secretId === '' ? undefined : (await secretReader(awsSecrets, secretId, Date.now)())[0];
  const redis = connectRedis({ url, mode, ...(password === undefined ? {} : { password }) });
  return { redis, stock: stockScripts(redis) };
}

/**
 * The stock in the cache. Whoever is told by `stock` that a sale is not loaded has asked for its rebuild by then; `quietStock` asks for none, for
 * those who may be asked about any sale by anybody, and say themselves when to `askForRebuild`.
 */
export async function connectStock(environment: Pick<Environment, (typeof stockVariables)[number]>) {
  const { redis, stock } = await connectCache(environment);
  const ask = rebuildAsker({ isFirst: firstAsker(redis), send: rebuildQueue(environment.REBUILD_QUEUE_URL), clock });
  return { redis, stock: askingStock(stock, ask), quietStock: stock, askForRebuild: ask };
}

/** Returns when what was written to a sale's stock has a replica, in each of its shards. */
export const settledOn =
  (redis: RedisClient) =>
  async (saleId: string, shards?: number): Promise<void> => {
    await Promise.all(stockIdsOf({ saleId, shards }).map((stockId) => replicated(redis, stockKeys(stockId).sale)));
  };

/** Which Redis has a sale: of one with several shards, all of theirs. */
export const identityOn =
  (redis: RedisClient) =>
  async (saleId: string, shards?: number): Promise<string> => {
    const [first = '', ...others] = await Promise.all(
      stockIdsOf({ saleId, shards }).map((stockId) => identityOf(redis, stockKeys(stockId).sale)),
    );
    return others.length === 0
      ? first
      : createHash('sha256')
          .update([first, ...others].join('\n'))
          .digest('base64url');
  };

/** A mark in Redis that ends by itself, so that of all containers one asks. */
const firstAsker = (redis: RedisClient) => async (saleId: string, askedMs: number) =>
  (await redis.set(rebuildKeys(saleId).asked, '1', 'PX', askedMs, 'NX')) === 'OK';

/** By the service's endpoint: where one is given, a queue's URL may name a host that only its maker can reach; elsewhere the two are the same. */
function rebuildQueue(QueueUrl: string) {
  const call = awsCaller({ name: 'sqs', variable: 'SQS', target: 'AmazonSQS', version: '1.0' });
  return (message: object) => call('SendMessage', JSON.stringify({ QueueUrl, MessageBody: JSON.stringify(message) }));
}
