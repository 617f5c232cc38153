import { randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { fulfilOrder } from '../../functions/fulfilment/fulfil.ts';
import { allocateOrder } from '../../functions/orders/allocate-order.ts';
import { cancelOrder } from '../../functions/orders/cancel.ts';
import { claimRepository } from '../../functions/orders/claim.repository.ts';
import { compensate } from '../../functions/orders/compensate.ts';
import { confirmOrder } from '../../functions/orders/confirm.ts';
import { dueOrders } from '../../functions/orders/due.repository.ts';
import { expireOrder } from '../../functions/orders/expire.ts';
import type { Order, PaymentMethod, TakingBack } from '../../functions/orders/order.model.ts';
import { orderRepository } from '../../functions/orders/order.repository.ts';
import type { PlaceOrder } from '../../functions/orders/order.schemas.ts';
import { type PlacePorts, placeOrder } from '../../functions/orders/place.ts';
import { reclaimOrder } from '../../functions/orders/reclaim-order.ts';
import { type RefundPorts, refundOrder } from '../../functions/orders/refund.ts';
import { type SweepPorts, sweep } from '../../functions/orders/sweep.ts';
import { endForGood } from '../../functions/orders/take-back.ts';
import { charge } from '../../functions/payments/charge.ts';
import { knownSales } from '../../functions/sales/known-sales.ts';
import { knownSeats } from '../../functions/sales/known-seats.ts';
import type { Sale, SeatList } from '../../functions/sales/sale.model.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { idempotencyRepository, scopeOf } from '../../functions/shared/idempotency.ts';
import { payloadHashOf } from '../../functions/shared/ids.ts';
import { connectRedis } from '../../functions/shared/redis.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { stockScripts } from '../../functions/stock/stock.scripts.ts';
import { startRedis } from '../../lib/local/redis.ts';
import { startTables, tableNames, unitRows, writtenTables } from './database.ts';

const ticketSecret = async () => 'a secret of a test, long enough';

/**
 * The use cases of orders on a real Redis and a real DynamoDB server, without functions and events: one test file's own. On a cluster that is there already,
 * if one is given.
 */
export async function startEngine(cluster?: { readonly url: string }) {
  const [tables, server] = await Promise.all([startTables(), cluster ? { url: cluster.url, stop: async () => {} } : startRedis()]);
  const redis = connectRedis({ url: server.url, mode: cluster ? 'cluster' : 'single' });
  const stock = stockScripts(redis);
  const { database } = tables;
  const orders = orderRepository(database, writtenTables);
  const claims = claimRepository(database, writtenTables);
  const due = dueOrders(database, tableNames.orders);
  const idempotency = idempotencyRepository(database, tableNames.idempotency);
  const sales = new Map<string, Sale>();
  const seats = new Map<string, SeatList>();
  const placePorts: PlacePorts = {
    stock,
    askForRebuild: async () => {},
    orders,
    claims,
    clock,
    isCertain: async () => true,
    holdSecret: 'a secret of a test',
    sales: knownSales(async (saleId) => sales.get(saleId)),
    seats: knownSeats(async ({ saleId }) => seats.get(saleId) ?? new Map()),
  };
  const steps: SweepPorts['steps'] = (nowMs) => ({
    charge: charge({ orders, clock }),
    allocate: allocateOrder(placePorts),
    confirm: confirmOrder({ orders, stock, clock }),
    fulfil: fulfilOrder({ orders, clock, fulfilmentsTable: 'fulfilments', ticketSecret }),
    expire: expireOrder({ orders, nowMs }),
    compensate: compensate({ orders, stock, clock }),
    reclaim: reclaimOrder(placePorts),
  });

  /** A sale that is open, of one item `tee`, loaded into Redis; of other items if `changes` has them. */
  async function openSale(saleId: string, units: number, changes: Partial<Sale> = {}): Promise<Sale> {
    const nowMs = Date.now();
    const item = { sku: 'tee', name: 'Tee', priceMinor: 2_500, currency: 'EUR', total: units, seated: false };
    const sale: Sale = {
      saleId,
      name: saleId,
      opensAtMs: nowMs - 60_000,
      closesAtMs: nowMs + 3_600_000,
      strategy: 'reserve-first',
      holdSeconds: 300,
      control: 'open',
      version: 1,
      epoch: 1,
      currency: 'EUR',
      items: [item],
      createdAtMs: nowMs,
      ...changes,
    };
    sales.set(saleId, sale);
    await stock.load(sale, seats.get(saleId));
    return sale;
  }

  return {
    database,
    redis,
    stock,
    orders,
    claims,
    idempotency,
    steps: steps(Date.now),
    stepsAt: steps,
    placePorts,
    seatsOf: (saleId: string): SeatList => seats.get(saleId) ?? new Map(),
    saleOf: (saleId: string): Sale | undefined => sales.get(saleId),
    /** The sale as it is placed and charged by; Redis has a copy of its own. */
    putSale: (sale: Sale) => sales.set(sale.saleId, sale),

    openSale,

    /** A sale that is open, of these seats of `hall` and so many of `tee`. */
    async openHall(saleId: string, names: readonly string[], { units = 100, ...changes }: { units?: number } & Partial<Sale> = {}) {
      const priced = { priceMinor: 2_500, currency: 'EUR' };
      seats.set(saleId, new Map([['hall', names]]));
      return openSale(saleId, units, {
        seatChunks: 1,
        items: [
          { ...priced, sku: 'hall', name: 'Hall', total: names.length, seated: true },
          { ...priced, sku: 'tee', name: 'Tee', total: units, seated: false },
        ],
        ...changes,
      });
    },

    /** A newer copy of a sale with all its seats of `hall`, as a restock leaves it. */
    async restockHall(sale: Sale, names: readonly string[]): Promise<void> {
      sales.set(sale.saleId, sale);
      seats.set(sale.saleId, new Map([['hall', names]]));
      await stock.update(sale);
      await stock.addSeats(sale.saleId, 'hall', names);
    },

    fund: (userId: string, balanceMinor: number) =>
      database.send(
        new PutCommand({ TableName: 'accounts', Item: { userId, entry: 'account', balanceMinor, currency: 'EUR', version: 1 } }),
      ),

    place(saleId: string, buyerId: string, { key = 'key', quantity = 1, method = 'balance' as PaymentMethod, ports = placePorts } = {}) {
      return placeOrder({ saleId, buyerId, key, body: { items: [{ sku: 'tee', quantity }], payment: { method } } }, ports);
    },

    /** Places an order by its lines. */
    order: (
      saleId: string,
      buyerId: string,
      items: PlaceOrder['items'],
      { key = 'key', method = 'balance' as PaymentMethod, ports = placePorts } = {},
    ) => placeOrder({ saleId, buyerId, key, body: { items, payment: { method } } }, ports),

    cancel: (order: Order) => cancelOrder(order, { orders, clock, compensate: compensate({ orders, stock, clock }) }),

    /** An operator's refund, under a key of its own unless one is given. Money and units follow. */
    refund(
      orderId: string,
      { key = randomUUID() as string, by = 'operator', reason = 'a test', returnUnits = false, ports = {} as Partial<RefundPorts> } = {},
    ) {
      const body = { reason, returnUnits };
      const scope = scopeOf(by, 'POST', `/v1/orders/${orderId}/refund`, key);
      return refundOrder(orderId, body, { scope, payloadHash: payloadHashOf(body) }, { orders, idempotency, clock, ...ports });
    },

    /** The order's sale is called off. */
    endForGood: (order: Order, takenBack: TakingBack = { reason: 'called off', units: 'retire' }) =>
      endForGood({ orders, clock, compensate: compensate({ orders, stock, clock }) })(order, takenBack),

    /** One run of the sweeper, as if `laterMs` had passed for orders; holds go by Redis' own time. */
    async sweep({ laterMs = 0, ...changes }: { laterMs?: number } & Partial<SweepPorts> = {}) {
      const atMs = async () => (await stock.nowMs()) + laterMs;
      return sweep({
        stock: { ...stock, nowMs: atMs },
        orders,
        claims,
        steps,
        due,
        sales: { live: async () => [...sales.values()] },
        tend: [],
        random: Math.random,
        remainingMs: () => 60_000,
        ...changes,
      });
    },

    async available(saleId: string): Promise<number> {
      const state = await stock.read(saleId);
      if (state.outcome !== 'READ') throw new Error(`${saleId} is not loaded`);
      return state.items.reduce((sum, item) => sum + item.available, 0);
    },

    /** The sale's orders that are still owed something. */
    async owed(saleId: string): Promise<Order[]> {
      const owed: Order[] = [];
      for await (const orders of due.due(Number.MAX_SAFE_INTEGER, 100)) owed.push(...orders.filter((order) => order.saleId === saleId));
      return owed;
    },

    /** Every unit row of the item, by unit. */
    unitRows: async (saleId: string) => new Map((await unitRows(database, saleId)).map((row) => [String(row.unit), row])),

    /** All that Redis knows, to be put back later: what a failover to a replica that lags does. */
    async snapshot(): Promise<() => Promise<void>> {
      const keys = [...new Set([...(await redis.keys('*')), ...[...sales.keys()].flatMap((saleId) => Object.values(stockKeys(saleId)))])];
      // At one moment, as a replica has it: a pool of one moment with the counter of another is a state that never was.
      const reading = redis.multi();
      for (const key of keys) reading.dumpBuffer(key).pttl(key);
      const replies = (await reading.exec()) ?? [];
      const dumps = keys.map((key, index) => {
        const [[, dump], [, leftMs]] = [replies[2 * index] ?? [], replies[2 * index + 1] ?? []];
        return [key, dump as Buffer | null, Math.max(0, Number(leftMs))] as const;
      });
      return async () => {
        // At once, as a failover is: nobody sees a sale with half of its keys.
        const restoring = redis.multi().flushall();
        for (const [key, dump, leftMs] of dumps) if (dump) restoring.restore(key, leftMs, dump);
        await restoring.exec();
      };
    },

    async stop() {
      redis.disconnect();
      await Promise.all([tables.stop(), server.stop()]);
    },
  };
}

export type Engine = Awaited<ReturnType<typeof startEngine>>;
