import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { endsAs, sells } from './expect.ts';
import { teeItem, tees } from './lines.ts';

// How events find their way: by the poller, past a bus that refuses, through dead letters, and not at all.

export const polled: Scenario = {
  name: 'polled',
  plan: { outboxMode: 'polling', items: [teeItem(4)] },
  async play(stage) {
    await stage.place('one', 'ada', [tees(2)]);
    await stage.place('two', 'bob', [tees()], { method: 'external' });
    await stage.pay('pay', 'two', 'right');
    await stage.untilStatus('one', 'FULFILLED');
    await stage.untilStatus('two', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { one: ['FULFILLED'], two: ['FULFILLED'] });
  },
};

export const refusedByBus: Scenario = {
  name: 'refused-by-bus',
  plan: { items: [teeItem(4)] },
  async play(stage) {
    let left = 4;
    stage.machine.bus.onEntry(({ detailType }) => (detailType === 'PaymentAuthorised' && left-- > 0 ? 'ThrottlingException' : undefined));
    await stage.place('one', 'ada', [tees(2)]);
    await stage.untilStatus('one', 'FULFILLED');
    await stage.until('the poller has published it', () => stage.unpublished().length === 0);
  },
  *broken(end) {
    yield* endsAs(end, { one: ['FULFILLED'] });
  },
};

/** Moves what waits in a consumer's queue to its dead letters, as if it had failed too often. */
function giveUp(stage: Stage, functionName: string): void {
  const { deployment, machine } = stage.world;
  const queue = deployment.queues.find(
    ({ name }) => name === deployment.consumers.find((each) => each.functionName === functionName)?.queueName,
  );
  const dead = deployment.queues.find(({ name }) => name === queue?.deadLetterName);
  if (!queue || !dead) throw new Error(`${functionName} has no dead letters`);
  for (const { messageId, body, attributes } of machine.queues.messages(queue.url)) {
    machine.queues.remove(queue.url, messageId);
    machine.queues.send(dead.url, body, attributes);
  }
}

export const deadLetters: Scenario = {
  name: 'dead-letters',
  plan: { items: [teeItem(4)] },
  async play(stage) {
    // The charge fails on every attempt, until a person has looked into it.
    const isStuck = { yes: true };
    stage.while(({ functionName }) => functionName === 'payments/payment' && isStuck.yes, { do: 'fail', error: 'unavailable' });
    await stage.place('stuck', 'ada', [tees(2)]);
    await stage.until('it failed twice', () => stage.receipts('payments/payment') >= 2);
    await stage.sleep(20_000);
    giveUp(stage, 'payments/payment');
    isStuck.yes = false;
    await stage.ask('letters', { method: 'GET', path: '/v1/dead-letters' });
    await stage.act('redrive', { do: 'redrive' });
    await stage.untilStatus('stuck', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { stuck: ['FULFILLED'] });
  },
};

export const setAside: Scenario = {
  name: 'set-aside',
  plan: { items: [teeItem(4)] },
  async play(stage) {
    const isRefusing = { yes: true };
    stage.machine.bus.onEntry(({ detailType }) => (detailType === 'OrderConfirmed' && isRefusing.yes ? 'ThrottlingException' : undefined));
    await stage.place('one', 'ada', [tees(2)]);
    await stage.until('the poller gives up', () => stage.unpublished().some(({ pollShard }) => pollShard === 'set-aside'));
    isRefusing.yes = false;
    await stage.ask('letters', { method: 'GET', path: '/v1/dead-letters', query: 'queue=outbox' });
    await stage.act('redrive', { do: 'redrive' });
    await stage.until('the poller has published it', () => stage.unpublished().length === 0);
    await stage.untilStatus('one', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { one: ['FULFILLED'] });
  },
};

/** Nobody hears of anything: the sweeper drives every order. */
export const silent: Scenario = {
  name: 'silent',
  plan: { isBusOff: true, perBuyerLimit: 4, holdSeconds: 300, items: [teeItem(6)], balances: { ada: 90_000, bob: 10 } },
  async play(stage) {
    await stage.place('paid', 'ada', [tees(2)]);
    await stage.place('poor', 'bob', [tees()]);
    await stage.place('outside', 'cleo', [tees()], { method: 'external' });
    await stage.pay('pay', 'outside', 'right');
    await stage.place('cancelled', 'dan', [tees()], { method: 'external' });
    await stage.act('cancel', { do: 'cancel', of: 'cancelled', by: 'buyer' });
    await stage.untilStatus('paid', 'FULFILLED');
    await stage.untilStatus('outside', 'FULFILLED');
    await stage.act('refund', { do: 'refund', of: 'outside', returnUnits: true });
    await stage.untilStatus('outside', 'REFUNDED');
    await stage.untilStatus('poor', 'FAILED');
  },
  *broken(end) {
    yield* endsAs(end, { paid: ['FULFILLED'], poor: ['FAILED'], outside: ['REFUNDED'], cancelled: ['CANCELLED'] });
    yield* sells(end, 'tee', 2);
  },
};

export const silentChargedFirst: Scenario = {
  name: 'silent-charged-first',
  plan: { isBusOff: true, strategy: 'charge-first', perBuyerLimit: 4, items: [teeItem(3)], balances: { ada: 90_000, bob: 90_000 } },
  async play(stage) {
    await stage.place('paid', 'ada', [tees(2)]);
    await stage.untilStatus('paid', 'FULFILLED');
    await stage.place('outside', 'cleo', [tees()], { method: 'external' });
    await stage.place('in-vain', 'bob', [tees()], { method: 'external' });
    await stage.place('voided', 'bob', [tees()]);
    await stage.pay('pay', 'outside', 'right');
    await stage.pay('pay-in-vain', 'in-vain', 'right');
    // A webhook gives units at once, so the first that was paid has the last one.
    await stage.untilStatus('outside', 'FULFILLED', 'REFUNDED');
    await stage.untilStatus('in-vain', 'FULFILLED', 'REFUNDED');
    await stage.untilStatus('voided', 'FULFILLED', 'FAILED');
  },
  *broken(end) {
    const either = ['FULFILLED', 'REFUNDED'];
    yield* endsAs(end, { paid: ['FULFILLED'], 'in-vain': either, outside: either, voided: ['FULFILLED', 'FAILED'] });
    yield* sells(end, 'tee', 3);
  },
};

/** Expiries and late money by the sweeper alone. */
export const silentAndLate: Scenario = {
  name: 'silent-late',
  plan: { isBusOff: true, holdSeconds: 5, perBuyerLimit: 4, items: [teeItem(2)] },
  async play(stage) {
    await stage.place('late', 'ada', [tees()], { method: 'external' });
    await stage.place('never', 'bob', [tees()], { method: 'external' });
    await stage.untilStatus('late', 'EXPIRED');
    await stage.pay('pay', 'late', 'right');
    await stage.untilStatus('late', 'FULFILLED');
    await stage.untilStatus('never', 'EXPIRED');
  },
  *broken(end) {
    yield* endsAs(end, { late: ['FULFILLED'], never: ['EXPIRED'] });
  },
};
