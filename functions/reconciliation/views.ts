import type { Order } from '../orders/order.model.ts';
import type { Sale } from '../sales/sale.model.ts';
import { inParallel } from '../shared/parallel.ts';
import type { GoesOn } from './compare.ts';
import type { ReconcilePorts } from './reconcile.ports.ts';
import type { SaleFindings } from './report.model.ts';

const ordersPerRead = 100;
const lanes = 2;
/** Views that are projected anew in one run; the next one goes on. */
const staleMax = 10_000;

/**
 * Compares the read model of these orders of the sale, or of those that were created at `fromMs` or later, with the orders, and projects anew those views that are stale at two
 * looks. What changed a moment ago may have its message under way, and is left out.
 */
export async function compareViews(
  { saleId }: Pick<Sale, 'saleId'>,
  which: readonly string[] | { readonly fromMs: number },
  findings: SaleFindings,
  goesOn: GoesOn,
  { evidence, orders, views, clock, timing, pause }: ReconcilePorts,
): Promise<void> {
  const isOld = (order: Order) => order.updatedAtMs <= clock.nowMs() - timing.recentMs;
  const staleOf = async (orderIds: readonly string[]) => {
    await goesOn();
    return views.staleViews((await orders.getMany(orderIds)).filter(isOld));
  };
  const first: string[] = [];
  const seeAll = async (orderIds: readonly string[]) => {
    await inParallel([...groupsOf(orderIds)], lanes, async (group) => {
      if (first.length < staleMax) first.push(...(await staleOf(group)).map(({ order }) => order.orderId));
    });
  };
  if ('fromMs' in which) await evidence.orders(saleId, which.fromMs, (page) => seeAll(page.map(({ orderId }) => orderId)));
  else await seeAll(which);
  if (first.length === 0) return;
  await pause(timing.pauseMs);
  await inParallel([...groupsOf(first)], lanes, async (group) => {
    const stale = await staleOf(group);
    if (stale.length > 0 && (await views.rewrite(stale)) === 0) return;
    for (const { order, why } of stale) findings.add({ kind: 'view-stale', subject: order.orderId, detail: why }, 'mended');
  });
}

function* groupsOf<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += ordersPerRead) yield all.slice(at, at + ordersPerRead);
}
