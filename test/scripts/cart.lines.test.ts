import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { buyerAt, cartOf, cartsIn, lapse, linesOf, seatsOf, some } from './cart.harness.ts';
import { expectConserved, hall, held, openHall, openSale, redisBench, tees } from './stock.harness.ts';

const bench = redisBench();

describe('a line of a cart', () => {
  it('is exactly what was set last, so that the same item set twice never doubles or hoards', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 20 });
    const ada = buyerAt(bench, saleId, 'ada');
    for (const _ of [1, 2, 3]) expect(linesOf(await ada.set(some(4)))).toEqual([tees(1, 2, 3, 4)]);
    expect((await expectConserved(bench, saleId, 20)).items.tee?.available).toBe(6);
    expect(linesOf(await ada.set(some(2)))).toEqual([tees(1, 2)]);
    expect(linesOf(await ada.set(some(5)))).toEqual([tees(1, 2, 3, 4, 5)]);
    const { items, holds } = await expectConserved(bench, saleId, 20);
    expect(items.tee?.available).toBe(5);
    expect(holds).toMatchObject([{ state: 'cart', slots: [1, 2, 3, 4, 5], lines: [tees(1, 2, 3, 4, 5)] }]);
  });

  it('takes up units that came back before those never given out', async () => {
    const { saleId } = await openSale(bench);
    const [ada, bob] = [buyerAt(bench, saleId, 'ada'), buyerAt(bench, saleId, 'bob')];
    await ada.set(some(3));
    await bob.set(some(2));
    await ada.clear();
    expect(linesOf(await bob.set(some(6)))).toEqual([tees(1, 2, 3, 4, 5, 6)]);
    await expectConserved(bench, saleId);
  });

  it('of seats is these seats, and those not named any more are free', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2', 'B-1'], { perBuyerLimit: 3 });
    const [ada, bob] = [buyerAt(bench, saleId, 'ada'), buyerAt(bench, saleId, 'bob')];
    expect(linesOf(await ada.set(seatsOf('A-2', 'A-1')))).toEqual([hall('A-2', 'A-1')]);
    expect(await bob.set(seatsOf('B-1', 'A-2'))).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-2'] });
    expect(linesOf(await bob.read())).toEqual([]);
    expect(linesOf(await ada.set(seatsOf('B-1', 'A-1')))).toEqual([hall('B-1', 'A-1')]);
    expect(linesOf(await bob.set(seatsOf('A-2')))).toEqual([hall('A-2')]);
    expect(await bench.stock.seatStates(saleId, 'hall', ['A-1', 'A-2', 'B-1'])).toMatchObject({ states: ['held', 'held', 'held'] });
    await expectConserved(bench, saleId, 3);
  });

  it('is granted as a whole or not at all, and an over-ask takes nothing from smaller wishes', async () => {
    const { saleId } = await openSale(bench);
    const [ada, bob] = [buyerAt(bench, saleId, 'ada'), buyerAt(bench, saleId, 'bob')];
    await ada.set(some(4));
    expect(await bob.set(some(7))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 6 });
    // What is left counts what the line has already.
    expect(await ada.set(some(11))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 10 });
    expect(linesOf(await bob.set(some(6)))).toEqual([tees(5, 6, 7, 8, 9, 10)]);
    expect(linesOf(await ada.read())).toEqual([tees(1, 2, 3, 4)]);
    await expectConserved(bench, saleId);
  });

  it('counts with the buyer’s orders and other lines towards the limit', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 4, items: ['tee', 'mug'].map((sku) => ({ sku, total: 10 })) });
    const ada = buyerAt(bench, saleId, 'ada');
    await held(bench, saleId, { buyerId: 'ada' });
    await ada.set(some(2));
    expect(await ada.set(some(2, 'mug'))).toEqual({ outcome: 'BUYER_LIMIT', limit: 4, used: 3 });
    expect(await ada.set(some(4))).toEqual({ outcome: 'BUYER_LIMIT', limit: 4, used: 3 });
    expect((await ada.set(some(1, 'mug'))).outcome).toBe('CART');
    const reserve = { saleId, holdId: 'next', buyerId: 'ada', payloadHash: 'p', lines: [some(1)] };
    expect(await bench.stock.reserve(reserve)).toMatchObject({ outcome: 'BUYER_LIMIT', limit: 4, used: 4 });
    await ada.drop('mug');
    expect((await bench.stock.reserve(reserve)).outcome).toBe('RESERVED');
    await expectConserved(bench, saleId, 4);
  });

  it('may shrink when the limit was lowered below what the cart has, and may not grow', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 6 });
    const ada = buyerAt(bench, sale.saleId, 'ada');
    await ada.set(some(5));
    await bench.stock.update({ ...sale, version: 2, perBuyerLimit: 2 });
    expect(linesOf(await ada.set(some(4)))).toEqual([tees(1, 2, 3, 4)]);
    expect(await ada.set(some(5))).toEqual({ outcome: 'BUYER_LIMIT', limit: 2, used: 4 });
    await expectConserved(bench, sale.saleId);
  });

  it('leaves the cart with 20 units at most', async () => {
    const { saleId } = await openSale(bench, { items: ['tee', 'mug'].map((sku) => ({ sku, total: 30 })) });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(15));
    expect(await ada.set(some(6, 'mug'))).toEqual({ outcome: 'CART_FULL' });
    expect((await ada.set(some(5, 'mug'))).outcome).toBe('CART');
    await expectConserved(bench, saleId);
  });

  it('is refused in reserve’s words for what the sale does not sell, or not like that', async () => {
    const { saleId } = await openHall(bench, ['A-1'], { items: [{ sku: 'tee', total: 3 }] });
    const ada = buyerAt(bench, saleId, 'ada');
    expect(await ada.set(some(1, 'mug'))).toEqual({ outcome: 'UNKNOWN_SKU', sku: 'mug' });
    expect(await ada.set(some(1, 'hall'))).toEqual({ outcome: 'WRONG_KIND', sku: 'hall', kind: 'seated' });
    expect(await ada.set({ ...seatsOf('A-1'), sku: 'tee' })).toEqual({ outcome: 'WRONG_KIND', sku: 'tee', kind: 'counted' });
    expect(await ada.set(seatsOf('A-1', 'Z-9'))).toEqual({ outcome: 'UNKNOWN_SEAT', sku: 'hall', seat: 'Z-9' });
    expect(await buyerAt(bench, 'no-such-sale', 'ada').set(some(1))).toEqual({ outcome: 'NOT_LOADED' });
    await expectConserved(bench, saleId);
  });

  it.each([
    ['scheduled', { opensAtMs: 9_000_000_000_000, closesAtMs: 9_000_000_000_001 }, { outcome: 'NOT_OPEN', state: 'scheduled' }],
    ['over', { closesAtMs: 1 }, { outcome: 'NOT_OPEN', state: 'closed' }],
    ['closed', { control: 'closed' }, { outcome: 'NOT_OPEN', state: 'closed' }],
    ['paused', { control: 'paused' }, { outcome: 'PAUSED' }],
  ] as const)('is not set while the sale is %s, and can be dropped all the same', async (_, changes, refusal) => {
    const sale = await openSale(bench);
    const ada = buyerAt(bench, sale.saleId, 'ada');
    await ada.set(some(2));
    await bench.stock.update({ ...sale, version: 2, ...changes });
    expect(await ada.set(some(3))).toEqual(refusal);
    expect(await ada.checkout()).toEqual(refusal);
    expect(linesOf(await ada.read())).toEqual([tees(1, 2)]);
    expect(linesOf(await ada.drop('tee'))).toEqual([]);
    expect((await expectConserved(bench, sale.saleId)).items.tee?.available).toBe(10);
  });
});

