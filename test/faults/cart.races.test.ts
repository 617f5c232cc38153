import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCart, setCartItem } from '../../functions/cart/cart.ts';
import { stockKeys } from '../../functions/stock/stock.scripts.ts';
import { lapse } from '../scripts/cart.harness.ts';
import { cartsOn, type Shopper, unitsOf } from '../support/carts.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { orderOf } from '../support/orders.ts';
import { rebuilding } from '../support/rebuilding.ts';

let engine: Engine;
let carts: ReturnType<typeof cartsOn>;
beforeAll(async () => {
  engine = await startEngine();
  carts = cartsOn(engine);
});
afterAll(() => engine?.stop());

const timeIsUp = ({ saleId, cartId }: Shopper) => lapse({ ...engine, url: '' }, saleId, cartId);
const free = async (saleId: string) => {
  const read = await engine.stock.read(saleId);
  return read.outcome === 'READ' ? Object.fromEntries(read.items.map(({ sku, available }) => [sku, available])) : {};
};

describe('a cart that expires', () => {
  it('while it is checked out ends as an order or for sale again, never as both and never as neither', async () => {
    await engine.openHall('expiry-race', ['A'], { units: 60, perBuyerLimit: 3 });
    const met = new Set<string>();
    for (let round = 0; round < 30; round++) {
      const buyer = carts.shopper('expiry-race', `buyer-${round}`);
      await buyer.tees(2);
      await buyer.seats('A');
      const before = await free('expiry-race');
      const endIt = async () => {
        await timeIsUp(buyer);
        await engine.stock.expireCarts('expiry-race');
      };
      // The time comes before the script that takes the cart, at the same moment, or after it and before the order is written.
      const claim: typeof engine.claims.claim = async (order) => {
        await endIt();
        return engine.claims.claim(order);
      };
      const late = { ...engine.claims, claim };
      const isLate = round % 3 === 2;
      if (round % 3 === 0) await timeIsUp(buyer);
      const checkingOut = buyer.checkOut(isLate ? { ports: { ...engine.placePorts, claims: late } } : {});
      const outcomes = await Promise.all([checkingOut, isLate ? undefined : endIt()]);
      const placed = outcomes.find((outcome) => outcome && 'order' in outcome);
      met.add(placed ? 'order' : 'expired');
      if (placed && 'order' in placed) {
        expect(await free('expiry-race')).toEqual(before);
        await engine.cancel(placed.order);
      } else {
        await engine.stock.expireCarts('expiry-race');
        expect(outcomes).toContainEqual({ outcome: 'cart-expired' });
        expect(await buyer.checkOut()).toEqual({ outcome: 'cart-expired' });
      }
      expect(await free('expiry-race')).toEqual({ hall: 1, tee: 60 });
    }
    expect([...met].sort()).toEqual(['expired', 'order']);
    expect(await carts.wrongWith('expiry-race')).toEqual([]);
  });

  it('is swept once, and what its buyer had in mind is refused afterwards', async () => {
    await engine.openSale('swept', 4, { perBuyerLimit: 4 });
    const ada = carts.shopper('swept', 'ada');
    await ada.tees(4);
    await timeIsUp(ada);
    expect(await carts.sweep()).toMatchObject({ failed: 0 });
    expect(await free('swept')).toEqual({ tee: 4 });
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-expired' });
    orderOf(await engine.place('swept', 'bob', { quantity: 4, method: 'external' }));
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-expired' });
    expect(await carts.wrongWith('swept')).toEqual([]);
  });
});

describe('one seat', () => {
  it('that one buyer has in the cart and another orders goes to exactly one of them, to the end', async () => {
    await engine.openHall('one-seat', ['A']);
    for (let round = 0; round < 12; round++) {
      const ada = carts.shopper('one-seat', `ada-${round}`);
      const byCart = async () => {
        const set = await ada.seats('A');
        return set.outcome === 'cart' ? ada.checkOut() : set;
      };
      const byOrder = () => engine.order('one-seat', `bob-${round}`, [{ sku: 'hall', seats: ['A'] }], { method: 'external' });
      const outcomes = await Promise.all(round % 2 ? [byCart(), byOrder()] : [byOrder(), byCart()]);
      const [order, ...more] = outcomes.flatMap((outcome) => ('order' in outcome ? [outcome.order] : []));
      expect(more).toEqual([]);
      expect(outcomes).toContainEqual({ outcome: 'seat-taken', sku: 'hall', seats: ['A'] });
      expect(order && unitsOf(order)).toEqual(['hall A']);
      if (order) await engine.cancel(order);
    }
    expect(await carts.wrongWith('one-seat')).toEqual([]);
  });
});

