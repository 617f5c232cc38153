import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { clientDefaults } from '../shared/aws.ts';
import type { Environment } from '../shared/environment.ts';
import { connectRedis } from '../shared/redis.ts';
import { secretReader } from '../shared/secrets.ts';
import { stockScripts } from './stock.scripts.ts';

/** The variables that whoever talks to the stock needs. */
export const stockVariables = ['REDIS_URL', 'REDIS_MODE', 'REDIS_AUTH_SECRET'] as const;

/** The stock in the cache, with the cache's password where it has one. */
export async function connectStock(environment: Pick<Environment, (typeof stockVariables)[number]>) {
  const { REDIS_URL: url, REDIS_MODE: mode, REDIS_AUTH_SECRET: secretId } = environment;
  const password = secretId === '' ? undefined : (await secretReader(new SecretsManagerClient(clientDefaults), secretId, Date.now)())[0];
  const redis = connectRedis({ url, mode, ...(password === undefined ? {} : { password }) });
  return { redis, stock: stockScripts(redis) };
}
