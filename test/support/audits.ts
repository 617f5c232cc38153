import { openAccount } from '../../functions/accounts/open-account.ts';
import { auditRepository } from '../../functions/operations/audit.repository.ts';
import type { AuditAnswer } from '../../functions/operations/audit.schemas.ts';
import { type AuditPorts, type AuditStock, auditOf } from '../../functions/operations/audit-sale.ts';
import { ledgerRepository } from '../../functions/operations/ledger.repository.ts';
import { advance } from '../../functions/orders/advance.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Sale, SeatList } from '../../functions/sales/sale.model.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { type Database, transact, type Write } from '../../functions/shared/dynamo.ts';
import { tableNames } from './database.ts';
import type { Engine } from './engine.ts';

/** What an audit of a sale needs, on a database of a test. */
export const auditPortsOf = (
  database: Database,
  sale: Sale | undefined,
  { stock, seats = new Map() }: { stock: AuditStock; seats?: SeatList },
): AuditPorts => ({
  sales: { get: async () => sale },
  seats: { list: async () => seats },
  rows: auditRepository(database, tableNames),
  ledgers: ledgerRepository(database, tableNames.accounts),
  stock,
  clock,
});

export async function auditWith(ports: AuditPorts, saleId: string): Promise<AuditAnswer> {
  const audited = await auditOf(saleId, ports);
  if (audited.outcome !== 'audited') throw new Error(audited.outcome);
  return audited.audit;
}

/** Opens an account as the API does, with the movement that its balance comes from. */
export async function openFunded({ database }: Engine, userId: string, balanceMinor = 100_000): Promise<void> {
  const ports = { transact: (writes: Write[]) => transact(database, writes), accountsTable: tableNames.accounts, clock };
  await openAccount({ userId, balanceMinor, currency: 'EUR' }, ports);
}

/** Takes an order as far as it goes by itself. */
export async function driven(engine: Engine, order: Pick<Order, 'orderId'>): Promise<Order> {
  const stored = await engine.orders.get(order.orderId);
  if (stored) await advance(stored, engine.steps, clock.nowMs);
  const now = await engine.orders.get(order.orderId);
  if (!now) throw new Error('the order is gone');
  return now;
}
