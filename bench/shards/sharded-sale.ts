import { setTimeout as pause } from 'node:timers/promises';
import { holdIdOf, orderIdOf, payloadHashOf } from '../../functions/shared/ids.ts';
import type { RedisClient } from '../../functions/shared/redis.ts';
import { isSharded, type Sharded, stockIdsOf } from '../../functions/stock/shards.model.ts';
import { oneStock, type ReserveRequest, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { type Answer, type Attempt, gaveUp, type Mechanism, type StoredOrder, soldOut } from '../mechanisms/mechanism.ts';
import type { Witness } from './watch.ts';

const holdSecret = 'a secret of the bench';
/** Nobody is in danger of it: what is measured is that it is looked at. */
const perBuyerLimit = 20;
const hourMs = 3_600_000;
/** Who is told to try again waits so long, and asks so often at most. */
const tryAgainMs = 5;
const triesMax = 1_000;

export interface World {
  /** For what is not measured. */
  readonly admin: RedisClient;
  /** Buyers' clients, each as a container of its own has one. */
  readonly lanes: readonly RedisClient[];
}

type Reserve = (request: ReserveRequest & Sharded) => Promise<{ readonly outcome: string }>;

export interface Verbs {
  readonly name: string;
  readonly reserve: (redis: RedisClient) => Reserve;
}

/** As they ship: of a sale, whatever the number of its shards. */
export const saleVerbs: Verbs = {
  name: 'a sale of one shard, by the verbs that know shards',
  reserve: (redis) => stockScripts(redis).reserve,
};
/** What a sale of one shard needs. */
export const stockVerbs: Verbs = { name: 'its one stock, by the verbs beneath', reserve: (redis) => oneStock(redis).reserve };

const requestOf = ({ saleId }: Sharded, { key, buyerId, quantity }: Attempt): ReserveRequest => {
  const lines = [{ sku: 'tee', quantity }];
  return { saleId, holdId: holdIdOf(holdSecret, buyerId, saleId, key), buyerId, payloadHash: payloadHashOf(lines), lines };
};

/** Sells by the reserve verb alone: orders are in another store, so what counts afterwards are the holds that Redis has. */
export const saleOf = ({ reserve }: Verbs, sale: Sharded, witness: Witness): Mechanism<World> => ({
  name: sale.saleId,
  ours: true,
  async open({ admin, lanes }, { stock: units, leaseMs, attempts }) {
    await load(admin, sale, units, leaseMs);
    const verbs = lanes.map(reserve);
    // Beforehand: what a request's parsing and signing cost is not measured.
    const requests = new Map(attempts.map((attempt) => [attempt, { ...requestOf(sale, attempt), shards: sale.shards }]));
    await witness.opened();
    return {
      async buy(attempt, lane) {
        const [ask, request] = [verbs[lane], requests.get(attempt)];
        if (!ask || !request) throw new Error(`nobody asks for ${attempt.key} by connection ${lane}`);
        const hasAnswer = witness.asks(lane);
        const answer = await answerTo(ask, request, witness);
        hasAnswer();
        return answer;
      },
      async orders() {
        await witness.answered();
        return ordersOf(admin, sale, attempts);
      },
    };
  },
});

async function answerTo(ask: Reserve, request: ReserveRequest & Sharded, { sentAway }: Witness): Promise<Answer> {
  for (let tries = 0; tries < triesMax; tries++) {
    const { outcome } = await ask(request);
    if (outcome === 'RESERVED') return { sold: true, orderId: orderIdOf(request.holdId) };
    if (outcome === 'SOLD_OUT') return soldOut;
    if (outcome !== 'IN_TRANSIT') throw new Error(`reserve answered ${outcome}`);
    sentAway();
    await pause(tryAgainMs);
  }
  return gaveUp;
}

/** Microseconds of CPU that a call by these verbs takes the client, with nobody to wait for: whoever stands for Redis answers at once. */
export async function verbMicros({ reserve }: Verbs, calls: number): Promise<number> {
  const answers = { isCluster: false, evalsha: async () => 'RESERVED|1700000000000000|1700000300000|1|tee=1|' };
  const ask = reserve(answers as unknown as RedisClient);
  const sale = { saleId: 'launch-day', shards: 1 };
  const request = { ...requestOf(sale, { number: 0, key: 'key-0', buyerId: 'buyer-0', quantity: 1, stalls: false }), shards: sale.shards };
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) await ask(request);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function load(admin: RedisClient, sale: Sharded, units: number, leaseMs: number): Promise<void> {
  const stock = stockScripts(admin);
  const nowMs = await stock.nowMs();
  const { outcome } = await stock.load({
    ...{ saleId: sale.saleId, epoch: 1, version: 1, control: 'open', perBuyerLimit, holdSeconds: leaseMs / 1_000 },
    ...{ opensAtMs: nowMs - hourMs, closesAtMs: nowMs + 24 * hourMs, items: [{ sku: 'tee', total: units }] },
    ...(isSharded(sale) ? { shards: sale.shards } : {}),
  });
  if (outcome !== 'LOADED') throw new Error(`the sale is not loaded: ${outcome}`);
}

/** Over all shards: a unit that two of them gave out is seen twice. */
async function ordersOf(admin: RedisClient, sale: Sharded, attempts: readonly Attempt[]): Promise<StoredOrder[]> {
  const keyOf = new Map(attempts.map((attempt) => [requestOf(sale, attempt).holdId, attempt.key]));
  const stock = stockScripts(admin);
  const orders: StoredOrder[] = [];
  for (const stockId of stockIdsOf(sale)) {
    for await (const { holdId, lines } of stock.holds(stockId)) {
      const units = lines.flatMap((line) => line.units);
      orders.push({ orderId: orderIdOf(holdId), key: keyOf.get(holdId) ?? `nobody's: ${holdId}`, quantity: units.length, units });
    }
  }
  return orders;
}
