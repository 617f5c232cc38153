import { setTimeout as pause } from 'node:timers/promises';
import { axes, levelsOf, type Sizes } from '../growth/levels.ts';
import { digestOf } from '../lib/bare-script.ts';
import { loadSale, newHoldReply } from '../lib/load-sale.ts';
import { batchesOf, encode, openResp } from '../lib/resp.ts';
import { buyerIdOf, holdIdOf, payloadHash, wordsOf } from '../lib/stock-calls.ts';
import { type CalledRedis, type CallKind, callKinds } from '../script-level/calls.ts';
import type { CountedRedis } from './counted-redis.ts';
import { type FloorScript, floorScripts, type SeenReserve } from './floor.ts';
import type { Counted, Counts, Grown } from './report.ts';

export interface Counting {
  readonly calls: number;
  readonly rounds: number;
  readonly signal: AbortSignal;
  log(line: string): void;
}

/** As many requests at once as the bench sends, so that one look for work of the server has its share in each of them. */
const pipelined = 16;
const sale = { saleId: 'launch-day', units: 1_000_000, perBuyerLimit: 4 } as const;

/** Counts each kind of call, and then the pieces of a new hold. */
export async function countAll(redis: CountedRedis, counting: Counting): Promise<Counts> {
  const calls: Counted[] = [];
  for (const kind of callKinds) calls.push(await afresh(redis, counting, kindRequests(kind, counting)));
  const seen = await seenReserve(redis);
  const floor: Counted[] = [];
  for (const script of floorScripts(seen)) floor.push(await afresh(redis, counting, floorRequests(script, seen, counting)));
  return { calls, floor, growth: await growthOf(redis, counting) };
}

/** A new hold in the smallest sale and in the largest, of those in which `npm run bench` takes its time. */
async function growthOf(redis: CountedRedis, counting: Counting): Promise<Grown[]> {
  const sizes: Sizes = { units: [10, 1_000_000], holds: [0, 1_000_000], buyers: [], sales: [], calls: 2 * counting.calls };
  const levels = levelsOf(redis, sizes);
  const grown: Grown[] = [];
  for (const axis of axes) {
    const counts: Counted[] = [];
    for (const level of levels.filter((each) => each.axis === axis)) {
      await emptied(redis);
      await level.prepare();
      const what = `${level.x.toLocaleString('en')} ${axis}`;
      const send = async (round: number) => {
        const requests = await level.requests(round);
        return counted(redis, {
          what,
          reply: newHoldReply,
          before: requests.slice(0, counting.calls),
          counted: requests.slice(counting.calls),
        });
      };
      counts.push(await lowest(what, counting, send));
    }
    const [smallest, largest] = counts;
    if (smallest && largest) grown.push({ smallest, largest });
  }
  return grown;
}

/** What is to be counted, and what is sent before it: a script's first calls, and a sale with holds in it. */
interface Requests {
  readonly what: string;
  readonly reply: string;
  readonly before?: readonly string[];
  readonly counted: readonly string[];
}

/** On an empty Redis. */
interface Prepared extends Pick<Requests, 'what' | 'reply'> {
  prepare(redis: CalledRedis): Promise<Required<Pick<Requests, 'before' | 'counted'>>>;
}

/**
 * As many before as are counted: between so many fields of a hash and twice as many lies one doubling of its table, the share that each new field has
 * in the long run.
 */
const kindRequests = (kind: CallKind, { calls }: Counting): Prepared => ({
  what: kind.what,
  reply: kind.reply,
  async prepare(redis) {
    const count = Math.min(calls, Math.floor((kind.callsMax ?? Number.POSITIVE_INFINITY) / 2));
    const requests = await kind.prepare(redis, 2 * count);
    return { before: requests.slice(0, count), counted: requests.slice(count) };
  },
});

