import type { Scenario } from '../scenario.ts';
import { endsAs, sells } from './expect.ts';
import { hallItem, seats, teeItem, tees } from './lines.ts';

// Paid and then given units, if there are any.

export const chargedFirst: Scenario = {
  name: 'charged-first',
  plan: {
    ...{ strategy: 'charge-first', perBuyerLimit: 2, items: [teeItem(4), hallItem('A-1')] },
    balances: { ada: 9_000, bob: 9_000, cleo: 9_000, eve: 10 },
  },
  async play(stage) {
    await stage.place('one', 'ada', [tees(), seats('A-1')]);
    await stage.place('poor', 'eve', [tees()]);
    await stage.untilStatus('one', 'FULFILLED');
    // Both are taken before either is paid, and there are units for one of them.
    await stage.place('outside', 'bob', [tees(2)], { method: 'external' });
    await stage.place('in-vain', 'cleo', [tees(2)], { method: 'external' });
    await stage.pay('pay-outside', 'outside', 'right');
    await stage.untilStatus('outside', 'FULFILLED');
    await stage.pay('pay-in-vain', 'in-vain', 'right');
    await stage.untilStatus('in-vain', 'REFUNDED');
    await Promise.all([stage.place('last', 'bob', [tees()]), stage.place('none-left', 'cleo', [tees()])]);
    const hasEnded = (id: string) => ['FULFILLED', 'FAILED', undefined].includes(stage.orderOf(id)?.status);
    await stage.until('both have ended', () => hasEnded('last') && hasEnded('none-left'));
  },
  *broken(end) {
    yield* endsAs(end, { one: ['FULFILLED'], outside: ['FULFILLED'], 'in-vain': ['REFUNDED'], poor: ['FAILED'], ...eitherOrNone });
    // Bob has his two already: for him there is none whatever is left.
    yield* sells(end, 'tee', 4);
    yield* sells(end, 'hall', 1);
  },
};

/** Whoever asks last may be told at once that nothing is left. */
const eitherOrNone = { last: ['FAILED', 'not there'], 'none-left': ['FULFILLED'] };

export const chargedFirstAndLate: Scenario = {
  name: 'charged-first-late',
  plan: { strategy: 'charge-first', holdSeconds: 5, items: [teeItem(3)] },
  async play(stage) {
    await stage.place('unpaid', 'ada', [tees()], { method: 'external' });
    await stage.place('late', 'bob', [tees()], { method: 'external' });
    await stage.place('cancelled', 'cleo', [tees()], { method: 'external' });
    await stage.act('cancel', { do: 'cancel', of: 'cancelled', by: 'buyer' });
    await stage.untilStatus('unpaid', 'EXPIRED');
    await stage.untilStatus('late', 'EXPIRED');
    await stage.pay('pay-late', 'late', 'right');
    await stage.pay('pay-cancelled', 'cancelled', 'right');
    await stage.untilStatus('late', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { unpaid: ['EXPIRED'], late: ['FULFILLED'], cancelled: ['CANCELLED', 'EXPIRED'] });
  },
};
