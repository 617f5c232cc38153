import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { claimRepository } from '../../../functions/orders/claim.repository.ts';
import { isTombstone, readStored } from '../../../functions/orders/order.repository.ts';
import { ordersById } from '../../../functions/orders/orders-by-id.repository.ts';
import { writtenTables } from '../../support/database.ts';
import { fresh, orderTables, placed } from './order.repositories.harness.ts';

const { tables, claims, orders, rowOf, unitRow, slotRow, claimed } = orderTables();

describe('a claim', () => {
  const lines = [
    { sku: 'tee', quantity: 2, units: ['1', '70'], priceMinor: 100 },
    { sku: 'hall', quantity: 1, units: ['A-1'], priceMinor: 100, seated: true as const },
  ];

  it('writes the order, its outbox row, and a row of each unit and slot that says whose it is', async () => {
    const order = await claimed(fresh({ items: lines, slots: [1, 2, 3] }));
    expect(await orders().get(order.orderId)).toStrictEqual(order);
    const row = { saleId: order.saleId, orderId: order.orderId, buyerId: 'ada', state: 'HELD', atMs: order.updatedAtMs };
    expect(await unitRow(order, '1')).toStrictEqual({ ...row, sku: 'tee', unit: '1', slot: 1, bucket: `${order.saleId}#tee#1` });
    expect(await unitRow(order, '70')).toStrictEqual({ ...row, sku: 'tee', unit: '70', slot: 2, bucket: `${order.saleId}#tee#6` });
    expect(await unitRow(order, 'A-1', 'hall')).toMatchObject({ ...row, sku: 'hall', unit: 'A-1', slot: 3, seated: true });
    expect(await slotRow(order, 2)).toStrictEqual({ saleBuyer: `${order.saleId}#ada`, slot: 2, orderId: order.orderId });
    expect(await rowOf('outbox', { subject: order.orderId, version: 1 })).toMatchObject({ saleId: order.saleId, status: 'RESERVED' });
  });

  it('keeps keys of the indexes with the order, by which it is found, and no due one without a due time', async () => {
    const order = await claimed(fresh());
    const { dueAtMs: _, ...resting } = fresh();
    await claimed(resting);
    const stored = await rowOf('orders', { orderId: order.orderId });
    expect(stored).toMatchObject({
      listKey: `0${order.createdAtMs}#${order.orderId}`,
      saleShard: expect.stringMatching(new RegExp(`^${order.saleId}#\\d+$`)),
      dueShard: expect.stringMatching(/^due#\d+$/),
    });
    expect(await rowOf('orders', { orderId: resting.orderId })).not.toHaveProperty('dueShard');
  });

  it('finds the order that is there already, and does not take its units for a collision', async () => {
    const order = await claimed(fresh());
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'order-exists', order });
    const other = { ...order, items: [{ sku: 'tee', quantity: 1, units: ['2'], priceMinor: 2_500 }], slots: [2] };
    expect(await claims().claim(placed(other))).toStrictEqual({ outcome: 'order-exists', order });
    expect(await unitRow(order, '2')).toBeUndefined();
  });

  it('is stopped by what other orders have, all of it at once, and writes nothing', async () => {
    const first = await claimed(fresh({ items: lines, slots: [1, 2] }));
    const next = fresh({
      saleId: first.saleId,
      slots: [2, 3],
      items: [{ sku: 'tee', quantity: 3, units: ['69', '70', '1'], priceMinor: 1 }],
    });
    expect(await claims().claim(placed(next))).toStrictEqual({
      outcome: 'collided',
      units: [{ sku: 'tee', units: ['70', '1'] }],
      slots: [2],
    });
    expect(await orders().get(next.orderId)).toBeUndefined();
    expect(await unitRow(next, '69')).toBeUndefined();
    const seat = fresh({ saleId: first.saleId, buyerId: 'bob', items: lines.slice(1), slots: [] });
    expect(await claims().claim(placed(seat))).toStrictEqual({
      outcome: 'collided',
      units: [{ sku: 'hall', units: ['A-1'], seated: true }],
      slots: [],
    });
  });

  it('names the hold and the state in its rows where they are not those of a first reservation', async () => {
    const order = fresh({ status: 'CONFIRMED', holdId: 'another-hold' });
    await claimed(order);
    expect(await unitRow(order, '1')).toMatchObject({ state: 'SOLD', holdId: 'another-hold' });
    const plain = await claimed(fresh({ slots: [] }));
    expect(await unitRow(plain, '1')).not.toHaveProperty('holdId');
    expect(await unitRow(plain, '1')).not.toHaveProperty('slot');
    expect(await unitRow(plain, '1')).not.toHaveProperty('seated');
  });
});

