import { describe, expect, it } from 'vitest';
import type { Order } from '../../../functions/orders/order.model.ts';
import {
  allocationOf,
  beyondTotal,
  followingRun,
  hasNothingInStock,
  holdOf,
  linesOf,
  placement,
  placementWithoutUnits,
  standingOf,
  stockLineOf,
  unlistedSeats,
} from '../../../functions/orders/placement.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { orderIdOf } from '../../../functions/shared/ids.ts';
import { anOrder } from '../../support/orders.ts';

const priced = { currency: 'EUR', name: 'x' };
const sale: Sale = {
  saleId: 'sale',
  name: 'Sale',
  opensAtMs: 0,
  closesAtMs: 1,
  strategy: 'reserve-first',
  holdSeconds: 300,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [
    { ...priced, sku: 'tee', priceMinor: 100, total: 250, seated: false },
    { ...priced, sku: 'hall', priceMinor: 7, total: 3, seated: true },
  ],
  createdAtMs: 0,
};
const holdId = 'AAAAAAAAAAAAAAAAAAAAAA';
const hold = {
  holdId,
  buyerId: 'ada',
  payloadHash: 'payload',
  bornUs: 1_999_999,
  expiresAtMs: 400_000,
  lines: [
    { sku: 'tee', units: ['4', '5'] },
    { sku: 'hall', units: ['A-1'], seated: true as const },
  ],
  slots: [1, 2, 3],
};
const lines = [
  { sku: 'tee', quantity: 2, units: ['4', '5'], priceMinor: 100 },
  { sku: 'hall', quantity: 1, units: ['A-1'], priceMinor: 7, seated: true as const },
];
const placed: Order = {
  orderId: orderIdOf(holdId),
  holdId,
  saleId: 'sale',
  buyerId: 'ada',
  strategy: 'reserve-first',
  status: 'RESERVED',
  version: 1,
  items: lines,
  slots: [1, 2, 3],
  totalMinor: 207,
  currency: 'EUR',
  payment: { method: 'balance', state: 'none' },
  stock: 'held',
  payloadHash: 'payload',
  bornUs: 1_999_999,
  holdExpiresAtMs: 400_000,
  createdAtMs: 1_999,
  updatedAtMs: 1_999,
  dueAtMs: 21_999,
};

describe('the first version of an order', () => {
  it('has the hold’s units at the sale’s prices, and the hold’s birth as its own', () => {
    expect(placement(hold, sale, 'balance')).toStrictEqual({ next: placed, events: ['OrderPlaced', 'StockReserved'] });
    expect(placement(hold, sale, 'external').next).toMatchObject({ payment: { method: 'external' }, dueAtMs: 401_000 });
  });

  it('has no units where the order is charged first, and remembers the seats that it is to get', () => {
    const { lines: _l, slots: _s, ...asked } = hold;
    const wanted = [
      { sku: 'tee', quantity: 2 },
      { sku: 'hall', quantity: 1, seats: ['A-1'] },
    ];
    expect(placementWithoutUnits(asked, wanted, { ...sale, strategy: 'charge-first' }, 'balance')).toStrictEqual({
      next: {
        ...placed,
        strategy: 'charge-first',
        status: 'PENDING',
        items: [
          { sku: 'tee', quantity: 2, units: [], priceMinor: 100 },
          { sku: 'hall', quantity: 1, units: [], priceMinor: 7, seated: true, seats: ['A-1'] },
        ],
        slots: [],
      },
      events: ['OrderPlaced'],
    });
  });

  it('is not made of an item that the sale does not sell', () => {
    const other = { ...hold, lines: [{ sku: 'cap', units: ['1'] }] };
    expect(() => placement(other, sale, 'balance')).toThrow(new RangeError('sale does not sell cap'));
  });
});

