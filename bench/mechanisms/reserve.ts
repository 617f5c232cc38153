import { setTimeout as pause } from 'node:timers/promises';
import { holdIdOf, orderIdOf, payloadHashOf } from '../../functions/shared/ids.ts';
import { type ReserveRequest, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { loadSale } from '../lib/load-sale.ts';
import { type Attempt, type Mechanism, type RedisWorld, type StoredOrder, soldOut } from './mechanism.ts';
import { keys, laneOf } from './plain-shop.ts';

const saleId = 'launch-day';
const holdSecret = 'a secret of the bench';
/** Nobody is in danger of it: what is measured is that it is looked at. */
const perBuyerLimit = 20;
const sweepPage = 100;
/** A timer may be early by Redis' clock. */
const graceMs = 50;

function requestOf({ key, buyerId, quantity }: Attempt): ReserveRequest {
  const lines = [{ sku: 'tee', quantity }];
  return { saleId, holdId: holdIdOf(holdSecret, buyerId, saleId, key), buyerId, payloadHash: payloadHashOf(lines), lines };
}

/**
 * The reserve script by the wrapper that ships, then the order, under the id that its hold gives it.
 * What a dead client held comes back by the scripts that the sweeper runs.
 */
export const reserve: Mechanism<RedisWorld> = {
  name: 'reserve script',
  ours: true,
  async open({ url, lanes }, { stock: units, leaseMs, attempts }) {
    await loadSale({ url, port: Number(new URL(url).port) }, { saleId, units, perBuyerLimit, holdSeconds: leaseMs / 1_000 });
    const setup = laneOf(lanes, 0);
    const stocks = lanes.map((redis) => stockScripts(redis));
    // Beforehand: what a request's parsing and signing cost is not the mechanism's, and the others have none of it.
    const requests = new Map(attempts.map((attempt) => [attempt, requestOf(attempt)]));
    return {
      async buy(attempt, lane, crash) {
        const request = requests.get(attempt) ?? requestOf(attempt);
        const reserved = await stocks[lane]?.reserve(request);
        if (reserved?.outcome === 'SOLD_OUT') return soldOut;
        if (reserved?.outcome !== 'RESERVED') throw new Error(`reserve answered ${JSON.stringify(reserved)}`);
        crash?.();
        const orderId = orderIdOf(request.holdId);
        const taken = reserved.hold.lines.flatMap((line) => line.units);
        await laneOf(lanes, lane).hsetnx(keys.orders, orderId, `${attempt.key}|${taken.join(',')}`);
        return { sold: true, orderId };
      },
      async settle() {
        const stock = stockScripts(setup);
        await pause(leaseMs + graceMs);
        for (;;) {
          const due = await stock.takeExpired(saleId, { limit: sweepPage, retryMs: 60_000 });
          if (due.outcome !== 'DUE' || due.holds.length === 0) return;
          for (const { holdId, bornUs } of due.holds) {
            const hasOrder = await setup.hexists(keys.orders, orderIdOf(holdId));
            if (hasOrder === 0) await stock.release(saleId, { holdId, bornUs, cause: 'tombstone' });
          }
        }
      },
      async orders() {
        const rows = await setup.hgetall(keys.orders);
        return Object.entries(rows).map(([orderId, row]): StoredOrder => {
          const [key = '', taken = ''] = row.split('|');
          const named = taken.split(',');
          return { orderId, key, quantity: named.length, units: named };
        });
      },
    };
  },
};
