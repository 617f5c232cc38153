import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PlaceOrder, RefundOrder } from '../../../functions/orders/order.schemas.ts';
import { stockLineOf } from '../../../functions/orders/placement.model.ts';
import { payloadHashOf } from '../../../functions/shared/ids.ts';
import { mergeLines, unitsPerOrderMax } from '../../../functions/stock/stock.model.ts';

const messagesOf = (items: unknown): string[] => {
  const parsed = PlaceOrder.safeParse({ items });
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
};
const seats = (count: number) => Array.from({ length: count }, (_, index) => `A-${index}`);

describe('a request for an order', () => {
  it.each([
    { items: [{ sku: 'hall' }], says: /either a quantity or seats/ },
    { items: [{ sku: 'hall', quantity: 1, seats: ['A-1'] }], says: /either a quantity or seats/ },
    { items: [{ sku: 'hall', seats: [] }], says: />=1/ },
    { items: [{ sku: 'hall', seats: ['A-1', 'A-1'] }], says: /each seat once/ },
    { items: [1, 2].map(() => ({ sku: 'hall', seats: ['A-1'] })), says: /each seat once/ },
    {
      items: [
        { sku: 'hall', seats: ['A-1'] },
        { sku: 'hall', quantity: 1 },
      ],
      says: /both by quantity and by seats/,
    },
    { items: [{ sku: 'hall', seats: seats(unitsPerOrderMax + 1) }], says: /<=20/ },
    {
      items: [
        { sku: 'hall', seats: seats(12) },
        { sku: 'tee', quantity: 9 },
      ],
      says: /20 units at most, counting all lines/,
    },
    { items: [{ sku: 'hall', seats: ['A 1'] }], says: /pattern/ },
    { items: [{ sku: 'hall', seats: ['A'.repeat(33)] }], says: /pattern/ },
    { items: [{ sku: 'hall', seats: ['A-1'], price: 1 }], says: /price/ },
  ])('is refused in words: $says for $items', ({ items, says }) => {
    expect(messagesOf(items).join('; ')).toMatch(says);
  });

  it('may ask for the same seat name of two items, and for counted items beside seated ones', () => {
    expect(
      messagesOf([
        { sku: 'hall', seats: seats(9) },
        { sku: 'balcony', seats: seats(9) },
        { sku: 'tee', quantity: 2 },
      ]),
    ).toEqual([]);
  });

  it('by quantity alone is the same payload as ever: orders that were made with it still answer its key', () => {
    const body = PlaceOrder.parse({ items: [{ quantity: 2, sku: 'tee' }] });
    expect(JSON.stringify(body)).toBe('{"items":[{"sku":"tee","quantity":2}],"payment":{"method":"balance"}}');
    expect(payloadHashOf(body)).toBe('yQoasLu8tpy5CUQc');
  });

  it('becomes lines of the stock that ask for exactly its units, each item once', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,32}$/);
    const line = fc.oneof(
      fc.record({ sku: fc.constantFrom('tee', 'mug'), quantity: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ sku: fc.constantFrom('hall', 'balcony'), seats: fc.uniqueArray(name, { minLength: 1, maxLength: 5 }) }),
    );
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 8 }), (items) => {
        const parsed = PlaceOrder.safeParse({ items });
        fc.pre(parsed.success);
        const lines = mergeLines((parsed.data.items ?? []).map(stockLineOf));
        expect(new Set(lines.map(({ sku }) => sku)).size).toBe(lines.length);
        for (const { sku, quantity, seats: named } of lines) {
          const asked = items.filter((item) => item.sku === sku);
          expect(named).toEqual(
            asked.some((item) => 'seats' in item) ? asked.flatMap((item) => ('seats' in item ? item.seats : [])) : undefined,
          );
          expect(quantity).toBe(asked.reduce((sum, item) => sum + ('seats' in item ? item.seats.length : item.quantity), 0));
        }
      }),
    );
  });
});

describe('a request for a refund', () => {
  it('needs a reason, and retires the units of a fulfilled order unless it says otherwise', () => {
    expect(RefundOrder.parse({ reason: ' rain ' })).toEqual({ reason: 'rain', returnUnits: false });
    expect(RefundOrder.safeParse({}).success).toBe(false);
    expect(RefundOrder.safeParse({ reason: ' ' }).success).toBe(false);
    expect(RefundOrder.safeParse({ reason: 'rain', amountMinor: 1 }).success).toBe(false);
  });
});
