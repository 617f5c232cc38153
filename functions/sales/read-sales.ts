import type { Clock } from '../shared/clock.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { isSharded } from '../stock/shards.model.ts';
import { type Available, availableFrom, nothing, saleAnswer, unreadySaleAnswer } from './sale.answer.ts';
import { hasClosed, type Sale } from './sale.model.ts';
import type { AskForRebuild, SaleStock } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { SaleAnswer } from './sale.schemas.ts';

export interface ReadSalesPorts {
  readonly sales: Pick<SaleRepository, 'get' | 'list'>;
  /** Anybody may ask for any sale: it asks for no rebuild by itself. */
  readonly stock: Pick<SaleStock, 'read'>;
  /** What is left of a sale by the events of its orders; undefined unless that is known of each of its items. May lag behind, and decides nothing. */
  readonly counted: (sale: Sale) => Promise<Available | undefined>;
  readonly askForRebuild: AskForRebuild;
  readonly clock: Clock;
}

export type ReadSaleOutcome = { outcome: 'found'; sale: SaleAnswer } | { outcome: 'not-found' | 'stock-not-ready' };

/** The stock, or what keeps it from being read. */
async function levelsOf(
  { saleId, shards }: Pick<Sale, 'saleId' | 'shards'>,
  stock: ReadSalesPorts['stock'],
): Promise<Awaited<ReturnType<SaleStock['read']>> | Away> {
  try {
    return await stock.read(saleId, shards);
  } catch (error) {
    log.warn('the stock of a sale could not be read', { saleId, error });
    return { outcome: 'AWAY', error };
  }
}

interface Away {
  readonly outcome: 'AWAY';
  readonly error: unknown;
}

/** What was counted of the sale; nobody's answer waits for, or fails with, figures that are beside the point. */
async function countedOf(sale: Sale, { counted }: Pick<ReadSalesPorts, 'counted'>): Promise<Available | undefined> {
  try {
    return await counted(sale);
  } catch (error) {
    log.warn('the counted stock of a sale could not be read', { saleId: sale.saleId, error });
    return undefined;
  }
}

/**
 * A sale with what is left of it. When its stock can't be told, it is shown as one that sells nothing now, with what was counted of its orders; where
 * nobody has counted, a closed sale shows nothing available and any other is not ready, never full.
 */
export async function readSale(saleId: string, ports: ReadSalesPorts): Promise<ReadSaleOutcome> {
  const { sales, stock, askForRebuild, clock } = ports;
  const [sale, first] = await Promise.all([sales.get(saleId, { consistent: true }), levelsOf({ saleId }, stock)]);
  if (!sale) return { outcome: 'not-found' };
  // How many shards there are is known only now; of most sales the one that was read is all.
  const levels = isSharded(sale) ? await levelsOf(sale, stock) : first;
  if (levels.outcome === 'READ') return { outcome: 'found', sale: saleAnswer(sale, availableFrom(levels), levels.nowMs) };
  const isOver = hasClosed(sale, clock.nowMs());
  if (levels.outcome === 'NOT_LOADED' && !isOver) await askForRebuild(saleId);
  const counted = await countedOf(sale, ports);
  if (counted) return { outcome: 'found', sale: unreadySaleAnswer(sale, clock.nowMs(), counted) };
  if (levels.outcome === 'AWAY') throw levels.error;
  return isOver ? { outcome: 'found', sale: saleAnswer(sale, nothing, clock.nowMs()) } : { outcome: 'stock-not-ready' };
}

/** How many sales of a page ask Redis at the same moment. */
const lanes = 16;

/** A page of sales. One whose stock can't be told does not spoil the page. */
export async function listSales(
  page: { limit: number; after?: string | undefined },
  ports: ReadSalesPorts,
): Promise<{ sales: SaleAnswer[]; next: string | undefined }> {
  const { sales, stock, askForRebuild, clock } = ports;
  const found = await sales.list(page);
  const answers = await inParallel(found.sales, lanes, async (sale) => {
    const levels = await levelsOf(sale, stock);
    if (levels.outcome === 'READ') return saleAnswer(sale, availableFrom(levels), levels.nowMs);
    const nowMs = clock.nowMs();
    if (levels.outcome === 'NOT_LOADED' && !hasClosed(sale, nowMs)) await askForRebuild(sale.saleId);
    return unreadySaleAnswer(sale, nowMs, await countedOf(sale, ports));
  });
  return { sales: answers, next: found.next };
}
