import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Order } from '../../../functions/orders/order.model.ts';
import { type OrderFilter, orderList } from '../../../functions/orders/order-list.repository.ts';
import { viewFrom, viewRowOf } from '../../../functions/orders/order-view.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import { decodeCursor } from '../../../functions/shared/page.ts';
import { levelReader, stockLevels } from '../../../functions/views/stock-level.repository.ts';
import { viewRepository } from '../../../functions/views/view.repository.ts';
import { startTables } from '../../support/database.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => vi.clearAllMocks());

const fresh = (changes: Partial<Order> = {}): Order => {
  const holdId = freshHoldId();
  return anOrder({ holdId, orderId: orderIdOf(holdId), ...changes });
};

describe('the view of an order', () => {
  const views = () => viewRepository(tables.database, 'views');
  const stored = async ({ orderId }: Order) => (await views().rows([orderId])).get(orderId);

  it('never goes back to an older version', async () => {
    const order = fresh({ version: 2 });
    expect(await views().put(viewRowOf(order), 'older')).toStrictEqual({ outcome: 'written' });
    expect(await stored(order)).toStrictEqual(viewRowOf(order));
    for (const replaces of ['older', 'older-or-same'] as const)
      expect(await views().put(viewRowOf({ ...order, version: 1 }), replaces)).toStrictEqual({ outcome: 'up-to-date' });
    expect(await views().put(viewRowOf({ ...order, version: 3 }), 'older')).toStrictEqual({ outcome: 'written' });
    expect((await stored(order))?.version).toBe(3);
    expect(reads.weak()).toStrictEqual([]);
  });

  it('takes the place of its own version only where that is meant', async () => {
    const order = fresh();
    await views().put({ ...viewRowOf(order), buyerId: 'wrong' }, 'older');
    expect(await views().put(viewRowOf(order), 'older')).toStrictEqual({ outcome: 'up-to-date' });
    expect((await stored(order))?.buyerId).toBe('wrong');
    expect(await views().put(viewRowOf(order), 'older-or-same')).toStrictEqual({ outcome: 'written' });
    expect((await stored(order))?.buyerId).toBe('ada');
  });

  it('is read among others, those that there are', async () => {
    const order = fresh();
    await views().put(viewRowOf(order), 'older');
    expect(await views().rows([order.orderId, 'ord_nobody'])).toStrictEqual(new Map([[order.orderId, viewRowOf(order)]]));
  });

  it('is not called up to date by a database that fails', async () => {
    await expect(viewRepository(tables.database, 'no-such-table').put(viewRowOf(fresh()), 'older')).rejects.toThrow();
  });

  it('has the keys of its indexes, which no list shows', () => {
    const order = fresh();
    const row = viewRowOf(order);
    expect(row.listKey).toBe(`0${order.createdAtMs}#${order.orderId}`);
    expect(row.saleShard).toMatch(/^sale#\d+$/);
    expect(row.timeShard).toMatch(/^all#(\d|1[0-5])$/);
    const { listKey: _l, saleShard: _s, timeShard: _t, ...view } = row;
    expect(viewFrom({ ...row })).toStrictEqual(view);
  });
});

describe('the list of orders', () => {
  const list = () => orderList(tables.database, 'views');
  /** All pages of the list, as ids. */
  async function listed(filter: OrderFilter, limit: number): Promise<string[]> {
    const ids: string[] = [];
    let position: string | undefined;
    for (let page = 0; page < 100; page++) {
      const found = await list().page('orders', filter, limit, position);
      if (found.outcome !== 'page') throw new Error(found.outcome);
      expect(found.page.items.length).toBeLessThanOrEqual(limit);
      ids.push(...found.page.items.map(({ orderId }) => orderId));
      if (found.page.nextCursor === null) return ids;
      position = decodeCursor('orders', found.page.nextCursor);
    }
    throw new Error('the list does not end');
  }

  it('shows each order once, newest first, by sale, by buyer, by status, and all', async () => {
    const all: Order[] = [];
    for (let number = 0; number < 14; number++) {
      const order = fresh({
        saleId: `list-${number % 2}`,
        buyerId: `buyer-${number % 3}`,
        status: number % 4 === 0 ? 'EXPIRED' : 'RESERVED',
        createdAtMs: 1_000_000_000_000 + number,
      });
      all.unshift(order);
      await viewRepository(tables.database, 'views').put(viewRowOf(order), 'older');
    }
    const ids = (matches: (order: Order) => boolean) => all.filter(matches).map(({ orderId }) => orderId);
    for (const limit of [1, 3, 50]) {
      expect(await listed({ saleId: 'list-1' }, limit)).toStrictEqual(ids(({ saleId }) => saleId === 'list-1'));
      expect(await listed({ buyerId: 'buyer-2' }, limit)).toStrictEqual(ids(({ buyerId }) => buyerId === 'buyer-2'));
      expect(await listed({ buyerId: 'buyer-2', saleId: 'list-0' }, limit)).toStrictEqual(
        ids(({ buyerId, saleId }) => buyerId === 'buyer-2' && saleId === 'list-0'),
      );
      expect(await listed({ saleId: 'list-0', status: 'EXPIRED' }, limit)).toStrictEqual(
        ids(({ saleId, status }) => saleId === 'list-0' && status === 'EXPIRED'),
      );
      const everything = await listed({}, limit);
      expect(everything.filter((id) => all.some(({ orderId }) => orderId === id))).toStrictEqual(ids(() => true));
      expect(await listed({ buyerId: 'nobody' }, limit)).toStrictEqual([]);
    }
    expect(reads.weak()).toStrictEqual([]);
  });

  it('ends a page before it has looked at too many that do not match, and goes on from there', async () => {
    for (let number = 0; number < 60; number++)
      await viewRepository(tables.database, 'views').put(
        viewRowOf(fresh({ buyerId: 'many', createdAtMs: 2_000_000_000_000 + number })),
        'older',
      );
    const first = await list().page('orders', { buyerId: 'many', status: 'FAILED' }, 1);
    if (first.outcome !== 'page') throw new Error(first.outcome);
    expect(first.page.items).toStrictEqual([]);
    expect(first.page.nextCursor).not.toBeNull();
    expect(await listed({ buyerId: 'many', status: 'FAILED' }, 1)).toStrictEqual([]);
  });

  it.each([
    '',
    'x',
    '0000000000001#ord_AAAAAAAAAAAAAAAAAAAAAA',
    '00000000000001#AAAAAAAAAAAAAAAAAAAAAA',
    ' 00000000000001#ord_AAAAAAAAAAAAAAAAAAAAAA',
    '00000000000001#ord_AAAAAAAAAAAAAAAAAAAAAA ',
  ])('goes on from no position that it never gave out: %j', async (position) => {
    expect(await list().page('orders', {}, 1, position)).toStrictEqual({ outcome: 'bad-position' });
  });

  it('leaves out what the index names and nobody has', async () => {
    const order = fresh({ buyerId: 'gone', saleId: 'gone' });
    const row = viewRowOf(order);
    await viewRepository(tables.database, 'views').put(row, 'older');
    await tables.database.send(new PutCommand({ TableName: 'views', Item: { ...row, status: 'FAILED' } }));
    expect(await listed({ buyerId: 'gone', status: 'RESERVED' }, 5)).toStrictEqual([]);
    expect(await listed({ buyerId: 'gone', status: 'FAILED' }, 5)).toStrictEqual([order.orderId]);
  });
});

describe('the figures of a sale', () => {
  const levels = () => stockLevels(tables.database, { levels: 'stockLevels', inbox: 'inbox' });
  const of = (saleId: string) => levelReader(tables.database, 'stockLevels').of(saleId);
  const change = (saleId: string, held: number, sold = 0, retired = 0) => ({ saleId, sku: 'tee', held, sold, retired });

  it('count each message once, whatever else comes with it', async () => {
    expect(await levels().count([change('f1', 3, 1, 2)], ['e1', 'e2'], 5_999)).toStrictEqual({ outcome: 'counted' });
    expect(await of('f1')).toStrictEqual([{ saleId: 'f1', sku: 'tee', held: 3, sold: 1, retired: 2, version: 1 }]);
    const known = await tables.database.send(
      new GetCommand({ TableName: 'inbox', Key: { message: 'stock-levels#e1' }, ConsistentRead: true }),
    );
    expect(known.Item).toStrictEqual({ message: 'stock-levels#e1', expiresAtSeconds: 5 + 45 * 86_400 });
    expect(await levels().count([change('f1', 1)], ['e3', 'e2'], 6_000)).toStrictEqual({ outcome: 'known', eventIds: ['e2'] });
    expect((await of('f1'))[0]).toMatchObject({ held: 3, version: 1 });
    expect(await levels().count([change('f1', -1, 1)], ['e3'], 6_000)).toStrictEqual({ outcome: 'counted' });
    expect((await of('f1'))[0]).toMatchObject({ held: 2, sold: 2, version: 2 });
  });

  it('have the total of the newest copy of the sale, whichever came last', async () => {
    const total = (saleVersion: number, units: number) => levels().setTotal({ saleId: 'f2', sku: 'tee', total: units, saleVersion });
    await total(2, 20);
    expect(await of('f2')).toStrictEqual([
      { saleId: 'f2', sku: 'tee', total: 20, saleVersion: 2, held: 0, sold: 0, retired: 0, version: 1 },
    ]);
    for (const [version, units] of [
      [2, 21],
      [1, 10],
    ] as const)
      await total(version, units);
    expect((await of('f2'))[0]).toMatchObject({ total: 20, saleVersion: 2, version: 1 });
    await total(3, 30);
    expect((await of('f2'))[0]).toMatchObject({ total: 30, saleVersion: 3, version: 2 });
    await levels().count([change('f2', 1)], ['e9'], 1);
    expect((await of('f2'))[0]).toMatchObject({ total: 30, held: 1, version: 3 });
    expect(await of('nothing')).toStrictEqual([]);
    await expect(
      stockLevels(tables.database, { levels: 'no-such-table', inbox: 'inbox' }).setTotal({
        saleId: 'f',
        sku: 't',
        total: 1,
        saleVersion: 1,
      }),
    ).rejects.toThrow();
  });
});
