import { describe, expect, it } from 'vitest';
import { byItem } from '../../../functions/orders/collision.model.ts';
import { beyondTotal, followingRun, holdOf, placement, standingOf, unlistedSeats } from '../../../functions/orders/placement.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { anOrder } from '../../support/orders.ts';

const priced = { priceMinor: 100, currency: 'EUR' };
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
    { ...priced, sku: 'tee', name: 'Tee', total: 8, seated: false },
    { ...priced, sku: 'hall', name: 'Hall', total: 3, seated: true },
  ],
  createdAtMs: 0,
};
const seats = { sku: 'hall', units: ['2', '17', 'A-1'], seated: true } as const;
const serials = { sku: 'tee', units: ['7', '9'] };

describe('units that a sale never had', () => {
  it('are serials beyond the total, and seats that its list does not name, each judged by its kind', () => {
    expect(beyondTotal([serials, seats], sale)).toEqual([{ sku: 'tee', units: ['9'] }]);
    expect(unlistedSeats([serials, seats], new Map([['hall', new Set(['2', 'A-1'])]]))).toEqual([
      { sku: 'hall', units: ['17'], seated: true },
    ]);
    expect(unlistedSeats([seats], new Map())).toEqual([seats]);
  });
});

describe('the run that follows a collision', () => {
  it('is of serials up to the total, and of no seats, whatever those are called', () => {
    expect(followingRun([{ sku: 'tee', units: ['5', '6'] }, seats], sale)).toEqual([{ sku: 'tee', units: ['7', '8'] }]);
  });
});

describe('an order of seats', () => {
  const hold = { ...holdOf(anOrder()), lines: [{ sku: 'tee', units: ['7'] }, seats] };

  it('says which of its lines are seats, and so does the hold that it stands for', () => {
    const { next } = placement(hold, sale, 'balance');
    expect(next.items.map(({ sku, quantity, seated }) => [sku, quantity, seated])).toEqual([
      ['tee', 1, undefined],
      ['hall', 3, true],
    ]);
    expect(holdOf(next).lines).toEqual(hold.lines);
    expect(next.totalMinor).toBe(400);
    expect(standingOf(next)).toBe('live');
  });

  it('keeps its kind when its units are grouped by item', () => {
    const units = hold.lines.flatMap(({ units: names, ...line }) => names.map((unit) => ({ ...line, unit })));
    expect(byItem(units)).toEqual(hold.lines);
  });
});
