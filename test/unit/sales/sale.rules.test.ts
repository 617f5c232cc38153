import { describe, expect, it } from 'vitest';
import { decideChange, decideRestock, eventOfChange } from '../../../functions/sales/control.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';
import { isSaleSubject, saleEventsOf, saleIdOfSubject, saleSubject } from '../../../functions/sales/sale-outbox.model.ts';
import { chunksPerChangeMax, packSeats, TooManySeats, unpackSeats } from '../../../functions/sales/seat.model.ts';

const item = { sku: 'tee', name: 'Tee', priceMinor: 1, currency: 'EUR', total: 5, seated: false };
const sale: Sale = {
  saleId: 's',
  name: 'A sale',
  opensAtMs: 100,
  closesAtMs: 200,
  strategy: 'reserve-first',
  holdSeconds: 1,
  perBuyerLimit: 4,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [item, { ...item, sku: 'hall', seated: true, total: 2 }],
  createdAtMs: 0,
};
const { perBuyerLimit: _, ...unlimited } = sale;

describe('what an operator wishes of a sale', () => {
  it('is a change of what differs, and of nothing else', () => {
    expect(decideChange(sale, { state: 'paused', opensAtMs: 100, perBuyerLimit: 3 }, 150)).toStrictEqual({
      outcome: 'change',
      changes: { control: 'paused', perBuyerLimit: 3 },
    });
    expect(decideChange(sale, { opensAtMs: 90, closesAtMs: 250 }, 150)).toStrictEqual({
      outcome: 'change',
      changes: { opensAtMs: 90, closesAtMs: 250 },
    });
    expect(decideChange(sale, { state: 'open', perBuyerLimit: 4, closesAtMs: 200 }, 150)).toStrictEqual({ outcome: 'unchanged' });
    expect(decideChange(unlimited, {}, 150)).toStrictEqual({ outcome: 'unchanged' });
    expect(decideChange(unlimited, { state: 'paused' }, 150)).toStrictEqual({ outcome: 'change', changes: { control: 'paused' } });
  });

  it('is refused where a sale without a limit is to have one, or a window would end before it opens', () => {
    expect(decideChange(unlimited, { perBuyerLimit: 2 }, 150)).toStrictEqual({ outcome: 'has-no-limit' });
    for (const wish of [{ opensAtMs: 200 }, { opensAtMs: 201 }, { closesAtMs: 100 + 60, opensAtMs: 170 }])
      expect(decideChange(sale, wish, 150)).toStrictEqual({ outcome: 'window-ends-before-it-opens' });
    expect(decideChange(sale, { opensAtMs: 199 }, 150)).toStrictEqual({ outcome: 'change', changes: { opensAtMs: 199 } });
  });

  it('is refused of a sale that is over, but to close it again', () => {
    expect(decideChange(sale, { state: 'closed' }, 200)).toStrictEqual({ outcome: 'unchanged' });
    expect(decideChange({ ...sale, control: 'closed' }, {}, 150)).toStrictEqual({ outcome: 'unchanged' });
    for (const wish of [{ state: 'open' }, { state: 'closed', closesAtMs: 300 }, { perBuyerLimit: 1 }] as const)
      expect(decideChange(sale, wish, 200)).toStrictEqual({ outcome: 'closed' });
  });
});

describe('more of a sale', () => {
  it('is added to its item, up to what an item may have', () => {
    expect(decideRestock(sale, { sku: 'tee', units: 3 }, 150)).toStrictEqual({
      outcome: 'restock',
      delta: 3,
      items: [{ ...item, total: 8 }, sale.items[1]],
    });
    expect(decideRestock(sale, { sku: 'hall', seats: ['A-1', 'A-2'] }, 150)).toMatchObject({ outcome: 'restock', delta: 2 });
    const full = decideRestock(sale, { sku: 'tee', units: 1_000_000_000 }, 150);
    if (full.outcome !== 'too-many') throw new Error(full.outcome);
    expect(decideRestock(sale, { sku: 'tee', units: full.totalMax - 5 }, 150).outcome).toBe('restock');
    expect(decideRestock(sale, { sku: 'tee', units: full.totalMax - 4 }, 150).outcome).toBe('too-many');
    expect(decideRestock(sale, { sku: 'hall', seats: Array(20_000).fill('x') }, 150)).toStrictEqual({
      outcome: 'too-many',
      totalMax: 20_000,
    });
    expect(decideRestock(sale, { sku: 'hall', seats: Array(19_998).fill('x') }, 150).outcome).toBe('restock');
  });

  it('is refused for what the sale does not sell, or not so, or no more', () => {
    expect(decideRestock(sale, { sku: 'cap', units: 1 }, 150)).toStrictEqual({ outcome: 'unknown-sku' });
    expect(decideRestock(sale, { sku: 'tee', seats: ['A-1'] }, 150)).toStrictEqual({ outcome: 'wrong-kind', seated: false });
    expect(decideRestock(sale, { sku: 'hall', units: 1 }, 150)).toStrictEqual({ outcome: 'wrong-kind', seated: true });
    expect(decideRestock(sale, { sku: 'tee', units: 1 }, 200)).toStrictEqual({ outcome: 'closed' });
  });
});

