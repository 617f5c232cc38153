import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order, PaymentMethod } from '../../functions/orders/order.model.ts';
import type { ControlPorts } from '../../functions/sales/change-sale.ts';
import { type EndOrdersPorts, endOrders, lastPassAfterMs } from '../../functions/sales/end-orders.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { until } from '../../lib/client/bounded.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { salesOn } from '../support/sales.ts';

let engine: Engine;
let sales: ReturnType<typeof salesOn>;
beforeAll(async () => {
  engine = await startEngine();
  sales = salesOn(engine);
});
afterAll(() => engine.stop());

const died = async (): Promise<never> => {
  throw new Error('the function died');
};
const nothingEnded = { endOrders: async () => {} };

async function placed(saleId: string, buyerId: string, method: PaymentMethod = 'external'): Promise<Order> {
  const outcome = await engine.place(saleId, buyerId, { method });
  if (!('order' in outcome)) throw new Error(outcome.outcome);
  return outcome.order;
}
const ordersOf = (saleId: string, count: number) =>
  inParallel(
    Array.from({ length: count }, (_, index) => `buyer-${index}`),
    8,
    (buyerId) => placed(saleId, buyerId),
  );
const statusesOf = async (orders: readonly Order[]) =>
  (await Promise.all(orders.map(({ orderId }) => engine.orders.get(orderId)))).map((order) => order?.status);
const allAre = (status: string, orders: readonly Order[]) => orders.map(() => status);

/** Counts the orders that are looked at, and dies before it keeps word of this page. */
function dyingAtPage(number: number): { ports: Partial<EndOrdersPorts>; seen: string[] } {
  const seen: string[] = [];
  const { cancellations, ordersFrom } = sales.endingPorts;
  let pages = 0;
  return {
    seen,
    ports: {
      ordersFrom: async (...asked) => {
        const page = await ordersFrom(...asked);
        seen.push(...page.orders.map(({ orderId }) => orderId));
        return page;
      },
      cancellations: { ...cancellations, keep: async (...kept) => (++pages === number ? died() : cancellations.keep(...kept)) },
    },
  };
}

const balanceOf = async (userId: string) =>
  (await engine.database.send(new GetCommand({ TableName: 'accounts', Key: { userId, entry: 'account' } }))).Item?.balanceMinor;

describe('calling a sale off', () => {
  it('is made good by its key when Redis was not reached: nothing is sold, and the orders end', async () => {
    const { saleId } = await sales.open(10);
    const order = await placed(saleId, 'ada');
    const unreached: ControlPorts['stock'] = { ...sales.ports.stock, update: died };
    await expect(sales.cancel(saleId, 'key', { stock: unreached })).rejects.toThrow('died');
    expect(await statusesOf([order])).toEqual(['RESERVED']);

    expect(await sales.cancel(saleId, 'key')).toMatchObject({ outcome: 'replayed' });
    expect(await engine.place(saleId, 'bob')).toMatchObject({ outcome: 'not-open', state: 'closed' });
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
    expect(await sales.outbox(saleId)).toMatchObject([
      { version: 2, events: [{ name: 'SaleClosed', data: { reason: 'rain', cancelled: true } }] },
    ]);
  });

  it('is made good by a sweep when nobody repeats it', async () => {
    const { saleId } = await sales.open(10);
    const order = await placed(saleId, 'ada');
    const unreached: ControlPorts['stock'] = { ...sales.ports.stock, update: died };
    await expect(sales.cancel(saleId, 'key', { stock: unreached })).rejects.toThrow('died');
    await sales.tend(saleId);
    expect(await engine.place(saleId, 'bob')).toMatchObject({ outcome: 'not-open' });
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
  });

  it('answers though the orders could not be ended at once', async () => {
    const { saleId } = await sales.open(10);
    const order = await placed(saleId, 'ada');
    expect(await sales.cancel(saleId, 'key', { endOrders: died })).toMatchObject({ outcome: 'cancelled' });
    await sales.tend(saleId);
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
  });

  it('a second time, under another key, changes nothing', async () => {
    const { saleId } = await sales.open(10);
    const first = await sales.cancel(saleId, 'one');
    const stored = await sales.stored(saleId);
    const second = await sales.cancel(saleId, 'two');
    expect(second).toMatchObject({ outcome: 'cancelled', answer: { status: 202 } });
    expect(first).toMatchObject({ answer: { status: 202 } });
    expect(await sales.stored(saleId)).toMatchObject({ version: stored.version, cancellation: { atMs: stored.cancellation?.atMs } });
    expect(await sales.outbox(saleId)).toHaveLength(1);
    expect(await sales.cancel(saleId, 'two')).toMatchObject({ outcome: 'replayed' });
  });

  it('ends no hold as an order: who held and never ordered cannot order under the same key any more', async () => {
    const { saleId } = await sales.open(10);
    const ports = { ...engine.placePorts, claims: { ...engine.claims, claim: died } };
    await engine.place(saleId, 'ada', { ports }).catch(() => undefined);
    expect(await engine.available(saleId)).toBe(9);
    await sales.cancel(saleId);
    expect(await engine.place(saleId, 'ada')).toMatchObject({ outcome: 'not-open' });
  });
});

