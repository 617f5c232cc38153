import { QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet, type Database } from '../shared/dynamo.ts';
import { encodeCursor, type Page } from '../shared/page.ts';
import type { Order, OrderStatus } from './order.model.ts';
import { orderFrom } from './order.repository.ts';
import { saleShardNames } from './order.writes.ts';

export interface OrderFilter {
  readonly saleId?: string | undefined;
  readonly buyerId?: string | undefined;
  readonly status?: OrderStatus | undefined;
}

export interface OrderList {
  /**
   * A page of orders: newest first when a sale or a buyer is named, otherwise in no order. The index may lag behind; the orders
   * themselves are read fresh. `list` names the cursor, `position` is where the page before it ended; one that this list never gave out
   * is `bad-position`.
   */
  page(
    list: string,
    filter: OrderFilter,
    limit: number,
    position?: string,
  ): Promise<{ outcome: 'page'; page: Page<Order> } | { outcome: 'bad-position' }>;
}

/** What an index says of an order, and the position after it. */
interface Found {
  readonly orderId: string;
  readonly position: string;
}

/** Filters apply after reading, so a page may pass over many orders: it reads so often at most, and may then be short. */
const readsMax = 25;
const keyPosition = /^\d{14}#ord_[\w-]{22}$/;
const scanPosition = /^([\w.-]{1,64})\|(\d{14}#(ord_[\w-]{22}))$/;

const matches = (order: Order, { saleId, buyerId, status }: OrderFilter): boolean =>
  [saleId ?? order.saleId, buyerId ?? order.buyerId, status ?? order.status].join() === [order.saleId, order.buyerId, order.status].join();

export function orderList(database: Database, ordersTable: string): OrderList {
  /** One partition of an index, newest first, below a list key. */
  async function partition(index: 'byBuyer' | 'bySale', key: string, limit: number, below?: string): Promise<Found[]> {
    const { Items = [] } = await database.send(
      new QueryCommand({
        TableName: ordersTable,
        IndexName: index,
        KeyConditionExpression: `#partition = :partition${below === undefined ? '' : ' AND listKey < :below'}`,
        ExpressionAttributeNames: { '#partition': index === 'byBuyer' ? 'buyerId' : 'saleShard' },
        ExpressionAttributeValues: { ':partition': key, ...(below === undefined ? {} : { ':below': below }) },
        ScanIndexForward: false,
        Limit: limit,
      }),
    );
    return Items.map((item) => ({ orderId: String(item.orderId), position: String(item.listKey) }));
  }

  async function newestFirst({ buyerId, saleId }: OrderFilter, limit: number, below?: string): Promise<Found[]> {
    if (buyerId !== undefined) return partition('byBuyer', buyerId, limit, below);
    const parts = await Promise.all(saleShardNames(saleId ?? '').map((shard) => partition('bySale', shard, limit, below)));
    return parts
      .flat()
      .sort((a, b) => (a.position < b.position ? 1 : -1))
      .slice(0, limit);
  }

  /** All orders there are, in the index' own order: its sparse keys leave tombstones out. */
  async function everything(limit: number, position?: string): Promise<Found[]> {
    const [, buyerId, listKey, orderId] = scanPosition.exec(position ?? '') ?? [];
    const { Items = [] } = await database.send(
      new ScanCommand({
        TableName: ordersTable,
        IndexName: 'byBuyer',
        Limit: limit,
        ...(position === undefined ? {} : { ExclusiveStartKey: { buyerId, listKey, orderId } }),
      }),
    );
    return Items.map((item) => ({ orderId: String(item.orderId), position: `${item.buyerId}|${item.listKey}` }));
  }

  async function read(found: readonly Found[]): Promise<Map<string, Order>> {
    const items = await batchGet(
      database,
      ordersTable,
      found.map(({ orderId }) => ({ orderId })),
    );
    return new Map(items.map((item) => [String(item.orderId), orderFrom(item)]));
  }

  return {
    async page(list, filter, limit, position) {
      const byKey = filter.saleId !== undefined || filter.buyerId !== undefined;
      if (position !== undefined && !(byKey ? keyPosition : scanPosition).test(position)) return { outcome: 'bad-position' };
      const shown: Order[] = [];
      let at = position;
      for (let round = 0; round < readsMax; round++) {
        const found = await (byKey ? newestFirst(filter, limit + 1, at) : everything(limit + 1, at));
        const orders = await read(found);
        for (const { orderId, position: next } of found) {
          // One more is there than fits: the page ends here.
          if (shown.length === limit) return { outcome: 'page', page: { items: shown, nextCursor: encodeCursor(list, at ?? '') } };
          at = next;
          const order = orders.get(orderId);
          if (order && matches(order, filter)) shown.push(order);
        }
        if (found.length <= limit) return { outcome: 'page', page: { items: shown, nextCursor: null } };
      }
      return { outcome: 'page', page: { items: shown, nextCursor: encodeCursor(list, at ?? '') } };
    },
  };
}
