import { loadSale, newHoldReply } from '../lib/load-sale.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import { batchesOf, openResp } from '../lib/resp.ts';
import { reserveEncoder } from '../lib/stock-calls.ts';
import type { CalledRedis } from '../script-level/calls.ts';

/** Microseconds of one call: inside the script's command, and of the server's CPU altogether. */
export interface Cost {
  readonly exec: number;
  readonly cpu: number;
  readonly callsPerSecond: number;
  /** Of a batch of calls, as whoever sent it waits for it, in microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A size of what grows. `requests` are the calls that are measured, none of which was made before. */
export interface Level {
  readonly axis: Axis;
  readonly x: number;
  prepare(): Promise<void>;
  requests(round: number): Promise<string[]>;
}

export const axes = ['units', 'holds', 'buyers', 'sales'] as const;
export type Axis = (typeof axes)[number];

export type Sizes = Readonly<Record<Axis, readonly number[]>> & { readonly calls: number };

export const fullSizes: Sizes = {
  units: [10, 1_000, 100_000, 1_000_000],
  holds: [0, 10_000, 100_000, 1_000_000],
  buyers: [100, 1_000, 10_000, 100_000],
  sales: [1, 10, 100, 1_000],
  calls: 2_000,
};
export const quickSizes: Sizes = { units: [10, 1_000], holds: [0, 500], buyers: [20, 200], sales: [1, 10], calls: 40 };

const itemMax = 1_000_000;
const other = 'cap';
const fresh = 'tee';
/** Numbers of holds that no preparation has used. */
const measuredFrom = 2_000_000;
const unitsTakenOfEach = 10;

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

export function levelsOf(redis: CalledRedis, sizes: Sizes): Level[] {
  return [
    ...sizes.units.map((x) => byUnits(redis, x, sizes.calls)),
    ...sizes.holds.map((x) => byHolds(redis, x, sizes.calls)),
    ...sizes.buyers.map((x) => byBuyers(redis, x, sizes.calls)),
    ...sizes.sales.map((x) => bySales(redis, x, sizes.calls)),
  ];
}

/** Sales that sell so many units, as many sales whatever their size, each with nothing sold: the smallest has no more than ten. */
function byUnits(redis: CalledRedis, x: number, calls: number): Level {
  return {
    axis: 'units',
    x,
    prepare: async () => {},
    async requests(round) {
      const sales = numbers(Math.ceil(calls / unitsTakenOfEach)).map((number) => `units-${x}-${round}-${number}`);
      const perSale: string[][] = [];
      for (const saleId of sales) {
        await loadSale(redis, { saleId, units: x });
        const encode = await reserveEncoder({ saleId, lines: [{ sku: fresh, quantity: 1 }] });
        perSale.push(numbers(unitsTakenOfEach).map((number) => encode(number, number)));
      }
      return perSale.flat();
    },
  };
}

/** One sale with so many holds and no limit, so that holds alone grow; the smallest is a fresh one each time. */
function byHolds(redis: CalledRedis, x: number, calls: number): Level {
  const plan = { units: itemMax, skus: [fresh, other] };
  return {
    axis: 'holds',
    x,
    prepare: async () => (x === 0 ? undefined : loadSale(redis, { ...plan, saleId: `holds-${x}`, holds: x })),
    async requests(round) {
      const saleId = x === 0 ? `holds-none-${round}` : `holds-${x}`;
      if (x === 0) await loadSale(redis, { ...plan, saleId });
      const encode = await reserveEncoder({ saleId, lines: [{ sku: other, quantity: 1 }] });
      const from = measuredFrom + round * calls;
      return numbers(calls).map((number) => encode(from + number, from + number));
    },
  };
}

const limit = 20;

/** Sales with a limit, in which so many buyers have a unit and buy one more; few buyers have several sales, so that none comes near the limit. */
function byBuyers(redis: CalledRedis, x: number, calls: number): Level {
  const plan = { units: itemMax, holds: x, perBuyerLimit: limit };
  const isMade = x < calls * limit;
  const encoders = async (saleIds: readonly string[]) =>
    Promise.all(saleIds.map((saleId) => reserveEncoder({ saleId, lines: [{ sku: fresh, quantity: 1 }] })));
  return {
    axis: 'buyers',
    x,
    prepare: async () => (isMade ? undefined : loadSale(redis, { ...plan, saleId: `buyers-${x}` })),
    async requests(round) {
      const saleIds = isMade ? numbers(Math.ceil(calls / x)).map((number) => `buyers-${x}-${round}-${number}`) : [`buyers-${x}`];
      if (isMade) for (const saleId of saleIds) await loadSale(redis, { ...plan, saleId });
      const from = isMade ? 0 : round * calls;
      const encode = await encoders(saleIds);
      return numbers(calls).flatMap((number) => {
        const one = encode[Math.floor(number / x) % encode.length];
        const buyer = ((from + number) % x) + 1;
        return one ? [one(measuredFrom + from + number, buyer)] : [];
      });
    },
  };
}

/** So many sales, which are bought from in turns. */
function bySales(redis: CalledRedis, x: number, calls: number): Level {
  const saleIds = numbers(x).map((number) => `sales-${x}-${number}`);
  const encoders = () => Promise.all(saleIds.map((saleId) => reserveEncoder({ saleId, lines: [{ sku: fresh, quantity: 1 }] })));
  return {
    axis: 'sales',
    x,
    async prepare() {
      // With one hold each: a sale's first makes its hash another one inside Redis.
      for (const saleId of saleIds) await loadSale(redis, { saleId, units: itemMax, holds: 1 });
    },
    async requests(round) {
      const encode = await encoders();
      const from = measuredFrom + round * calls;
      return numbers(calls).flatMap((number) => encode[number % x]?.(from + number, from + number) ?? []);
    },
  };
}

const connections = 8;
const pipelined = 16;

/** What the calls of a level cost the server. Throws when any of them did not get its unit. */
export async function costOf(redis: BenchRedis, level: Level, round: number): Promise<Cost> {
  const requests = await level.requests(round);
  const client = await openResp(redis.port, connections);
  try {
    await redis.resetStats();
    const cpuBefore = await redis.cpuMicros();
    const { calls, wallMs, batchMs, unexpected, firstUnexpected } = await client.send(batchesOf(requests, pipelined), newHoldReply);
    const cpu = (await redis.cpuMicros()) - cpuBefore;
    if (unexpected > 0) throw new Error(`${unexpected} of ${calls} calls by ${level.axis} (${level.x}) got no unit: ${firstUnexpected}`);
    const executed = (await redis.executed()).get('evalsha');
    if (executed?.calls !== calls) throw new Error(`Redis counted ${executed?.calls} calls of ${calls}`);
    const sortedMs = [...batchMs].sort((a, b) => a - b);
    const micros = (share: number) => 1_000 * (sortedMs[Math.floor(share * (sortedMs.length - 1))] ?? Number.NaN);
    const callsPerSecond = (1_000 * calls) / wallMs;
    return { exec: executed.micros / calls, cpu: cpu / calls, callsPerSecond, p50: micros(0.5), p99: micros(0.99) };
  } finally {
    client.close();
  }
}
