import { randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { log } from '../../functions/shared/telemetry.ts';
import { unitBucket } from '../../functions/stock/stock.model.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';

let engine: Engine;
let work: ReturnType<typeof rebuilding>;
beforeAll(async () => {
  engine = await startEngine();
  work = rebuilding(engine);
});
afterAll(() => engine?.stop());

async function openSale(units: number, changes: Partial<Sale> = {}): Promise<string> {
  const saleId = randomUUID();
  await work.store(await engine.openSale(saleId, units, changes));
  return saleId;
}

const seatNames = ['A-1', 'A-2', 'A-3', '17', 'B_1', 'B_2'];
async function openHall(units: number, changes: Partial<Sale> = {}): Promise<string> {
  const saleId = randomUUID();
  await work.store(await engine.openHall(saleId, seatNames, { units, ...changes }), new Map([['hall', seatNames]]));
  return saleId;
}

const lose = () => engine.redis.flushall();
const placeIn = (saleId: string, buyerId: string, options: { key?: string; quantity?: number } = {}) =>
  engine.place(saleId, buyerId, { method: 'external', ports: work.placePorts, ...options });
/** Buys single units until none is left. */
async function sellOut(saleId: string): Promise<Order[]> {
  const sold: Order[] = [];
  for (let n = 0; ; n++) {
    const outcome = await placeIn(saleId, `last-${n}`);
    if (outcome.outcome === 'sold-out') return sold;
    sold.push(orderOf(outcome));
  }
}
const unitsOf = (orders: readonly Order[]) =>
  orders.flatMap(({ items }) => items.flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit}`)));

describe('a rebuilt sale', () => {
  it('is what its rows say, whatever was bought, ended and retired before: no unit twice, no slot lost, each release gives its units back', async () => {
    const act = fc.record({
      kind: fc.constantFrom('units', 'units', 'seats', 'both', 'cancel', 'retire', 'pay'),
      buyer: fc.integer({ min: 0, max: 3 }),
      quantity: fc.integer({ min: 1, max: 3 }),
      seat: fc.nat({ max: seatNames.length - 1 }),
      target: fc.nat(),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(act, { minLength: 1, maxLength: 14 }),
        fc.option(fc.integer({ min: 2, max: 6 }), { nil: undefined }),
        async (acts, limit) => {
          const saleId = await openHall(12, limit === undefined ? {} : { perBuyerLimit: limit });
          const orders: Order[] = [];
          for (const [n, { kind, buyer, quantity, seat, target }] of acts.entries()) {
            const victim = orders[target % Math.max(1, orders.length)];
            if (kind === 'cancel' && victim) await engine.cancel(victim);
            else if (kind === 'retire' && victim) await engine.endForGood(victim);
            else if (kind === 'pay') await engine.sweep({ laterMs: 30_000 });
            else {
              const wishes = [
                ...(kind === 'seats' ? [] : [{ sku: 'tee', quantity }]),
                ...(kind === 'units' ? [] : [{ sku: 'hall', quantity: 1, seats: [seatNames[seat] ?? ''] }]),
              ];
              const options = { key: `key-${n}`, method: n % 2 ? 'balance' : 'external', ports: work.placePorts } as const;
              const outcome = await engine.order(saleId, `buyer-${buyer}`, wishes, options);
              if (outcome.outcome === 'placed') orders.push(outcome.order);
            }
          }
          await lose();
          expect(await work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt' });
          await work.expectStateOfRows(saleId);

          // Every rebuilt hold can be ended, and what it had can be bought again.
          const before = await engine.available(saleId);
          let back = 0;
          for (const order of orders) {
            const now = await engine.orders.get(order.orderId);
            if (now?.status !== 'RESERVED') continue;
            await engine.cancel(now);
            back += now.items.reduce((sum, { units }) => sum + units.length, 0);
          }
          expect(await engine.available(saleId)).toBe(before + back);
          await work.expectStateOfRows(saleId);
          const sold = unitsOf(await sellOut(saleId));
          expect(new Set(sold).size).toBe(sold.length);
        },
      ),
      { numRuns: 12 },
    );
  });

  it('answers a winner’s repeated request with its order, also when all is sold', async () => {
    const saleId = await openSale(3);
    const won = orderOf(await placeIn(saleId, 'ada', { quantity: 3 }));
    await lose();
    expect(orderOf(await placeIn(saleId, 'ada', { quantity: 3 })).orderId).toBe(won.orderId);
    expect(await placeIn(saleId, 'bob')).toEqual({ outcome: 'stock-not-ready' });
    await work.rebuild(saleId);
    expect(orderOf(await placeIn(saleId, 'ada', { quantity: 3 }))).toMatchObject({ orderId: won.orderId, status: 'RESERVED' });
    expect(await placeIn(saleId, 'ada', { quantity: 2 })).toEqual({ outcome: 'key-reused' });
    expect(await placeIn(saleId, 'bob')).toMatchObject({ outcome: 'sold-out' });
    await work.expectStateOfRows(saleId);
  });

  it.each([
    ['while units are left', 0],
    ['when all are sold', 2],
  ])('answers the key of an ended order with that order, and takes no unit for it: %s', async (_, others) => {
    const saleId = await openSale(2);
    const ended = orderOf(await placeIn(saleId, 'ada'));
    await engine.cancel(ended);
    for (let n = 0; n < others; n++) orderOf(await placeIn(saleId, `other-${n}`));
    await lose();
    await work.rebuild(saleId);
    expect(orderOf(await placeIn(saleId, 'ada'))).toMatchObject({ orderId: ended.orderId, status: 'CANCELLED' });
    await work.expectStateOfRows(saleId);
    expect(await engine.available(saleId)).toBe(2 - others);
  });

  it('keeps each buyer’s allowance, that of retired units too', async () => {
    const saleId = await openSale(20, { perBuyerLimit: 3 });
    await placeIn(saleId, 'ada', { quantity: 2 });
    await engine.endForGood(orderOf(await placeIn(saleId, 'bob', { quantity: 2 })));
    await lose();
    await work.rebuild(saleId);
    for (const buyer of ['ada', 'bob']) {
      expect(await placeIn(saleId, buyer, { key: 'more', quantity: 2 })).toEqual({ outcome: 'buyer-limit', limit: 3 });
      expect(await placeIn(saleId, buyer, { key: 'one', quantity: 1 })).toMatchObject({ outcome: 'placed' });
    }
    await work.expectStateOfRows(saleId);
  });

  it('comes to life also when whoever created it died before loading it', async () => {
    const saleId = await openSale(4);
    await lose();
    expect(await work.rebuild(saleId)).toEqual({ outcome: 'rebuilt', epoch: 2, units: 0 });
    expect(await sellOut(saleId)).toHaveLength(4);
  });

  it('does not sell a unit beyond the total that somebody has all the same, nor one below it twice', async () => {
    const saleId = await openSale(4);
    const order = orderOf(await placeIn(saleId, 'ada', { quantity: 2 }));
    const row = { saleId, sku: 'tee', orderId: order.orderId, buyerId: 'ada', state: 'HELD', atMs: Date.now() };
    await engine.database.send(new PutCommand({ TableName: 'units', Item: { ...row, bucket: unitBucket(saleId, 'tee', '9'), unit: '9' } }));
    await lose();
    const errors = vi.spyOn(log, 'error').mockReturnValue();
    await work.rebuild(saleId);
    expect(errors.mock.calls).toEqual([['units beyond the total have owners', { saleId, sku: 'tee', total: 4, units: 1 }]]);
    errors.mockRestore();
    expect(await engine.available(saleId)).toBe(2);
    expect(unitsOf(await sellOut(saleId))).toEqual(['tee 3', 'tee 4']);
  });

  it('has all of a large sale: more rows than a chunk, a page and a lane take', async () => {
    const saleId = await openSale(3_000);
    const crowd = Array.from({ length: 130 }, (_, n) => placeIn(saleId, `buyer-${n}`, { quantity: 20 }));
    await Promise.all(crowd);
    await lose();
    expect(await work.rebuild(saleId)).toMatchObject({ outcome: 'rebuilt', units: 2_600 });
    await work.expectStateOfRows(saleId);
  });
});

describe('a rebuild', () => {
  it('does nothing for a sale that does not exist', async () => {
    expect(await work.rebuild('never-made')).toEqual({ outcome: 'unknown-sale' });
    expect(await engine.redis.keys('{never-made}*')).toEqual([]);
  });

  it('leaves a sale that is there alone: its carts and holds without an order survive', async () => {
    const saleId = await openSale(5);
    const request = { saleId, holdId: 'a-cart', buyerId: 'ada', payloadHash: 'p', lines: [{ sku: 'tee', quantity: 2 }] };
    const hold = await engine.stock.reserve(request);
    expect(await work.rebuild(saleId)).toEqual({ outcome: 'already-loaded' });
    expect(await engine.stock.reserve(request)).toEqual({ ...hold, replayed: true });
    expect(await work.sales.get(saleId, { consistent: true })).toMatchObject({ epoch: 1 });
  });

  it('says which epoch it had, and each has a higher one', async () => {
    const saleId = await openSale(5);
    for (const epoch of [2, 3, 4]) {
      await lose();
      expect(await work.rebuild(saleId)).toEqual({ outcome: 'rebuilt', epoch, units: 0 });
      expect(await engine.stock.read(saleId)).toMatchObject({ epoch, version: 1 });
    }
  });
});
