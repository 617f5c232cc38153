import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { digestOf } from '../lib/bare-script.ts';
import { keys } from './plain-shop.ts';

/** How often a waiter asks again, and when it is not worth it any more. */
const pollMs = 10;
const waitMsMax = 60_000;

/** Compare and delete: the lock may be another's by now. (https://redis.io/docs/latest/develop/clients/patterns/distributed-locks/) */
const releaseScript = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

export const loadRelease = (redis: Redis) => redis.script('LOAD', releaseScript);

/** Waits for the lock. -> the token that it is held by, or undefined after a minute. */
export async function acquire(redis: Redis, ttlMs: number): Promise<string | undefined> {
  const token = randomUUID();
  const deadlineMs = performance.now() + waitMsMax;
  while ((await redis.set(keys.lock, token, 'PX', ttlMs, 'NX')) === null) {
    if (performance.now() > deadlineMs) return undefined;
    await pause(pollMs);
  }
  return token;
}

export const release = (redis: Redis, token: string) => redis.evalsha(digestOf(releaseScript), 1, keys.lock, token);
