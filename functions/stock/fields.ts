import { clusterIsKnown, type RedisClient } from '../shared/redis.ts';
import { runTwiceAtMost } from '../shared/script.ts';

/** Fields of a hash, of one moment. Throws what scripts throw where they are not answered. */
export const fieldsOf = (redis: RedisClient, key: string, fields: readonly string[]): Promise<(string | null)[]> =>
  runTwiceAtMost('stock.fields', async () => {
    if (redis.isCluster) await clusterIsKnown(redis);
    return redis.hmget(key, ...fields);
  });