describe('what is dropped', () => {
  it('goes back at once, and dropping what is not there changes nothing', async () => {
    const { saleId } = await openHall(bench, ['A-1'], { perBuyerLimit: 5, items: [{ sku: 'tee', total: 3 }] });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    await ada.set(seatsOf('A-1'));
    for (const _ of [1, 2]) expect(linesOf(await ada.drop('tee'))).toEqual([hall('A-1')]);
    expect(linesOf(await ada.drop('mug'))).toEqual([hall('A-1')]);
    for (const _ of [1, 2]) expect(await ada.clear()).toEqual({ outcome: 'CART', expiresAtMs: 0, lines: [] });
    const { items, holds } = await expectConserved(bench, saleId, 5);
    expect([items.tee?.available, items.hall?.available, holds]).toEqual([3, 1, []]);
    expect(await bench.redis.hkeys(stockKeys(saleId).sale)).not.toContain('b:ada');
    expect(await ada.checkout()).toEqual({ outcome: 'CART_EMPTY' });
  });
});

describe('a cart’s time', () => {
  it('is a hold’s from each change on, and three holds’ from its birth at most', async () => {
    const { saleId } = await openSale(bench, { holdSeconds: 100 });
    const ada = buyerAt(bench, saleId, 'ada');
    const before = await bench.stock.nowMs();
    const first = await ada.set(some(1));
    const after = await bench.stock.nowMs();
    const endOf = (reply: typeof first) => ('expiresAtMs' in reply ? reply.expiresAtMs : 0);
    expect(endOf(first)).toBeGreaterThanOrEqual(before + 100_000);
    expect(endOf(first)).toBeLessThanOrEqual(after + 100_000);

    /** As if the cart had been born then, and were about to end. */
    const bornAt = async (bornMs: number) => {
      const key = stockKeys(saleId).sale;
      const record = await bench.redis.hget(key, `h:${ada.cartId}`);
      await bench.redis.hset(key, `h:${ada.cartId}`, (record ?? '').replace(/^K\|\d+\|\d+/, `K|${bornMs}000|${after + 50_000}`));
    };
    await bornAt(after - 190_000);
    expect(endOf(await ada.set(some(2)))).toBeGreaterThanOrEqual(after + 100_000);
    await bornAt(after - 230_000);
    for (const quantity of [2, 1, 3]) expect(endOf(await ada.set(some(quantity)))).toBe(after + 70_000);
    const expected = { [ada.cartId]: after + 70_000 };
    expect(await cartsIn(bench, saleId)).toEqual({ recorded: expected, due: expected });
  });

  it('does not begin anew by dropping a line', async () => {
    const { saleId } = await openSale(bench, { items: ['tee', 'mug'].map((sku) => ({ sku, total: 5 })) });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    const full = await ada.set(some(1, 'mug'));
    expect(await ada.drop('mug')).toEqual({ ...full, lines: [tees(1)] });
  });

  it('ends it by whoever meets it first, with everything back at once', async () => {
    const meet: ((ada: ReturnType<typeof buyerAt>) => Promise<unknown>)[] = [
      (ada) => ada.read(),
      (ada) => ada.drop('mug'),
      (ada) => ada.checkout(),
      (ada) => bench.stock.expireCarts(ada.saleId),
    ];
    for (const first of meet) {
      const { saleId } = await openHall(bench, ['A-1'], { perBuyerLimit: 5, items: [{ sku: 'tee', total: 3 }] });
      const ada = buyerAt(bench, saleId, 'ada');
      await ada.set(some(2));
      await ada.set(seatsOf('A-1'));
      await lapse(bench, saleId, ada.cartId);
      await first(ada);
      const { items } = await expectConserved(bench, saleId, 5);
      expect([items.tee?.available, items.hall?.available]).toEqual([3, 1]);
      expect(await cartsIn(bench, saleId)).toEqual({ recorded: {}, due: {} });
      expect(linesOf(await ada.read())).toEqual([]);
      expect(await ada.checkout()).toEqual({ outcome: 'CART_EXPIRED' });
    }
  });

  it('ends the old cart and begins another when a line is set after it', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 3, items: ['tee', 'mug'].map((sku) => ({ sku, total: 3 })) });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(3));
    await lapse(bench, saleId, ada.cartId);
    expect(linesOf(await ada.set(some(2, 'mug')))).toEqual([{ sku: 'mug', units: ['1', '2'] }]);
    expect((await expectConserved(bench, saleId, 3)).items.tee?.available).toBe(3);
    expect((await ada.checkout()).outcome).toBe('RESERVED');
  });
});

