import type { FaultKind } from './fault-kinds.ts';
import type { World } from './world.ts';

const kinds = ['redis-empty', 'redis-behind', 'redis-away'] as const satisfies readonly FaultKind[];
type RedisKind = (typeof kinds)[number];

/** How far a replica may be behind when it takes over. */
const lagMsMax = 4_000;
const awayMs = { min: 1_000, max: 25_000 };

/** What happens to Redis as a whole, at the times that the plan names. `done` resolves when all of it has happened, and Redis is there again. */
export function troubleRedis(world: World): { readonly done: Promise<unknown> } {
  const { plan, machine, faults, history } = world;
  const { redis } = machine;
  const random = machine.random.fork('redis');

  async function strike(kind: RedisKind, fromMs: number): Promise<void> {
    const lagMs = random.int(lagMsMax);
    await machine.sleep(Math.max(0, fromMs - lagMs - world.elapsedMs()));
    // A replica that lags is at this moment's state when it takes over; what waited for it (WAIT) it has besides.
    if (kind === 'redis-behind') redis.replicate();
    await machine.sleep(Math.max(0, fromMs - world.elapsedMs()));
    const luck = faults.strikes(kind);
    if (!luck) return;
    switch (kind) {
      case 'redis-empty':
        return luck.chance(0.5) ? redis.restart() : redis.flush();
      case 'redis-behind':
        return redis.failover();
      case 'redis-away': {
        redis.down();
        await machine.sleep(luck.between(awayMs.min, awayMs.max));
        redis.up();
        history.tell('Redis is reached again');
      }
    }
  }

  const planned = plan.faults.filter((fault): fault is typeof fault & { kind: RedisKind } =>
    (kinds as readonly string[]).includes(fault.kind),
  );
  return { done: Promise.all(planned.map(({ kind, fromMs }) => strike(kind, fromMs))) };
}
