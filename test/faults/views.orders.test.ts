import { randomUUID } from 'node:crypto';
import { DeleteCommand, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AnyOrderEvent } from '../../functions/orders/order.events.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import { confirm } from '../../functions/orders/order.transitions.model.ts';
import { orderList } from '../../functions/orders/order-list.repository.ts';
import { viewRowOf } from '../../functions/orders/order-view.model.ts';
import { ordersById } from '../../functions/orders/orders-by-id.repository.ts';
import { decodeCursor } from '../../functions/shared/page.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { batchConsumer } from '../../functions/views/batch.ts';
import { projectOrders } from '../../functions/views/project-orders.ts';
import { reprojector } from '../../functions/views/reproject-orders.ts';
import { viewRepository } from '../../functions/views/view.repository.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { batchOf, bodyOf, deliver, failuresOf, shuffledBy } from '../support/messages.ts';
import { anOrder, freshHoldId, orderOf } from '../support/orders.ts';
import { outboxEventsOf } from '../support/views.ts';

let engine: Engine;
let views: ReturnType<typeof viewRepository>;
beforeAll(async () => {
  engine = await startEngine();
  views = viewRepository(engine.database, 'views');
});
afterAll(() => engine?.stop());

const consume = (changes: Partial<Parameters<typeof projectOrders>[0]> = {}) =>
  batchConsumer(AnyOrderEvent, projectOrders({ orders: ordersById(engine.database, 'orders'), views, ...changes }));

async function rowOf(orderId: string): Promise<Record<string, unknown> | undefined> {
  const { Item } = await engine.database.send(new GetCommand({ TableName: 'views', Key: { orderId }, ConsistentRead: true }));
  return Item;
}

const updatesOf = ({ orderId }: Pick<Order, 'orderId'>) => outboxEventsOf(engine.database, orderId);

async function stored(orderId: string): Promise<Order> {
  const order = await engine.orders.get(orderId);
  if (!order) throw new Error(`${orderId} is gone`);
  return order;
}

/** Some orders of a sale, each with another fate to come. */
async function someOrders(): Promise<Order[]> {
  const saleId = randomUUID();
  await engine.openSale(saleId, 50);
  await Promise.all(['ada', 'bob'].map((buyer) => engine.fund(`${buyer}-${saleId}`, 100_000)));
  const placed = [];
  for (const [buyer, method] of [
    ['ada', 'balance'],
    ['bob', 'balance'],
    ['poor', 'balance'],
    ['cleo', 'external'],
    ['dan', 'external'],
  ] as const)
    placed.push(orderOf(await engine.place(saleId, `${buyer}-${saleId}`, { key: buyer, method })));
  return placed;
}

