import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ordersById } from '../orders/orders-by-id.repository.ts';
import { saleRepository } from '../sales/sale.repository.ts';
import { seatRepository } from '../sales/seat.repository.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { largeReadMsMax } from '../shared/dynamo.ts';
import { readEnvironment } from '../shared/environment.ts';
import { acquireLease } from '../shared/lease.ts';
import { measure } from '../shared/metrics.ts';
import { once } from '../shared/once.ts';
import { mendScripts } from '../stock/mend.scripts.ts';
import { reconcileKeys } from '../stock/stock.keys.ts';
import { connectStock, identityOn, stockVariables } from '../stock/stock.wiring.ts';
import { reprojector } from '../views/reproject-orders.ts';
import { viewRepository } from '../views/view.repository.ts';
import { evidenceOf } from './evidence.repository.ts';
import { deployedTiming } from './reconcile.ports.ts';
import type { RunPorts } from './reconcile.ts';
import { type SaleReport, sumOf } from './report.model.ts';
import { reportRepository } from './report.repository.ts';
import { saleMemories } from './state.repository.ts';

const environment = readEnvironment([
  ...stockVariables,
  'SALES_TABLE',
  'SEATS_TABLE',
  'ORDERS_TABLE',
  'UNITS_TABLE',
  'ALLOWANCES_TABLE',
  'VIEWS_TABLE',
  'RECONCILIATIONS_TABLE',
]);
const database = connectDatabase({ requestMsMax: largeReadMsMax });

/** How long nobody else reconciles a sale whose reconciler has died. Many times longer than the longest step between two renewals. */
const leaseMs = 60_000;

export const reports = reportRepository(database, environment.RECONCILIATIONS_TABLE);

/** What every run needs, connected at the first. The stock asks for the rebuild of a live sale that Redis does not have. */
export const reconcilePorts = once(async (): Promise<Omit<RunPorts, 'hasTime'>> => {
  const { redis, stock } = await connectStock(environment);
  const { ORDERS_TABLE: orders, UNITS_TABLE: units, ALLOWANCES_TABLE: allowances } = environment;
  const byId = ordersById(database, orders);
  const sales = saleRepository(database, environment.SALES_TABLE);
  return {
    sales,
    live: (nowMs) => sales.liveSales(nowMs),
    seats: seatRepository(database, environment.SEATS_TABLE),
    orders: { ...byId, get: async (orderId) => (await byId.getMany([orderId]))[0] },
    evidence: evidenceOf(database, { orders, units, allowances }),
    stock,
    mend: mendScripts(redis),
    memories: saleMemories(database, environment.RECONCILIATIONS_TABLE),
    views: reprojector(viewRepository(database, environment.VIEWS_TABLE)),
    identityOf: identityOn(redis),
    lease: (saleId) => acquireLease(redis, { purpose: 'reconciliation', key: reconcileKeys(saleId).lease, leaseMs, waitMsMax: 0, clock }),
    reports,
    onSale: countRepairs,
    pause: (ms) => pause(ms),
    newId: randomUUID,
    random: Math.random,
    clock,
    timing: deployedTiming,
  };
});

function countRepairs({ mended }: SaleReport): void {
  for (const [kind, count] of Object.entries(mended)) measure('Repairs', kind, count);
  const all = sumOf(mended);
  if (all > 0) measure('Repairs', 'all', all);
}