describe('the events of a sale', () => {
  it('tell what buyers see otherwise than before', () => {
    const paused = { ...sale, control: 'paused' as const };
    const closed = { ...sale, control: 'closed' as const };
    expect(eventOfChange(sale, paused, 150)).toBe('SalePaused');
    expect(eventOfChange(paused, sale, 150)).toBe('SaleOpened');
    expect(eventOfChange(sale, closed, 150)).toBe('SaleClosed');
    expect(eventOfChange(sale, { ...sale, opensAtMs: 160 }, 150)).toBeUndefined();
    expect(eventOfChange(sale, sale, 150)).toBeUndefined();
    expect(eventOfChange(sale, paused, 50)).toBeUndefined();
  });

  it('stand in a partition that no order has, and travel under an id of their own', () => {
    expect([saleSubject('s'), saleIdOfSubject('sale:s')]).toStrictEqual(['sale:s', 's']);
    expect(['sale:s', 'ord_s', 'xsale:s', 7, undefined, ['sale:']].map(isSaleSubject)).toStrictEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
    const row = {
      subject: 'sale:s',
      version: 2,
      saleId: 's',
      by: 'ann',
      changes: {},
      events: [{ name: 'SalePaused' as const, data: { a: 1 } }],
      atMs: 0,
    };
    expect(saleEventsOf(row)).toStrictEqual([
      {
        name: 'SalePaused',
        detail: { eventId: 's#2#SalePaused', saleId: 's', version: 2, occurredAt: '1970-01-01T00:00:00.000Z', data: { a: 1 } },
      },
    ]);
  });
});

describe('the names of seats', () => {
  const kib = 1_024;
  const namesOf = (count: number, length: number) => Array.from({ length: count }, (_, index) => String(index).padStart(length, 'x'));
  const packed = (names: readonly string[]) => packSeats('s', new Map([['hall', names]]));

  it('are packed into rows of 250 KiB, names and what stands beside them together', () => {
    // A name of 60 letters is counted as 64 bytes, and the item's own name as 8.
    const fits = (250 * kib - 8) / 64;
    expect(packed(namesOf(Math.floor(fits), 60))).toHaveLength(1);
    expect(packed(namesOf(Math.floor(fits) + 2, 60))).toHaveLength(2);
    const exact = [...namesOf(3_999, 60), 'y'.repeat(64 - 4 - 8)];
    expect(packed(exact)).toHaveLength(1);
    expect(packed([...namesOf(3_999, 60), 'y'.repeat(64 - 4 - 8 + 1)])).toHaveLength(2);
    expect(packed([...exact, 'z'])).toHaveLength(2);
  });

  it('go on in the next row, numbered on from the rows before', () => {
    const seats = new Map([
      ['a', namesOf(3_000, 60)],
      ['b', namesOf(3_000, 60)],
    ]);
    const rows = packSeats('s', seats, 4);
    expect(rows.map(({ saleId, chunk }) => [saleId, chunk])).toStrictEqual([
      ['s', 5],
      ['s', 6],
    ]);
    expect(rows.map(({ items }) => items.map(({ sku }) => sku))).toStrictEqual([['a', 'b'], ['b']]);
    expect(unpackSeats(rows)).toStrictEqual(seats);
    expect(packSeats('s', new Map())).toStrictEqual([]);
    expect(packSeats('s', new Map([['a', ['1', '2']]]))).toStrictEqual([
      { saleId: 's', chunk: 1, items: [{ sku: 'a', seats: ['1', '2'] }] },
    ]);
  });

  it('are no more than one change may bring', () => {
    const rows = (count: number) => packed(namesOf(count * 3_999, 60));
    expect(rows(chunksPerChangeMax)).toHaveLength(chunksPerChangeMax);
    expect(() => rows(chunksPerChangeMax + 1)).toThrow(TooManySeats);
  });
});
