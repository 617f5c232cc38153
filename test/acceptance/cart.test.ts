import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { until } from '../../lib/client/bounded.ts';
import { granted, openShop, patient, refused, type Shopper, type TestSale, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const external = { fromCart: true, payment: { method: 'external' } } as const;
const fill = async ({ client }: Shopper, sale: TestSale, quantity: number, sku = sale.sku) =>
  granted(await client.setCartItem(sale.saleId, sku, { quantity }));
const leftOf = async (sale: TestSale) => (await shop.view(sale)).items.map(({ available }) => available);

describe('a cart', () => {
  it('holds what was put into it, in exactly the contract’s form, and nobody else can have it', async () => {
    const sale = await shop.sale({ units: [5, 3], seats: ['A-1', 'A-2'] });
    const [shopper, other] = await shop.shoppers(2, 'no account');
    const { client } = shopper ?? expect.fail();
    const [tee = '', mug = '', hall = ''] = sale.skus;
    expect(granted(await client.cart(sale.saleId))).toEqual({ saleId: sale.saleId, items: [], expiresAt: null });
    granted(await client.setCartItem(sale.saleId, tee, { quantity: 2 }));
    granted(await client.setCartItem(sale.saleId, hall, { seats: ['A-2'] }));
    const answer = await client.setCartItem(sale.saleId, mug, { quantity: 3 });
    const cart = granted(answer);
    expect(cart).toEqual({
      saleId: sale.saleId,
      items: [
        { sku: tee, quantity: 2 },
        { sku: hall, quantity: 1, seats: ['A-2'] },
        { sku: mug, quantity: 3 },
      ],
      expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    const { serverTime, holdSeconds } = await shop.view(sale);
    expect(Math.abs(Date.parse(cart.expiresAt ?? '') - Date.parse(serverTime) - holdSeconds * 1_000)).toBeLessThan(10_000);
    expect(granted(await client.cart(sale.saleId))).toEqual(cart);

    const rival = other ?? expect.fail();
    expect(granted(await rival.client.cart(sale.saleId)).items).toEqual([]);
    expect(refused(await rival.buy(sale, 4), 'SOLD_OUT')).toMatchObject({ available: 3 });
    expect(refused(await rival.client.setCartItem(sale.saleId, mug, { quantity: 1 }), 'SOLD_OUT')).toMatchObject({
      sku: mug,
      available: 0,
    });
    expect(refused(await rival.client.setCartItem(sale.saleId, hall, { seats: ['A-1', 'A-2'] }), 'SEAT_TAKEN')).toMatchObject({
      seats: ['A-2'],
    });
    expect(granted(await shop.client.seats(sale.saleId, hall)).items).toEqual([
      { seat: 'A-1', state: 'free' },
      { seat: 'A-2', state: 'held' },
    ]);
    expect(await leftOf(sale)).toEqual([3, 0, 1]);
    // No order has these units, and yet everything is accounted for.
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: 0 }, { held: 0 }, { held: 0 }]);

    expect(granted(await client.dropCartItem(sale.saleId, mug)).items.map(({ sku }) => sku)).toEqual([tee, hall]);
    expect(granted(await client.clearCart(sale.saleId))).toEqual({ saleId: sale.saleId, items: [], expiresAt: null });
    expect(await leftOf(sale)).toEqual([5, 3, 2]);
    await shop.cleanAudit(sale);
  });

  it('has exactly what was set last, however often it is set', async () => {
    const sale = await shop.sale({ units: 6, perBuyerLimit: 5 });
    const shopper = await shop.shopper('no account');
    for (const quantity of [3, 3, 1, 5, 5]) expect((await fill(shopper, sale, quantity)).items).toEqual([{ sku: sale.sku, quantity }]);
    await Promise.all([1, 2, 3, 4].map(() => fill(shopper, sale, 4)));
    expect(await leftOf(sale)).toEqual([2]);
    refused(await shopper.client.setCartItem(sale.saleId, sale.sku, { quantity: 6 }), 'BUYER_LIMIT');
    refused(await shopper.buy(sale, 2), 'BUYER_LIMIT');
    granted(await shopper.buy(sale, 1, { method: 'external' }), 201);
    refused(await shopper.client.setCartItem(sale.saleId, sale.sku, { quantity: 5 }), 'BUYER_LIMIT');
    await shop.cleanAudit(sale);
  });

  it('is refused what makes no sense, and keeps what it has', async () => {
    const sale = await shop.sale({ units: [30, 30], seats: ['A-1'] });
    const [tee = '', mug = '', hall = ''] = sale.skus;
    const shopper = await shop.shopper('no account');
    await fill(shopper, sale, 18);
    const put = (sku: string, body: unknown) =>
      shopper.client.raw({
        method: 'PUT',
        path: `/v1/sales/${sale.saleId}/cart/items/${sku}`,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const wrong = [
      ...[0, -1, 1.5, 21, 1e9, '2', null].map((quantity) => ({ quantity })),
      ...[[], ['A-1', 'A-1'], ['a|b'], 'A-1'].map((seats) => ({ seats })),
      ...[{}, { quantity: 1, seats: ['A-1'] }, { quantity: 1, priceMinor: 1 }, { quantity: 1, sku: tee }, [], 'two'],
    ];
    for (const body of wrong) refused(await put(tee, body), 'INVALID_REQUEST');
    for (const [sku, body] of [
      [mug, { quantity: 3 }],
      ['no-such-item', { quantity: 1 }],
      [hall, { quantity: 1 }],
      [tee, { seats: ['A-1'] }],
      [hall, { seats: ['Z-9'] }],
    ] as const) {
      refused(await put(sku, body), 'INVALID_REQUEST');
    }
    refused(await shopper.client.cart('no-such-sale'), 'NOT_FOUND');
    refused(await put('a%7Cb', { quantity: 1 }), 'NOT_FOUND');
    expect(granted(await shopper.client.dropCartItem(sale.saleId, 'no-such-item')).items).toEqual([{ sku: tee, quantity: 18 }]);
  });

  it('cannot be filled before the sale opens, while it is paused, or after it closed, and can always be emptied', async () => {
    const early = await shop.sale({ opensInMs: 3_600_000, closesInMs: 7_200_000 });
    const shopper = await shop.shopper('no account');
    const set = (sale: TestSale) => shopper.client.setCartItem(sale.saleId, sale.sku, { quantity: 2 });
    expect(refused(await set(early), 'SALE_NOT_OPEN')).toMatchObject({ state: 'scheduled' });
    const sale = await shop.sale();
    granted(await set(sale));
    granted(await shop.operator.patchSale(sale.saleId, { state: 'paused' }));
    refused(await set(sale), 'SALE_PAUSED');
    refused(await shopper.client.checkOut(sale.saleId, randomUUID()), 'SALE_PAUSED');
    granted(await shop.operator.patchSale(sale.saleId, { state: 'closed' }));
    refused(await set(sale), 'SALE_NOT_OPEN');
    refused(await shopper.client.checkOut(sale.saleId, randomUUID()), 'SALE_NOT_OPEN');
    expect(granted(await shopper.client.cart(sale.saleId)).items).toEqual([{ sku: sale.sku, quantity: 2 }]);
    expect(granted(await shopper.client.clearCart(sale.saleId)).items).toEqual([]);
    await shop.cleanAudit(sale);
  });

  it('is its buyer’s alone: without a buyer’s token there is none', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper('no account');
    await fill(shopper, sale, 1);
    for (const [client, code] of [
      [shop.client, 'UNAUTHENTICATED'],
      [shop.operator, 'FORBIDDEN'],
    ] as const) {
      refused(await client.cart(sale.saleId), code);
      refused(await client.setCartItem(sale.saleId, sale.sku, { quantity: 1 }), code);
      refused(await client.dropCartItem(sale.saleId, sale.sku), code);
      refused(await client.clearCart(sale.saleId), code);
    }
    expect(granted(await shopper.client.cart(sale.saleId)).items).toHaveLength(1);
  });
});

describe('checking out', () => {
  it('makes an order of the whole cart, paid and fulfilled like any other', async () => {
    const sale = await shop.sale({ units: 5, seats: ['A-1', 'A-2'], perBuyerLimit: 3 });
    const shopper = await shop.shopper();
    await fill(shopper, sale, 2);
    granted(await shopper.client.setCartItem(sale.saleId, sale.skus[1] ?? '', { seats: ['A-2'] }));
    const placed = granted(await shopper.client.checkOut(sale.saleId, randomUUID()), 201);
    expect(placed).toMatchObject({
      status: 'RESERVED',
      totalMinor: 3 * sale.priceMinor,
      items: [{ units: ['1', '2'] }, { units: ['A-2'] }],
    });
    expect(granted(await shopper.client.cart(sale.saleId)).items).toEqual([]);
    refused(await shopper.client.checkOut(sale.saleId, randomUUID()), 'CART_EMPTY');
    refused(await shopper.client.setCartItem(sale.saleId, sale.sku, { quantity: 1 }), 'BUYER_LIMIT');
    expect(await shop.atRest(placed.orderId)).toMatchObject({ status: 'FULFILLED', items: placed.items });
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ sold: 2 }, { sold: 1 }]);
  });

  it('is answered the same again under its key, when the cart is gone, is another one, and the sale has closed', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    const key = randomUUID();
    await fill(shopper, sale, 2);
    const first = await shopper.client.checkOut(sale.saleId, key, external);
    const placed = granted(first, 201);
    const again = async () => {
      const answer = await shopper.client.checkOut(sale.saleId, key, external);
      expect([answer.status, answer.text, answer.headers['idempotency-replayed']]).toEqual([201, first.text, 'true']);
    };
    await again();
    await fill(shopper, sale, 3);
    await again();
    refused(await shopper.client.checkOut(sale.saleId, key), 'IDEMPOTENCY_KEY_REUSED');
    refused(await shopper.buy(sale, 2, { key }), 'IDEMPOTENCY_KEY_REUSED');
    granted(await shopper.client.cancelOrder(placed.orderId));
    await again();
    granted(await shop.operator.patchSale(sale.saleId, { state: 'closed' }));
    await again();
    expect(granted(await shopper.client.cart(sale.saleId)).items).toEqual([{ sku: sale.sku, quantity: 3 }]);
    await shop.cleanAudit(sale);
  });

  it('gives one cart to one order, however many keys and copies ask for it at once', async () => {
    const sale = await shop.sale({ units: 20 });
    const shopper = await shop.shopper();
    await fill(shopper, sale, 4);
    const [one, other] = [randomUUID(), randomUUID()];
    const answers = await Promise.all([one, other, one, other, one].map((key) => shopper.client.checkOut(sale.saleId, key, external)));
    const won = answers.filter(({ status }) => status === 201);
    expect(won.length).toBeGreaterThan(0);
    expect(new Set(won.map(({ text }) => text)).size).toBe(1);
    for (const answer of answers.filter(({ status }) => status !== 201)) refused(answer, 'CART_EMPTY');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: 4, available: 16 }]);
  });

  it('takes either the items by name or the cart, never both, and no prices', async () => {
    const sale = await shop.sale();
    const shopper = await shop.shopper();
    await fill(shopper, sale, 1);
    const items = [{ sku: sale.sku, quantity: 1 }];
    for (const body of [{ fromCart: true, items }, { fromCart: false }, { fromCart: 'yes' }, {}, { fromCart: true, totalMinor: 1 }]) {
      const answer = await shopper.client.raw({
        method: 'POST',
        path: `/v1/sales/${sale.saleId}/orders`,
        headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
        body: JSON.stringify(body),
      });
      refused(answer, 'INVALID_REQUEST');
    }
    expect(granted(await shopper.client.cart(sale.saleId)).items).toEqual([{ sku: sale.sku, quantity: 1 }]);
  });

  it('is possible in a sale that charges first', async () => {
    const sale = await shop.sale({ units: 5, seats: ['A-1'], strategy: 'charge-first' });
    const shopper = await shop.shopper();
    await fill(shopper, sale, 2);
    granted(await shopper.client.setCartItem(sale.saleId, sale.skus[1] ?? '', { seats: ['A-1'] }));
    const key = randomUUID();
    const placed = granted(await shopper.client.checkOut(sale.saleId, key), 201);
    expect(placed).toMatchObject({ status: 'PENDING', items: [{ quantity: 2 }, { quantity: 1 }] });
    const order = await shop.atRest(placed.orderId);
    expect(order.status).toBe('FULFILLED');
    expect(unitsOf(order)).toEqual(['1', '2', 'A-1']);
    expect(granted(await shopper.client.checkOut(sale.saleId, key), 201)).toEqual(placed);
    await shop.cleanAudit(sale);
  });
});

