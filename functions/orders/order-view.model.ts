import type * as z from 'zod';
import { shardOf } from '../shared/ids.ts';
import { orderAnswer } from './order.answer.ts';
import type { Order } from './order.model.ts';
import type { OrderAnswer } from './order.schemas.ts';
import { listKeyOf, saleShardNames } from './order.writes.ts';

/** What a list shows of an order: the order as the HTTP contract has it, as of its version. */
export type OrderView = z.input<typeof OrderAnswer>;

/** The row of a view: with the keys of its indexes. */
export interface ViewRow extends OrderView {
  readonly listKey: string;
  readonly saleShard: string;
  readonly timeShard: string;
}

const timeShards = 16;
/** The partitions of the index of all orders by their time. */
export const timeShardNames: readonly string[] = Array.from({ length: timeShards }, (_, shard) => `all#${shard}`);

/** Which of these partitions the order is in, always the same one. */
const partitionOf = (orderId: string, names: readonly string[]): string => names[shardOf(orderId, names.length)] ?? '';

/** The view of an order. A pure function of it: the same version gives the same row. */
export const viewRowOf = (order: Order): ViewRow => ({
  ...orderAnswer(order),
  listKey: listKeyOf(order),
  saleShard: partitionOf(order.orderId, saleShardNames(order.saleId)),
  timeShard: partitionOf(order.orderId, timeShardNames),
});

/** What the list shows of a row. */
export function viewFrom(item: Record<string, unknown>): OrderView {
  const { listKey: _l, saleShard: _s, timeShard: _t, ...view } = item;
  return view as unknown as OrderView;
}
