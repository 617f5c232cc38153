import { describe, expect, it } from 'vitest';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { buyerAt, cartsIn, checkedOut, lapse, linesOf, seatsOf, some } from './cart.harness.ts';
import { expectConserved, hall, openHall, openSale, redisBench, tees, wantingSeats } from './stock.harness.ts';

const bench = redisBench();
const aMixedSale = () => openHall(bench, ['A-1', 'A-2', 'B-1'], { perBuyerLimit: 5, items: [{ sku: 'tee', total: 5 }] });

describe('checking a cart out', () => {
  it('makes its units and slots the order’s hold, which is due like any other, and leaves no cart', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    await ada.set(seatsOf('B-1', 'A-1'));
    const { hold, wanted, replayed, hasOrder } = await checkedOut(ada.checkout('order-1'));
    expect(hold).toMatchObject({ holdId: 'order-1', buyerId: 'ada', payloadHash: 'payload', slots: [1, 2, 3, 4] });
    expect(hold.lines).toEqual([tees(1, 2), hall('B-1', 'A-1')]);
    expect(wanted).toEqual([some(2), seatsOf('B-1', 'A-1')]);
    expect([replayed, hasOrder]).toEqual([false, false]);
    const { holds } = await expectConserved(bench, saleId, 5);
    expect(holds).toEqual([{ ...hold, state: 'held' }]);
    expect(await bench.redis.lrange(stockKeys(saleId).expiry, 0, -1)).toEqual([`order-1|${hold.expiresAtMs}|${hold.bornUs}`]);
    expect(await cartsIn(bench, saleId)).toEqual({ recorded: {}, due: {} });
    expect(linesOf(await ada.read())).toEqual([]);
  });

  it('is done once per hold, whatever has happened since, and never takes the next cart for the same key', async () => {
    const sale = await aMixedSale();
    const { saleId } = sale;
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    const first = await checkedOut(ada.checkout('order-1'));
    await ada.set(some(1));
    await bench.stock.update({ ...sale, version: 2, control: 'closed' });
    expect(await ada.checkout('order-1')).toEqual({ ...first, replayed: true });
    await bench.stock.acknowledge(saleId, first.hold, 'live');
    expect(await ada.checkout('order-1')).toEqual({ ...first, replayed: true, hasOrder: true });
    expect(linesOf(await ada.read())).toEqual([tees(3)]);
    expect(await ada.checkout('order-1', 'another')).toEqual({ outcome: 'KEY_REUSED' });
    await bench.stock.release(saleId, { ...first.hold, cause: 'order' });
    expect(await ada.checkout('order-1')).toEqual({ outcome: 'ENDED' });
    await expectConserved(bench, saleId, 5);
  });

  it('gives the cart to one of two keys, and the other hears that it is empty', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    const answers = await Promise.all([ada.checkout('order-1'), ada.checkout('order-2')]);
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['CART_EMPTY', 'RESERVED']);
    await expectConserved(bench, saleId, 5);
  });

  it('leaves nothing behind in Redis that its order or its end does not take away', async () => {
    const { saleId } = await aMixedSale();
    const fields = async () => (await bench.redis.hkeys(stockKeys(saleId).sale)).filter((field) => /^[bhw]:/.test(field)).sort();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    const one = await checkedOut(ada.checkout('order-1'));
    expect(await fields()).toEqual(['b:ada', 'h:order-1', 'w:order-1']);
    await bench.stock.release(saleId, { ...one.hold, cause: 'tombstone' });
    expect(await fields()).toEqual([]);
    await ada.set(some(1));
    const two = await checkedOut(ada.checkout('order-2'));
    await bench.stock.acknowledge(saleId, two.hold, 'live');
    expect(await fields()).toEqual(['b:ada', 'h:order-2']);
  });

  it('is born after whatever was withdrawn before, so that a tombstone does not hit it', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    const { hold } = await checkedOut(ada.checkout('order-1'));
    await bench.stock.release(saleId, { ...hold, bornUs: hold.bornUs + 1e9, cause: 'tombstone' });
    await ada.set(some(1));
    expect((await checkedOut(ada.checkout('order-1'))).hold.bornUs).toBe(hold.bornUs + 1e9 + 1);
  });

  it('is granted for what the cart has, also when the limit was lowered since', async () => {
    const sale = await openSale(bench, { perBuyerLimit: 4 });
    const ada = buyerAt(bench, sale.saleId, 'ada');
    await ada.set(some(4));
    await bench.stock.update({ ...sale, version: 2, perBuyerLimit: 1 });
    expect((await checkedOut(ada.checkout('order-1'))).hold.slots).toEqual([1, 2, 3, 4]);
    expect((await checkedOut(ada.checkout('order-1'))).replayed).toBe(true);
    expect(await ada.set(some(1))).toEqual({ outcome: 'BUYER_LIMIT', limit: 1, used: 4 });
    await expectConserved(bench, sale.saleId);
  });

  it('finds no cart of a time before the sale was loaded', async () => {
    const sale = await openSale(bench);
    const ada = buyerAt(bench, sale.saleId, 'ada');
    await ada.set(some(2));
    await bench.redis.del(stockKeys(sale.saleId).sale);
    expect(await ada.checkout('order-1')).toEqual({ outcome: 'NOT_LOADED' });
    await bench.stock.load({ ...sale, epoch: 2 });
    expect(await cartsIn(bench, sale.saleId)).toEqual({ recorded: {}, due: {} });
    expect(await ada.checkout('order-1')).toEqual({ outcome: 'CART_EMPTY' });
    expect((await expectConserved(bench, sale.saleId)).items.tee?.available).toBe(10);
  });

  it('of a cart that was swept is refused, also for who has forgotten it meanwhile', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    await lapse(bench, saleId, ada.cartId);
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 1 });
    for (const key of ['order-1', 'order-2']) expect(await ada.checkout(key)).toEqual({ outcome: 'CART_EXPIRED' });
    expect((await expectConserved(bench, saleId, 5)).items.tee?.available).toBe(5);
  });

  it('of a hold that lost units to a swap still says what the cart had', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    await ada.set(seatsOf('A-1'));
    const { hold, wanted } = await checkedOut(ada.checkout('order-1'));
    expect(await bench.stock.swap(saleId, { ...hold, lines: wanted, owned: [hall('A-1')] })).toMatchObject({ outcome: 'SEAT_TAKEN' });
    const again = await checkedOut(ada.checkout('order-1'));
    expect(again).toMatchObject({ replayed: true, wanted, hold: { lines: [tees(1, 2), hall()] } });
  });
});