describe('a cart whose time is up', () => {
  it('is empty for its buyer, cannot be checked out, and its units are for sale again', async () => {
    const sale = await shop.sale({ units: 2, holdSeconds: 5, perBuyerLimit: 2 });
    const [shopper, other] = await shop.shoppers(2, 'no account');
    const { client } = shopper ?? expect.fail();
    const { expiresAt } = await fill(shopper ?? expect.fail(), sale, 2);
    await until('the cart expires', async () => Date.parse((await shop.view(sale)).serverTime) > Date.parse(expiresAt ?? '') || undefined, {
      ...patient,
      everyMs: 200,
    });
    refused(await client.checkOut(sale.saleId, randomUUID()), 'CART_EXPIRED');
    expect(granted(await client.cart(sale.saleId))).toMatchObject({ items: [], expiresAt: null });
    granted(await (other ?? expect.fail()).buy(sale, 2, { method: 'external' }), 201);
    refused(await client.checkOut(sale.saleId, randomUUID()), 'CART_EXPIRED');
    await shop.cleanAudit(sale);
  });

  it.runIf(shop.isLocal)('comes back by the sweeper when its buyer does not', async () => {
    const sale = await shop.sale({ units: 2, holdSeconds: 5 });
    const shopper = await shop.shopper('no account');
    await fill(shopper, sale, 2);
    const swept = async () => {
      granted(await shop.operator.localRun('sweeper'));
      return (await leftOf(sale))[0] === 2 || undefined;
    };
    await until('the units are back', swept, { ...patient, everyMs: 500 });
    refused(await shopper.client.checkOut(sale.saleId, randomUUID()), 'CART_EXPIRED');
    await shop.cleanAudit(sale);
  });
});

