import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { claimRepository } from '../../../functions/orders/claim.repository.ts';
import { dueOrders } from '../../../functions/orders/due.repository.ts';
import { OrderRowsBroken } from '../../../functions/orders/order.errors.ts';
import { expiryGraceMs, type Order, type Transition } from '../../../functions/orders/order.model.ts';
import { isTombstone, orderRepository, readStored } from '../../../functions/orders/order.repository.ts';
import { allocate, authorise, confirm, expire } from '../../../functions/orders/order.transitions.model.ts';
import { ordersById } from '../../../functions/orders/orders-by-id.repository.ts';
import { saleOrders } from '../../../functions/orders/sale-orders.repository.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import { unitBucket } from '../../../functions/stock/stock.model.ts';
import { startTables, writtenTables } from '../../support/database.ts';
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
afterEach(() => expect(reads.weak()).toStrictEqual([]));

const claims = () => claimRepository(tables.database, writtenTables);
const orders = () => orderRepository(tables.database, writtenTables);
let sales = 0;
const freshSale = () => `sale-${++sales}`;
const fresh = (changes: Partial<Order> = {}): Order => {
  const holdId = freshHoldId();
  return anOrder({ holdId, orderId: orderIdOf(holdId), saleId: freshSale(), ...changes });
};
const placed = (order: Order): Transition => ({ next: order, events: ['OrderPlaced', 'StockReserved'] });
const going = (decision: { outcome: string; transition?: Transition }): Transition => {
  if (!decision.transition) throw new Error(`stayed: ${JSON.stringify(decision)}`);
  return decision.transition;
};
const rowOf = async (TableName: string, Key: object) =>
  (await tables.database.send(new GetCommand({ TableName, Key: { ...Key }, ConsistentRead: true }))).Item;
const unitRow = (order: Order, unit: string, sku = 'tee') => rowOf('units', { bucket: unitBucket(order.saleId, sku, unit), unit });
const slotRow = ({ saleId, buyerId }: Order, slot: number) => rowOf('allowances', { saleBuyer: `${saleId}#${buyerId}`, slot });
async function claimed(order: Order): Promise<Order> {
  expect(await claims().claim(placed(order))).toStrictEqual({ outcome: 'claimed' });
  return order;
}

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

