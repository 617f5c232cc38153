import type { Sale, SeatList } from '../sales/sale.model.ts';
import { type Clock, rfc3339 } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import { stockIdsOf } from '../stock/shards.model.ts';
import type { Hold, HoldState, SeatPlace, UnitRange } from '../stock/stock.model.ts';
import { SaleAudit, type StockSeen } from './audit.model.ts';
import type { AuditRepository } from './audit.repository.ts';
import type { AuditAnswer } from './audit.schemas.ts';
import type { LedgerRepository } from './ledger.repository.ts';
import { type ItemRead, StockPicture } from './stock-picture.model.ts';

/** The stock as the audit sees it. */
export interface AuditStock {
  read(
    saleId: string,
    shards?: number,
  ): Promise<{ outcome: 'READ'; version: number; items: readonly ItemRead[] } | { outcome: 'NOT_LOADED' }>;
  holds(saleId: string): AsyncIterable<Hold & { readonly state: HoldState }>;
  freeRanges(saleId: string): AsyncIterable<UnitRange>;
  suspectRanges(saleId: string): AsyncIterable<UnitRange>;
  seats(saleId: string): AsyncIterable<SeatPlace>;
}

export interface AuditPorts {
  readonly sales: { get(saleId: string, options: { consistent: true }): Promise<Sale | undefined> };
  readonly seats: { list(sale: Sale): Promise<SeatList> };
  readonly rows: AuditRepository;
  readonly ledgers: LedgerRepository;
  readonly stock: AuditStock;
  readonly clock: Clock;
}

export type AuditOutcome = { outcome: 'audited'; audit: AuditAnswer } | { outcome: 'not-found' };

/**
 * Counts a sale's units and money from what is stored. Redis is read first: what is ordered after that has its rows seen, and not the other way
 * round.
 */
export async function auditOf(saleId: string, { sales, seats, rows, ledgers, stock, clock }: AuditPorts): Promise<AuditOutcome> {
  const sale = await sales.get(saleId, { consistent: true });
  if (!sale) return { outcome: 'not-found' };
  const audit = new SaleAudit(sale, await seats.list(sale));
  const picture = await pictureOf(sale, stock);
  await rows.units(sale, (row) => audit.seeUnit(row));
  await rows.orders(saleId, audit.owners, (order) => audit.seeOrder(order));
  await ledgers.ofUsers(audit.buyers, (ledger) => audit.seeLedger(ledger));
  const { items, money, redis, findings } = audit.conclude(picture);
  if (findings.count > 0) log.warn('an audit has findings', { saleId, count: findings.count, findings: findings.shown });
  return {
    outcome: 'audited',
    audit: { items: [...items], money, redis: { agrees: redis.agrees, drift: [...redis.drift] }, asOf: rfc3339(clock.nowMs()) },
  };
}

/** What Redis has of the sale. When it does not answer, the rows are counted all the same. */
async function pictureOf(sale: Sale, stock: AuditStock): Promise<StockSeen> {
  const { saleId } = sale;
  try {
    const read = await stock.read(saleId, sale.shards);
    if (read.outcome === 'NOT_LOADED') return 'not-loaded';
    const picture = new StockPicture(read);
    const stockIds = stockIdsOf(sale);
    for (const stockId of stockIds) for await (const hold of stock.holds(stockId)) picture.seeHold(hold);
    for await (const range of ascending(stock.freeRanges, stockIds)) picture.seeFree(range);
    for await (const range of ascending(stock.suspectRanges, stockIds)) picture.seeSuspects(range);
    for (const stockId of stockIds) for await (const place of stock.seats(stockId)) picture.seeSeat(place);
    return picture;
  } catch (error) {
    log.warn('the stock could not be read for an audit', { saleId, error });
    return 'unreadable';
  }
}

/** The ranges of all stocks of a sale, ascending as those of one are. */
async function* ascending(rangesOf: (stockId: string) => AsyncIterable<UnitRange>, stockIds: readonly string[]): AsyncIterable<UnitRange> {
  const [only, ...others] = stockIds;
  if (only !== undefined && others.length === 0) return yield* rangesOf(only);
  const ranges: UnitRange[] = [];
  for (const stockId of stockIds) for await (const range of rangesOf(stockId)) ranges.push(range);
  yield* ranges.sort((a, b) => a.first - b.first);
}
