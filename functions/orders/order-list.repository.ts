import { batchGet, type Database } from '../shared/dynamo.ts';
import { encodeCursor, type Page } from '../shared/page.ts';
import type { OrderStatus } from './order.model.ts';
import { saleShardNames } from './order.writes.ts';
import { type OrderView, timeShardNames, viewFrom } from './order-view.model.ts';

export interface OrderFilter {
  readonly saleId?: string | undefined;
  readonly buyerId?: string | undefined;
  readonly status?: OrderStatus | undefined;
}

export interface OrderList {
  /**
   * A page of orders, newest first, as their views show them: behind the orders by a moment. `list` names the cursor, `position` is where the page
   * before it ended; one that this list never gave out is `bad-position`. A page for a filter that few orders match may be short, or empty,
   * and still have a cursor: one page looks at so many orders and no more.
   */
  page(
    list: string,
    filter: OrderFilter,
    limit: number,
    position?: string,
  ): Promise<{ outcome: 'page'; page: Page<OrderView> } | { outcome: 'bad-position' }>;
}

/** What an index says of an order, and the position after it. */
interface Found {
  readonly orderId: string;
  readonly position: string;
}

/** An index and the partitions of it to look into. */
interface Where {
  readonly index: 'byBuyer' | 'bySale' | 'byTime';
  readonly partitions: readonly string[];
}

/** Filters apply after reading, so a page may pass over many orders: it reads so often at most, and may then be short. */
const readsMax = 25;
const keyPosition = /^\d{14}#ord_[\w-]{22}$/;
const partitionKeys = { byBuyer: 'buyerId', bySale: 'saleShard', byTime: 'timeShard' } as const;

const matches = (view: OrderView, { saleId, buyerId, status }: OrderFilter): boolean =>
  [saleId ?? view.saleId, buyerId ?? view.buyerId, status ?? view.status].join() === [view.saleId, view.buyerId, view.status].join();

function whereOf({ buyerId, saleId }: OrderFilter): Where {
  if (buyerId !== undefined) return { index: 'byBuyer', partitions: [buyerId] };
  return saleId === undefined ? { index: 'byTime', partitions: timeShardNames } : { index: 'bySale', partitions: saleShardNames(saleId) };
}

/** Lists of orders by their views. */
export function orderList(database: Database, viewsTable: string): OrderList {
  /** One partition of an index, newest first, below a list key. */
  async function inPartition(index: Where['index'], partition: string, limit: number, below?: string): Promise<Found[]> {
    const { Items = [] } = await database.query({
      TableName: viewsTable,
      IndexName: index,
      KeyConditionExpression: `#partition = :partition${below === undefined ? '' : ' AND listKey < :below'}`,
      ExpressionAttributeNames: { '#partition': partitionKeys[index] },
      ExpressionAttributeValues: { ':partition': partition, ...(below === undefined ? {} : { ':below': below }) },
      ScanIndexForward: false,
      Limit: limit,
    });
    return Items.map((item) => ({ orderId: String(item.orderId), position: String(item.listKey) }));
  }

  async function newestFirst({ index, partitions }: Where, limit: number, below?: string): Promise<Found[]> {
    const parts = await Promise.all(partitions.map((partition) => inPartition(index, partition, limit, below)));
    return parts
      .flat()
      .sort((a, b) => (a.position < b.position ? 1 : -1))
      .slice(0, limit);
  }

  async function read(found: readonly Found[]): Promise<Map<string, OrderView>> {
    const keys = found.map(({ orderId }) => ({ orderId }));
    const items = await batchGet(database, viewsTable, keys);
    return new Map(items.map((item) => [String(item.orderId), viewFrom(item)]));
  }

  return {
    async page(list, filter, limit, position) {
      if (position !== undefined && !keyPosition.test(position)) return { outcome: 'bad-position' };
      const where = whereOf(filter);
      const shown: OrderView[] = [];
      let at = position;
      for (let round = 0; round < readsMax; round++) {
        const found = await newestFirst(where, limit + 1, at);
        const views = await read(found);
        for (const { orderId, position: next } of found) {
          // One more is there than fits: the page ends here.
          if (shown.length === limit) return { outcome: 'page', page: { items: shown, nextCursor: encodeCursor(list, at ?? '') } };
          at = next;
          const view = views.get(orderId);
          if (view && matches(view, filter)) shown.push(view);
        }
        if (found.length <= limit) return { outcome: 'page', page: { items: shown, nextCursor: null } };
      }
      return { outcome: 'page', page: { items: shown, nextCursor: encodeCursor(list, at ?? '') } };
    },
  };
}