describe('a transition', () => {
  const fund = (userId: string, balanceMinor: number) =>
    tables.database.send(
      new PutCommand({ TableName: 'accounts', Item: { userId, entry: 'account', balanceMinor, currency: 'EUR', version: 1 } }),
    );
  const atMs = anOrder().createdAtMs + 1_000;
  let buyers = 0;
  async function rich(changes: Partial<Order> = {}): Promise<Order> {
    const buyerId = `buyer-${++buyers}`;
    await fund(buyerId, 10_000);
    return claimed(fresh({ buyerId, ...changes }));
  }

  it('moves the order with its money, and is refused to whoever saw an older version', async () => {
    const order = await rich();
    const authorised = going(authorise(order, atMs));
    expect(await orders().transition(order, authorised)).toStrictEqual({ outcome: 'moved', order: authorised.next });
    expect(await orders().get(order.orderId)).toStrictEqual(authorised.next);
    expect(await rowOf('accounts', { userId: order.buyerId, entry: 'account' })).toMatchObject({ balanceMinor: 7_500, version: 2 });
    expect(await rowOf('outbox', { subject: order.orderId, version: 2 })).toMatchObject({ paymentState: 'authorised' });
    expect(await orders().transition(order, going(expire(order, order.holdExpiresAtMs + expiryGraceMs)))).toStrictEqual({
      outcome: 'lost-race',
      current: authorised.next,
    });
    expect(await unitRow(order, '1')).toBeDefined();
  });

  it('turns its unit rows, and takes them away with the slots when it ends', async () => {
    const order = await rich();
    const { next } = going(authorise(order, atMs));
    await orders().transition(order, going(authorise(order, atMs)));
    const confirmed = going(confirm(next, atMs + 1));
    await orders().transition(next, confirmed);
    expect(await unitRow(order, '1')).toMatchObject({ state: 'SOLD', atMs: atMs + 1, slot: 1 });
    const retired = { next: { ...confirmed.next, version: 4, updatedAtMs: atMs + 2 }, events: [], units: 'retire' } as const;
    await orders().transition(confirmed.next, retired);
    expect(await unitRow(order, '1')).toMatchObject({ state: 'RETIRED', atMs: atMs + 2 });
    expect(await slotRow(order, 1)).toBeDefined();
    await orders().transition(retired.next, { next: { ...retired.next, version: 5 }, events: [], units: 'free' });
    expect(await unitRow(order, '1')).toBeUndefined();
    expect(await slotRow(order, 1)).toBeUndefined();
  });

  it('claims units for an order that had none, or says what others have of them', async () => {
    const order = await rich({ status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] });
    const { next } = going(authorise(order, atMs));
    await orders().transition(order, going(authorise(order, atMs)));
    const other = await claimed(fresh({ saleId: order.saleId, buyerId: 'bob', slots: [] }));
    const holdId = freshHoldId();
    const got = (units: string[]) => ({
      holdId,
      bornUs: order.bornUs + 1,
      holdExpiresAtMs: order.holdExpiresAtMs,
      items: [{ sku: 'tee', quantity: 1, units, priceMinor: 2_500 }],
      slots: [1],
    });
    expect(await orders().transition(next, going(allocate(next, got(other.items[0]?.units as string[]), atMs)))).toStrictEqual({
      outcome: 'collided',
      units: [{ sku: 'tee', units: ['1'] }],
      slots: [],
    });
    const allocated = going(allocate(next, got(['9']), atMs));
    expect(await orders().transition(next, allocated)).toStrictEqual({ outcome: 'moved', order: allocated.next });
    expect(await unitRow(order, '9')).toMatchObject({ state: 'HELD', holdId, slot: 1 });
    expect(await slotRow(order, 1)).toMatchObject({ orderId: order.orderId });
  });

  it('tells a refusal by the account from one by what goes with it', async () => {
    const poor = await claimed(fresh({ buyerId: 'poor' }));
    expect(await orders().transition(poor, going(authorise(poor, atMs)))).toStrictEqual({ outcome: 'refused-by-account' });
    const order = await rich();
    const taken = {
      Put: { TableName: 'payments', Item: { orderId: 'p', paymentId: 'p' }, ConditionExpression: 'attribute_exists(orderId)' },
    };
    expect(await orders().transition(order, going(authorise(order, atMs)), [taken])).toStrictEqual({ outcome: 'refused-by-extra' });
    expect(
      await orders().transition(poor, going(authorise(poor, atMs)), [
        { Put: { TableName: 'payments', Item: { orderId: 'q', paymentId: 'q' } } },
      ]),
    ).toStrictEqual({
      outcome: 'refused-by-account',
    });
    // Both at once is neither.
    await expect(orders().transition(poor, going(authorise(poor, atMs)), [taken])).rejects.toThrow(OrderRowsBroken);
    expect((await orders().get(order.orderId))?.version).toBe(1);
  });

  it('fails loudly where its rows are another’s, or the order is gone', async () => {
    const order = await rich();
    const elsewhere = { ...order, items: [{ sku: 'tee', quantity: 1, units: ['5'], priceMinor: 2_500 }] };
    const sold = { next: { ...elsewhere, version: 2 }, events: [], units: 'sell' } as const;
    await expect(orders().transition(elsewhere, sold)).rejects.toThrow(OrderRowsBroken);
    const nobody = fresh();
    await expect(orders().transition(nobody, going(authorise(nobody, atMs)))).rejects.toThrow(OrderRowsBroken);
    const ended = fresh();
    await claims().tombstone(ended, ended.orderId, atMs);
    await expect(orders().transition(ended, going(authorise(ended, atMs)))).rejects.toThrow(OrderRowsBroken);
  });

  it('with a claim and money refused at once is broken only where nothing collided', async () => {
    const order = await rich({ status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] });
    const claim = {
      next: { ...order, version: 2, items: [{ sku: 'tee', quantity: 1, units: ['8'], priceMinor: 1 }] },
      events: [],
      units: 'claim',
    } as const;
    const taken = {
      Put: { TableName: 'payments', Item: { orderId: 'p', paymentId: 'p' }, ConditionExpression: 'attribute_exists(orderId)' },
    };
    expect(await orders().transition(order, claim, [taken])).toStrictEqual({ outcome: 'refused-by-extra' });
  });
});

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
