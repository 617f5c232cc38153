import { buyerOf } from '../../simulation/actors.ts';
import type { Scenario } from '../scenario.ts';
import { endsAs, sells } from './expect.ts';
import { hallItem, seats, teeItem, tees } from './lines.ts';

// What happens to Redis as a whole: a replica that lagged takes over, or it comes back empty, or somebody's cell is not what it was.

export const forgotten: Scenario = {
  name: 'redis-behind',
  plan: { perBuyerLimit: 2, items: [teeItem(8), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await stage.place('known', 'eve', [tees()]);
    await stage.untilStatus('known', 'FULFILLED');
    stage.machine.redis.replicate();
    await stage.place('forgotten', 'ada', [tees(2)]);
    await stage.place('seated', 'dan', [seats('A-1')], { method: 'external' });
    stage.machine.redis.failover();
    await stage.place('met', 'bob', [tees(2)]);
    await stage.place('taken', 'cleo', [seats('A-1')], { attemptsMax: 3 });
    await stage.place('too-much', 'ada', [tees(2)], { attemptsMax: 3 });
    await stage.act('again', { do: 'again', of: 'forgotten' });
    await stage.pay('pay', 'seated', 'right');
    await stage.ask('reconcile', { deed: 'reconcile', method: 'POST', path: '/v1/reconciliations', body: {} });
    for (const id of ['forgotten', 'met', 'seated']) await stage.untilStatus(id, 'FULFILLED');
    await stage.ask('reports', { method: 'GET', path: '/v1/reconciliations' });
  },
  *broken(end) {
    yield* endsAs(end, {
      ...{ known: ['FULFILLED'], forgotten: ['FULFILLED'], met: ['FULFILLED'], seated: ['FULFILLED'] },
      ...{ taken: ['not there'], 'too-much': ['not there'] },
    });
    yield* sells(end, 'tee', 5);
  },
};

export const flushed: Scenario = {
  name: 'redis-empty',
  plan: { perBuyerLimit: 3, items: [teeItem(8), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await stage.place('sold', 'ada', [tees(2), seats('A-1')]);
    await stage.untilStatus('sold', 'FULFILLED');
    await stage.place('held', 'bob', [tees(2)], { method: 'external' });
    await stage.act('cart', { do: 'cart', buyer: 'cleo', line: tees(2) });
    stage.machine.redis.flush();
    await stage.place('after', 'dan', [tees(), seats('A-2')]);
    await stage.pay('pay', 'held', 'right');
    await stage.act('again', { do: 'again', of: 'sold' });
    await stage.untilStatus('held', 'FULFILLED');
    await stage.untilStatus('after', 'FULFILLED');
    stage.machine.redis.restart();
    await stage.act('ask', { do: 'ask-rebuild' });
    await stage.ask('sale', { method: 'GET', path: '/v1/sales/sale' });
    await stage.act('ask-again', { do: 'ask-rebuild' });
    await stage.until('the sale is back', () => stage.redis !== undefined);
    await stage.place('at-last', 'eve', [tees()]);
    await stage.untilStatus('at-last', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { sold: ['FULFILLED'], held: ['FULFILLED'], after: ['FULFILLED'], 'at-last': ['FULFILLED'] });
    yield* sells(end, 'tee', 6);
  },
};

export const planted: Scenario = {
  name: 'redis-drifts',
  plan: { perBuyerLimit: 5, items: [teeItem(10), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await stage.place('sold', 'ada', [tees(2), seats('A-1')]);
    await stage.untilStatus('sold', 'FULFILLED');
    await stage.place('gone', 'bob', [tees(3)], { method: 'external' });
    await stage.act('cancel', { do: 'cancel', of: 'gone', by: 'buyer' });
    await stage.until('its units are back', () => stage.orderOf('gone')?.stock === 'released');
    const { redis } = stage.machine;
    // Units that are in no place at all, a sold seat that seems free, a hold that nobody remembers, an allowance that nobody uses.
    redis.command('DEL', '{sale}:free');
    redis.command('HSET', '{sale}:sale', 'i:tee', 'c|10|6|0', 'b:dan', '6');
    redis.command('HDEL', '{sale}:sale', `h:${stage.orderOf('sold')?.holdId}`);
    await stage.sleep(15_000);
    await stage.ask('reconcile', { deed: 'reconcile', method: 'POST', path: '/v1/reconciliations', body: { saleId: 'sale' } });
    const isMended = () => stage.redis?.slots.has('dan') === false;
    await stage.until('it is mended', isMended);
    await stage.place('next', 'cleo', [tees(4)]);
    await stage.untilStatus('next', 'FULFILLED');
    // Nobody asks: the schedule finds it when another Redis, with all that this one had, takes over.
    redis.command('HSET', '{sale}:sale', 'b:eve', '6');
    redis.replicate();
    redis.failover();
    await stage.until('the schedule has mended it', () => stage.redis?.slots.has('eve') === false);
  },
  *broken(end) {
    yield* endsAs(end, { sold: ['FULFILLED'], gone: ['CANCELLED'], next: ['FULFILLED'] });
    yield* sells(end, 'tee', 6);
  },
};

/** A function dies and nobody asks again: what is left of it is found by whoever looks after holds. */
export const abandoned: Scenario = {
  name: 'abandoned',
  plan: { holdSeconds: 15, perBuyerLimit: 4, items: [teeItem(8)] },
  async play(stage) {
    const once = { attemptsMax: 1, method: 'external' } as const;
    stage.once(({ operation, functionName }) => functionName === 'orders/place' && operation === 'stock.reserve', { do: 'dieAfter' });
    await stage.place('held-only', 'ada', [tees(2)], once);
    stage.once(({ operation, functionName }) => functionName === 'orders/place' && operation === 'TransactWrite', { do: 'dieAfter' });
    await stage.place('unacknowledged', 'bob', [tees()], once);
    await stage.act('cart', { do: 'cart', buyer: 'cleo', line: tees(2) });
    stage.once(({ operation }) => operation === 'stock.cart-checkout', { do: 'dieAfter' });
    await stage.place('cart-only', 'cleo', 'cart', once);
    const isOver = () => stage.redis?.holds.every(({ state, units }) => state === 'E' || units.length === 0) === true;
    await stage.until('everything is over', isOver);
    await stage.act('again', { do: 'again', of: 'held-only' });
    await stage.ask('me', { method: 'GET', path: '/v1/me', who: buyerOf('ada') });
  },
  *broken(end) {
    const over = ['EXPIRED', 'not there'];
    yield* endsAs(end, { 'held-only': ['EXPIRED'], unacknowledged: over, 'cart-only': over });
  },
};
