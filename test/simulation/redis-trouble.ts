import type { FaultKind } from './fault-kinds.ts';
import type { Snapshot } from './machine/redis.ts';
import type { Random } from './random.ts';
import { stocksOf } from './redis-view.ts';
import { saleId, type World } from './world.ts';

const kinds = ['redis-empty', 'redis-behind', 'redis-away'] as const satisfies readonly FaultKind[];
type RedisKind = (typeof kinds)[number];

/** How far a replica may be behind when it takes over. */
const lagMsMax = 4_000;
const awayMs = { min: 1_000, max: 25_000 };
/** Of a sale over several shards, how often all of them forget, and not one alone, as when one master of a cluster fails over. */
const allForget = 0.4;

/** What happens to Redis as a whole, or to one shard of the sale, at the times that the plan names. `done` resolves when all of it has happened, and Redis is there again. */
export function troubleRedis(world: World): { readonly done: Promise<unknown> } {
  const { plan, machine, faults, history } = world;
  const { redis } = machine;
  const random = machine.random.fork('redis');

  async function strike(kind: RedisKind, fromMs: number): Promise<void> {
    const lagMs = random.int(lagMsMax);
    await machine.sleep(Math.max(0, fromMs - lagMs - world.elapsedMs()));
    // A replica that lags is at this moment's state when it takes over; what waited for it (WAIT) it has besides.
    if (kind === 'redis-behind') redis.replicate();
    const before = kind === 'redis-behind' && plan.shards !== undefined ? redis.snapshot() : undefined;
    await machine.sleep(Math.max(0, fromMs - world.elapsedMs()));
    const luck = faults.strikes(kind);
    if (!luck) return;
    const stockId = kind === 'redis-away' ? undefined : oneOf(plan.shards, luck);
    if (stockId !== undefined) history.tell(`it happens to ${stockId} alone`);
    const isOf = stockId === undefined ? undefined : (key: string) => key.startsWith(`{${stockId}}`);
    switch (kind) {
      case 'redis-empty':
        if (isOf) return redis.flush(isOf);
        return luck.chance(0.5) ? redis.restart() : redis.flush();
      case 'redis-behind':
        if (!isOf || stockId === undefined) return redis.failover();
        return redis.failoverOf(isOf, before && isUnwaited(stockId, before) ? before : undefined);
      case 'redis-away': {
        redis.down();
        await machine.sleep(luck.between(awayMs.min, awayMs.max));
        redis.up();
        history.tell('Redis is reached again');
      }
    }
  }

  /**
   * Whether a replica of this shard alone may be as far behind. A `WAIT` for one shard is one for all here, which all live on one server; on a cluster it is
   * for the one. Waited for are the sale's own record, and what a shard has got from others.
   */
  function isUnwaited(stockId: string, before: Snapshot): boolean {
    const waitedFor = () => {
      const froms = stocksOf(saleId, plan.shards).map((_, from) => `g:${from}`);
      return JSON.stringify(redis.command('HMGET', `{${stockId}}:sale`, 's', ...froms));
    };
    return redis.at(before, waitedFor) === waitedFor();
  }

  const planned = plan.faults.filter((fault): fault is typeof fault & { kind: RedisKind } =>
    (kinds as readonly string[]).includes(fault.kind),
  );
  return { done: Promise.all(planned.map(({ kind, fromMs }) => strike(kind, fromMs))) };
}

/** The stock of the one shard that forgets; undefined where all do. */
const oneOf = (shards: number | undefined, luck: Random): string | undefined =>
  shards === undefined || luck.chance(allForget) ? undefined : luck.pick(stocksOf(saleId, shards));