describe('an order and its hold', () => {
  it('are told of each other in the same words', () => {
    expect(holdOf(placed)).toStrictEqual(hold);
    expect(holdOf({ ...placed, items: [...lines, { sku: 'cap', quantity: 1, units: [], priceMinor: 1 }] }).lines).toStrictEqual(hold.lines);
  });

  it('agree on what the order gets of a later hold, at the prices that it was placed with', () => {
    const order = { ...placed, items: lines.map((line) => ({ ...line, priceMinor: 50, units: [] })) };
    expect(allocationOf(order, { ...hold, holdId: 'later' })).toStrictEqual({
      holdId: 'later',
      bornUs: 1_999_999,
      holdExpiresAtMs: 400_000,
      items: lines.map((line) => ({ ...line, priceMinor: 50 })),
      slots: [1, 2, 3],
    });
  });

  it('agree on what the order was placed for, whatever it has by now', () => {
    const wanted = [
      { sku: 'tee', quantity: 2 },
      { sku: 'hall', quantity: 1, seats: ['A-1'] },
    ];
    expect(linesOf(placed)).toStrictEqual(wanted);
    const first = {
      items: [{ sku: 'hall', quantity: 1, units: [], priceMinor: 1, seated: true as const, seats: ['A-9'] }],
      holdExpiresAtMs: 1,
    };
    expect(linesOf({ ...placed, first })).toStrictEqual([{ sku: 'hall', quantity: 1, seats: ['A-9'] }]);
  });

  it('say what Redis should make of it', () => {
    const taken = { reason: 'x', units: 'retire' as const };
    expect(standingOf(placed)).toBe('live');
    for (const status of ['CONFIRMED', 'FULFILLED', 'REFUNDING'] as const) expect(standingOf({ ...placed, status })).toBe('confirmed');
    for (const status of ['EXPIRED', 'CANCELLED', 'FAILED', 'REFUNDED'] as const) {
      expect(standingOf({ ...placed, status })).toBe('ended');
      expect(standingOf({ ...placed, status, takenBack: taken })).toBe('retired');
    }
  });

  it('have nothing in stock while the order waits for units; an end is always told', () => {
    const waiting = { ...placed, status: 'PENDING' as const, items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 1 }] };
    expect(hasNothingInStock(waiting)).toBe(true);
    expect(hasNothingInStock({ ...waiting, status: 'FAILED' })).toBe(false);
    expect(hasNothingInStock(placed)).toBe(false);
    expect(hasNothingInStock(anOrder({ status: 'EXPIRED' }))).toBe(false);
  });
});

describe('units that were asked for', () => {
  it('are as many as are named, or as many as are said', () => {
    expect(stockLineOf({ sku: 'tee', quantity: 3 })).toStrictEqual({ sku: 'tee', quantity: 3 });
    expect(stockLineOf({ sku: 'tee' })).toStrictEqual({ sku: 'tee', quantity: 0 });
    expect(stockLineOf({ sku: 'hall', seats: ['A-1', 'A-2'] })).toStrictEqual({ sku: 'hall', quantity: 2, seats: ['A-1', 'A-2'] });
  });

  it('were never on sale beyond the total, or of an item that is not sold', () => {
    const found = [
      { sku: 'tee', units: ['250', '251'] },
      { sku: 'cap', units: ['1'] },
      { sku: 'hall', units: ['9'], seated: true as const },
    ];
    expect(beyondTotal(found, sale)).toStrictEqual([
      { sku: 'tee', units: ['251'] },
      { sku: 'cap', units: ['1'] },
    ]);
    expect(beyondTotal([{ sku: 'tee', units: ['250'] }], sale)).toStrictEqual([]);
    const listed = new Map([['hall', new Set(['A-1'])]]);
    expect(unlistedSeats([{ sku: 'hall', units: ['A-1'], seated: true }], listed)).toStrictEqual([]);
    expect(unlistedSeats([{ sku: 'tee', units: ['1'] }], listed)).toStrictEqual([]);
  });

  it('are followed by a run of a hundred at most, up to the total', () => {
    const run = (units: string[]) => followingRun([{ sku: 'tee', units }], sale)[0]?.units ?? [];
    expect(run(['10', '3'])).toStrictEqual(Array.from({ length: 100 }, (_, index) => String(11 + index)));
    expect(run(['248'])).toStrictEqual(['249', '250']);
    expect(run(['250'])).toStrictEqual([]);
    expect(run(['300'])).toStrictEqual([]);
    expect(followingRun([{ sku: 'cap', units: ['1'] }], sale)).toStrictEqual([{ sku: 'cap', units: [] }]);
  });
});
