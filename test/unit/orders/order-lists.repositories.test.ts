import { describe, expect, it, vi } from 'vitest';
import { dueOrders } from '../../../functions/orders/due.repository.ts';
import type { Order } from '../../../functions/orders/order.model.ts';
import { ordersById } from '../../../functions/orders/orders-by-id.repository.ts';
import { saleOrders } from '../../../functions/orders/sale-orders.repository.ts';
import { freshHoldId } from '../../support/orders.ts';
import { fresh, freshSale, orderTables } from './order.repositories.harness.ts';

const { tables, claims, claimed } = orderTables();

describe('the orders of a sale', () => {
  it('are walked over, each once, oldest first in each partition, in steps of any size', async () => {
    const saleId = freshSale();
    const all: Order[] = [];
    for (let number = 0; number < 12; number++) {
      const unit = [{ sku: 'tee', quantity: 1, units: [String(number + 1)], priceMinor: 1 }];
      all.push(await claimed(fresh({ saleId, items: unit, slots: [], createdAtMs: 1_000_000_000_000 - number })));
    }
    await claims().tombstone({ holdId: freshHoldId(), bornUs: 1 }, 'ord_of_nobody', 0);
    await claimed(fresh());
    const walk = saleOrders(tables.database, 'orders');
    for (const limit of [1, 3, 100]) {
      const seen: Order[] = [];
      let position: Parameters<typeof walk.from>[1] | undefined = { shard: 0 };
      const shards: number[] = [];
      while (position) {
        shards.push(position.shard);
        const step: Awaited<ReturnType<typeof walk.from>> = await walk.from(saleId, position, limit);
        expect(step.orders.length).toBeLessThanOrEqual(limit);
        seen.push(...step.orders);
        position = step.next;
      }
      expect(new Set(seen.map(({ orderId }) => orderId))).toStrictEqual(new Set(all.map(({ orderId }) => orderId)));
      expect(seen).toHaveLength(12);
      expect(new Set(shards)).toStrictEqual(new Set(Array.from({ length: 16 }, (_, shard) => shard)));
    }
    expect((await walk.from('another', { shard: 15 }, 10)).next).toBeUndefined();
  });

  it('are read by their ids, those that exist', async () => {
    const order = await claimed(fresh());
    expect(await ordersById(tables.database, 'orders').getMany([order.orderId, order.orderId, 'ord_nobody'])).toStrictEqual([order]);
  });
});

describe('the orders that are due', () => {
  it('come once their time has, over all partitions and pages, and no tombstone with them', async () => {
    const dueAtMs = 5_000;
    const early: Order[] = [];
    for (let number = 0; number < 20; number++) early.push(await claimed(fresh({ dueAtMs: dueAtMs - (number % 3) })));
    const late = await claimed(fresh({ dueAtMs: dueAtMs + 1 }));
    const due = dueOrders(tables.database, 'orders');
    const found: string[] = [];
    for await (const page of due.due(dueAtMs, 1)) found.push(...page.map(({ orderId }) => orderId));
    expect(found.toSorted()).toStrictEqual(early.map(({ orderId }) => orderId).toSorted());
    expect(found).not.toContain(late.orderId);
  });

  it('are left out when they are not due any more, or are tombstones by now, whatever the index still says', async () => {
    const due = await claimed(fresh({ dueAtMs: 10 }));
    const later = await claimed(fresh({ dueAtMs: 11 }));
    const { dueAtMs: _, ...resting } = fresh();
    await claimed(resting);
    const dead = fresh();
    await claims().tombstone(dead, dead.orderId, 0);
    const { send } = tables.database;
    const named = [due, later, resting, dead].map(({ orderId }) => ({ orderId }));
    vi.spyOn(tables.database, 'send').mockImplementationOnce((async () => ({ Items: named })) as typeof send);
    const pages: Order[][] = [];
    for await (const page of dueOrders(tables.database, 'orders').due(10, 5)) pages.push(page);
    expect(pages.flat().filter(({ orderId }) => named.some((each) => each.orderId === orderId))).toStrictEqual([due]);
  });
});
