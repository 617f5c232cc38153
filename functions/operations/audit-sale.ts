import type { Sale } from '../sales/sale.model.ts';
import { type Clock, rfc3339 } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import type { Hold, HoldState, UnitRange } from '../stock/stock.model.ts';
import { auditSale, type StockSeen } from './audit.model.ts';
import type { AuditRepository } from './audit.repository.ts';
import type { AuditAnswer } from './audit.schemas.ts';
import type { StockPicture } from './drift.model.ts';

/** The stock as the audit sees it. */
export interface AuditStock {
  read(saleId: string): Promise<({ outcome: 'READ' } & Pick<StockPicture, 'version' | 'items'>) | { outcome: 'NOT_LOADED' }>;
  holds(saleId: string): AsyncIterable<Hold & { readonly state: HoldState }>;
  freeRanges(saleId: string): AsyncIterable<UnitRange>;
  suspectRanges(saleId: string): AsyncIterable<UnitRange>;
}

export interface AuditPorts {
  readonly sales: { get(saleId: string, options: { consistent: true }): Promise<Sale | undefined> };
  readonly rows: AuditRepository;
  readonly stock: AuditStock;
  readonly clock: Clock;
}

export type AuditOutcome = { outcome: 'audited'; audit: AuditAnswer } | { outcome: 'not-found' };

const findingsLoggedMax = 20;

/** Counts a sale's units and money from what is stored. Redis is read first: what is ordered after that has its rows seen, and not the other way round. */
export async function auditOf(saleId: string, { sales, rows, stock, clock }: AuditPorts): Promise<AuditOutcome> {
  const sale = await sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' };
  const picture = await pictureOf(saleId, stock);
  const units = await rows.units(sale);
  const orders = await rows.orders(saleId, units);
  const ledgers = await rows.ledgers([...new Set(orders.map(({ buyerId }) => buyerId))]);
  const { items, money, redis, findings } = auditSale({ sale, units, orders, ledgers, stock: picture });
  if (findings.length > 0)
    log.warn('an audit has findings', { saleId, count: findings.length, findings: findings.slice(0, findingsLoggedMax) });
  return {
    outcome: 'audited',
    audit: { items: [...items], money, redis: { agrees: redis.agrees, drift: [...redis.drift] }, asOf: rfc3339(clock.nowMs()) },
  };
}

/** What Redis has of the sale. When it does not answer, the rows are counted all the same. */
async function pictureOf(saleId: string, stock: AuditStock): Promise<StockSeen> {
  try {
    const read = await stock.read(saleId);
    if (read.outcome === 'NOT_LOADED') return 'not-loaded';
    const [holds, free, suspects] = await Promise.all([
      all(stock.holds(saleId)),
      all(stock.freeRanges(saleId)),
      all(stock.suspectRanges(saleId)),
    ]);
    return { version: read.version, items: read.items, holds, free, suspects };
  } catch (error) {
    log.warn('the stock could not be read for an audit', { saleId, error });
    return 'unreadable';
  }
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}
