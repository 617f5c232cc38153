import type { Scenario } from '../scenario.ts';
import { endsAs, sells } from './expect.ts';
import { hallItem, seats, teeItem, tees } from './lines.ts';

// Held and then paid: by the balance, from outside in time, too late, wrongly, and not at all.

export const paidByBalance: Scenario = {
  name: 'paid-by-balance',
  plan: { perBuyerLimit: 4, items: [teeItem(6), hallItem('A-1', 'A-2', 'A-3')] },
  async play(stage) {
    await stage.place('one', 'ada', [tees(2), seats('A-1')]);
    await stage.untilStatus('one', 'FULFILLED');
    await stage.act('again', { do: 'again', of: 'one' });
    await stage.act('read', { do: 'read', of: 'one' });
    await stage.act('list', { do: 'look', buyer: 'ada', at: 'orders' });
    await stage.place('two', 'bob', [tees()]);
    await stage.untilStatus('two', 'FULFILLED');
    const orderId = stage.orderOf('one')?.orderId;
    await stage.ask('timeline', { method: 'GET', path: `/v1/orders/${orderId}/timeline` });
    const code = (stage.orderOf('one') as { tickets?: readonly { code: string }[] } | undefined)?.tickets?.[0]?.code;
    await stage.ask('ticket', { method: 'GET', path: `/v1/tickets/${code}` });
  },
  *broken(end) {
    yield* endsAs(end, { one: ['FULFILLED'], two: ['FULFILLED'] });
    yield* sells(end, 'tee', 3);
  },
};

export const cannotPay: Scenario = {
  name: 'cannot-pay',
  plan: { perBuyerLimit: 2, items: [teeItem(6)], balances: { ada: 100, cleo: 100_000, bob: 'none' } },
  async play(stage) {
    await stage.place('poor', 'ada', [tees()]);
    await stage.place('nobody', 'bob', [tees(2)]);
    await stage.untilStatus('poor', 'FAILED');
    await stage.untilStatus('nobody', 'FAILED');
    await stage.place('rich', 'cleo', [tees(2)]);
    await stage.untilStatus('rich', 'FULFILLED');
    await stage.place('too-much', 'cleo', [tees()], { attemptsMax: 3 });
  },
  *broken(end) {
    yield* endsAs(end, { poor: ['FAILED'], nobody: ['FAILED'], rich: ['FULFILLED'], 'too-much': ['not there'] });
  },
};

export const paidOutside: Scenario = {
  name: 'paid-outside',
  plan: { perBuyerLimit: 3, items: [teeItem(8)] },
  async play(stage) {
    await stage.place('right', 'ada', [tees(2)], { method: 'external' });
    await stage.pay('pay-right', 'right', 'right');
    await stage.pay('pay-again', 'right', 'right');
    await stage.place('wrong', 'bob', [tees()], { method: 'external' });
    await stage.pay('pay-wrong', 'wrong', 'wrong-amount');
    await stage.pay('pay-wrong-right', 'wrong', 'right');
    await stage.place('refused', 'cleo', [tees()], { method: 'external' });
    await stage.pay('pay-refused', 'refused', 'failed');
    await stage.untilStatus('refused', 'FAILED');
    await stage.pay('pay-after-all', 'refused', 'right');
    await stage.pay('pay-stranger', 'right', 'stranger');
    for (const id of ['right', 'wrong', 'refused']) await stage.untilStatus(id, 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { right: ['FULFILLED'], wrong: ['FULFILLED'], refused: ['FULFILLED'] });
    yield* sells(end, 'tee', 4);
  },
};

export const lateMoney: Scenario = {
  name: 'late-money',
  plan: { holdSeconds: 5, perBuyerLimit: 2, items: [teeItem(2)] },
  async play(stage) {
    await stage.place('late', 'ada', [tees()], { method: 'external' });
    await stage.place('later', 'bob', [tees()], { method: 'external' });
    await stage.untilStatus('late', 'EXPIRED');
    await stage.untilStatus('later', 'EXPIRED');
    await stage.pay('pay-late', 'late', 'right');
    await stage.untilStatus('late', 'FULFILLED');
    await stage.place('quick', 'cleo', [tees()]);
    await stage.until('quick has ended', () => ['FULFILLED', 'EXPIRED'].includes(stage.orderOf('quick')?.status ?? ''));
    await stage.pay('pay-later', 'later', 'right');
    await stage.until('nothing is late', () => stage.orderOf('later')?.late === undefined);
  },
  *broken(end) {
    // Whoever was quick may have lost the unit again where its charge came too late, and then there is one for late money.
    yield* endsAs(end, { late: ['FULFILLED'], later: ['EXPIRED', 'FULFILLED'], quick: ['FULFILLED', 'EXPIRED'] });
  },
};

export const givenBack: Scenario = {
  name: 'given-back',
  plan: { perBuyerLimit: 4, items: [teeItem(6), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await stage.place('held', 'ada', [tees(2), seats('A-1')], { method: 'external' });
    await stage.act('cancel-held', { do: 'cancel', of: 'held', by: 'buyer' });
    await stage.act('held-again', { do: 'again', of: 'held' });
    await stage.place('returned', 'bob', [tees(2)]);
    await stage.place('retired', 'cleo', [tees(), seats('A-2')]);
    await stage.untilStatus('returned', 'FULFILLED');
    await stage.untilStatus('retired', 'FULFILLED');
    await stage.act('refund-returned', { do: 'refund', of: 'returned', returnUnits: true });
    await stage.act('refund-retired', { do: 'refund', of: 'retired', returnUnits: false });
    await stage.untilStatus('returned', 'REFUNDED');
    await stage.untilStatus('retired', 'REFUNDED');
    await stage.place('racing', 'dan', [tees()]);
    await stage.act('cancel-racing', { do: 'cancel', of: 'racing', by: 'operator' });
  },
  *broken(end) {
    yield* endsAs(end, {
      ...{ held: ['CANCELLED'], returned: ['REFUNDED'], retired: ['REFUNDED'] },
      racing: ['CANCELLED', 'REFUNDED', 'FULFILLED'],
    });
    const retired = end.rows.units.filter(({ state }) => state === 'RETIRED').length;
    if (retired !== 2) yield `${retired} units are retired, and must be 2`;
  },
};
