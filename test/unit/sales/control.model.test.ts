import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decideChange,
  decideRestock,
  eventOfChange,
  eventsOfChange,
  type SaleWish,
  unitsPerItemMax,
} from '../../../functions/sales/control.model.ts';
import { saleEvents } from '../../../functions/sales/sale.events.ts';
import { hasClosed, type Sale } from '../../../functions/sales/sale.model.ts';

const nowMs = 1_000_000;
const item = { sku: 'tee', name: 'Tee', priceMinor: 1, currency: 'EUR', total: 10, seated: false };
const aSale = (changes: Partial<Sale> = {}): Sale => ({
  saleId: 'drop',
  name: 'Drop',
  opensAtMs: nowMs - 1_000,
  closesAtMs: nowMs + 1_000,
  strategy: 'reserve-first',
  holdSeconds: 300,
  perBuyerLimit: 4,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [item, { ...item, sku: 'hall', seated: true }],
  createdAtMs: 0,
  ...changes,
});

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const moment = fc.integer({ min: nowMs - 5, max: nowMs + 5 });
const wishes: fc.Arbitrary<SaleWish> = fc.record({
  state: optional(fc.constantFrom('open', 'paused', 'closed')),
  opensAtMs: optional(moment),
  closesAtMs: optional(moment),
  perBuyerLimit: optional(fc.integer({ min: 1, max: 3 })),
});
const sales = fc
  .record({
    control: fc.constantFrom('open', 'paused', 'closed'),
    opensAtMs: moment,
    length: fc.integer({ min: 1, max: 5 }),
    limit: fc.boolean(),
  })
  .map(({ control, opensAtMs, length, limit }): Sale => {
    const { perBuyerLimit: _, ...sale } = aSale({ control, opensAtMs, closesAtMs: opensAtMs + length });
    return limit ? { ...sale, perBuyerLimit: 2 } : sale;
  });

describe('what a wish comes to', () => {
  it('is never another sale than was wished, nor a window that ends before it opens, nor a limit where there was none', () => {
    fc.assert(
      fc.property(sales, wishes, (sale, wish) => {
        const decision = decideChange(sale, wish, nowMs);
        if (decision.outcome !== 'change') return;
        const next: Sale = { ...sale, ...decision.changes };
        expect(next).toMatchObject({ control: wish.state ?? sale.control, opensAtMs: wish.opensAtMs ?? sale.opensAtMs });
        expect(next.closesAtMs).toBe(wish.closesAtMs ?? sale.closesAtMs);
        expect(next.perBuyerLimit).toBe(wish.perBuyerLimit ?? sale.perBuyerLimit);
        expect(next.opensAtMs).toBeLessThan(next.closesAtMs);
        expect(next.perBuyerLimit === undefined).toBe(sale.perBuyerLimit === undefined);
      }),
    );
  });

  it('changes nothing of a sale that has closed', () => {
    fc.assert(
      fc.property(sales, wishes, (sale, wish) => {
        if (hasClosed(sale, nowMs)) expect(decideChange(sale, wish, nowMs).outcome).not.toBe('change');
      }),
    );
  });

  it('is nothing more when it has come true already', () => {
    fc.assert(
      fc.property(sales, wishes, (sale, wish) => {
        const first = decideChange(sale, wish, nowMs);
        if (first.outcome !== 'change') return;
        const next: Sale = { ...sale, ...first.changes };
        const wishesItAlive = wish.state === 'open' || wish.state === 'paused';
        const expected = hasClosed(next, nowMs) && wishesItAlive ? 'closed' : 'unchanged';
        expect(decideChange(next, wish, nowMs)).toEqual({ outcome: expected });
      }),
    );
  });

  it.each([
    ['closing it again', { state: 'closed' }, 'unchanged'],
    ['opening it', { state: 'open' }, 'closed'],
    ['pausing it', { state: 'paused' }, 'closed'],
    ['a longer window', { closesAtMs: nowMs + 9_000 }, 'closed'],
    ['closing it with another limit', { state: 'closed', perBuyerLimit: 9 }, 'closed'],
  ] as const)('of a closed sale: %s', (_, wish, outcome) => {
    expect(decideChange(aSale({ control: 'closed' }), wish, nowMs)).toEqual({ outcome });
    expect(decideChange(aSale({ closesAtMs: nowMs }), wish, nowMs)).toEqual({ outcome });
  });
});

