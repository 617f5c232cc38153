import { Redis } from 'ioredis';
import { connectRedis } from '../../functions/shared/redis.ts';
import { interleave } from '../lib/interleave.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import type { BenchContext, Section, SectionResult } from '../lib/section.ts';
import { bare } from './bare.ts';
import { complete } from './complete.ts';
import { decrRevert } from './decr-revert.ts';
import { dynamodbCounter } from './dynamodb-counter.ts';
import { fencedLock } from './fenced-lock.ts';
import { type Crowded, crowd, leakedUnits, type Sizes } from './load.ts';
import type { Mechanism, RedisWorld } from './mechanism.ts';
import { type Group, report } from './report.ts';
import { reserve } from './reserve.ts';
import { ttlLock } from './ttl-lock.ts';
import { watch } from './watch.ts';

const shortTtlMs = 20;
const lock = ttlLock();
const onRedis = [lock, ttlLock({ ttlMs: shortTtlMs }), fencedLock(), fencedLock({ ttlMs: shortTtlMs }), watch, decrRevert, bare, reserve];
/** Where it matters that buyers want different numbers of units. */
const mixed = [decrRevert, bare, reserve];
const onDynamodb = [dynamodbCounter, complete];

const full: Sizes = { attempts: 20_000, stock: 1_000, lanes: 64, quantityMax: 1 };
const ofDatabase: Sizes = { attempts: 2_000, stock: 100, lanes: 64, quantityMax: 1 };
const quick: Sizes = { attempts: 200, stock: 20, lanes: 8, quantityMax: 1 };
const mixedQuantityMax = 3;
const crashes = { full: { crashes: 5, stock: 50 }, quick: { crashes: 2, stock: 5 } };

export const section: Section = {
  name: 'mechanisms',
  title: 'ways to sell limited stock, the same crowd at each',
  async run(context): Promise<SectionResult> {
    const sizes = context.quick ? quick : full;
    const redis = await context.redis({ pinned: !context.quick });
    const world = { url: redis.url, lanes: connect(redis, sizes.lanes) };
    context.onStop(() => disconnect(world));

    // The same crowd at every mechanism of a round.
    const inRound = (round: number) => ({ random: context.random.fork(`crowd ${round}`), signal: context.signal });
    const onEmpty = (of: Sizes) => async (mechanism: Mechanism<RedisWorld>, round: number) => {
      await redis.flush();
      return crowd(mechanism, world, of, inRound(round));
    };
    const same = await interleave(context, onRedis, onEmpty(sizes));
    const mixedSizes = { ...sizes, quantityMax: mixedQuantityMax };
    const unequal = await interleave(context, mixed, onEmpty(mixedSizes));
    const leaks = await leaksOnRedis(redis, context);

    // It goes before the others come: they are not to be pinned as this process is now.
    disconnect(world);
    await redis.stop();
    const databaseSizes = context.quick ? quick : ofDatabase;
    const claimed = await interleave(context, onDynamodb, (mechanism, round) => crowd(mechanism, undefined, databaseSizes, inRound(round)));
    await addLeaksOnDynamodb(leaks, context);
    const groups: Group[] = [
      { group: 'Redis', sizes, ours: reserve, mechanisms: measured(same) },
      { group: `Redis, 1 to ${mixedQuantityMax} units each`, sizes: mixedSizes, ours: reserve, mechanisms: measured(unequal) },
      { group: 'DynamoDB', sizes: databaseSizes, ours: complete, mechanisms: measured(claimed) },
    ];
    const references = { lock: lock.name, watch: watch.name, decr: decrRevert.name, bare: bare.name };
    return report({ groups, leaks, references, redis, ...crashesOf(context) });
  },
};

const crashesOf = (context: BenchContext) => (context.quick ? crashes.quick : crashes.full);

const measured = <World>(rounds: ReadonlyMap<Mechanism<World>, readonly Crowded[]>) =>
  [...rounds].map(([{ name, ours }, of]) => ({ name, ours: ours === true, rounds: of }));

/** By mechanism, how many units nobody could ever buy after as many clients died at its worst point. */
async function leaksOnRedis(redis: BenchRedis, context: BenchContext): Promise<Map<string, number>> {
  const sizes = crashesOf(context);
  const leaks = new Map<string, number>();
  for (const mechanism of onRedis) {
    context.signal.throwIfAborted();
    context.log(`${sizes.crashes} crashes: ${mechanism.name}`);
    await redis.flush();
    // Connections that are lost in it: of its own.
    const world = { url: redis.url, lanes: connect(redis, sizes.crashes + 1) };
    try {
      leaks.set(mechanism.name, await leakedUnits(mechanism, world, sizes, (lane) => world.lanes[lane]?.disconnect()));
    } finally {
      disconnect(world);
    }
  }
  return leaks;
}

async function addLeaksOnDynamodb(leaks: Map<string, number>, context: BenchContext): Promise<void> {
  const sizes = crashesOf(context);
  for (const mechanism of onDynamodb) {
    context.signal.throwIfAborted();
    context.log(`${sizes.crashes} crashes: ${mechanism.name}`);
    leaks.set(mechanism.name, await leakedUnits(mechanism, undefined, sizes, () => {}));
  }
}

/** By the client that ships, for all mechanisms alike. */
function connect({ url }: Pick<BenchRedis, 'url'>, count: number): Redis[] {
  return Array.from({ length: count }, () => {
    const client = connectRedis({ url, mode: 'single', commandTimeoutMs: 10_000 });
    if (!(client instanceof Redis)) throw new Error('a single server has a single client');
    return client;
  });
}

function disconnect({ lanes }: RedisWorld): void {
  for (const lane of lanes) lane.disconnect();
}
