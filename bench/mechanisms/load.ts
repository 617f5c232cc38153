import { Latencies, type Percentiles } from '../../lib/client/latencies.ts';
import type { Random } from '../../test/simulation/random.ts';
import { type Told, type Verdict, verdictOf } from './check.ts';
import type { Attempt, Crash, Mechanism, Shop } from './mechanism.ts';

export interface Sizes {
  readonly attempts: number;
  readonly stock: number;
  /** Buyers at a time, each with a connection. */
  readonly lanes: number;
  readonly quantityMax: number;
}

const repeatEvery = 5;
/** So far back a repeated key was used first: some of the first attempts are still on their way then, others are long answered. */
const repeatBackMax = 100;
const stallShare = 0.01;

/** What buyers ask for, in order: every fifth asks again under an earlier key, for the same. */
export function attemptsOf({ attempts, quantityMax }: Sizes, random: Random): Attempt[] {
  const all: Attempt[] = [];
  for (let number = 0; number < attempts; number++) {
    const isRepeat = number % repeatEvery === repeatEvery - 1;
    const earlier = isRepeat ? all[Math.max(0, number - random.between(1, repeatBackMax))] : undefined;
    const fresh = { key: `key-${number}`, buyerId: `buyer-${number}`, quantity: random.between(1, quantityMax) };
    all.push({ ...(earlier ?? fresh), number, stalls: random.chance(stallShare) });
  }
  return all;
}

export interface Crowded {
  readonly verdict: Verdict;
  readonly attemptsPerSecond: number;
  /** Until the last one that sold. */
  readonly salesPerSecond: number;
  readonly latencies: Percentiles;
  /** Of the process that asks, for each attempt. */
  readonly clientMicros: number;
}

/** Opens a sale, lets the crowd at it, and judges what is stored afterwards. */
export async function crowd<World>(
  mechanism: Mechanism<World>,
  world: World,
  sizes: Sizes,
  { random, signal }: { readonly random: Random; readonly signal: AbortSignal },
): Promise<Crowded> {
  const attempts = attemptsOf(sizes, random).map((attempt) => (mechanism.stalls ? attempt : { ...attempt, stalls: false }));
  const shop = await mechanism.open(world, { stock: sizes.stock, leaseMs: leaseMs.ofCrowd, attempts });
  try {
    const startMs = performance.now();
    const startCpu = process.cpuUsage();
    const told = await ask(shop, attempts, sizes.lanes, signal);
    const { user, system } = process.cpuUsage(startCpu);
    const wallMs = performance.now() - startMs;
    const verdict = verdictOf(sizes.stock, told, await shop.orders());
    const latencies = new Latencies();
    for (const { invokedMs, respondedMs } of told) latencies.record(respondedMs - invokedMs);
    const sales = told.filter(({ answer }) => answer.sold);
    const sellingMs = sales.reduce((last, { respondedMs }) => Math.max(last, respondedMs), startMs) - startMs;
    return {
      verdict,
      attemptsPerSecond: (told.length / wallMs) * 1_000,
      salesPerSecond: sales.length === 0 ? 0 : (sales.length / sellingMs) * 1_000,
      latencies: latencies.percentiles(),
      clientMicros: (user + system) / told.length,
    };
  } finally {
    await shop.close?.();
  }
}

const leaseMs = { ofCrowd: 10_000, ofCrashed: 500 };

/** Each buyer takes the next attempt as soon as the last one is answered. */
async function ask(shop: Shop, attempts: readonly Attempt[], lanes: number, signal?: AbortSignal): Promise<Told[]> {
  const told: Told[] = [];
  let next = 0;
  const buyer = async (lane: number) => {
    for (let attempt = attempts[next++]; attempt; attempt = attempts[next++]) {
      signal?.throwIfAborted();
      const invokedMs = performance.now();
      const answer = await shop.buy(attempt, lane);
      told.push({ attempt, answer, invokedMs, respondedMs: performance.now() });
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, lane) => buyer(lane)));
  return told;
}

class Crashed extends Error {
  override readonly name = 'Crashed';
}

/**
 * So many clients die at the mechanism's worst point, each alone; then it may settle, and more buyers come than there is stock.
 * -> units that nobody can ever buy. `dies` closes a buyer's connection, so that nothing more of it arrives.
 */
export async function leakedUnits<World>(
  mechanism: Mechanism<World>,
  world: World,
  { crashes, stock }: { readonly crashes: number; readonly stock: number },
  dies: (lane: number) => void,
): Promise<number> {
  const attempts = Array.from({ length: crashes + 2 * stock }, (_, number): Attempt => {
    return { number, key: `key-${number}`, buyerId: `buyer-${number}`, quantity: 1, stalls: false };
  });
  const shop = await mechanism.open(world, { stock, leaseMs: leaseMs.ofCrashed, attempts });
  try {
    // The first connection is the shop's own, too.
    for (let lane = 1; lane <= crashes; lane++) await crashOf(shop, attempts.slice(lane - 1, lane), lane, dies);
    await shop.settle?.();
    await ask(shop, attempts.slice(crashes), 1);
    const sold = (await shop.orders()).reduce((sum, { quantity }) => sum + quantity, 0);
    return stock - sold;
  } finally {
    await shop.close?.();
  }
}

async function crashOf(shop: Shop, attempts: readonly Attempt[], lane: number, dies: (lane: number) => void): Promise<void> {
  let reached = false;
  const crash: Crash = () => {
    reached = true;
    dies(lane);
    throw new Crashed(`buyer ${lane}`);
  };
  for (const attempt of attempts) {
    await shop.buy(attempt, lane, crash).catch((error: unknown) => {
      if (!(error instanceof Crashed)) throw error;
    });
  }
  if (!reached) throw new Error('the crash met nothing');
}