describe('carts, orders, expiry and failovers at once', () => {
  it('sell no unit twice and lose none', async () => {
    await engine.openHall('churn', ['A', 'B', 'C'], { units: 12, perBuyerLimit: 5 });
    const seats = ['A', 'B', 'C'];
    const lane = async (n: number) => {
      for (let round = 0; round < 5; round++) {
        const buyer = carts.shopper('churn', `buyer-${n}`);
        await buyer.tees(1 + ((n + round) % 3));
        await buyer.seats(seats[(n * round) % 3] ?? 'A');
        if ((n + round) % 4 === 0) await timeIsUp(buyer);
        const outcome = await buyer.checkOut({ key: `key-${round}` });
        if ('order' in outcome && (n + round) % 2) await engine.cancel(outcome.order);
      }
    };
    const sweeps = async () => {
      for (let run = 0; run < 4; run++) await carts.sweep();
    };
    await Promise.all([...[0, 1, 2, 3, 4, 5].map(lane), sweeps()]);
    for (const n of [0, 1, 2, 3, 4, 5]) await carts.shopper('churn', `buyer-${n}`).clear();
    await carts.sweep();
    expect(await carts.wrongWith('churn')).toEqual([]);
  });
});

describe('a cart of a sale that Redis has lost', () => {
  it('is not ready while the sale sells, asks for the sale, and is empty once it is back', async () => {
    const work = rebuilding(engine);
    const { saleId } = await work.store(await engine.openSale('lost-1', 5));
    const ada = carts.shopper(saleId, 'ada');
    await ada.tees(3);
    await engine.redis.del(...Object.values(stockKeys(saleId)));
    const asked: string[] = [];
    const ports = { ...engine.placePorts, askForRebuild: async (id: string) => void asked.push(id) };
    expect(await setCartItem({ ...ada, sku: 'tee' }, { quantity: 1 }, ports)).toEqual({ outcome: 'stock-not-ready' });
    expect(await readCart(ada, ports)).toEqual({ outcome: 'stock-not-ready' });
    expect(asked).toEqual([saleId, saleId]);
    await work.rebuild(saleId);
    expect(await ada.units()).toEqual([]);
    expect(await free(saleId)).toEqual({ tee: 5 });
    expect(await ada.checkOut()).toEqual({ outcome: 'cart-empty' });
  });

  it('is empty for good when the sale is over, and nobody is asked to bring it back', async () => {
    const { saleId } = await engine.openSale('lost-2', 5, { closesAtMs: Date.now() - 3_600_000 });
    await engine.redis.del(...Object.values(stockKeys(saleId)));
    const ports = {
      ...engine.placePorts,
      askForRebuild: async () => {
        throw new Error('asked');
      },
    };
    const ref = { saleId, buyerId: 'ada' };
    expect(await readCart(ref, ports)).toEqual({ outcome: 'cart', cart: { saleId, lines: [], expiresAtMs: 0 } });
    expect(await setCartItem({ ...ref, sku: 'tee' }, { quantity: 1 }, ports)).toEqual({ outcome: 'not-open', state: 'closed' });
    expect(await readCart({ ...ref, saleId: 'never-was' }, ports)).toEqual({ outcome: 'unknown-sale' });
  });
});

describe('a seat that Redis is yet to be told of', () => {
  it('is to be asked for again, and one that never was is told so', async () => {
    const sale = await engine.openHall('restocked', ['A']);
    const names = new Map([['hall', new Set(['A', 'B'])]]);
    const ports = { ...engine.placePorts, seats: { names: async () => names } };
    const want = (seat: string) => setCartItem({ saleId: sale.saleId, buyerId: 'ada', sku: 'hall' }, { seats: [seat] }, ports);
    expect(await want('B')).toEqual({ outcome: 'try-again' });
    expect(await want('Z')).toEqual({ outcome: 'unknown-seat', sku: 'hall', seat: 'Z' });
    expect((await want('A')).outcome).toBe('cart');
  });
});
