import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CartItem } from '../../../functions/cart/cart.schemas.ts';
import { PlaceOrder } from '../../../functions/orders/order.schemas.ts';
import { cartIdOf, holdIdOf, payloadHashOf } from '../../../functions/shared/ids.ts';

describe('what is put into a cart', () => {
  it.each([{ quantity: 1 }, { quantity: 20 }, { seats: ['A-1'] }, { seats: ['17', 'A_2', 'b.3'] }])('may be %j', (item) => {
    expect(CartItem.parse(item)).toEqual(item);
  });

  it.each([
    ...[0, -1, 1.5, 21, 1e21, '1', null, true, Number.NaN].map((quantity) => ({ quantity })),
    ...[[], ['A-1', 'A-1'], ['a|b'], [''], [1], 'A-1', Array.from({ length: 21 }, (_, n) => `S-${n}`)].map((seats) => ({ seats })),
    ...[{}, { quantity: 1, seats: ['A-1'] }, { quantity: 1, priceMinor: 100 }, { quantity: 1, sku: 'tee' }, [], null, 'two'],
  ])('is never %j', (item) => {
    expect(CartItem.safeParse(item).success).toBe(false);
  });
});

describe('an order', () => {
  const balance = { method: 'balance' };

  it('is asked for by its items or by the cart, and by exactly one of them', () => {
    expect(PlaceOrder.parse({ fromCart: true })).toEqual({ fromCart: true, payment: balance });
    const items = [{ sku: 'tee', quantity: 1 }];
    for (const wrong of [
      {},
      { fromCart: true, items },
      { fromCart: false },
      { fromCart: 'true' },
      { fromCart: 1 },
      { fromCart: true, sku: 'tee' },
    ]) {
      expect(PlaceOrder.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });

  it('from a cart is the same payload however it is written, and another one than with another payment', () => {
    const hashOf = (body: unknown) => payloadHashOf(PlaceOrder.parse(body));
    expect(hashOf({ payment: balance, fromCart: true })).toBe(hashOf({ fromCart: true }));
    expect(hashOf({ fromCart: true, payment: { method: 'external' } })).not.toBe(hashOf({ fromCart: true }));
  });
});

describe('a cart’s id', () => {
  it('is never that of a hold, whatever key anybody sends', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
    const key = fc.stringMatching(/^[\x21-\x7e]{1,255}$/);
    fc.assert(
      fc.property(name, name, fc.oneof(key, fc.constantFrom('cart', '{"cart":')), (caller, saleId, sent) => {
        expect(holdIdOf('secret', caller, saleId, sent)).not.toBe(cartIdOf('secret', caller, saleId));
      }),
    );
  });

  it('is its buyer’s and its sale’s alone', () => {
    const ids = [cartIdOf('s', 'ada', 'a'), cartIdOf('s', 'ada', 'b'), cartIdOf('s', 'a', 'ada'), cartIdOf('t', 'ada', 'a')];
    expect(new Set(ids).size).toBe(ids.length);
    expect(cartIdOf('s', 'ada', 'a')).toBe(ids[0]);
  });
});
