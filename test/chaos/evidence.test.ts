import { describe, expect, it } from 'vitest';
import type { OrderBody } from '../../lib/client/contract.ts';
import { isClean } from '../../lib/client/verdict.ts';
import type { RedisHold } from '../simulation/redis-view.ts';
import type { MovementRow, OrderRow, UnitRow } from '../simulation/rows.ts';
import { type Evidence, judge } from './evidence.ts';
import type { Told } from './shoppers.ts';

const [saleId, sku, priceMinor, fundedMinor, units] = ['s', 's-tee', 700, 10_000, 3];

const itemsOf = (its: readonly string[]) => [{ sku, quantity: its.length, units: its, priceMinor }];
const orderBody = (orderId: string, buyerId: string, its: readonly string[], status: OrderBody['status'] = 'FULFILLED'): OrderBody => ({
  ...{
    orderId,
    saleId,
    buyerId,
    status,
    displayStatus: '',
    version: 4,
    items: itemsOf(its),
    totalMinor: its.length * priceMinor,
    currency: 'EUR',
  },
  ...{ payment: { method: 'balance', state: 'captured' }, createdAt: '2026-01-01T00:00:00Z', updatedAt: '2026-01-01T00:00:00Z' },
});
const orderRow = ({ orderId, buyerId, status, items, totalMinor, payment }: OrderBody): OrderRow => ({
  ...{ orderId, saleId, buyerId, status, items, totalMinor, payment, currency: 'EUR' },
  ...{ holdId: `h-${orderId}`, version: 4, strategy: 'reserve-first', slots: [1], stock: 'held' },
});
const unitRow = (unit: string, orderId: string, buyerId: string): UnitRow => ({
  bucket: `${saleId}#${sku}#1`,
  unit,
  saleId,
  sku,
  orderId,
  buyerId,
  state: 'SOLD',
});
const told = (order: OrderBody, more: Partial<Told> = {}): Told => ({
  buyerId: order.buyerId,
  outcome: 'ORDERED',
  status: 201,
  attempts: 1,
  order,
  manner: 'balance',
  paid: [],
  ...more,
});
const refused = (buyerId: string, outcome: Told['outcome']): Told => ({
  ...{ buyerId, outcome, status: 409, attempts: 1, manner: 'balance', paid: [] },
});
const movement = (userId: string, kind: string, id: string, from: string, to: string, amountMinor: number): MovementRow => ({
  ...{ userId, entry: `movement#${id}#${kind}`, kind, currency: 'EUR' },
  entries: [
    { account: from, amountMinor: -amountMinor },
    { account: to, amountMinor },
  ],
});
const bought = (userId: string, orderId: string, amountMinor: number) => [
  movement(userId, 'opening', userId, 'bank', `user:${userId}`, fundedMinor),
  movement(userId, 'authorise', orderId, `user:${userId}`, `escrow:${orderId}`, amountMinor),
  movement(userId, 'capture', orderId, `escrow:${orderId}`, `seller:${saleId}`, amountMinor),
];
const hold = (holdId: string, unit: string, state = 'C'): RedisHold => ({ holdId, state, buyerId: 'a', slots: 1, units: [{ sku, unit }] });

/** Two of three units are sold, to Ada and to Ben; Cleo was refused a quantity of two. */
function clean(): Evidence {
  const [ada, ben] = [orderBody('o1', 's-ada', ['1']), orderBody('o2', 's-ben', ['2'])];
  return {
    ...{ saleId, sku, units, seats: [], priceMinor, fundedMinor, orders: [ada, ben], changedReplays: [] },
    told: [told(ada), told(ben), refused('s-cleo', 'SOLD_OUT')],
    audit: {
      items: [{ sku, total: 3, available: 1, held: 0, sold: 2, retired: 0, conserved: true }],
      money: { authorisedMinor: 0, capturedMinor: 1_400, fulfilledMinor: 1_400, refundedMinor: 0, balanced: true },
      redis: { agrees: true, drift: [] },
      asOf: '',
    },
    rows: {
      ...{ orders: [orderRow(ada), orderRow(ben)], units: [unitRow('1', 'o1', 's-ada'), unitRow('2', 'o2', 's-ben')] },
      allowances: [{ saleBuyer: 's#s-ada', slot: 1, orderId: 'o1' }],
      accounts: [
        { userId: 's-ada', entry: 'account', balanceMinor: fundedMinor - priceMinor },
        { userId: 's-ben', entry: 'account', balanceMinor: fundedMinor - priceMinor },
      ],
      movements: [...bought('s-ada', 'o1', priceMinor), ...bought('s-ben', 'o2', priceMinor)],
      ...{ payments: [], sale: undefined, seats: new Map(), views: [], levels: [] },
    },
    redis: {
      ...{ control: 'open', limit: 3, version: 1, isBehind: false, holds: [hold('h-o1', '1'), hold('h-o2', '2')] },
      items: [{ sku, kind: 'c', total: 3, next: 3, free: 0 }],
      ...{ slots: new Map(), pool: new Set(), suspects: new Set(), seats: new Map(), lent: [] },
    },
  };
}

