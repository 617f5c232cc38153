import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { SaleReport } from '../../functions/reconciliation/report.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { expectConserved } from '../scripts/stock.harness.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { nothing, reconcilingOn } from '../support/reconciling.ts';

let engine: Engine;
let work: ReturnType<typeof reconcilingOn>;
beforeAll(async () => {
  engine = await startEngine();
  work = reconcilingOn(engine);
});
afterAll(() => engine?.stop());

const names = ['A-1', 'A-2', 'A-3', 'A-4'];

async function seated(saleId: string, buyer: string, seats: string[]): Promise<Order> {
  const placed = await engine.order(saleId, buyer, [{ sku: 'hall', seats }], { method: 'external' });
  if (placed.outcome !== 'placed') throw new Error(JSON.stringify(placed));
  return placed.order;
}

const owners = (saleId: string) => engine.redis.hgetall(stockKeys(saleId).seats);
const own = (saleId: string, seat: string, owner: string) => engine.redis.hset(stockKeys(saleId).seats, `hall|${seat}`, owner);

async function expectMended(saleId: string, mended: SaleReport['mended']): Promise<void> {
  const report = await work.reconcile(saleId);
  expect(report.mended).toEqual(mended);
  expect(report.drift).toEqual(mended);
  await engine.sweep();
  await expectConserved({ redis: engine.redis, stock: engine.stock, url: '' }, saleId);
  expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', drift: nothing });
}

describe('a reconciliation of seats', () => {
  it('finds nothing wrong with a hall that is right', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    const order = await seated(saleId, 'ada', ['A-1', 'A-2']);
    await engine.endForGood(await seated(saleId, 'bob', ['A-3']));
    await seated(saleId, 'cleo', ['A-4']);
    await engine.cancel(order);
    // The rows of the seat that is taken and of the one out of sale.
    expect(await work.reconcile(saleId)).toMatchObject({ outcome: 'compared', drift: nothing, compared: { units: 2, orders: 3 } });
  });

  it('takes a seat off sale that an order owns', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    const order = await seated(saleId, 'ada', ['A-1', 'A-2']);
    await own(saleId, 'A-1', '');
    await engine.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|4|5|3');
    await expectMended(saleId, { 'order-not-followed': 1 });
    expect(await owners(saleId)).toMatchObject({ 'hall|A-1': order.holdId, 'hall|A-2': order.holdId, 'hall|A-3': '' });
  });

  it('gives an order its seat when another hold has it, or when it is out of sale', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    const [order, other] = [await seated(saleId, 'ada', ['A-1', 'A-2']), await seated(saleId, 'bob', ['A-3'])];
    await own(saleId, 'A-1', other.holdId);
    await own(saleId, 'A-2', '-');
    await expectMended(saleId, { 'order-not-followed': 1 });
    expect(await owners(saleId)).toMatchObject({ 'hall|A-1': order.holdId, 'hall|A-2': order.holdId, 'hall|A-3': other.holdId });
  });

  it('frees a seat of a hold that is not there, or does not name it, and one that is out of sale without a row that says so', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    const order = await seated(saleId, 'ada', ['A-1']);
    await own(saleId, 'A-2', 'no-such-hold');
    await own(saleId, 'A-3', order.holdId);
    await own(saleId, 'A-4', '-');
    await engine.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|4|5|0');
    await expectMended(saleId, { 'seat-wrong': 3 });
    expect(await owners(saleId)).toEqual({ 'hall|A-1': order.holdId, 'hall|A-2': '', 'hall|A-3': '', 'hall|A-4': '' });
  });

  it('lists a seat under suspicion that nobody would look at, and the sweeper returns it', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    await own(saleId, 'A-2', '?');
    await engine.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|4|5|3');
    await expectMended(saleId, { 'seat-wrong': 1 });
    expect(await owners(saleId)).toMatchObject({ 'hall|A-2': '' });
  });

  it('puts a retired seat out of sale again', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    await engine.endForGood(await seated(saleId, 'ada', ['A-1']));
    await own(saleId, 'A-1', '');
    await engine.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|4|5|4');
    await expectMended(saleId, { 'order-not-followed': 1 });
    expect(await owners(saleId)).toMatchObject({ 'hall|A-1': '-' });
  });

  it('brings seats that Redis does not have, and counts those that it has', async () => {
    const { saleId } = await engine.openHall(randomUUID(), names);
    await engine.redis.hdel(stockKeys(saleId).seats, 'hall|A-4');
    await engine.redis.hset(stockKeys(saleId).sale, 'i:hall', 's|3|4|1');
    await expectMended(saleId, { 'sale-behind': 1, 'counter-wrong': 1 });
    expect(Object.keys(await owners(saleId))).toHaveLength(4);
  });
});
