import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import * as scripts from '../../functions/shared/lease.ts';
import { acquireLease, type LeaseOptions } from '../../functions/shared/lease.ts';
import { log } from '../../functions/shared/telemetry.ts';
import { isDoneWithin } from '../support/timing.ts';
import { redisBench } from './stock.harness.ts';

const bench = redisBench();
afterEach(() => void vi.restoreAllMocks());

const options = (changes: Partial<LeaseOptions> = {}): LeaseOptions => ({
  ...{ purpose: 'test', key: `lease-${randomUUID()}`, leaseMs: 5_000, waitMsMax: 0, clock },
  ...changes,
});
const taken = async (given: LeaseOptions) => {
  const lease = await acquireLease(bench.redis, given);
  if (!lease) throw new Error('busy');
  return lease;
};

describe('a lease', () => {
  it('has one owner, however many ask at once', async () => {
    const asked = options();
    const leases = await Promise.all(Array.from({ length: 20 }, () => acquireLease(bench.redis, asked)));
    expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
  });

  it('goes to the next once it is released', async () => {
    const asked = options();
    const first = await taken(asked);
    await first.release();
    expect(await bench.redis.exists(asked.key)).toBe(0);
    await taken(asked);
    // Released twice, or late, it does not take the next one's away.
    await first.release();
    expect(await acquireLease(bench.redis, asked)).toBeUndefined();
  });

  it('ends by itself when its owner dies', async () => {
    const asked = options({ leaseMs: 60_000 });
    await taken(asked);
    expect(await acquireLease(bench.redis, asked)).toBeUndefined();
    const short = options({ leaseMs: 60 });
    await taken(short);
    await expect.poll(() => acquireLease(bench.redis, short), { interval: 20, timeout: 30_000 }).toBeDefined();
  });

  it('stays while its owner asks for it, well beyond its time', async () => {
    let nowMs = 0;
    const asked = options({ leaseMs: 60_000, clock: { nowMs: () => nowMs } });
    const lease = await taken(asked);
    for (let step = 0; step < 20; step++) {
      // Half of its time passes, for its owner and for Redis.
      nowMs += 30_000;
      await bench.redis.pexpire(asked.key, 30_000);
      expect(await lease.stillOurs()).toBe(true);
      expect(await bench.redis.pttl(asked.key)).toBeGreaterThan(30_000);
    }
    expect(await acquireLease(bench.redis, asked)).toBeUndefined();
  });

  it('asks Redis only when a third of its time has passed, and once for all who ask at that moment', async () => {
    let nowMs = 1_000;
    const lease = await taken(options({ leaseMs: 3_000, clock: { nowMs: () => nowMs } }));
    const evalsha = vi.spyOn(bench.redis, 'evalsha');
    nowMs += 999;
    expect(await lease.stillOurs()).toBe(true);
    expect(evalsha).not.toHaveBeenCalled();
    nowMs += 1;
    expect(await Promise.all(Array.from({ length: 5 }, () => lease.stillOurs()))).toEqual(Array(5).fill(true));
    expect(evalsha).toHaveBeenCalledTimes(1);
  });

  it.each(['it ran out and somebody else has it', 'Redis has forgotten it'])('says so when it is lost: %s', async (how) => {
    let nowMs = 0;
    const asked = options({ clock: { nowMs: () => nowMs } });
    const lease = await taken(asked);
    if (how.startsWith('it')) await bench.redis.set(asked.key, 'somebody else');
    else await bench.redis.del(asked.key);
    nowMs += 5_000;
    expect(await lease.stillOurs()).toBe(false);
    // Once lost it stays lost, also if its key should come back.
    nowMs += 5_000;
    expect(await lease.stillOurs()).toBe(false);
    await lease.release();
    expect(await bench.redis.get(asked.key)).toBe(how.startsWith('it') ? 'somebody else' : null);
  });

  it('is waited for no longer than was said, and taken as soon as it is free', async () => {
    const asked = options({ leaseMs: 60_000, waitMsMax: 250 });
    const lease = await taken(asked);
    const startMs = performance.now();
    const inVain = acquireLease(bench.redis, asked);
    expect(await isDoneWithin(10_000, inVain)).toBe(true);
    expect(await inVain).toBeUndefined();
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(240);
    const next = acquireLease(bench.redis, { ...asked, waitMsMax: 50_000 });
    await lease.release();
    expect(await next).toBeDefined();
  });

  it('tells in the log who had to wait and who went away empty-handed, in fields that a metric can be made of', async () => {
    const lines = vi.spyOn(log, 'info');
    const asked = options({ waitMsMax: 30 });
    const lease = await taken(asked);
    await acquireLease(bench.redis, asked);
    await lease.release();
    expect(lines.mock.calls).toEqual([
      ['lease', { purpose: 'test', outcome: 'acquired', waitedMs: expect.any(Number), contended: 0 }],
      ['lease', { purpose: 'test', outcome: 'busy', waitedMs: expect.any(Number), contended: 1 }],
    ]);
  });

  it('is still its owner’s when the answer to taking it was lost', async () => {
    const { key } = options();
    const call = { keys: { lease: key }, args: { owner: 'me', leaseMs: 1_000 } };
    expect(await scripts.acquire(bench.redis, call)).toEqual({ outcome: 'ACQUIRED' });
    expect(await scripts.acquire(bench.redis, call)).toEqual({ outcome: 'ACQUIRED' });
    expect(await scripts.acquire(bench.redis, { ...call, args: { owner: 'you', leaseMs: 1_000 } })).toMatchObject({ outcome: 'BUSY' });
  });

  it.each([0, -1, 1.5, Number.NaN, 3_600_001])('is never of a time that makes no sense: %j ms', async (leaseMs) => {
    const asked = options({ leaseMs });
    await expect(acquireLease(bench.redis, asked)).rejects.toThrow('BAD_CALL lease.acquire time');
    const call = { keys: { lease: asked.key }, args: { owner: 'me', leaseMs } };
    await expect(scripts.renew(bench.redis, call)).rejects.toThrow('BAD_CALL lease.renew time');
    expect(await bench.redis.exists(asked.key)).toBe(0);
  });

  it('is refused by every script for one key or argument too few or too many', async () => {
    for (const script of [scripts.acquire, scripts.renew, scripts.release]) {
      const { text, arity } = script;
      const [keys, args] = [['key'], Array.from({ length: arity.args }, () => '1')];
      for (const [k, a] of [
        [[], args],
        [['key', 'other'], args],
        [keys, args.slice(1)],
        [keys, [...args, '1']],
      ] as [string[], string[]][]) {
        await expect(bench.redis.eval(text, k.length, ...k, ...a)).rejects.toThrow(/^BAD_CALL lease\./);
      }
    }
  });
});