const withRows = (rows: Partial<Evidence['rows']>): Evidence => ({ ...clean(), rows: { ...clean().rows, ...rows } });
const withRedis = (redis: Partial<NonNullable<Evidence['redis']>>): Evidence => {
  const evidence = clean();
  return { ...evidence, redis: evidence.redis && { ...evidence.redis, ...redis } };
};
const brokenIn = (evidence: Evidence) => judge(evidence).findings.flatMap(({ guarantee, holds }) => (holds ? [] : [guarantee]));

describe('the verdict on a sale under fire', () => {
  it('is clean when everything is as it was told', () => {
    const { findings, tally } = judge(clean());
    expect(findings.filter(({ holds }) => !holds)).toEqual([]);
    expect(isClean(findings)).toBe(true);
    expect(tally).toEqual({ sold: 2, oversold: 0, lost: 0, duplicates: 0, ledgerDifference: 0 });
  });

  const { rows, told: everyone, orders } = clean();
  const [ada, ben] = orders as [OrderBody, OrderBody];
  const [first] = everyone as [Told];
  const wrong: [what: string, evidence: Evidence, guarantee: string][] = [
    ['an acknowledged order that is gone', withRows({ orders: rows.orders.slice(1) }), 'every order that was acknowledged is stored'],
    [
      'other units than were told',
      withRows({ orders: [{ ...orderRow(ada), items: itemsOf(['3']) }, orderRow(ben)] }),
      'an order keeps the units that were acknowledged',
    ],
    [
      'a cancellation that did not stay',
      { ...clean(), told: [{ ...first, ended: 'CANCELLED' }] },
      'a cancellation or refund that was acknowledged stays',
    ],
    [
      'a payment that was taken and is in no book',
      { ...clean(), told: [{ ...first, paid: ['p1'] }] },
      'a payment that was acknowledged is in the books',
    ],
    [
      'a refusal that nothing explains',
      { ...clean(), told: [...everyone, refused('s-dan', 'BUYER_LIMIT')] },
      'nobody is refused but for want of units',
    ],
    [
      'a unit row without its order',
      withRows({ units: [...rows.units, unitRow('3', 'o9', 's-x')] }),
      'a unit row belongs to an order that has the unit',
    ],
    [
      'a unit that was never for sale',
      withRows({ units: [...rows.units, unitRow('4', 'o1', 's-ada')] }),
      'a unit row belongs to an order that has the unit',
    ],
    ['a unit without its row', withRows({ units: rows.units.slice(1) }), 'an order has the rows of its units'],
    [
      'a unit in two orders',
      withRows({ orders: [orderRow(ada), orderRow({ ...ben, items: itemsOf(['1']) })] }),
      'no unit is in two orders, by the rows',
    ],
    [
      'a slot that an ended order has',
      withRows({ allowances: [{ saleBuyer: 's#s-x', slot: 1, orderId: 'o9' }] }),
      'nothing of a buyer’s allowance is left to an ended order',
    ],
    [
      'two orders for one request',
      withRows({ orders: [...rows.orders, orderRow(orderBody('o3', 's-ada', [], 'EXPIRED'))] }),
      'one order for one request, by the rows',
    ],
    [
      'a balance that is too low',
      withRows({ accounts: [{ userId: 's-ada', entry: 'account', balanceMinor: 0 }] }),
      'everybody paid for what they have, once',
    ],
    [
      'a charge that was made twice',
      withRows({ movements: [...rows.movements, ...bought('s-ada', 'o1', priceMinor).slice(1)] }),
      'everybody paid for what they have, once',
    ],
    [
      'money that stays in escrow',
      withRows({ movements: rows.movements.filter(({ kind }) => kind !== 'capture') }),
      'everybody paid for what they have, once',
    ],
    ['a replay with another answer', { ...clean(), changedReplays: ['o1'] }, 'an answer is repeated as it was given'],
    ['a Redis without the sale', { ...clean(), redis: undefined }, 'Redis has the sale'],
    [
      'a Redis that would sell a unit again',
      withRedis({ items: [{ sku, kind: 'c', total: 3, next: 3, free: 1 }] }),
      'Redis has as many free units as have no row',
    ],
    [
      'a Redis that has leaked a unit',
      withRedis({ items: [{ sku, kind: 'c', total: 3, next: 4, free: 0 }] }),
      'Redis has as many free units as have no row',
    ],
    ['a hold that nobody has', withRedis({ holds: [hold('h-x', '3', 'H')] }), 'a hold that is left has an order’s units'],
    ['a unit left under suspicion', withRedis({ suspects: new Set([`${sku} 3`]) }), 'nothing is under suspicion any more'],
  ];
  it.each(wrong)('rejects %s', (_, evidence, guarantee) => {
    expect(brokenIn(evidence)).toContain(guarantee);
  });
});
