import type { Order } from '../orders/order.model.ts';

/** Orders as the views see them. */
export interface ReadsOrders {
  /** Those that exist, read with strong consistency, each once. */
  getMany(orderIds: readonly string[]): Promise<Order[]>;
}

/** A message of a batch: its id in the batch, and what it says. */
export interface Message<Detail> {
  readonly messageId: string;
  readonly detail: Detail;
}

/** Takes a batch and answers with the messages that failed, by their ids, each with what it met: those alone come again. */
export type Projection<Detail> = (messages: readonly Message<Detail>[]) => Promise<ReadonlyMap<string, unknown>>;
