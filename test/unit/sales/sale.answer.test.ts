import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { etagOf, isKnownTo, saleAnswer, unreadySaleAnswer } from '../../../functions/sales/sale.answer.ts';
import { hasClosed, type Sale } from '../../../functions/sales/sale.model.ts';
import { NewSale, SaleAnswer } from '../../../functions/sales/sale.schemas.ts';

const item = (sku: string, total: number) => ({ sku, name: sku, priceMinor: 100, currency: 'EUR', total, seated: false });
const sale: Sale = {
  saleId: 'launch',
  name: 'Launch',
  opensAtMs: 1_000,
  closesAtMs: 2_000,
  strategy: 'reserve-first',
  holdSeconds: 300,
  control: 'open',
  version: 1,
  epoch: 1,
  currency: 'EUR',
  items: [item('tee', 5), item('mug', 3)],
  createdAtMs: 0,
};
const anySale = fc.record({
  control: fc.constantFrom('open', 'paused', 'closed'),
  opensAtMs: fc.nat(3_000),
  length: fc.integer({ min: 1, max: 3_000 }),
});
const stock = fc.record({ tee: fc.nat(5), mug: fc.nat(3) });
const left = ({ tee, mug }: { tee: number; mug: number }) => new Map(Object.entries({ tee, mug }));

describe('what a buyer is shown of a sale', () => {
  it('is what the contract describes, and says open only when a unit can be bought', () => {
    fc.assert(
      fc.property(anySale, stock, fc.nat(6_000), ({ control, opensAtMs, length }, units, nowMs) => {
        const shown = saleAnswer({ ...sale, control, opensAtMs, closesAtMs: opensAtMs + length }, left(units), nowMs);
        expect(SaleAnswer.safeParse(shown).success).toBe(true);
        const canBuy = control === 'open' && nowMs >= opensAtMs && nowMs < opensAtMs + length && units.tee + units.mug > 0;
        expect(shown.state === 'open').toBe(canBuy);
      }),
    );
  });

  it('never says open or sold out of a sale whose stock is not known', () => {
    fc.assert(
      fc.property(anySale, fc.nat(6_000), ({ control, opensAtMs, length }, nowMs) => {
        const windowed = { ...sale, control, opensAtMs, closesAtMs: opensAtMs + length };
        const shown = unreadySaleAnswer(windowed, nowMs);
        expect(shown.state).toBeOneOf(['scheduled', 'paused', 'closed']);
        expect(shown.state === 'closed').toBe(hasClosed(windowed, nowMs));
        expect(shown.items.map(({ available }) => available)).toEqual([0, 0]);
      }),
    );
  });

  it('has an ETag that changes with everything but the time it was asked at', () => {
    fc.assert(
      fc.property(
        stock,
        stock,
        fc.integer({ min: 1_000, max: 1_999 }),
        fc.integer({ min: 1_000, max: 1_999 }),
        (one, other, nowMs, laterMs) => {
          const first = etagOf(saleAnswer(sale, left(one), nowMs));
          const second = etagOf(saleAnswer(sale, left(other), laterMs));
          expect(first === second).toBe(one.tee === other.tee && one.mug === other.mug);
          expect(isKnownTo(first, second)).toBe(first === second);
        },
      ),
    );
  });
});

describe('a request for a sale', () => {
  const wish = { name: 'Launch', opensAt: '2026-01-01T00:00:00Z', closesAt: '2026-01-02T00:00:00Z', items: [{ sku: 'tee', units: 1 }] };

  it('is taken within the bounds of the contract, and refused just outside', () => {
    const within = (changes: object) => NewSale.safeParse({ ...wish, ...changes }).success;
    const bounds: [(value: number) => object, number, number][] = [
      [(holdSeconds) => ({ holdSeconds }), 5, 3_600],
      [(perBuyerLimit) => ({ perBuyerLimit }), 1, 20],
      [(units) => ({ items: [{ sku: 'tee', units }] }), 1, 1_000_000],
      [(count) => ({ items: Array.from({ length: count }, (_, index) => ({ sku: `s${index}`, units: 1 })) }), 1, 50],
      [(length) => ({ saleId: 'x'.repeat(length) }), 1, 64],
    ];
    for (const [changed, low, high] of bounds) {
      expect([low - 1, low, high, high + 1].map((value) => within(changed(value)))).toEqual([false, true, true, false]);
    }
  });

  it('has the defaults of the contract', () => {
    expect(NewSale.parse(wish)).toMatchObject({ strategy: 'reserve-first', holdSeconds: 300 });
    expect(NewSale.parse(wish)).not.toHaveProperty('perBuyerLimit');
  });
});
