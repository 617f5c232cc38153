import { describe, expect, it } from 'vitest';
import { timeShardNames, viewFrom, viewRowOf } from '../../../functions/orders/order-view.model.ts';
import { anOrder } from '../../support/orders.ts';

describe('the view of an order', () => {
  it('has the keys of its indexes, always the same ones, which no list shows', () => {
    const order = anOrder();
    const row = viewRowOf(order);
    expect(viewRowOf(order)).toStrictEqual(row);
    expect(row.listKey).toBe(`0${order.createdAtMs}#${order.orderId}`);
    expect(row.saleShard).toMatch(/^sale#\d+$/);
    expect(timeShardNames).toStrictEqual(Array.from({ length: 16 }, (_, shard) => `all#${shard}`));
    expect(timeShardNames).toContain(row.timeShard);
    const { listKey: _l, saleShard: _s, timeShard: _t, ...view } = row;
    expect(viewFrom({ ...row })).toStrictEqual(view);
    expect(view).toMatchObject({ orderId: order.orderId, version: 1, status: 'RESERVED' });
  });
});