describe('a restock', () => {
  it('adds to its item alone', () => {
    const decision = decideRestock(aSale(), { sku: 'tee', units: 5 }, nowMs);
    expect(decision).toMatchObject({
      outcome: 'restock',
      delta: 5,
      items: [
        { sku: 'tee', total: 15 },
        { sku: 'hall', total: 10 },
      ],
    });
    expect(decideRestock(aSale(), { sku: 'hall', seats: ['A-1', 'A-2'] }, nowMs)).toMatchObject({ outcome: 'restock', delta: 2 });
  });

  it.each([
    ['an unknown item', { sku: 'mug', units: 1 }, { outcome: 'unknown-sku' }],
    ['units of a seated item', { sku: 'hall', units: 1 }, { outcome: 'wrong-kind', seated: true }],
    ['seats of a counted item', { sku: 'tee', seats: ['A-1'] }, { outcome: 'wrong-kind', seated: false }],
    ['more than an item may have', { sku: 'tee', units: unitsPerItemMax - 9 }, { outcome: 'too-many', totalMax: unitsPerItemMax }],
  ])('refuses %s', (_, delivery, refusal) => {
    expect(decideRestock(aSale(), delivery, nowMs)).toEqual(refusal);
  });

  it('refuses a closed sale', () => {
    expect(decideRestock(aSale({ closesAtMs: nowMs }), { sku: 'tee', units: 1 }, nowMs)).toEqual({ outcome: 'closed' });
  });
});

describe('the event of a change', () => {
  const scheduled = { opensAtMs: nowMs + 500 };
  it.each([
    ['a pause', {}, { control: 'paused' }, 'SalePaused'],
    ['a pause that ends', { control: 'paused' }, { control: 'open' }, 'SaleOpened'],
    ['a close', {}, { control: 'closed' }, 'SaleClosed'],
    ['a window that ends now', {}, { closesAtMs: nowMs }, 'SaleClosed'],
    ['a window that begins now', scheduled, { opensAtMs: nowMs }, 'SaleOpened'],
    ['another limit', {}, { perBuyerLimit: 1 }, undefined],
    ['a pause of what has not opened', scheduled, { control: 'paused' }, undefined],
    ['an opening put off', {}, { opensAtMs: nowMs + 1 }, undefined],
  ] as const)('tells what buyers see: %s', (_, before, change, name) => {
    expect(eventOfChange(aSale(before), aSale({ ...before, ...change }), nowMs)).toBe(name);
  });

  it.each([
    ['an opening put off', scheduled, { opensAtMs: nowMs + 600 }, ['SaleRescheduled']],
    ['an end put off', {}, { closesAtMs: nowMs + 2_000 }, ['SaleRescheduled']],
    ['a window that begins now', scheduled, { opensAtMs: nowMs }, ['SaleOpened', 'SaleRescheduled']],
    ['a pause', {}, { control: 'paused' }, ['SalePaused']],
    ['another limit', {}, { perBuyerLimit: 1 }, []],
  ] as const)('tells of each new window, whether or not buyers see it yet: %s', (_, before, change, names) => {
    const after = aSale({ ...before, ...change });
    const events = eventsOfChange(aSale(before), after, 'olga', nowMs);
    expect(events.map(({ name }) => name)).toEqual(names);
    for (const { name, data } of events) {
      expect(saleEvents[name].shape.data.parse(data)).toEqual(data);
      expect(data.by).toBe('olga');
      if (name !== 'SaleRescheduled') continue;
      const { opensAt, closesAt } = data as { opensAt: string; closesAt: string };
      expect([Date.parse(opensAt), Date.parse(closesAt)]).toEqual([after.opensAtMs, after.closesAtMs]);
    }
  });
});
