import type { Clock } from '../shared/clock.ts';
import { inParallel } from '../shared/reads.ts';
import { log } from '../shared/telemetry.ts';
import { availableFrom, nothing, saleAnswer, unreadySaleAnswer } from './sale.answer.ts';
import { hasClosed, type Sale } from './sale.model.ts';
import type { SaleStock, SaleStockLevels } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { SaleAnswer } from './sale.schemas.ts';

export interface ReadSalesPorts {
  readonly sales: Pick<SaleRepository, 'get' | 'list'>;
  readonly stock: Pick<SaleStock, 'levels'>;
  readonly clock: Clock;
}

export type ReadSaleOutcome = { outcome: 'found'; sale: SaleAnswer } | { outcome: 'not-found' | 'stock-not-ready' };

/** A sale with what is left of it. Without stock a closed sale shows nothing available; any other is not ready, never full. */
export async function readSale(saleId: string, { sales, stock, clock }: ReadSalesPorts): Promise<ReadSaleOutcome> {
  const [sale, levels] = await Promise.all([sales.get(saleId, { consistent: true }), stock.levels(saleId)]);
  if (!sale) return { outcome: 'not-found' };
  if (levels.outcome === 'LEVELS') return { outcome: 'found', sale: saleAnswer(sale, availableFrom(levels), levels.nowMs) };
  if (!hasClosed(sale, clock.nowMs())) return { outcome: 'stock-not-ready' };
  return { outcome: 'found', sale: saleAnswer(sale, nothing, clock.nowMs()) };
}

/** How many sales of a page ask Redis at the same moment. */
const lanes = 16;

/** A page of sales. One whose stock can't be told does not spoil the page. */
export async function listSales(
  page: { limit: number; after?: string | undefined },
  { sales, stock, clock }: ReadSalesPorts,
): Promise<{ sales: SaleAnswer[]; next: string | undefined }> {
  const found = await sales.list(page);
  const levelsOf = (sale: Sale): Promise<SaleStockLevels> =>
    stock.levels(sale.saleId).catch((error: unknown) => {
      log.warn('the stock of a listed sale could not be read', { saleId: sale.saleId, error });
      return { outcome: 'NOT_LOADED' };
    });
  const answers = await inParallel(found.sales, lanes, async (sale) => {
    const levels = await levelsOf(sale);
    return levels.outcome === 'LEVELS' ? saleAnswer(sale, availableFrom(levels), levels.nowMs) : unreadySaleAnswer(sale, clock.nowMs());
  });
  return { sales: answers, next: found.next };
}
