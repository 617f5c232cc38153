import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertBalanced,
  balanceByEntries,
  type Entry,
  orderMovements,
  transfer,
  UnbalancedMovement,
} from '../../../functions/accounts/account.model.ts';
import { changesBalance, movementWrites } from '../../../functions/accounts/account.writes.ts';

const amount = fc.integer({ min: 0, max: 20 * 1_000_000_000 });
const order = fc.record({
  orderId: fc.stringMatching(/^ord_[a-z]{22}$/),
  saleId: fc.stringMatching(/^[a-z]{1,8}$/),
  buyerId: fc.stringMatching(/^[a-z]{1,8}$/),
  totalMinor: amount,
  currency: fc.constantFrom('EUR', 'JPY'),
});
const kinds = fc.constantFrom(...orderMovements);

const entriesOf = (...args: Parameters<typeof movementWrites>): Entry[] =>
  movementWrites(...args).flatMap(({ Put }) => (Put?.Item as { entries?: Entry[] })?.entries ?? []);

describe('the ledger', () => {
  it('has movements whose entries sum to zero, each with exactly two sides', () => {
    fc.assert(
      fc.property(kinds, order, (kind, of) => {
        const entries = entriesOf(kind, of, 1, 'accounts');
        expect(entries).toHaveLength(2);
        expect(entries.reduce((sum, { amountMinor }) => sum + amountMinor, 0)).toBe(0);
      }),
    );
  });

  it('leaves nothing in escrow after any whole course of an order', () => {
    const courses = [
      ['authorise', 'void'],
      ['authorise', 'capture'],
      ['authorise', 'capture', 'refund'],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...courses), order, (course, of) => {
        const movements = course.map((kind) => ({ entries: entriesOf(kind, of, 1, 'accounts') }));
        expect(balanceByEntries(`escrow:${of.orderId}`, movements)).toBe(0);
        const wasPaid = course.length === 2 && course[1] === 'capture';
        expect(balanceByEntries(`seller:${of.saleId}`, movements)).toBe(wasPaid ? of.totalMinor : 0);
        // 0 - 0 is -0 for nobody.
        expect(balanceByEntries(`user:${of.buyerId}`, movements) + 0).toBe(wasPaid ? 0 - of.totalMinor : 0);
      }),
    );
  });

  it('changes the balance by what the user’s entry says, in the first write of the movement', () => {
    fc.assert(
      fc.property(kinds, order, (kind, of) => {
        const [first] = movementWrites(kind, of, 1, 'accounts');
        expect(first?.Update !== undefined).toBe(changesBalance(kind));
        if (!first?.Update) return;
        expect(first.Update.Key).toEqual({ userId: of.buyerId, entry: 'account' });
        expect(first.Update.ExpressionAttributeValues?.[':amount']).toBe(of.totalMinor);
        const sign = kind === 'authorise' ? '-' : '+';
        expect(first.Update.UpdateExpression).toContain(`#balance ${sign} :amount`);
        const user = entriesOf(kind, of, 1, 'accounts').find(({ account }) => account === `user:${of.buyerId}`);
        expect(Math.sign(user?.amountMinor ?? 0)).toBe(of.totalMinor === 0 ? 0 : kind === 'authorise' ? -1 : 1);
      }),
    );
  });

  it('takes no amount that is negative, fractional or inexact', () => {
    for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => transfer('a', 'b', wrong)).toThrow(UnbalancedMovement);
    }
    expect(() => assertBalanced([{ account: 'a', amountMinor: 1 }])).toThrow(UnbalancedMovement);
  });
});
