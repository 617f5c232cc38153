import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnitsUndecided } from '../../functions/orders/paid-units.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { cartsOn, unitsOf } from '../support/carts.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';
import { sagasOn } from '../support/sagas.ts';

let engine: Engine;
let carts: ReturnType<typeof cartsOn>;
let sagas: ReturnType<typeof sagasOn>;
beforeAll(async () => {
  engine = await startEngine();
  carts = cartsOn(engine);
  sagas = sagasOn(engine);
});
afterAll(() => engine?.stop());

const openSale = (saleId: string) => engine.openSale(saleId, 10, { strategy: 'charge-first' });
/** A run of the sweeper as if the time of all holds were up. */
async function endHolds(saleId: string): Promise<void> {
  const { expiry } = stockKeys(saleId);
  const entries = await engine.redis.lrange(expiry, 0, -1);
  for (const [index, entry] of entries.entries()) await engine.redis.lset(expiry, index, entry.replace(/\|\d+\|/, '|1|'));
  expect(await carts.sweep()).toMatchObject({ holds: 1, failed: 0 });
}

/** An order of one unit from a cart whose hold is over, and a larger cart of the same buyer. */
async function outlivedItsHold(saleId: string) {
  const sale = await openSale(saleId);
  const ada = carts.shopper(saleId, 'ada');
  await ada.tees(1);
  const order = orderOf(await ada.checkOut());
  await endHolds(saleId);
  await ada.tees(5);
  return { sale, ada, order };
}

describe('an order from a cart that has no units yet', () => {
  it('gets what was paid for, and never a later cart with which its key was repeated', async () => {
    const { sale, ada, order } = await outlivedItsHold('later-cart');
    expect(await ada.checkOut()).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId, status: 'PENDING' } });
    await sagas.paidOutside(order);
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'FULFILLED', totalMinor: 2_500 });
    expect(unitsOf(end)).toHaveLength(1);
    expect(await ada.units()).toHaveLength(5);
    await ada.clear();
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('takes no other cart that stands under its hold, and gets its own units once that is over', async () => {
    const { sale, ada, order } = await outlivedItsHold('overtaken');
    await engine.stock.checkoutCart({ ...ada, holdId: order.holdId, payloadHash: order.payloadHash });
    const paid = await sagas.paidOutside(order);
    await expect(engine.steps.allocate(paid)).rejects.toBeInstanceOf(UnitsUndecided);
    await endHolds('overtaken');
    const end = await sagas.driven(order);
    expect(end).toMatchObject({ status: 'FULFILLED' });
    expect(unitsOf(end)).toHaveLength(1);
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

describe('a checkout that is refused because its key has an order of another payload', () => {
  it('leaves the cart as it is, and the order gets its units at once', async () => {
    const sale = await openSale('refused');
    const order = await sagas.placed('refused', 'ada', { method: 'external' });
    const ada = carts.shopper('refused', 'ada');
    await ada.tees(2);
    expect(await ada.checkOut()).toEqual({ outcome: 'key-reused' });
    expect(await ada.units()).toHaveLength(2);
    await sagas.paidOutside(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await ada.clear();
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });

  it('does so as well when that order is written while the cart is being checked out', async () => {
    const sale = await openSale('refused-late');
    const ada = carts.shopper('refused-late', 'ada');
    await ada.tees(2);
    const claim: typeof engine.claims.claim = async (placement) => {
      await sagas.placed('refused-late', 'ada', { method: 'external' });
      return engine.claims.claim(placement);
    };
    const slow = { ...engine.placePorts, claims: { ...engine.claims, claim } };
    expect(await ada.checkOut({ ports: slow })).toEqual({ outcome: 'key-reused' });
    expect(await ada.units()).toHaveLength(2);
    const order = await sagas.placed('refused-late', 'ada', { method: 'external' });
    await sagas.paidOutside(order);
    expect(await sagas.driven(order)).toMatchObject({ status: 'FULFILLED' });
    await ada.clear();
    expect(await sagas.wrongWith(sale)).toEqual([]);
  });
});

describe.each(['reserve-first', 'charge-first'] as const)('a key that is repeated after a rebuild, %s', (strategy) => {
  it('shows its ended order, and leaves alone what the buyer has put into the cart since', async () => {
    const work = rebuilding(engine);
    const saleId = `forgotten-${strategy}`;
    engine.putSale(await work.store(await engine.openSale(saleId, 10, { strategy })));
    const ada = carts.shopper(saleId, 'ada');
    await ada.tees(1);
    const order = orderOf(await ada.checkOut());
    await engine.cancel(order);
    for (const key of await engine.redis.keys(`*${saleId}*`)) await engine.redis.del(key);
    await work.rebuild(saleId);
    await ada.tees(3);
    expect(await ada.checkOut()).toMatchObject({ outcome: 'replayed', order: { orderId: order.orderId } });
    expect(await ada.units()).toHaveLength(3);
  });
});
