import { clusterIsKnown, type RedisClient } from '../shared/redis.ts';
import { runTwiceAtMost } from '../shared/script.ts';

/** Fields of a hash, of one moment. Throws what scripts throw where they are not answered. */
export const fieldsOf = (redis: RedisClient, key: string, fields: readonly string[]): Promise<(string | null)[]> =>
  // A crowd waits for this one: where there is no cluster to know, nothing stands between it and the command.
  runTwiceAtMost('stock.fields', () => (redis.isCluster ? fromCluster(redis, key, fields) : redis.hmget(key, ...fields)));

async function fromCluster(redis: RedisClient, key: string, fields: readonly string[]): Promise<(string | null)[]> {
  await clusterIsKnown(redis);
  return redis.hmget(key, ...fields);
}
