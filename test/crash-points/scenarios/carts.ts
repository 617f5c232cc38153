import { buyerOf } from '../../simulation/actors.ts';
import type { Line } from '../../simulation/plan.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { endsAs, sells } from './expect.ts';
import { hallItem, seats, teeItem, tees } from './lines.ts';

const cartPath = '/v1/sales/sale/cart';
const put = (stage: Stage, id: string, buyer: string, { sku, ...what }: Line) =>
  stage.ask(id, { deed: 'cart', method: 'PUT', path: `${cartPath}/items/${sku}`, who: buyerOf(buyer), body: what });

export const carts: Scenario = {
  name: 'carts',
  plan: { perBuyerLimit: 5, items: [teeItem(8), hallItem('A-1', 'A-2')] },
  async play(stage) {
    await put(stage, 'put-1', 'ada', tees(2));
    await put(stage, 'put-2', 'ada', tees(3));
    await put(stage, 'put-3', 'ada', seats('A-1'));
    await put(stage, 'put-4', 'ada', tees(1));
    await stage.act('look', { do: 'look', buyer: 'ada', at: 'cart' });
    await stage.place('checkout', 'ada', 'cart');
    await stage.act('again', { do: 'again', of: 'checkout' });
    await put(stage, 'put-5', 'bob', tees(2));
    await put(stage, 'put-6', 'bob', seats('A-2'));
    await stage.ask('drop', { method: 'DELETE', path: `${cartPath}/items/hall`, who: buyerOf('bob') });
    await stage.act('empty', { do: 'empty-cart', buyer: 'bob' });
    await put(stage, 'put-7', 'cleo', tees(2));
    await stage.place('outside', 'cleo', 'cart', { method: 'external' });
    await stage.pay('pay', 'outside', 'right');
    await stage.untilStatus('checkout', 'FULFILLED');
    await stage.untilStatus('outside', 'FULFILLED');
  },
  *broken(end) {
    yield* endsAs(end, { checkout: ['FULFILLED'], outside: ['FULFILLED'] });
    yield* sells(end, 'tee', 3);
    yield* sells(end, 'hall', 1);
  },
};

export const cartsExpire: Scenario = {
  name: 'carts-expire',
  plan: { holdSeconds: 20, perBuyerLimit: 5, items: [teeItem(8), hallItem('A-1')] },
  async play(stage) {
    await put(stage, 'put-1', 'ada', tees(3));
    await put(stage, 'put-2', 'ada', seats('A-1'));
    const isFree = () => stage.redis?.holds.every(({ state, units }) => state !== 'K' || units.length === 0) === true;
    await stage.until('the cart has expired', isFree);
    await stage.place('too-late', 'ada', 'cart', { attemptsMax: 3 });
    await put(stage, 'put-3', 'bob', seats('A-1'));
    await stage.act('empty', { do: 'empty-cart', buyer: 'bob' });
  },
  *broken(end) {
    yield* endsAs(end, { 'too-late': ['not there'] });
  },
};

export const cartChargedFirst: Scenario = {
  name: 'cart-charged-first',
  plan: { strategy: 'charge-first', perBuyerLimit: 3, items: [teeItem(3)] },
  async play(stage) {
    await put(stage, 'put-1', 'ada', tees(2));
    await stage.place('checkout', 'ada', 'cart');
    await stage.until('it has ended', () => ['FULFILLED', 'FAILED'].includes(stage.orderOf('checkout')?.status ?? ''));
  },
  *broken(end) {
    yield* endsAs(end, { checkout: ['FULFILLED'] });
  },
};
