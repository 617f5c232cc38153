import { describe, expect, it } from 'vitest';
import { type Evidence, isClean, verdictOf } from '../../../lib/client/verdict.ts';
import { aCleanSale, aCleanSeatedSale, anAudit, anOrder, aRefusal, aWinner, sku } from './evidence.ts';

const brokenBy = (evidence: Evidence): string[] =>
  verdictOf(evidence)
    .filter(({ holds }) => !holds)
    .map(({ guarantee }) => guarantee);

const withAudit = (changes: Partial<Evidence['audit']>): Evidence => {
  const sale = aCleanSale();
  return { ...sale, audit: { ...sale.audit, ...changes } };
};

describe('the verdict on a crowd', () => {
  it('is clean when every guarantee was kept', () => {
    const findings = verdictOf(aCleanSale());
    expect(findings.filter(({ holds }) => !holds)).toEqual([]);
    expect(isClean(findings)).toBe(true);
    expect(findings.length).toBeGreaterThan(10);
  });

  it('is clean when fewer buyers came than there were units', () => {
    const order = anOrder(1, ['1', '2']);
    expect(brokenBy({ ...aCleanSale(), purchases: [aWinner(order)], orders: [order], audit: anAudit(2, 4) })).toEqual([]);
  });

  it('is clean when what is left is less than anyone asked for', () => {
    const sale = aCleanSale();
    expect(brokenBy({ ...sale, units: 5, audit: anAudit(4, 5) })).toEqual([]);
  });

  it('finds more units sold than there were, in the orders and in the audit', () => {
    const sale = aCleanSale();
    expect(brokenBy({ ...sale, units: 3 })).toContain('never more units sold than there were');
    const [item] = sale.audit.items;
    expect(brokenBy(withAudit({ items: item ? [{ ...item, sold: 5 }] : [] }))).toContain('never more units sold than there were');
  });

  it('finds an audit that counts other sales than the orders, or does not know the item', () => {
    expect(brokenBy({ ...aCleanSale(), audit: anAudit(2, 4) })).toContain('orders and audit agree on what was sold');
    expect(brokenBy(withAudit({ items: [] }))).toContain('orders and audit agree on what was sold');
  });

  it('finds a unit in two orders', () => {
    const orders = [anOrder(1, ['1', '2']), anOrder(2, ['2', '3'])];
    const findings = verdictOf({ ...aCleanSale(), purchases: orders.map(aWinner), orders });
    const shared = findings.find(({ guarantee }) => guarantee === 'no unit is sold twice');
    expect(shared).toMatchObject({ holds: false, detail: 'unit 2 is in ord_1 and in ord_2' });
  });

  it('does not mind a unit that an ended order gave back and another one took', () => {
    const failed = anOrder(9, ['1', '2'], { status: 'FAILED', failure: 'PAYMENT_DECLINED' });
    const sale = aCleanSale();
    expect(brokenBy({ ...sale, orders: [...sale.orders, failed], purchases: [...sale.purchases, aWinner(failed)] })).toEqual([]);
  });

  it.each(['0', '5', '-1', '1.5', '01', 'x'])('finds unit %s, which was never on sale', (unit) => {
    const orders = [anOrder(1, ['1', unit])];
    expect(brokenBy({ ...aCleanSale(), purchases: orders.map(aWinner), orders })).toContain('every unit sold was on sale');
  });

  it('finds an order with another number of units than its quantity', () => {
    const orders = [anOrder(1, ['1'], { items: [{ sku, quantity: 2, units: ['1'], priceMinor: 100 }] })];
    expect(brokenBy({ ...aCleanSale(), orders })).toContain('an order has as many units as it asked for');
  });

  it("finds a winner's order that is gone", () => {
    const sale = aCleanSale();
    expect(brokenBy({ ...sale, orders: sale.orders.slice(1) })).toContain('every order that a buyer was told about exists');
  });

  it('finds an order whose units are not those that the buyer was told', () => {
    const sale = aCleanSale();
    const told = [aWinner(anOrder(1, ['2', '1'])), ...sale.purchases.slice(1)];
    expect(brokenBy({ ...sale, purchases: told })).toContain('an order keeps the units that its buyer was told');
  });

  it('finds a buyer with two orders for one request', () => {
    const orders = [anOrder(1, ['1', '2']), anOrder(2, ['3', '4'], { buyerId: 'buyer-1' })];
    expect(brokenBy({ ...aCleanSale(), orders, purchases: orders.map(aWinner) })).toContain('one order for one request');
  });

  it.each(['PENDING', 'RESERVED', 'CONFIRMED', 'REFUNDING'] as const)('finds an order that is still %s', (status) => {
    const sale = aCleanSale();
    const orders = [anOrder(1, ['1', '2'], { status }), ...sale.orders.slice(1)];
    expect(brokenBy({ ...sale, orders })).toContain('every order has ended');
  });

  it("finds buyers refused while a whole request's worth of units is left", () => {
    const order = anOrder(1, ['1', '2']);
    const evidence = { ...aCleanSale(), purchases: [aWinner(order), aRefusal(2)], orders: [order], audit: anAudit(2, 4) };
    expect(brokenBy(evidence)).toContain('nobody is refused while units are left');
  });

  it.each([
    ['a 503 that no retry made good', { outcome: 'TRY_AGAIN', status: 503, attempts: 8 }],
    ['a bare 502', { outcome: 'HTTP 502', status: 502 }],
    ['no answer at all', { outcome: 'NO_ANSWER', status: 0 }],
  ] as const)('finds %s', (_, changes) => {
    const sale = aCleanSale();
    expect(brokenBy({ ...sale, purchases: [...sale.purchases, aRefusal(4, changes)] })).toEqual(['every buyer got an outcome']);
  });

  it('finds stock that is not conserved, by the word of the audit or by its figures', () => {
    const [item] = aCleanSale().audit.items;
    if (!item) throw new Error('the sale has an item');
    expect(brokenBy(withAudit({ items: [{ ...item, conserved: false }] }))).toEqual(['stock is conserved']);
    expect(brokenBy(withAudit({ items: [{ ...item, available: 1 }] }))).toEqual(['stock is conserved']);
    expect(brokenBy(withAudit({ items: [{ ...item, total: 5, available: 1 }] }))).toEqual(['stock is conserved']);
  });

  it('finds a Redis that disagrees', () => {
    expect(brokenBy(withAudit({ redis: { agrees: false, drift: ['unit 3'] } }))).toEqual(['Redis agrees with the database']);
  });

  it('finds money that is not balanced, and money taken that is not the price of what was sold', () => {
    const { money } = aCleanSale().audit;
    expect(brokenBy(withAudit({ money: { ...money, balanced: false } }))).toEqual(['money is conserved']);
    expect(brokenBy(withAudit({ money: { ...money, capturedMinor: 300 } }))).toEqual(['what was taken is the price of what was sold']);
    expect(brokenBy(withAudit({ money: { ...money, capturedMinor: 500, refundedMinor: 100 } }))).toEqual([]);
  });

  it('is clean for seats when every guarantee was kept, with more of them than for counted units', () => {
    expect(brokenBy(aCleanSeatedSale())).toEqual([]);
    expect(verdictOf(aCleanSeatedSale()).length).toBeGreaterThan(verdictOf(aCleanSale()).length);
  });

  it.each(['1', 'A-5', 'a-1', ''])('finds the seat "%s", which is not on the list', (seat) => {
    const sale = aCleanSeatedSale();
    expect(brokenBy({ ...sale, orders: [anOrder(1, ['A-1', seat]), ...sale.orders.slice(1)] })).toContain('every unit sold was on sale');
  });

  it('finds a seat in two orders, and a buyer who got other seats than were asked for', () => {
    const sale = aCleanSeatedSale();
    const orders = [anOrder(1, ['A-1', 'A-3']), ...sale.orders.slice(1)];
    const [first, ...others] = sale.purchases;
    const purchases = [{ ...aWinner(anOrder(1, ['A-1', 'A-3'])), ...(first?.seats && { seats: first.seats }) }, ...others];
    const broken = brokenBy({ ...sale, orders, purchases });
    expect(broken).toContain('no unit is sold twice');
    expect(broken).toContain('a buyer gets the very seats asked for');
  });

  it('finds a seat that was refused as taken and that no order has', () => {
    const { purchases, ...sale } = aCleanSeatedSale();
    const seats = { asked: ['A-1'], refused: ['A-9'], gaveUp: true };
    expect(brokenBy({ ...sale, purchases: [...purchases, aRefusal(4, { outcome: 'SEAT_TAKEN', seats })] })).toEqual([
      'no seat is refused that nobody has',
    ]);
  });

  it('finds buyers turned away while seats were free, but not those who gave up with only bad luck', () => {
    const { orders, purchases, ...sale } = aCleanSeatedSale();
    const left = { ...sale, orders: orders.slice(0, 1), audit: anAudit(2, 4) };
    const winner = purchases.slice(0, 1);
    const turnedAway = (gaveUp: boolean) => aRefusal(3, { outcome: 'SEAT_TAKEN', seats: { asked: ['A-1'], refused: ['A-1'], gaveUp } });
    expect(brokenBy({ ...left, purchases: [...winner, turnedAway(false)] })).toEqual(['nobody is refused while units are left']);
    expect(brokenBy({ ...left, purchases: [...winner, turnedAway(true)] })).toEqual([]);
  });

  it('finds an order for free seats that failed after its charge, but not one for a seat that somebody has', () => {
    const sold = anOrder(1, ['A-1', 'A-2']);
    const wanting = (asked: readonly string[]) => {
      const told = anOrder(2, [], { status: 'PENDING', items: [{ sku, quantity: 2, units: [], priceMinor: 100 }] });
      const purchases = [
        { ...aWinner(sold), seats: { asked: ['A-1', 'A-2'], refused: [], gaveUp: false } },
        { ...aWinner(told), seats: { asked, refused: [], gaveUp: false } },
      ];
      const orders = [sold, { ...told, status: 'FAILED', failure: 'OUT_OF_STOCK' } as const];
      return brokenBy({ ...aCleanSeatedSale(), purchases, orders, audit: anAudit(2, 4) });
    };
    expect(wanting(['A-3', 'A-4'])).toEqual(['nobody is refused while units are left']);
    expect(wanting(['A-2', 'A-3'])).toEqual([]);
  });

  it('names a few offenders and counts the rest', () => {
    const purchases = Array.from({ length: 12 }, (_, number) => aRefusal(number, { outcome: 'NO_ANSWER', status: 0 }));
    const found = verdictOf({ ...aCleanSale(), purchases }).find(({ guarantee }) => guarantee === 'every buyer got an outcome');
    expect(found?.detail).toMatch(/^buyer-0: NO_ANSWER.*, and 7 more$/);
  });
});
