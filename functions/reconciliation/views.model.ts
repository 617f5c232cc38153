import type { Order } from '../orders/order.model.ts';

/** The read model of orders, as a reconciliation sees it. */
export interface ViewChecks {
  /** Those of the orders whose view is not what they say. One that is behind may have its message still under way. */
  staleViews(orders: readonly Order[]): Promise<readonly { readonly order: Order; readonly why: string }[]>;
  /** Writes the views of these orders anew, none of them back to an older version. -> how many were written */
  rewrite(stale: readonly { readonly order: Order; readonly why: string }[]): Promise<number>;
}