describe('the sweep of carts', () => {
  it('ends exactly those whose time is up, more than one call takes', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 300 }] });
    const buyers = Array.from({ length: 230 }, (_, n) => buyerAt(bench, saleId, `buyer-${n}`));
    await Promise.all(buyers.map((buyer) => buyer.set(some(1))));
    const due = buyers.slice(0, 205);
    await Promise.all(due.map(({ cartId }) => lapse(bench, saleId, cartId)));
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 205 });
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 0 });
    expect((await expectConserved(bench, saleId)).items.tee?.available).toBe(275);
    expect(Object.keys((await cartsIn(bench, saleId)).recorded)).toHaveLength(25);
    expect(await bench.stock.expireCarts('no-such-sale')).toEqual({ outcome: 'NOT_LOADED' });
  });

  it('is not misled by an entry that is wrong, or that has no cart', async () => {
    const { saleId } = await openSale(bench);
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    await bench.redis.zadd(stockKeys(saleId).carts, 1, ada.cartId, 1, 'nobody’s');
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 0 });
    const { recorded, due } = await cartsIn(bench, saleId);
    expect(due).toEqual(recorded);
    expect(Object.keys(due)).toEqual([ada.cartId]);
  });

  it('is told of a cart that is missing among those to be ended, or stands there with another time', async () => {
    const { saleId } = await openSale(bench);
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    expect(await bench.stock.trackCart(saleId, ada.cartId)).toEqual({ outcome: 'ALREADY_TRACKED' });
    await bench.redis.zrem(stockKeys(saleId).carts, ada.cartId);
    expect(await bench.stock.trackCart(saleId, ada.cartId)).toEqual({ outcome: 'TRACKED' });
    await bench.redis.zadd(stockKeys(saleId).carts, 9e12, ada.cartId);
    expect(await bench.stock.trackCart(saleId, ada.cartId)).toEqual({ outcome: 'TRACKED' });
    const { recorded, due } = await cartsIn(bench, saleId);
    expect(due).toEqual(recorded);
    await ada.clear();
    expect(await bench.stock.trackCart(saleId, ada.cartId)).toEqual({ outcome: 'NO_CART' });
    const hold = await held(bench, saleId);
    expect(await bench.stock.trackCart(saleId, hold.holdId)).toEqual({ outcome: 'NO_CART' });
    expect(await bench.stock.trackCart('no-such-sale', cartOf('ada'))).toEqual({ outcome: 'NOT_LOADED' });
  });
});

describe('a seat in a cart that an order turns out to own', () => {
  it('leaves the cart with its slot, and comes back with the order and not with the cart', async () => {
    const { saleId } = await openHall(bench, ['A-1', 'A-2'], { perBuyerLimit: 4 });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(seatsOf('A-1', 'A-2'));
    const order = { holdId: 'forgotten', buyerId: 'bob', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, lines: [hall('A-1')], slots: [1] };
    await bench.stock.acknowledge(saleId, order, 'confirmed');
    expect(linesOf(await ada.read())).toEqual([hall('A-2')]);
    expect(await ada.checkout()).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-1'] });
    const { holds } = await expectConserved(bench, saleId, 4);
    expect(holds.find(({ holdId }) => holdId === ada.cartId)).toMatchObject({ lines: [hall('A-2')], slots: [1] });
    await ada.clear();
    expect(await bench.stock.seatStates(saleId, 'hall', ['A-1', 'A-2'])).toMatchObject({ states: ['sold', 'free'] });
  });
});