describe('the views of orders', () => {
  it('are the same when each event comes five times in any order, early or late, as when it comes once', async () => {
    const placed = await someOrders();
    // Some hear of the orders at once, some only of what they have become.
    for (const [seed, order] of placed.entries()) if (seed % 2 === 0) await deliver(consume(), await updatesOf(order), { seed });
    await engine.cancel(await stored(placed[3]?.orderId ?? ''));
    for (let run = 0; run < 6; run++) await engine.sweep({ laterMs: 40_000 });
    await engine.refund(placed[0]?.orderId ?? '');
    for (let run = 0; run < 3; run++) await engine.sweep({ laterMs: 80_000 });

    const all = (await Promise.all(placed.map(updatesOf))).flat();
    expect(all.length).toBeGreaterThan(15);
    await deliver(consume(), all, { seed: 7 });
    const now = await Promise.all(placed.map(({ orderId }) => stored(orderId)));
    expect(new Set(now.map(({ status }) => status)).size).toBeGreaterThan(3);
    for (const order of now) expect(await rowOf(order.orderId)).toEqual(viewRowOf(order));
  });

  it('never go back to an older version, whichever write comes last', async () => {
    const versions = Array.from({ length: 6 }, (_, index) =>
      anOrder({ holdId: 'BBBBBBBBBBBBBBBBBBBBBB', version: index + 1, totalMinor: index }),
    );
    for (const seed of [1, 2, 3]) await Promise.all(shuffledBy(versions, seed).map((order) => views.put(viewRowOf(order), 'older')));
    const last = versions.at(-1);
    if (!last) throw new Error('there are six');
    expect(await rowOf(last.orderId)).toEqual(viewRowOf(last));
    expect(await views.put(viewRowOf({ ...last, version: 5 }), 'older')).toEqual({ outcome: 'up-to-date' });
    expect(await views.put(viewRowOf({ ...last, version: 5 }), 'older-or-same')).toEqual({ outcome: 'up-to-date' });
    expect(await rowOf(last.orderId)).toEqual(viewRowOf(last));
  });

  it('are not held up by a message that is none, one about an order that nobody knows, or one whose view cannot be written', async () => {
    const [good, unwritable] = await someOrders();
    if (!good || !unwritable) throw new Error('there are five');
    const [event, other] = [(await updatesOf(good))[0], (await updatesOf(unwritable))[0]];
    if (!event || !other) throw new Error('no events');
    const stranger = { ...event, detail: { ...(event.detail as object), orderId: `ord_${freshHoldId()}` } };
    const batch = batchOf([
      ['no JSON', '{'],
      ['no event', '{"detail":{"orderId":"x"}}'],
      ['stranger', bodyOf(stranger)],
      ['unwritable', bodyOf(other)],
      ['good', bodyOf(event)],
    ]);
    const picky = {
      ...views,
      put: (row: ReturnType<typeof viewRowOf>) =>
        row.orderId === unwritable.orderId ? Promise.reject(new Error('no')) : views.put(row, 'older'),
    };
    const answer = await consume({ views: picky })(batch);
    expect(failuresOf(answer).toSorted()).toEqual(['no JSON', 'no event', 'stranger', 'unwritable'].toSorted());
    expect(await rowOf(good.orderId)).toEqual(viewRowOf(await stored(good.orderId)));
  });

  it('read each order of a batch once, however many messages are about it', async () => {
    const [order] = await someOrders();
    if (!order) throw new Error('there are five');
    const [event] = await updatesOf(order);
    if (!event) throw new Error('no event');
    const asked: string[] = [];
    const orders = {
      getMany: (orderIds: readonly string[]) => {
        asked.push(...orderIds);
        return ordersById(engine.database, 'orders').getMany(orderIds);
      },
    };
    await consume({ orders })(batchOf(Array.from({ length: 10 }, (_, index) => [String(index), bodyOf(event)])));
    expect(asked).toEqual([order.orderId]);
  });
});

describe('the re-projector', () => {
  it('finds views that are missing, behind or wrong, mends those, and leaves one that is ahead alone', async () => {
    const placed = await someOrders();
    await deliver(consume(), (await Promise.all(placed.map(updatesOf))).flat(), { times: 1 });
    const orders = await Promise.all(placed.map(({ orderId }) => stored(orderId)));
    const [missing, behind, wrong, ahead] = orders;
    if (!missing || !behind || !wrong || !ahead) throw new Error('there are five');
    const again = reprojector(views);
    expect(await again.staleViews(orders)).toEqual([]);

    await engine.database.send(new DeleteCommand({ TableName: 'views', Key: { orderId: missing.orderId } }));
    const set = (orderId: string, name: string, value: unknown) =>
      engine.database.send(
        new UpdateCommand({
          TableName: 'views',
          Key: { orderId },
          UpdateExpression: 'SET #name = :value',
          ExpressionAttributeNames: { '#name': name },
          ExpressionAttributeValues: { ':value': value },
        }),
      );
    await set(behind.orderId, 'version', behind.version - 1);
    await set(wrong.orderId, 'displayStatus', 'COMPLETED');
    await set(ahead.orderId, 'version', ahead.version + 1);

    const stale = await again.staleViews(orders);
    expect(stale).toMatchObject([
      { order: { orderId: missing.orderId }, why: 'missing' },
      { order: { orderId: behind.orderId }, why: 'behind', viewVersion: behind.version - 1 },
      { order: { orderId: wrong.orderId }, why: 'wrong', viewVersion: wrong.version },
    ]);
    // Meanwhile one of them moves on and its view with it: that one is not set back.
    const moved = confirm({ ...behind, payment: { method: 'balance', state: 'authorised' } }, Date.now());
    if (moved.outcome !== 'go') throw new Error('it can be confirmed');
    await views.put(viewRowOf(moved.transition.next), 'older');
    expect(await again.rewrite(stale)).toBe(2);
    expect(await again.staleViews(orders)).toEqual([]);
    expect(await rowOf(behind.orderId)).toMatchObject({ status: 'CONFIRMED' });
  });
});