describe('a crowd with carts and orders', () => {
  it('never gets more than there is, and every unit is somebody’s or for sale', async () => {
    const sale = await shop.sale({ units: 30, seats: Array.from({ length: 10 }, (_, n) => `S-${n}`) });
    const hall = sale.skus[1] ?? '';
    const buyers = await shop.shoppers(40);
    const outcomes = await Promise.all(
      buyers.map(async (buyer, n) => {
        if (n % 4 === 3) return buyer.buySeats(sale, [`S-${n % 10}`], { quantity: 1, method: 'external' });
        await buyer.client.setCartItem(sale.saleId, sale.sku, { quantity: 2 });
        await buyer.client.setCartItem(sale.saleId, hall, { seats: [`S-${n % 10}`] });
        if (n % 4 === 2) await buyer.client.clearCart(sale.saleId);
        return buyer.client.checkOut(sale.saleId, randomUUID(), external);
      }),
    );
    const orders = outcomes.filter(({ status }) => status === 201).map((answer) => granted(answer, 201));
    const units = orders.flatMap(({ items }) => items.flatMap(({ sku, units: owned }) => owned.map((unit) => `${sku} ${unit}`)));
    expect(new Set(units).size).toBe(units.length);
    const { items } = await shop.cleanAudit(sale);
    expect(items.reduce((sum, { held }) => sum + held, 0)).toBe(units.length);
  });
});
