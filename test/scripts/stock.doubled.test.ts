import { describe, expect, it } from 'vitest';
import { buyerAt, checkedOut, lapse, linesOf, some } from './cart.harness.ts';
import { expectConserved, held, openSale, redisBench, tees } from './stock.harness.ts';

// A unit that is for sale although somebody has it. A failover lost the hold of an order, so its unit was handed out once more; then the order was found,
// and it ended: its unit came back from it, while the second one still had it. (The same where a shard lends units again that it had lent before it fell back.)

const bench = redisBench();

/** An order that Redis had forgotten is found, and ends. */
async function comesBack(saleId: string, serial: number): Promise<void> {
  const order = { holdId: 'forgotten', buyerId: 'bob', payloadHash: 'p', bornUs: 1, expiresAtMs: 1, lines: [tees(serial)], slots: [1] };
  expect(await bench.stock.acknowledge(saleId, order, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
  expect(await bench.stock.release(saleId, { ...order, cause: 'order' })).toMatchObject({ outcome: 'RELEASED' });
}

describe('a unit that came back for sale from somebody else', () => {
  it('is in the cart that has it once, however many more are put into it', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    await comesBack(saleId, 1);
    expect(linesOf(await ada.set(some(2)))).toEqual([tees(1, 2)]);
    expect(linesOf(await ada.read())).toEqual([tees(1, 2)]);
    await expectConserved(bench, saleId, 5);
    expect((await checkedOut(ada.checkout())).hold.lines).toEqual([tees(1, 2)]);
  });

  it('is none that this cart could have besides, and another could not either once that was found', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 1 }] });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(1));
    await comesBack(saleId, 1);
    expect(await ada.set(some(2))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 1 });
    expect(await buyerAt(bench, saleId, 'eve').set(some(1))).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 0 });
    await expectConserved(bench, saleId);
  });

  it('is in the hold that has it once after a swap of others', async () => {
    const { saleId } = await openSale(bench);
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    await comesBack(saleId, 1);
    const swapped = await bench.stock.swap(saleId, { ...hold, lines: [{ sku: 'tee', quantity: 2 }], owned: [tees(2)] });
    expect(swapped).toMatchObject({ outcome: 'SWAPPED', lines: [tees(1, 3)] });
    expect((await expectConserved(bench, saleId)).items.tee).toMatchObject({ free: [], suspect: ['2'] });
  });

  it('is none that a hold could be given in a swap', async () => {
    const { saleId } = await openSale(bench, { items: [{ sku: 'tee', total: 2 }] });
    const hold = await held(bench, saleId, { lines: [{ sku: 'tee', quantity: 2 }] });
    await comesBack(saleId, 1);
    const swapped = await bench.stock.swap(saleId, { ...hold, lines: [{ sku: 'tee', quantity: 2 }], owned: [tees(2)] });
    expect(swapped).toEqual({ outcome: 'SOLD_OUT', sku: 'tee', available: 1 });
    await expectConserved(bench, saleId);
  });

  it('is in a cart once to which a refused order gives it back, and so are its slots', async () => {
    const { saleId } = await openSale(bench, { perBuyerLimit: 5 });
    const ada = buyerAt(bench, saleId, 'ada');
    await ada.set(some(2));
    const { hold } = await checkedOut(ada.checkout());
    await comesBack(saleId, 1);
    expect(linesOf(await ada.set(some(1)))).toEqual([tees(1)]);
    expect(await ada.returned(hold)).toEqual({ outcome: 'RETURNED', lines: [tees(1, 2)] });
    expect(linesOf(await ada.read())).toEqual([tees(1, 2)]);
    expect((await expectConserved(bench, saleId, 5)).holds).toContainEqual(expect.objectContaining({ state: 'cart', slots: [1, 2] }));
  });

  it('keeps no cart from its end', async () => {
    const { saleId } = await openSale(bench);
    const [ada, eve] = [buyerAt(bench, saleId, 'ada'), buyerAt(bench, saleId, 'eve')];
    await ada.set(some(1));
    await eve.set(some(1));
    await comesBack(saleId, 1);
    await ada.set(some(2));
    for (const { cartId } of [ada, eve]) await lapse(bench, saleId, cartId);
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 2 });
    expect((await expectConserved(bench, saleId)).items.tee?.available).toBe(10);
  });
});
