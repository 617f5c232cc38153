import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { granted, openShop, refused, unitsOf } from '../support/acceptance.ts';

const shop = await openShop();
afterAll(() => shop.close());

const external = { method: 'external' } as const;

describe('a seat', () => {
  it('that 500 buyers race for is sold to exactly one, and the 499 others are told that it is taken', async () => {
    const sale = await shop.sale({ seats: ['A-1', 'A-2'] });
    const buyers = await shop.shoppers(500, 'no account');
    const answers = await Promise.all(buyers.map((buyer) => buyer.buySeats(sale, ['A-1'], external)));
    const [winner, ...otherWinners] = answers.filter(({ status }) => status === 201);
    expect(otherWinners).toEqual([]);
    expect(granted(winner ?? expect.fail('nobody got the seat'), 201).items).toMatchObject([
      { sku: sale.sku, quantity: 1, units: ['A-1'] },
    ]);
    const losers = answers.filter(({ status }) => status !== 201).map((answer) => refused(answer, 'SEAT_TAKEN'));
    expect(losers).toHaveLength(499);
    for (const problem of losers) expect(problem).toMatchObject({ sku: sale.sku, seats: ['A-1'] });
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ total: 2, held: 1, available: 1 }]);
  });

  it('is on the ticket, and stays what it is through payment, reading and replay', async () => {
    const sale = await shop.sale({ units: 5, seats: ['17', 'B_2', 'c.3'] });
    const shopper = await shop.shopper();
    const key = randomUUID();
    const answer = await shopper.buySeats(sale, ['B_2', '17'], { key, quantity: 2 });
    const placed = granted(answer, 201);
    expect(placed.items).toMatchObject([
      { sku: sale.skus[0], quantity: 2, units: ['1', '2'] },
      { sku: sale.skus[1], quantity: 2, units: ['B_2', '17'] },
    ]);
    const order = await shop.atRest(placed.orderId);
    expect(order).toMatchObject({ status: 'FULFILLED', items: placed.items, totalMinor: 4 * sale.priceMinor });
    expect(order.tickets?.map(({ unit }) => unit)).toEqual(unitsOf(placed));
    const ticket = order.tickets?.find(({ unit }) => unit === '17') ?? expect.fail('no ticket');
    expect(granted(await shop.client.ticket(ticket.code))).toMatchObject({ valid: true, sku: sale.skus[1], unit: '17' });

    const replay = await shopper.buySeats(sale, ['B_2', '17'], { key, quantity: 2 });
    expect([replay.text, replay.headers['idempotency-replayed']]).toEqual([answer.text, 'true']);
    refused(await shopper.buySeats(sale, ['17', 'B_2'], { key }), 'IDEMPOTENCY_KEY_REUSED');
    expect((await shop.cleanAudit(sale)).items).toMatchObject([
      { sold: 2, available: 3 },
      { sold: 2, available: 1 },
    ]);
  });

  it('of a cancelled order is the next buyer’s', async () => {
    const sale = await shop.sale({ seats: ['A-1'] });
    const [first, next] = await shop.shoppers(2, 'no account');
    const held = granted(await (first ?? expect.fail()).buySeats(sale, ['A-1'], external), 201);
    refused(await (next ?? expect.fail()).buySeats(sale, ['A-1'], external), 'SEAT_TAKEN');
    granted(await shop.operator.cancelOrder(held.orderId));
    granted(await (next ?? expect.fail()).buySeats(sale, ['A-1'], external), 201);
  });
});

describe('sets of seats', () => {
  it('that overlap never both win, and what the loser wanted besides is free', async () => {
    const rounds = 25;
    const names = Array.from({ length: rounds }, (_, n) => [`A-${n}`, `B-${n}`, `C-${n}`] as const);
    const sale = await shop.sale({ seats: names.flat() });
    const buyers = await shop.shoppers(3 * rounds, 'no account');
    const buyer = (at: number) => buyers[at] ?? expect.fail();
    await Promise.all(
      names.map(async ([a, b, c], n) => {
        const [left, right] = await Promise.all([
          buyer(n).buySeats(sale, [a, b], external),
          buyer(rounds + n).buySeats(sale, [b, c], external),
        ]);
        const [won, lost, leftOver] = left.status === 201 ? [left, right, c] : [right, left, a];
        expect(unitsOf(granted(won, 201))).toEqual(left === won ? [a, b] : [b, c]);
        expect(refused(lost, 'SEAT_TAKEN')).toMatchObject({ seats: [b] });
        granted(await buyer(2 * rounds + n).buySeats(sale, [leftOver], external), 201);
      }),
    );
    expect((await shop.cleanAudit(sale)).items).toMatchObject([{ held: 3 * rounds, available: 0 }]);
  });

  it('are all or nothing with the counted units beside them', async () => {
    const sale = await shop.sale({ units: 2, seats: ['A-1', 'A-2'] });
    const [first, next] = await shop.shoppers(2, 'no account');
    granted(await (first ?? expect.fail()).buySeats(sale, ['A-1'], external), 201);
    refused(await (next ?? expect.fail()).buySeats(sale, ['A-1', 'A-2'], { ...external, quantity: 2 }), 'SEAT_TAKEN');
    expect(refused(await (next ?? expect.fail()).buySeats(sale, ['A-2'], { ...external, quantity: 3 }), 'SOLD_OUT')).toMatchObject({
      available: 2,
    });
    granted(await (next ?? expect.fail()).buySeats(sale, ['A-2'], { ...external, quantity: 2 }), 201);
  });

  it('may be as large as an order, and no larger', async () => {
    const seats = Array.from({ length: 21 }, (_, n) => `row-${n}`);
    const sale = await shop.sale({ units: 1, seats, perBuyerLimit: 20 });
    const shopper = await shop.shopper();
    refused(await shopper.buySeats(sale, seats), 'INVALID_REQUEST');
    refused(await shopper.buySeats(sale, seats.slice(1), { quantity: 1 }), 'INVALID_REQUEST');
    const order = granted(await shopper.buySeats(sale, seats.slice(1)), 201);
    expect((await shop.atRest(order.orderId)).tickets).toHaveLength(20);
    refused(await shopper.buySeats(sale, seats.slice(0, 1)), 'BUYER_LIMIT');
  });

  it.each([
    { what: 'a seat that is not there', of: 'hall', line: { seats: ['Z-9'] }, says: /Z-9/ },
    { what: 'a number of a seated item', of: 'hall', line: { quantity: 1 }, says: /by seats/ },
    { what: 'seats of a counted item', of: 'tee', line: { seats: ['1'] }, says: /no seats/ },
    { what: 'a seat twice', of: 'hall', line: { seats: ['A-1', 'A-1'] }, says: /each seat once/ },
    { what: 'both ways at once', of: 'hall', line: { seats: ['A-1'], quantity: 1 }, says: /either/ },
    { what: 'neither way', of: 'hall', line: {}, says: /either/ },
    { what: 'a name that is none', of: 'hall', line: { seats: ['A|1'] }, says: /seats/ },
  ])('are refused when a request asks for $what', async ({ of, line, says }) => {
    const sale = await shop.sale({ units: 1, seats: ['A-1'] });
    const shopper = await shop.shopper('no account');
    const sku = of === 'hall' ? sale.skus[1] : sale.skus[0];
    // What no client would let through.
    const items = [{ sku, ...line }] as never;
    const answer = await shopper.client.placeOrder(sale.saleId, { items, payment: external }, randomUUID());
    expect(refused(answer, 'INVALID_REQUEST').detail).toMatch(says);
    granted(await shopper.buySeats(sale, ['A-1'], external), 201);
  });
});