const floorRequests = (script: FloorScript, seen: SeenReserve, { calls }: Counting): Prepared => ({
  what: script.adds,
  reply: script.reply,
  async prepare(redis) {
    const first = Math.min(pipelined, calls);
    // As many holds are there as when a new hold is counted.
    await loadSale(redis, { ...sale, holds: calls - first });
    await redis.admin.script('LOAD', script.lua);
    const requests = Array.from({ length: first + calls }, (_, index) => {
      const ids = [holdIdOf(calls - first + 1 + index), buyerIdOf(calls - first + 1 + index)];
      const args = seen.args.map((arg) => ids[seen.ids.indexOf(arg)] ?? arg);
      return encode(['EVALSHA', digestOf(script.lua), seen.keys.length, ...seen.keys, ...args]);
    });
    return { before: requests.slice(0, first), counted: requests.slice(first) };
  },
});

/** Each round on an empty Redis with a new Lua. */
const afresh = (redis: CountedRedis, counting: Counting, { what, reply, prepare }: Prepared): Promise<Counted> =>
  lowest(what, counting, async () => {
    await emptied(redis);
    return counted(redis, { what, reply, ...(await prepare(redis)) });
  });

async function emptied({ admin }: CalledRedis): Promise<void> {
  await admin.flushall('SYNC');
  await admin.script('FLUSH', 'SYNC');
}

/** Of some rounds the one into which least of something else fell. */
async function lowest(what: string, { rounds, signal, log }: Counting, count: (round: number) => Promise<Counted>): Promise<Counted> {
  const rows: Counted[] = [];
  for (let round = 0; round < rounds; round++) {
    signal.throwIfAborted();
    rows.push(await count(round));
  }
  log(`${what}: ${rows.map(({ instructions }) => Math.round(instructions)).join(', ')}`);
  const instructions = Math.min(...rows.map((row) => row.instructions));
  return { what, instructions, faults: rows.flatMap(({ faults }) => faults) };
}

async function counted(redis: CountedRedis, { what, reply, before = [], counted: toCount }: Requests): Promise<Counted> {
  const client = await openResp(redis.port, 1);
  const faults: string[] = [];
  const send = async (requests: readonly string[]) => {
    const { calls, unexpected, firstUnexpected } = await client.send(batchesOf(requests, pipelined), reply);
    if (unexpected > 0)
      faults.push(`${what}: ${unexpected} of ${calls} answers are not what they should be, the first: ${firstUnexpected}`);
  };
  try {
    await send(before);
    const instructions = await redis.count(() => send(toCount));
    return { what, instructions: instructions / toCount.length, faults };
  } finally {
    client.close();
  }
}

const seenMsMax = 30_000;
const tooLate = async () => {
  await pause(seenMsMax, undefined, { ref: false });
  throw new Error(`MONITOR did not show what the reserve script does within ${seenMsMax / 1_000} s`);
};

/** Reserves once, and listens to what the script asks of Redis meanwhile. Throws when the script does not give the hold. */
async function seenReserve({ url, port, admin }: CalledRedis): Promise<SeenReserve> {
  await admin.flushall('SYNC');
  await loadSale({ url, port }, sale);
  const [holdId, buyerId] = [holdIdOf(1), buyerIdOf(1)];
  const lines = [{ sku: 'tee', quantity: 1 }];
  const words = await wordsOf((stock) => stock.reserve({ saleId: sale.saleId, holdId, buyerId, payloadHash, lines }));
  const [digest, keyCount, ...rest] = words.map(String);
  const monitor = await admin.monitor();
  try {
    const commands: string[][] = [];
    const ended = new Promise<void>((resolve) => {
      monitor.on('monitor', (_atSeconds: string, [name = '', ...args]: string[], source: string) => {
        if (source === 'lua') commands.push([name.toUpperCase(), ...args]);
        if (name.toLowerCase() === 'echo') resolve();
      });
    });
    const answer = String(await admin.call('EVALSHA', digest ?? '', keyCount ?? '', ...rest));
    if (!answer.startsWith(newHoldReply)) throw new Error(`the reserve script answers ${answer} to its first buyer`);
    await admin.echo('the end');
    await Promise.race([ended, tooLate()]);
    const keys = rest.slice(0, Number(keyCount));
    return { keys, args: rest.slice(keys.length), ids: [holdId, buyerId], commands, answer };
  } finally {
    monitor.disconnect();
  }
}