describe('a list of orders', () => {
  const saleId = randomUUID();
  const listName = 'orders';
  /** 110 orders of two buyers, a tenth of them expired. */
  const orders = Array.from({ length: 110 }, (_, index) =>
    anOrder({
      holdId: freshHoldId(),
      saleId,
      buyerId: `${index % 2 === 0 ? 'eve' : 'odd'}-${saleId}`,
      status: index % 10 === 9 ? 'EXPIRED' : 'RESERVED',
      createdAtMs: 4_000_000_000_000 + index,
    }),
  );
  beforeAll(async () => {
    await inParallel(orders, 8, (order) => views.put(viewRowOf(order), 'older'));
  });
  const newestFirst = orders.map(({ orderId }) => orderId).toReversed();

  /** All pages, three orders a page, until so many are seen. */
  async function pages(filter: Parameters<ReturnType<typeof orderList>['page']>[1], atMost = Number.POSITIVE_INFINITY): Promise<string[]> {
    const list = orderList(engine.database, 'views');
    const seen: string[] = [];
    let position: string | undefined;
    do {
      const answer = await list.page(listName, filter, 3, position);
      if (answer.outcome !== 'page') throw new Error(answer.outcome);
      seen.push(...answer.page.items.map(({ orderId }) => orderId));
      position = answer.page.nextCursor === null ? undefined : decodeCursor(listName, answer.page.nextCursor);
    } while (position !== undefined && seen.length < atMost);
    return seen;
  }

  it('shows all of a sale, of a buyer, or of everybody, newest first and each once', async () => {
    expect(await pages({ saleId })).toEqual(newestFirst);
    expect(await pages({ buyerId: `eve-${saleId}` })).toEqual(newestFirst.filter((_, index) => index % 2 === 1));
    expect(await pages({ saleId, buyerId: `odd-${saleId}` })).toEqual(newestFirst.filter((_, index) => index % 2 === 0));
    expect((await pages({}, 30)).slice(0, 30)).toEqual(newestFirst.slice(0, 30));
  });

  it('shows those of a status, and looks at no more for a page than it says', async () => {
    const expired = orders.filter(({ status }) => status === 'EXPIRED').map(({ orderId }) => orderId);
    expect(await pages({ saleId, status: 'EXPIRED' })).toEqual(expired.toReversed());
    let reads = 0;
    const counting = new Proxy(engine.database, {
      get(target, name) {
        if (name === 'query' || name === 'batchGet' || name === 'get') reads++;
        const member = Reflect.get(target, name);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const one = await orderList(counting, 'views').page(listName, { buyerId: `eve-${saleId}`, status: 'EXPIRED' }, 1);
    expect(one).toMatchObject({ outcome: 'page', page: { items: [], nextCursor: expect.any(String) } });
    expect(reads).toBe(50);
  });

  it('takes no cursor that it never gave out', async () => {
    for (const position of ['', 'x', '1#ord_x', `ada|${'0'.repeat(14)}#ord_${'a'.repeat(22)}`])
      expect(await orderList(engine.database, 'views').page(listName, {}, 3, position)).toEqual({ outcome: 'bad-position' });
  });
});