describe('a claim that the database refuses', () => {
  /** The next transaction is refused so: by place, what stood in the way. */
  function refusedBy(items: Readonly<Record<number, Record<string, unknown> | undefined>>, writes: number) {
    const reasons = Array.from({ length: writes }, (_, index) => {
      const item = items[index];
      return index in items ? { Code: 'ConditionalCheckFailed', ...(item ? { Item: marshall(item) } : {}) } : { Code: 'None' };
    });
    vi.spyOn(tables.database, 'send').mockImplementationOnce(() => {
      throw new TransactionCanceledException({ message: 'refused', $metadata: {}, CancellationReasons: reasons });
    });
  }

  it('by a unit of its own finds the order by reading it, where there is one', async () => {
    const order = await claimed(fresh());
    refusedBy({ 2: { orderId: order.orderId } }, 4);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'order-exists', order });
  });

  it('by an order that is not shown reads it', async () => {
    const order = await claimed(fresh());
    refusedBy({ 0: undefined }, 4);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'order-exists', order });
    const ended = fresh({ bornUs: 9 });
    await claims().tombstone(ended, ended.orderId, 0);
    refusedBy({ 0: undefined }, 4);
    expect(await claims().claim(placed(ended))).toStrictEqual({ outcome: 'tombstoned', bornUs: 9 });
  });

  it('by what is its own and not there yet collides with nothing, and with what others have alone', async () => {
    const order = fresh({ items: [{ sku: 'tee', quantity: 2, units: ['1', '2'], priceMinor: 1 }] });
    refusedBy({ 2: { orderId: order.orderId } }, 5);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'collided', units: [], slots: [] });
    refusedBy({ 2: { orderId: order.orderId }, 3: { orderId: 'other' } }, 5);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'collided', units: [{ sku: 'tee', units: ['2'] }], slots: [] });
  });

  it('by others’ units alone does not look for the order', async () => {
    const order = await claimed(fresh());
    refusedBy({ 2: { orderId: 'other' } }, 4);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'collided', units: [{ sku: 'tee', units: ['1'] }], slots: [] });
    refusedBy({ 3: undefined }, 4);
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'collided', units: [], slots: [1] });
  });
});

describe('a tombstone', () => {
  const nowMs = 1_000_000_400_999;

  it('stops a claim of its birth or an earlier one, and lets a younger one through', async () => {
    const order = fresh({ bornUs: 100 });
    expect(await claims().tombstone(order, order.orderId, nowMs)).toStrictEqual({ outcome: 'tombstoned' });
    expect(await rowOf('orders', { orderId: order.orderId })).toStrictEqual({
      orderId: order.orderId,
      tombstone: true,
      bornUs: 100,
      expiresAtSeconds: 1_000_000_400 + 24 * 3600,
    });
    expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'tombstoned', bornUs: 100 });
    expect(await claims().claim(placed({ ...order, bornUs: 99 }))).toStrictEqual({ outcome: 'tombstoned', bornUs: 100 });
    expect(await orders().get(order.orderId)).toBeUndefined();
    await claimed({ ...order, bornUs: 101 });
  });

  it('takes the place of an older one, and leaves a younger one', async () => {
    const order = fresh({ bornUs: 100 });
    const bornUs = async () => (await rowOf('orders', { orderId: order.orderId }))?.bornUs;
    for (const [born, left] of [
      [100, 100],
      [150, 150],
      [120, 150],
      [150, 150],
    ] as const) {
      expect(await claims().tombstone({ ...order, bornUs: born }, order.orderId, nowMs)).toStrictEqual({ outcome: 'tombstoned' });
      expect(await bornUs()).toBe(left);
    }
  });

  it('is not put where the order is, however young', async () => {
    const order = await claimed(fresh());
    expect(await claims().tombstone({ ...order, bornUs: order.bornUs + 1 }, order.orderId, nowMs)).toStrictEqual({
      outcome: 'order-exists',
      order,
    });
    expect(await orders().get(order.orderId)).toStrictEqual(order);
  });

  it('is no order to anybody', async () => {
    const order = fresh();
    await claims().tombstone(order, order.orderId, nowMs);
    const stored = await readStored(tables.database, 'orders', order.orderId);
    expect(stored && isTombstone(stored)).toBe(true);
    expect(await ordersById(tables.database, 'orders').getMany([order.orderId, 'ord_nobody'])).toStrictEqual([]);
  });

  it('fails with the database’s error when that is no refused condition', async () => {
    const broken = claimRepository(tables.database, { ...writtenTables, orders: 'no-such-table' });
    await expect(broken.tombstone(fresh(), 'ord_1', nowMs)).rejects.toThrow();
  });
});

describe('who has what', () => {
  it('is told of units that have a row, and of the buyer’s slots', async () => {
    const order = await claimed(
      fresh({
        slots: [2, 5],
        items: [
          { sku: 'tee', quantity: 1, units: ['3'], priceMinor: 1 },
          { sku: 'hall', quantity: 1, units: ['3'], priceMinor: 1, seated: true },
        ],
      }),
    );
    const asked = [
      { sku: 'tee', units: ['3', '4'] },
      { sku: 'hall', units: ['3'], seated: true as const },
    ];
    const found = await claims().owners(order.saleId, asked);
    expect(found.toSorted((a, b) => (a.sku < b.sku ? -1 : 1))).toStrictEqual([
      { sku: 'hall', unit: '3', orderId: order.orderId, seated: true },
      { sku: 'tee', unit: '3', orderId: order.orderId },
    ]);
    expect(await claims().usedSlots(order.saleId, 'ada')).toStrictEqual([2, 5]);
    expect(await claims().usedSlots(order.saleId, 'bob')).toStrictEqual([]);
  });
});
