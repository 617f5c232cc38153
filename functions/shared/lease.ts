import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';
import acquireLua from '../../lua/lease/acquire.lua';
import releaseLua from '../../lua/lease/release.lua';
import renewLua from '../../lua/lease/renew.lua';
import type { Clock } from './clock.ts';
import { measure } from './metrics.ts';
import type { RedisClient } from './redis.ts';
import { bare, defineScript, type Replies, whole } from './script.ts';
import { log } from './telemetry.ts';

export const acquire = defineScript({
  name: 'lease.acquire',
  lua: [acquireLua],
  keys: ['lease'],
  args: ['owner', 'leaseMs'],
  replies: { ACQUIRED: bare, BUSY: z.tuple([whole]).transform(([leftMs]) => ({ leftMs })) } satisfies Replies,
});

export const renew = defineScript({
  name: 'lease.renew',
  lua: [renewLua],
  keys: ['lease'],
  args: ['owner', 'leaseMs'],
  replies: { RENEWED: bare, LOST: bare } satisfies Replies,
});

export const release = defineScript({
  name: 'lease.release',
  lua: [releaseLua],
  keys: ['lease'],
  args: ['owner'],
  replies: { RELEASED: bare, LOST: bare } satisfies Replies,
});

export interface LeaseOptions {
  /** What the lease is for, in one word: logs and metrics group by it. */
  readonly purpose: string;
  readonly key: string;
  /** How long it lasts without being renewed, at most an hour: how long others wait after its owner has died. */
  readonly leaseMs: number;
  /** How long to wait for another owner to finish; 0 asks once. */
  readonly waitMsMax: number;
  readonly clock: Clock;
}

export interface Lease {
  /** Whether it is ours still. Renews it when a third of its time has passed; asks nobody before that. */
  stillOurs(): Promise<boolean>;
  /** Gives it up, if it is ours still. */
  release(): Promise<void>;
}

const askAgainMsMax = 500;

/**
 * A lease in Redis: keeps others from doing the same work at the same time, most of the time. It is there to save work and not to be relied upon: its
 * owner may be paused past its end, and Redis may forget it. What must not happen twice is fenced by what it writes to. Undefined when
 * another owner has it for all of `waitMsMax`.
 *
 * Each attempt leaves one log line, message `lease`, with `purpose`, `outcome` (acquired, busy or lost), `waitedMs` and `contended` (0 or 1), and the
 * metrics `LeaseWait` and `LeaseContended`.
 */
export async function acquireLease(
  redis: RedisClient,
  { purpose, key, leaseMs, waitMsMax, clock }: LeaseOptions,
): Promise<Lease | undefined> {
  const owner = randomUUID();
  const startMs = clock.nowMs();
  for (let contended = 0; ; contended = 1) {
    const taken = await acquire(redis, { keys: { lease: key }, args: { owner, leaseMs } });
    const waitedMs = clock.nowMs() - startMs;
    const isTaken = taken.outcome === 'ACQUIRED';
    if (isTaken || waitedMs >= waitMsMax) {
      const hasMetAnother = isTaken ? contended : 1;
      log.info('lease', { purpose, outcome: isTaken ? 'acquired' : 'busy', waitedMs, contended: hasMetAnother });
      measure('LeaseWait', purpose, waitedMs, { clock });
      measure('LeaseContended', purpose, hasMetAnother, { clock });
      return isTaken ? leaseOf(redis, owner, { purpose, key, leaseMs, clock }) : undefined;
    }
    await pause(Math.min(waitMsMax - waitedMs, askAgainMsMax * (0.5 + Math.random() / 2)));
  }
}

function leaseOf(redis: RedisClient, owner: string, { purpose, key, leaseMs, clock }: Omit<LeaseOptions, 'waitMsMax'>): Lease {
  const call = { keys: { lease: key }, args: { owner, leaseMs } };
  let renewedMs = clock.nowMs();
  let isLost = false;
  let renewing: Promise<void> | undefined;

  async function renewOnce(): Promise<void> {
    const askedMs = clock.nowMs();
    const { outcome } = await renew(redis, call);
    if (outcome === 'RENEWED') {
      renewedMs = askedMs;
      return;
    }
    isLost = true;
    log.warn('lease', { purpose, outcome: 'lost', waitedMs: 0, contended: 1 });
    measure('LeaseContended', purpose, 1, { clock });
  }

  return {
    async stillOurs() {
      if (isLost) return false;
      if (clock.nowMs() - renewedMs < leaseMs / 3) return true;
      renewing ??= renewOnce().finally(() => {
        renewing = undefined;
      });
      await renewing;
      return !isLost;
    },
    async release() {
      await release(redis, call);
    },
  };
}