describe('a refused order’s units', () => {
  it('are in the cart again, which ends when the hold would have', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    await ada.set(seatsOf('A-1', 'A-2'));
    const { hold, wanted } = await checkedOut(ada.checkout('order-1'));
    await bench.stock.swap(saleId, { ...hold, lines: wanted, owned: [hall('A-1')] });
    expect(await ada.returned(hold)).toEqual({ outcome: 'RETURNED', lines: [tees(1, 2), hall('A-2')] });
    expect(await ada.returned(hold)).toEqual({ outcome: 'UNKNOWN_HOLD' });
    expect(await ada.read()).toEqual({ outcome: 'CART', expiresAtMs: hold.expiresAtMs, lines: [tees(1, 2), hall('A-2')] });
    const { holds } = await expectConserved(bench, saleId, 5);
    expect(holds).toMatchObject([{ holdId: ada.cartId, state: 'cart', slots: [1, 2, 3], bornUs: hold.bornUs }]);
    const next = await checkedOut(ada.checkout('order-1'));
    expect(next.hold.bornUs).toBeGreaterThan(hold.bornUs);
  });

  it('join what the buyer put into another cart meanwhile', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    await ada.set(seatsOf('A-1'));
    const { hold } = await checkedOut(ada.checkout('order-1'));
    await ada.set(some(2));
    await ada.set(seatsOf('B-1'));
    expect((await ada.returned(hold)).outcome).toBe('RETURNED');
    expect(linesOf(await ada.read())).toEqual([tees(1, 2, 3), hall('B-1', 'A-1')]);
    await expectConserved(bench, saleId, 5);
  });

  it('are for sale where the cart has no room, the hold’s time is up, or slots were lost', async () => {
    const big = await openSale(bench, { items: [{ sku: 'tee', total: 40 }] });
    const ada = buyerAt(bench, big.saleId, 'ada');
    await ada.set(some(15));
    const { hold } = await checkedOut(ada.checkout('order-1'));
    await ada.set(some(6));
    expect((await ada.returned(hold)).outcome).toBe('RELEASED');
    expect((await expectConserved(bench, big.saleId)).items.tee?.available).toBe(34);

    const short = await openSale(bench, { holdSeconds: 0.001 });
    await bench.redis.hset(stockKeys(short.saleId).sale, 's', `open|1|9999999999999|0|60000|0|1|1`);
    const bob = buyerAt(bench, short.saleId, 'bob');
    await bob.set(some(2));
    await bench.redis.hset(stockKeys(short.saleId).sale, 's', `open|1|9999999999999|0|1|0|1|1`);
    const late = await checkedOut(bob.checkout('order-1'));
    await expect.poll(() => bench.stock.nowMs(), { timeout: 30_000 }).toBeGreaterThan(late.hold.expiresAtMs);
    expect((await bob.returned(late.hold)).outcome).toBe('RELEASED');
    expect((await expectConserved(bench, short.saleId)).items.tee?.available).toBe(10);

    const limited = await openSale(bench, { perBuyerLimit: 2 });
    const eve = buyerAt(bench, limited.saleId, 'eve');
    await eve.set(some(2));
    const lacking = await checkedOut(eve.checkout('order-1'));
    expect(await bench.stock.mendAllowance(limited.saleId, { ...lacking.hold, usedSlots: [1] })).toMatchObject({ outcome: 'BUYER_LIMIT' });
    expect(await eve.checkout('order-1')).toEqual({ outcome: 'BUYER_LIMIT', limit: 2, used: 2 });
    expect((await eve.returned(lacking.hold)).outcome).toBe('RELEASED');
    expect(await bench.redis.hget(stockKeys(limited.saleId).sale, 'b:eve')).toBe('1');
  });

  it('stay where they are when an order has them, and for a birth that the tombstone does not name', async () => {
    const { saleId } = await aMixedSale();
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    const { hold } = await checkedOut(ada.checkout('order-1'));
    expect(await ada.returned({ ...hold, bornUs: hold.bornUs - 1 })).toEqual({ outcome: 'ALREADY_ENDED' });
    await bench.stock.acknowledge(saleId, hold, 'live');
    expect(await ada.returned(hold)).toEqual({ outcome: 'ORDER_EXISTS' });
    await bench.stock.release(saleId, { ...hold, cause: 'order' });
    expect(await ada.returned(hold)).toEqual({ outcome: 'ALREADY_ENDED' });
    expect(await buyerAt(bench, 'no-such-sale', 'ada').returned(hold)).toEqual({ outcome: 'NOT_LOADED' });
    await expectConserved(bench, saleId, 5);
  });
});

