import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  assertBalanced,
  balanceByEntries,
  type Entry,
  type Movement,
  transfer,
  UnbalancedMovement,
} from '../../../functions/accounts/account.model.ts';
import { changesBalance, movementWrites, PaymentUnnamed, strayPaymentWrites } from '../../../functions/accounts/account.writes.ts';
import { UserId } from '../../../functions/shared/ids.ts';

const amount = fc.integer({ min: 0, max: 20 * 1_000_000_000 });
const order = fc.record({
  orderId: fc.stringMatching(/^ord_[a-z]{22}$/),
  saleId: fc.stringMatching(/^[a-z]{1,8}$/),
  buyerId: fc.stringMatching(/^[a-z]{1,8}$/),
  totalMinor: amount,
  currency: fc.constantFrom('EUR', 'JPY'),
});
const payment = fc.record({
  paymentId: fc.stringMatching(/^[\x21-\x7e]{1,12}$/),
  amountMinor: amount,
  currency: fc.constantFrom('EUR', 'JPY', 'USD'),
});
const byBalance = ['authorise', 'capture', 'void', 'refund'] as const;
const fromOutside = ['receive', 'capture', 'return', 'refund'] as const;
const kinds = fc.constantFrom(...byBalance);
const outsideKinds = fc.constantFrom(...fromOutside);

type Arguments = Parameters<typeof movementWrites>;

const rowsOf = (...args: Arguments) =>
  movementWrites(...args).flatMap(({ Put }) => (Put?.Item?.entries ? [Put.Item as Movement & { userId: string; entry: string }] : []));
const entriesOf = (...args: Arguments): Entry[] => rowsOf(...args).flatMap(({ entries }) => [...entries]);

describe('the ledger', () => {
  it('has movements whose entries sum to zero, each with exactly two sides', () => {
    fc.assert(
      fc.property(fc.oneof(fc.tuple(kinds, fc.constant(undefined)), fc.tuple(outsideKinds, payment)), order, ([kind, outside], of) => {
        const entries = entriesOf(kind, of, 1, 'accounts', outside);
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

  it('leaves nothing in escrow after any whole course of a payment from outside, and the buyer’s account out of it', () => {
    const courses = [
      ['receive', 'return'],
      ['receive', 'capture'],
      ['receive', 'capture', 'refund'],
    ] as const;
    fc.assert(
      fc.property(fc.constantFrom(...courses), order, payment, (course, of, outside) => {
        const movements = course.map((kind) => ({ entries: entriesOf(kind, of, 1, 'accounts', outside) }));
        const wasPaid = course[1] === 'capture' && course.length === 2;
        expect(balanceByEntries(`escrow:${of.orderId}`, movements)).toBe(0);
        expect(balanceByEntries(`seller:${of.saleId}`, movements)).toBe(wasPaid ? outside.amountMinor : 0);
        expect(balanceByEntries('outside', movements) + 0).toBe(wasPaid ? 0 - outside.amountMinor : 0);
        expect(balanceByEntries(`user:${of.buyerId}`, movements)).toBe(0);
        expect(course.flatMap((kind) => movementWrites(kind, of, 1, 'accounts', outside)).some(({ Update }) => Update)).toBe(false);
      }),
    );
  });

  it('has a row of its own for each movement of each payment, whatever the payments are called', () => {
    fc.assert(
      fc.property(order, fc.uniqueArray(payment, { selector: ({ paymentId }) => paymentId, maxLength: 5 }), (of, payments) => {
        const rows = [
          ...byBalance.flatMap((kind) => rowsOf(kind, of, 1, 'accounts')),
          ...payments.flatMap((outside) => fromOutside.flatMap((kind) => rowsOf(kind, of, 1, 'accounts', outside))),
        ];
        expect(new Set(rows.map(({ entry }) => entry)).size).toBe(byBalance.length + payments.length * fromOutside.length);
        for (const row of rows) expect(row.userId).toBe(of.buyerId);
      }),
    );
  });

  it('takes money for an order that nobody knows in and out again, where no buyer’s ledger is', () => {
    fc.assert(
      fc.property(order, payment, ({ orderId }, outside) => {
        const rows = strayPaymentWrites(orderId, outside, 1, 'accounts').map(({ Put }) => Put?.Item as Movement & { userId: string });
        expect(rows.map(({ kind }) => kind)).toEqual(['receive', 'return']);
        for (const account of [`escrow:${orderId}`, 'outside']) expect(balanceByEntries(account, rows)).toBe(0);
        for (const { userId } of rows) expect(UserId.safeParse(userId).success).toBe(false);
      }),
    );
  });

  it('moves no money from outside without the name of its payment', () => {
    const [of] = fc.sample(order, 1);
    if (!of) throw new Error('no order');
    for (const kind of ['receive', 'return'] as const) expect(() => movementWrites(kind, of, 1, 'accounts')).toThrow(PaymentUnnamed);
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
