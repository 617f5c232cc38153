import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import { ordersById } from '../../functions/orders/orders-by-id.repository.ts';
import { evidenceOf } from '../../functions/reconciliation/evidence.repository.ts';
import { certainty, noteIdentity, watchIdentity } from '../../functions/reconciliation/identity.care.ts';
import type { Timing } from '../../functions/reconciliation/reconcile.ports.ts';
import { type RunPorts, reconcileLive, reconcileOne } from '../../functions/reconciliation/reconcile.ts';
import type { SaleReport } from '../../functions/reconciliation/report.model.ts';
import { reportRepository } from '../../functions/reconciliation/report.repository.ts';
import { saleMemories } from '../../functions/reconciliation/state.repository.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { saleRepository } from '../../functions/sales/sale.repository.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { acquireLease } from '../../functions/shared/lease.ts';
import { mendScripts } from '../../functions/stock/mend.scripts.ts';
import { reconcileKeys } from '../../functions/stock/stock.keys.ts';
import { reprojector } from '../../functions/views/reproject-orders.ts';
import { viewRepository } from '../../functions/views/view.repository.ts';
import { tableNames } from './database.ts';
import type { Engine } from './engine.ts';

/** No waiting: whoever plants drift has stopped before it is looked for. */
export const atOnce: Timing = { pauseMs: 0, recentMs: 0, inFlightMs: 0, fullEveryMs: 3_600_000 };

/** For `toMatchObject`, to which a plain `{}` is like any object. */
export const nothing = expect.toSatisfy((found: object) => Object.keys(found).length === 0, 'has nothing');

/** Reconciliations on an engine's database and Redis. Which Redis that is, the test says. */
export function reconcilingOn(engine: Engine) {
  const { database, redis, stock } = engine;
  const byId = ordersById(database, tableNames.orders);
  const sales = saleRepository(database, tableNames.sales);
  const memories = saleMemories(database, tableNames.reconciliations);
  const reports = reportRepository(database, tableNames.reconciliations);
  const mend = mendScripts(redis);
  let identity = 'the first';
  const ports: RunPorts = {
    sales: { get: async (saleId) => (await sales.get(saleId, { consistent: true })) ?? engine.saleOf(saleId) },
    live: async () => [],
    seats: { list: async (sale) => (sale.seatChunks ? engine.seatsOf(sale.saleId) : new Map()) },
    orders: { ...byId, get: async (orderId) => (await byId.getMany([orderId]))[0] },
    evidence: evidenceOf(database, tableNames),
    stock,
    mend,
    memories,
    views: reprojector(viewRepository(database, tableNames.views)),
    identityOf: async () => identity,
    lease: (saleId) =>
      acquireLease(redis, { purpose: 'reconciliation', key: reconcileKeys(saleId).lease, leaseMs: 30_000, waitMsMax: 0, clock }),
    reports,
    onSale: () => {},
    pause: async () => {},
    newId: randomUUID,
    random: Math.random,
    clock,
    timing: atOnce,
    hasTime: () => true,
  };
  const watch = watchIdentity({ stock, mend, memories, identityOf: async () => identity });
  /** Orders in these tests have no views unless the test makes some. */
  const withoutViews = { staleViews: async () => [], rewrite: async () => 0 };

  return {
    ports,
    mend,
    memories,
    reports,
    /** From now on the sale is on another Redis. */
    failOver: () => {
      identity = randomUUID();
    },
    care: (sale: Sale) => watch(sale),
    noteRedis: noteIdentity({ memories, identityOf: async () => identity }),
    /** As one container knows it, whose connections broke when Redis became another one. */
    isCertain: certainty({ watch, connection: () => identity }),
    /** Everything of one sale, as if an operator had asked for it. */
    async reconcile(saleId: string, changes: Partial<RunPorts> = {}): Promise<SaleReport> {
      const run = await reconcileOne(saleId, 'request', { ...ports, views: withoutViews, ...changes });
      const [report] = run?.sales ?? [];
      if (!report) throw new Error(`${saleId} is not there`);
      return report;
    },
    /** As the schedule does it, of these sales. */
    async scheduled(sale: Sale, changes: Partial<RunPorts> = {}): Promise<SaleReport> {
      const run = await reconcileLive('schedule', { ...ports, views: withoutViews, live: async () => [sale], ...changes });
      const [report] = run.sales;
      if (!report) throw new Error('no report');
      return report;
    },
  };
}