describe('a seat that one wants by cart and another by order', () => {
  it('is exactly one’s, whoever comes first', async () => {
    for (let round = 0; round < 40; round++) {
      const { saleId } = await openHall(bench, ['A-1']);
      const ada = buyerAt(bench, saleId, 'ada');
      const byCart = () => ada.set(seatsOf('A-1'));
      const byOrder = () => bench.stock.reserve({ saleId, holdId: 'direct', buyerId: 'bob', payloadHash: 'p', ...wantingSeats('A-1') });
      const answers = await Promise.all(round % 2 ? [byCart(), byOrder()] : [byOrder(), byCart()]);
      const lost = answers.filter(({ outcome }) => outcome === 'SEAT_TAKEN');
      expect(lost, JSON.stringify(answers)).toHaveLength(1);
      await expectConserved(bench, saleId);
    }
  });
});

describe('a cart that expires while it is checked out', () => {
  it('is either one’s, and its units are in one place', async () => {
    const { saleId } = await openHall(bench, ['A-1'], { perBuyerLimit: 20, items: [{ sku: 'tee', total: 400 }] });
    const met = new Set<string>();
    // Redis runs one after the other: each order of the three is a way in which the race can end.
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (let round = 0; round < 20 * orders.length; round++) {
      const ada = buyerAt(bench, saleId, `buyer-${round}`);
      await ada.set(some(2));
      await ada.set(seatsOf('A-1'));
      const race = [
        () => lapse(bench, saleId, ada.cartId).then(() => ''),
        () => bench.stock.expireCarts(saleId).then((swept) => ('count' in swept ? `swept ${swept.count}` : '')),
        () => ada.checkout(`order-${round}`).then(({ outcome }) => outcome),
      ];
      const order = orders[round % orders.length] ?? [];
      const answers = await Promise.all(order.map((index) => race[index]?.()));
      const hasWon = { checkout: answers.includes('RESERVED'), sweep: answers.includes('swept 1') };
      expect(hasWon.checkout && hasWon.sweep, 'both have won').toBe(false);
      met.add(answers.filter(Boolean).sort().join(', '));
      const again = await ada.checkout(`order-${round}`);
      expect(again.outcome).toBe(hasWon.checkout ? 'RESERVED' : 'CART_EXPIRED');
      const { items } = await expectConserved(bench, saleId, 20);
      expect([items.tee?.available, items.hall?.available]).toEqual(hasWon.checkout ? [398, 0] : [400, 1]);
      if (again.outcome === 'RESERVED') await bench.stock.release(saleId, { ...again.hold, cause: 'tombstone' });
    }
    expect([...met].sort()).toEqual(['CART_EXPIRED, swept 0', 'CART_EXPIRED, swept 1', 'RESERVED, swept 0']);
  });
});