describe('ending the orders of a sale that was called off', () => {
  it('goes on where it died, and looks again at the orders of one page at most', { timeout: 180_000 }, async () => {
    const { saleId } = await sales.open(200);
    const orders = await ordersOf(saleId, 120);
    await sales.cancel(saleId, 'key', nothingEnded);
    const first = dyingAtPage(8);
    await expect(sales.tend(saleId, first.ports)).rejects.toThrow('died');
    const second = dyingAtPage(Number.POSITIVE_INFINITY);
    await sales.tend(saleId, second.ports);
    expect(new Set([...first.seen, ...second.seen]).size).toBe(orders.length);
    const twice = first.seen.filter((orderId) => second.seen.includes(orderId));
    expect(twice.length).toBeGreaterThan(0);
    expect(twice).toEqual(first.seen.slice(-twice.length));
    expect(twice.length).toBeLessThanOrEqual(50);
    expect(await statusesOf(orders)).toEqual(allAre('CANCELLED', orders));
  });

  it('stops when its time is over, and goes on the next time', { timeout: 180_000 }, async () => {
    const { saleId } = await sales.open(200);
    const orders = await ordersOf(saleId, 40);
    await sales.cancel(saleId, 'key', nothingEnded);
    const sale = await sales.stored(saleId);
    let runs = 0;
    // A run stops in the middle of a page, too.
    for (; (await statusesOf(orders)).includes('RESERVED') && runs < 20; runs++) {
      let asked = 20;
      await endOrders(sales.endingPorts)(sale, () => asked-- > 0);
    }
    expect(runs).toBeGreaterThan(2);
    expect(await statusesOf(orders)).toEqual(allAre('CANCELLED', orders));
  });

  it('is done after a whole pass that began a minute later, which ends what was on its way', async () => {
    const { saleId } = await sales.open(10);
    const early = await placed(saleId, 'ada');
    // One who has units already and whose order is written after the first pass.
    const gate = Promise.withResolvers<void>();
    const claim: Engine['claims']['claim'] = async (...asked) => {
      await gate.promise;
      return engine.claims.claim(...asked);
    };
    const late = engine.place(saleId, 'bob', { method: 'external', ports: { ...engine.placePorts, claims: { ...engine.claims, claim } } });
    await until('both have units', async () => (await engine.available(saleId)) === 8 || undefined);
    await sales.cancel(saleId);
    expect(await statusesOf([early])).toEqual(['CANCELLED']);
    gate.resolve();
    const outcome = await late;
    if (!('order' in outcome)) throw new Error(outcome.outcome);
    const { order } = outcome;
    await sales.tend(saleId);
    expect(await statusesOf([order])).toEqual(['RESERVED']);
    expect((await sales.stored(saleId)).cancellation).not.toHaveProperty('doneAtMs');

    await sales.age(saleId, lastPassAfterMs);
    await sales.tend(saleId);
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
    expect((await sales.stored(saleId)).cancellation?.doneAtMs).toBeGreaterThan(0);
  });

  it('does not begin while the stock may still sell', async () => {
    const { saleId } = await sales.open(10);
    const unreached: ControlPorts['stock'] = { ...sales.ports.stock, update: died };
    await expect(sales.cancel(saleId, 'key', { stock: unreached })).rejects.toThrow('died');
    const sale = await sales.stored(saleId);
    const seen = dyingAtPage(Number.POSITIVE_INFINITY);
    await expect(endOrders({ ...sales.endingPorts, ...seen.ports, close: died })(sale, () => true)).rejects.toThrow('died');
    const order = await placed(saleId, 'ada');
    expect(seen.seen).toEqual([]);
    await endOrders(sales.endingPorts)(sale, () => true);
    expect(await engine.place(saleId, 'bob')).toMatchObject({ outcome: 'not-open' });
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
  });

  it('is not done while an order cannot be ended, which keeps no other waiting', async () => {
    const { saleId } = await sales.open(10);
    const orders = await ordersOf(saleId, 4);
    await sales.cancel(saleId, 'key', nothingEnded);
    const [stuck] = orders;
    const failing: Partial<EndOrdersPorts> = {
      endOrder: (order, takenBack) => (order.orderId === stuck?.orderId ? died() : sales.endingPorts.endOrder(order, takenBack)),
    };
    await sales.tend(saleId, failing);
    await sales.age(saleId, lastPassAfterMs);
    await sales.tend(saleId, failing);
    expect((await statusesOf(orders)).filter((status) => status === 'RESERVED')).toHaveLength(1);
    expect((await sales.stored(saleId)).cancellation).not.toHaveProperty('doneAtMs');
    await sales.tend(saleId);
    expect(await statusesOf(orders)).toEqual(allAre('CANCELLED', orders));
    expect((await sales.stored(saleId)).cancellation).toHaveProperty('doneAtMs');
  });

  it('by several at once comes to the same, and every penny is back once', { timeout: 180_000 }, async () => {
    const { saleId } = await sales.open(100);
    const orders = await inParallel(
      Array.from({ length: 12 }, (_, index) => `${saleId}-${index}`),
      4,
      async (buyerId) => {
        await engine.fund(buyerId, 2_500);
        const order = await placed(saleId, buyerId, 'balance');
        const charged = await engine.steps.charge(order);
        return (await engine.steps.charge((await engine.steps.confirm(charged.order)).order)).order;
      },
    );
    await sales.cancel(saleId, 'key', nothingEnded);
    await Promise.all([sales.tend(saleId), sales.tend(saleId), sales.tend(saleId)]);
    expect(await statusesOf(orders)).toEqual(allAre('REFUNDED', orders));
    for (const order of orders) expect(await balanceOf(order.buyerId)).toBe(2_500);
    const rows = [...(await engine.unitRows(saleId)).values()];
    expect(rows.map(({ state }) => state)).toEqual(allAre('RETIRED', orders));
    expect(await engine.available(saleId)).toBe(100 - orders.length);
  });

  it('of a sale that closed long ago is looked after until it is done', async () => {
    const { saleId } = await sales.open(10);
    const order = await placed(saleId, 'ada');
    const longAgoMs = Date.now() - 30 * 86_400_000;
    await sales.change(saleId, { opensAtMs: longAgoMs - 1_000, closesAtMs: longAgoMs });
    const isLookedAfter = async () => (await sales.sales.liveSales(Date.now())).some((sale) => sale.saleId === saleId);
    expect(await isLookedAfter()).toBe(false);
    await sales.cancel(saleId, 'key', nothingEnded);
    await sales.tend(saleId);
    expect(await isLookedAfter()).toBe(true);
    await sales.age(saleId, lastPassAfterMs);
    await sales.tend(saleId);
    expect(await statusesOf([order])).toEqual(['CANCELLED']);
    expect(await isLookedAfter()).toBe(false);
  });

  it('gets on beside changes of the sale, and neither undoes the other', async () => {
    const { saleId } = await sales.open(10);
    await ordersOf(saleId, 3);
    await sales.cancel(saleId, 'key', nothingEnded);
    const before = await sales.stored(saleId);
    await sales.tend(saleId);
    await sales.age(saleId, lastPassAfterMs);
    await Promise.all([
      sales.tend(saleId),
      sales.change(saleId, { state: 'closed' }),
      expect(sales.change(saleId, { state: 'open' })).resolves.toEqual({ outcome: 'closed' }),
      expect(sales.restock(saleId, { sku: 'tee', units: 1 })).resolves.toEqual({ outcome: 'closed' }),
    ]);
    const after = await sales.stored(saleId);
    expect(after).toMatchObject({ version: before.version, control: 'closed', cancellation: { reason: 'rain' } });
    expect(after.cancellation).toHaveProperty('doneAtMs');
    expect(after).not.toHaveProperty('endingPass');
  });
});
