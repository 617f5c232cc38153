import { buyerOf } from '../../simulation/actors.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { endsAs, sells } from './expect.ts';
import { teeItem, tees } from './lines.ts';

// Sales over three shards: ada and bob are at home in the first, cleo, dan and eve in the second, and nobody in the third.

const plan = { shards: 3, items: [teeItem(9)] };
const cartPath = '/v1/sales/sale/cart/items/tee';
const put = (stage: Stage, id: string, buyer: string, quantity: number) =>
  stage.ask(id, { deed: 'cart', method: 'PUT', path: cartPath, who: buyerOf(buyer), body: { quantity } });
const isOf = (stockId: string) => (key: string) => key.startsWith(`{${stockId}}`);

/** Homes run dry, and get what others have, to the last unit. */
export const homesRunDry: Scenario = {
  name: 'homes-run-dry',
  plan,
  async play(stage) {
    await stage.place('gathers', 'ada', [tees(5)]);
    await put(stage, 'cart', 'cleo', 3);
    // One is left, wherever.
    await stage.place('too-many', 'eve', [tees(2)], { attemptsMax: 4 });
    await stage.place('last', 'bob', [tees()]);
    await stage.place('none-left', 'dan', [tees()], { attemptsMax: 4 });
    await stage.place('checkout', 'cleo', 'cart');
    for (const id of ['gathers', 'last', 'checkout']) await stage.untilStatus(id, 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, {
      ...{ gathers: ['FULFILLED'], last: ['FULFILLED'], checkout: ['FULFILLED'] },
      ...{ 'too-many': ['not there'], 'none-left': ['not there'] },
    });
    yield* sells(end, 'tee', 9);
  },
};

/** Units are left on their way, a shard is lost, and another falls back behind what it lent. */
export const shardsForget: Scenario = {
  name: 'shards-forget',
  plan,
  async play(stage) {
    const { redis } = stage.machine;
    // The first one that Redis knows the script of: what comes before it lends nothing.
    stage.once(({ operation, input }) => operation === 'stock.shard-lend' && (input as readonly unknown[])[0] === 'EVAL', {
      do: 'dieAfter',
    });
    await stage.place('given-up', 'ada', [tees(4)], { attemptsMax: 1 });
    await stage.until('nothing is on its way', () => stage.shards?.every(({ lent }) => lent.length === 0) === true);
    redis.flush(isOf('sale#1'));
    await stage.place('after', 'cleo', [tees(2)]);
    await stage.untilStatus('after', 'FULFILLED');
    const before = redis.snapshot();
    await stage.place('more', 'ada', [tees(7)]);
    redis.failoverOf(isOf('sale#2'), before);
    await stage.act('restock', { do: 'restock', line: tees(4), twice: false });
    await stage.place('met', 'dan', [tees(3)]);
    await stage.ask('reconcile', { deed: 'reconcile', method: 'POST', path: '/v1/reconciliations', body: { saleId: 'sale' } });
    for (const id of ['more', 'met']) await stage.untilStatus(id, 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { 'given-up': ['not there'], after: ['FULFILLED'], more: ['FULFILLED'], met: ['FULFILLED'] });
    yield* sells(end, 'tee', 12);
  },
};

/** Who is charged first gets units of other shards as well, and the money back where there are too few in all. */
export const homesRunDryLater: Scenario = {
  name: 'homes-run-dry-later',
  plan: { ...plan, strategy: 'charge-first', items: [teeItem(6)] },
  async play(stage) {
    await stage.place('gathers', 'ada', [tees(4)]);
    await stage.untilStatus('gathers', 'FULFILLED');
    await stage.place('in-vain', 'cleo', [tees(3)]);
    await stage.until('it has ended', () => ['FAILED', 'REFUNDED', undefined].includes(stage.orderOf('in-vain')?.status));
    await stage.place('last', 'bob', [tees(2)]);
    await stage.untilStatus('last', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { gathers: ['FULFILLED'], 'in-vain': ['FAILED', 'REFUNDED', 'not there'], last: ['FULFILLED'] });
    yield* sells(end, 'tee', 6);
  },
};
