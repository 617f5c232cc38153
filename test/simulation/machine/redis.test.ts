import { describe, expect, it } from 'vitest';
import { randomOf } from '../random.ts';
import { startRedisServer } from './redis.ts';

const server = startRedisServer();
const startUs = Date.UTC(2026, 0, 1) * 1_000;

function begin(seed = 1) {
  const clock = { nowUs: startUs };
  const redis = server.begin(() => clock.nowUs, randomOf(seed));
  return { clock, redis };
}

const timeInScript = "local t = redis.call('TIME') return t[1] .. ' ' .. t[2]";

describe('the Redis of the simulation', () => {
  it('has the virtual clock as its clock: at once, inside scripts, and for what expires', () => {
    const { clock, redis } = begin();
    expect(redis.command('TIME')).toEqual([String(startUs / 1e6), '0']);
    clock.nowUs += 1_000_001;
    expect(redis.command('EVAL', timeInScript, 0)).toBe(`${startUs / 1e6 + 1} 1`);
    clock.nowUs += 1;
    expect(redis.command('EVAL', timeInScript, 0)).toBe(`${startUs / 1e6 + 1} 2`);
    redis.command('SET', 'lease', 'mine', 'PX', 100);
    clock.nowUs += 99_000;
    expect([redis.command('GET', 'lease'), redis.command('PTTL', 'lease')]).toEqual(['mine', 1]);
    clock.nowUs += 2_000;
    expect(redis.command('GET', 'lease')).toBeNull();
  });

  it('answers the same commands with the same bytes, the order of large hashes included, whatever ran before', () => {
    const run = (seed: number, fields: number) => {
      const { clock, redis } = begin(seed);
      for (let index = 0; index < fields; index++) {
        clock.nowUs += 700;
        redis.command('HSET', 'hash', `field-${index}`, index);
      }
      return [redis.command('HSCAN', 'hash', 0, 'COUNT', 50), redis.command('HGETALL', 'hash'), redis.command('INFO', 'server')];
    };
    const first = run(7, 2_000);
    run(8, 8_000);
    expect(run(7, 2_000)).toEqual(first);
  });

  it('begins without a key, a script, or anything else of the machine before', () => {
    const { redis } = begin();
    redis.command('SET', 'key', 'value');
    const digest = redis.command('SCRIPT', 'LOAD', 'return 1');
    const { redis: next } = begin();
    expect(next.command('DBSIZE')).toBe(0);
    expect(() => next.command('EVALSHA', String(digest), 0)).toThrow(/^NOSCRIPT/);
  });

  it('is another one after a restart, a rollback or a failover, and the same after a flush', () => {
    const { redis } = begin();
    const identity = () => `${redis.command('INFO', 'server')}${redis.command('INFO', 'replication')}`.match(/(run_id|master_replid):\w+/g);
    const seen = [redis.identity];
    redis.flush();
    expect(redis.identity).toEqual(seen[0]);
    const snapshot = redis.snapshot();
    for (const happen of [redis.restart, redis.failover, () => redis.rollback(snapshot)]) {
      happen();
      seen.push(redis.identity);
      expect(identity()).toEqual([`run_id:${redis.identity.runId}`, `master_replid:${redis.identity.replicationId}`]);
    }
    expect(new Set(seen.map(({ runId }) => runId)).size).toBe(4);
  });

  it('forgets at a failover what came after the last WAIT, and nothing before it', () => {
    const { redis } = begin();
    redis.command('SET', 'first', 1);
    expect(redis.command('WAIT', 1, 100)).toBe(1);
    redis.command('SET', 'second', 1);
    redis.setReplicaFollows(false);
    expect(redis.command('WAIT', 1, 100)).toBe(0);
    redis.failover();
    expect(redis.command('MGET', 'first', 'second')).toEqual(['1', null]);
  });

  it('fails over for some keys alone: those are as they were, of every kind, and the others stay', () => {
    const { redis, clock } = begin();
    const isOf = (key: string) => key.startsWith('{sale#1}');
    const readAll = () =>
      redis.command(
        'EVAL',
        `local h, z, l = KEYS[1], KEYS[2], KEYS[3]
         return { redis.call('HGETALL', h), redis.call('ZRANGE', z, 0, -1, 'WITHSCORES'), redis.call('LRANGE', l, 0, -1), redis.call('GET', KEYS[4]) }`,
        4,
        ...['sale', 'free', 'undecided', 'lease'].map((name) => `{sale#1}:${name}`),
      );
    redis.command('HSET', '{sale#1}:sale', 's', 'one', 'empty', '');
    redis.command('ZADD', '{sale#1}:free', 0, 'tee|0000001', 1.5, 'tee|0000002');
    redis.command('RPUSH', '{sale#1}:undecided', 'a', 'b');
    redis.command('SET', '{sale#1}:lease', 'mine', 'PX', 5_000);
    redis.replicate();
    const before = readAll();
    redis.command('HSET', '{sale#1}:sale', 's', 'two', 't:0', '7|');
    redis.command('DEL', '{sale#1}:free', '{sale#1}:undecided', '{sale#1}:lease');
    redis.command('SET', '{sale#1}:new', 1);
    redis.command('SET', '{sale}:other', 'stays');
    const { identity } = redis;
    const moment = redis.snapshot();
    redis.failoverOf(isOf);
    expect(readAll()).toEqual(before);
    expect(redis.command('MGET', '{sale#1}:new', '{sale}:other')).toEqual([null, 'stays']);
    expect(redis.identity).not.toEqual(identity);
    expect(redis.at(moment, () => redis.command('EXISTS', '{sale#1}:new', '{sale#1}:free'))).toBe(1);
    redis.failoverOf(isOf, moment);
    expect(redis.command('EXISTS', '{sale#1}:new', '{sale#1}:free')).toBe(1);
    redis.failoverOf(isOf);
    clock.nowUs += 5_001_000;
    expect(redis.command('GET', '{sale#1}:lease')).toBeNull();
    redis.flush(isOf);
    expect(redis.command('KEYS', '*')).toEqual(['{sale}:other']);
  });

  it('goes back to a snapshot byte by byte, though it has grown since', () => {
    const { redis } = begin();
    redis.command('RPUSH', 'list', 'a', 'b');
    const snapshot = redis.snapshot();
    for (let index = 0; index < 2_000; index++) redis.command('SET', `key-${index}`, 'x'.repeat(500));
    redis.rollback(snapshot);
    expect([redis.command('DBSIZE'), redis.command('LRANGE', 'list', 0, -1)]).toEqual([1, ['a', 'b']]);
    for (let index = 0; index < 2_000; index++) redis.command('SET', `key-${index}`, 'y'.repeat(500));
    expect(redis.command('GET', 'key-1999')).toBe('y'.repeat(500));
  });

  it('throws what the server refuses as ioredis does', () => {
    const { redis } = begin();
    redis.command('SET', 'text', 'a');
    expect(() => redis.command('HGET', 'text', 'f')).toThrow(
      expect.objectContaining({ name: 'ReplyError', message: expect.stringMatching(/^WRONGTYPE /) }),
    );
  });
});
