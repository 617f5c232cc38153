import type { Clock } from '../shared/clock.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { availableFrom, nothing, saleAnswer, unreadySaleAnswer } from './sale.answer.ts';
import { hasClosed, type Sale } from './sale.model.ts';
import type { AskForRebuild, SaleStock } from './sale.ports.ts';
import type { SaleRepository } from './sale.repository.ts';
import type { SaleAnswer } from './sale.schemas.ts';

export interface ReadSalesPorts {
  readonly sales: Pick<SaleRepository, 'get' | 'list'>;
  /** Anybody may ask for any sale: it asks for no rebuild by itself. */
  readonly stock: Pick<SaleStock, 'read'>;
  readonly askForRebuild: AskForRebuild;
  readonly clock: Clock;
}

export type ReadSaleOutcome = { outcome: 'found'; sale: SaleAnswer } | { outcome: 'not-found' | 'stock-not-ready' };

/** A sale with what is left of it. Without stock a closed sale shows nothing available; any other is not ready, never full. */
export async function readSale(saleId: string, { sales, stock, askForRebuild, clock }: ReadSalesPorts): Promise<ReadSaleOutcome> {
  const [sale, levels] = await Promise.all([sales.get(saleId, { consistent: true }), stock.read(saleId)]);
  if (!sale) return { outcome: 'not-found' };
  if (levels.outcome === 'READ') return { outcome: 'found', sale: saleAnswer(sale, availableFrom(levels), levels.nowMs) };
  if (!hasClosed(sale, clock.nowMs())) {
    await askForRebuild(saleId);
    return { outcome: 'stock-not-ready' };
  }
  return { outcome: 'found', sale: saleAnswer(sale, nothing, clock.nowMs()) };
}

/** How many sales of a page ask Redis at the same moment. */
const lanes = 16;

/** A page of sales. One whose stock can't be told does not spoil the page. */
export async function listSales(
  page: { limit: number; after?: string | undefined },
  { sales, stock, askForRebuild, clock }: ReadSalesPorts,
): Promise<{ sales: SaleAnswer[]; next: string | undefined }> {
  const found = await sales.list(page);
  async function levelsOf({ saleId }: Sale): Promise<Awaited<ReturnType<SaleStock['read']>> | { outcome: 'AWAY' }> {
    try {
      return await stock.read(saleId);
    } catch (error) {
      log.warn('the stock of a listed sale could not be read', { saleId, error });
      return { outcome: 'AWAY' };
    }
  }
  const answers = await inParallel(found.sales, lanes, async (sale) => {
    const levels = await levelsOf(sale);
    if (levels.outcome === 'READ') return saleAnswer(sale, availableFrom(levels), levels.nowMs);
    const nowMs = clock.nowMs();
    if (levels.outcome === 'NOT_LOADED' && !hasClosed(sale, nowMs)) await askForRebuild(sale.saleId);
    return unreadySaleAnswer(sale, nowMs);
  });
  return { sales: answers, next: found.next };
}
