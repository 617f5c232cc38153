import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import { type EndOrdersPorts, lastPassAfterMs } from '../../functions/sales/end-orders.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { gate, rebuilding } from '../support/rebuilding.ts';
import { salesOn } from '../support/sales.ts';

let engine: Engine;
let sales: ReturnType<typeof salesOn>;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  sales = salesOn(engine);
  work = rebuilding(engine);
});
afterAll(() => engine?.stop());

const place = async (saleId: string, buyerId: string, ports = work.placePorts): Promise<Order> =>
  orderOf(await engine.place(saleId, buyerId, { method: 'external', ports }));
const statusOf = async ({ orderId }: Order) => (await engine.orders.get(orderId))?.status;
const isDone = async (saleId: string) => (await sales.stored(saleId)).cancellation?.doneAtMs !== undefined;
/** The pass that settles it is due, and walked. */
async function tendLater(saleId: string, changes: Partial<EndOrdersPorts> = {}): Promise<void> {
  await sales.age(saleId, lastPassAfterMs);
  await sales.tend(saleId, changes);
}

/** A sale whose cancellation is done, and what sets Redis back to before it. */
async function calledOff() {
  const { saleId } = await sales.open(10);
  const order = await place(saleId, 'early');
  const rollBack = await engine.snapshot();
  await sales.cancel(saleId);
  await tendLater(saleId);
  expect(await isDone(saleId)).toBe(true);
  expect(await statusOf(order)).toBe('CANCELLED');
  return { saleId, rollBack };
}

/** An attempt that has its units, and whose order is written when it is let go. */
function slowAttempt(saleId: string) {
  const slowly = gate();
  const claim: Engine['claims']['claim'] = async (placing) => {
    await slowly.pass();
    return engine.claims.claim(placing);
  };
  const order = place(saleId, 'slow', { ...work.placePorts, claims: { ...engine.claims, claim } });
  return { order, ...slowly };
}

/** Counts the walks over the sale's orders. */
function walks() {
  const begun: string[] = [];
  const ordersFrom: EndOrdersPorts['ordersFrom'] = (saleId, position, limit) => {
    if (position.shard === 0 && position.after === undefined) begun.push(saleId);
    return sales.endingPorts.ordersFrom(saleId, position, limit);
  };
  return { begun, ports: { ordersFrom } };
}

describe('a Redis that falls back to before a sale was called off', () => {
  it('sells nothing that lives: the sale closes again, and what was sold meanwhile ends, though all was done', async () => {
    const { saleId, rollBack } = await calledOff();
    await rollBack();
    const order = await place(saleId, 'ada');
    await sales.tend(saleId);
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'cancelled' });
    expect(await statusOf(order)).toBe('CANCELLED');
    expect(await isDone(saleId)).toBe(false);
    await tendLater(saleId);
    expect(await isDone(saleId)).toBe(true);
  });

  it('between two passes makes the last one wait for another minute, so an order that is on its way ends too', async () => {
    const { saleId } = await sales.open(10);
    const rollBack = await engine.snapshot();
    await sales.cancel(saleId);
    await rollBack();
    const attempt = slowAttempt(saleId);
    await attempt.arrived;
    await tendLater(saleId);
    expect(await isDone(saleId)).toBe(false);
    attempt.open();
    const order = await attempt.order;
    await tendLater(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
    expect(await isDone(saleId)).toBe(true);
  });

  it('is no secret because an operator’s request closed it first', async () => {
    const { saleId, rollBack } = await calledOff();
    await rollBack();
    const order = await place(saleId, 'ada');
    await sales.change(saleId, { state: 'closed' });
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'cancelled' });
    await sales.tend(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
  });

  it('and whose closing was seen by a function that died then, has its orders walked over by the next one', async () => {
    const { saleId, rollBack } = await calledOff();
    await rollBack();
    const order = await place(saleId, 'ada');
    const begin = () => Promise.reject(new Error('the function died'));
    const dying = { cancellations: { ...sales.endingPorts.cancellations, begin } };
    await expect(sales.tend(saleId, dying)).rejects.toThrow('died');
    await sales.tend(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
  });

  it('and then loses the sale hides nothing either: what it sold in between ends after the rebuild', async () => {
    const { saleId, rollBack } = await calledOff();
    await rollBack();
    const order = await place(saleId, 'ada');
    await engine.redis.flushall();
    await work.rebuild(saleId);
    expect(await sales.inRedis(saleId)).toMatchObject({ control: 'cancelled' });
    await sales.tend(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
  });

  it('is not overlooked by a last pass that began before: its word does not count any more', async () => {
    const { saleId } = await sales.open(10);
    const rollBack = await engine.snapshot();
    await sales.cancel(saleId);
    await sales.age(saleId, lastPassAfterMs);
    const slowly = gate();
    const slow = sales.tend(saleId, {
      ordersFrom: async (...asked) => {
        const page = await sales.endingPorts.ordersFrom(...asked);
        await slowly.pass();
        return page;
      },
    });
    await slowly.arrived;
    await rollBack();
    const attempt = slowAttempt(saleId);
    await attempt.arrived;
    await sales.tend(saleId);
    slowly.open();
    await slow;
    expect(await isDone(saleId)).toBe(false);
    attempt.open();
    const order = await attempt.order;
    await tendLater(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
  });
});

describe('a sale whose cancellation is done', () => {
  it('is not walked over again as long as Redis remembers that it is closed', async () => {
    const { saleId } = await calledOff();
    const { begun, ports } = walks();
    for (let run = 0; run < 3; run++) await tendLater(saleId, ports);
    expect(begun).toEqual([]);
  });
});

describe('a walk over the orders of a sale that was called off', () => {
  it('goes on while Redis does not answer', async () => {
    const { saleId } = await sales.open(10);
    const order = await place(saleId, 'ada');
    const away = () => Promise.reject(new Error('Redis is away'));
    const ordersFrom = away;
    await expect(sales.cancel(saleId, 'key', { endOrders: away })).resolves.toMatchObject({ outcome: 'cancelled' });
    await expect(sales.tend(saleId, { ordersFrom })).rejects.toThrow('away');
    await sales.tend(saleId, { closedSince: away, close: away });
    expect(await statusOf(order)).toBe('CANCELLED');
  });

  it('goes on while Redis has lost the sale, and once more when it is back', async () => {
    const { saleId } = await sales.open(10);
    const order = await place(saleId, 'ada');
    await engine.redis.flushall();
    await sales.cancel(saleId);
    expect(await statusOf(order)).toBe('CANCELLED');
    await tendLater(saleId);
    expect(await isDone(saleId)).toBe(true);
    await work.rebuild(saleId);
    const { begun, ports } = walks();
    await sales.tend(saleId, ports);
    await tendLater(saleId, ports);
    expect(begun).toEqual([saleId, saleId]);
    expect(await isDone(saleId)).toBe(true);
  });
});
