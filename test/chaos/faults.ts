import { pause } from '../../lib/client/bounded.ts';
import type { Random } from '../simulation/random.ts';
import { type ProxyFault, proxyFaults, type TcpProxy } from './proxy.ts';
import { disturbQueues, type Mischief } from './queues.ts';
import { follows, offsetOf } from './redis-servers.ts';
import { type Container, killContainer } from './runtime.ts';
import { skewOf } from './skew.ts';
import type { World } from './world.ts';

const ofRedis = proxyFaults.map((fault) => `redis-${fault}` as const);
const ofDatabase = proxyFaults.map((fault) => `dynamodb-${fault}` as const);

export const faultKinds = [
  'container-kill',
  'front-end-kill',
  'redis-kill-kept',
  'redis-kill-empty',
  'redis-flushall',
  'redis-promotion',
  ...ofRedis,
  ...ofDatabase,
  'dynamodb-throttling',
  'queue-duplicates',
  'queue-delays',
  'clock-skew',
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What one injection came to. `effects` 0: nobody met it. */
export interface Injected {
  readonly kind: FaultKind;
  /** Processes killed, bytes missed, connections or messages met: how much there was of it. */
  readonly effects: number;
  readonly words: string;
}

interface Scene {
  readonly world: World;
  readonly random: Random;
  /** How long it may go on. */
  readonly ms: number;
}

type Came = Omit<Injected, 'kind'>;
type Injector = (scene: Scene) => Promise<Came>;

/** Injects one fault for about `ms` milliseconds and takes it back, as far as that can be: what is killed is started again. */
export async function inject(kind: FaultKind, scene: Scene): Promise<Injected> {
  return { kind, ...(await injectors[kind](scene)) };
}

const came = (effects: number, what: string): Came => ({ effects, words: `${effects} ${what}` });

/** What buyers wait for: these are killed most of the time, and all others now and then. */
const isBusy = ({ functionName }: Container): boolean =>
  /Reserve|Payment|Confirm|Api|Fulfil|Dispatch|Cart|Alloc|Compens/.test(functionName);

async function killContainers({ world, random, ms }: Scene): Promise<Came> {
  // One after the other, for longer than other faults last: a container that is back is killed again.
  const endMs = performance.now() + 2 * ms;
  let kills = 0;
  do {
    const all = world.runtime.containers();
    const busy = all.filter(isBusy);
    const among = random.chance(0.8) && busy.length > 0 ? busy : all;
    if (among.length > 0 && killContainer(random.pick(among))) kills++;
    await pause(100 + random.int(500));
  } while (performance.now() < endMs);
  return came(kills, 'containers killed');
}

async function killFrontEnd({ world, random }: Scene): Promise<Came> {
  await world.runtime.kill();
  await pause(random.int(1_000));
  await world.runtime.start();
  return came(1, 'front end killed');
}

/** Whoever changes which Redis there is does so alone. */
let redisIsChanged = Promise.resolve();

function aloneWithRedis<Result>(work: () => Promise<Result>): Promise<Result> {
  const result = redisIsChanged.then(work);
  redisIsChanged = result.then(
    () => {},
    () => {},
  );
  return result;
}

const reviveRedis: Injector = ({ world, random }) =>
  aloneWithRedis(async () => {
    await world.redis.kill();
    await pause(random.int(1_500));
    world.redis = await world.redis.revive();
    world.redisProxy.moveTo(world.redis.port);
    return came(1, 'Redis killed and started over its file');
  });

const emptyRedis: Injector = ({ world, random }) =>
  aloneWithRedis(async () => {
    await world.redis.kill();
    await pause(random.int(1_500));
    world.redis = await world.servers.start();
    world.redisProxy.moveTo(world.redis.port);
    return came(1, 'Redis killed and started empty');
  });

const flushRedis: Injector = ({ world }) =>
  aloneWithRedis(async () => {
    const keys = Number(await world.redis.ask('DBSIZE'));
    await world.redis.ask('FLUSHALL');
    return { effects: keys > 0 ? 1 : 0, words: `FLUSHALL of ${keys} keys` };
  });

const writesAwaitedMs = 4_000;

/** A replica that follows through a link on which, from some moment on, nothing arrives any more; then it takes over, and the primary dies. */
const promoteReplica: Injector = ({ world, random, ms }) =>
  aloneWithRedis(async () => {
    const primary = world.redis;
    const link = await world.linkTo(primary.port);
    try {
      const replica = await world.servers.start({ replicaOf: link.port });
      await follows(replica, primary);
      link.begin({ fault: 'swallow', share: 1, random });
      const missed = async () => (await offsetOf(primary)) - (await offsetOf(replica));
      await pause(random.int(Math.max(1, Math.min(ms, 3_000))));
      // Without a write there would be nothing to miss.
      for (let waitedMs = 0; (await missed()) <= 0 && waitedMs < writesAwaitedMs; waitedMs += 100) await pause(100);
      const bytes = await missed();
      await replica.ask('REPLICAOF', 'NO', 'ONE');
      world.redis = replica;
      // Some clients learn later than others that there is another primary: until then they talk to the old one.
      const isSplit = random.chance(0.5);
      world.redisProxy.moveTo(replica.port, { leaveOld: isSplit });
      if (isSplit) await pause(random.int(1_500));
      await primary.kill();
      world.redisProxy.breakOld();
      return {
        effects: bytes > 0 ? 1 : 0,
        words: `replica promoted that missed ${bytes} bytes${isSplit ? ', beside its primary for a while' : ''}`,
      };
    } finally {
      await link.stop();
    }
  });

/** Several faults may want one proxy: the later one has it, and the earlier one ends early. */
const disturbing = new WeakMap<TcpProxy, Promise<unknown>>();

const throughProxy =
  (proxyOf: (world: World) => TcpProxy, fault: ProxyFault): Injector =>
  async ({ world, random, ms }) => {
    const proxy = proxyOf(world);
    const work = (disturbing.get(proxy) ?? Promise.resolve()).then(async () => {
      const before = proxy.effects[fault];
      // Not all connections: what gets through at the same time is what makes it hard.
      proxy.begin({ fault, random, share: 0.3 + 0.7 * random.next(), delayMsMax: 100 + random.int(1_500), everyMs: 100 + random.int(400) });
      await pause(ms);
      proxy.end();
      return came(proxy.effects[fault] - before, proxyWords[fault]);
    });
    disturbing.set(proxy, work);
    return work;
  };

const proxyWords: Readonly<Record<ProxyFault, string>> = {
  delay: 'pieces delayed',
  drop: 'connections whose requests vanished',
  reset: 'connections reset',
  'half-open': 'connections accepted by nobody',
  swallow: 'connections whose answers vanished',
};

async function throttle({ world, random, ms }: Scene): Promise<Came> {
  const before = world.throttling.refused;
  world.throttling.share = 0.2 + 0.7 * random.next();
  await pause(ms);
  world.throttling.share = 0;
  return came(world.throttling.refused - before, 'calls throttled');
}

const withQueues =
  (mischief: Mischief): Injector =>
  async ({ world, random, ms }) =>
    came(
      await disturbQueues(() => world.runtime.facts, mischief, random, ms),
      mischief === 'delay' ? 'messages delayed' : 'messages sent again',
    );

async function skewClocks({ world, random, ms }: Scene): Promise<Came> {
  const plan = { share: 0.5, skewMs: 120_000, salt: String(random.int(1_000_000)) };
  await world.clocks.set(plan);
  await pause(ms);
  const skewed = world.runtime.containers().filter(({ pid }) => skewOf(pid, plan) !== 0).length;
  return came(skewed, 'containers two minutes off');
}

const redisProxyOf = (world: World): TcpProxy => world.redisProxy;
const databaseProxyOf = (world: World): TcpProxy => world.databaseProxy;

const injectors: Readonly<Record<FaultKind, Injector>> = {
  'container-kill': killContainers,
  'front-end-kill': killFrontEnd,
  'redis-kill-kept': reviveRedis,
  'redis-kill-empty': emptyRedis,
  'redis-flushall': flushRedis,
  'redis-promotion': promoteReplica,
  'redis-delay': throughProxy(redisProxyOf, 'delay'),
  'redis-drop': throughProxy(redisProxyOf, 'drop'),
  'redis-reset': throughProxy(redisProxyOf, 'reset'),
  'redis-half-open': throughProxy(redisProxyOf, 'half-open'),
  'redis-swallow': throughProxy(redisProxyOf, 'swallow'),
  'dynamodb-delay': throughProxy(databaseProxyOf, 'delay'),
  'dynamodb-drop': throughProxy(databaseProxyOf, 'drop'),
  'dynamodb-reset': throughProxy(databaseProxyOf, 'reset'),
  'dynamodb-half-open': throughProxy(databaseProxyOf, 'half-open'),
  'dynamodb-swallow': throughProxy(databaseProxyOf, 'swallow'),
  'dynamodb-throttling': throttle,
  'queue-duplicates': withQueues('duplicate'),
  'queue-delays': withQueues('delay'),
  'clock-skew': skewClocks,
};
