import { isDeepStrictEqual } from 'node:util';
import type { Order } from '../orders/order.model.ts';
import { viewRowOf } from '../orders/order-view.model.ts';
import { inParallel } from '../shared/parallel.ts';
import type { ViewRepository } from './view.repository.ts';

/** A view that is not what its order says. */
export interface StaleView {
  readonly order: Order;
  /** The version of the row that there is; none when it is missing. */
  readonly viewVersion?: number;
  readonly why: 'missing' | 'behind' | 'wrong';
}

export interface Reprojector {
  /**
   * Those of the orders whose view is missing, behind, or of their version and wrong. A view that is ahead is right: the order has moved since it was
   * read. One that is behind may have its message still under way, so look twice before calling it drift.
   */
  staleViews(orders: readonly Order[]): Promise<StaleView[]>;
  /** Writes these views anew, none of them back to an older version. -> how many were written */
  rewrite(stale: readonly StaleView[]): Promise<number>;
}

const lanes = 5;

export const reprojector = (views: ViewRepository): Reprojector => ({
  async staleViews(orders) {
    const rows = await views.rows(orders.map(({ orderId }) => orderId));
    return orders.flatMap((order): StaleView[] => {
      const row = rows.get(order.orderId);
      if (!row) return [{ order, why: 'missing' }];
      const viewVersion = Number(row.version);
      if (viewVersion < order.version) return [{ order, viewVersion, why: 'behind' }];
      const isRight = viewVersion > order.version || isDeepStrictEqual(row, { ...viewRowOf(order) });
      return isRight ? [] : [{ order, viewVersion, why: 'wrong' }];
    });
  },

  async rewrite(stale) {
    const written = await inParallel(stale, lanes, ({ order }) => views.put(viewRowOf(order), 'older-or-same'));
    return written.filter(({ outcome }) => outcome === 'written').length;
  },
});
