import { describe, expect, it } from 'vitest';
import type { Answer } from '../../lib/client/connection.ts';
import type { AuditBody, CartBody, OrderBody, SaleBody } from '../../lib/client/contract.ts';
import { check } from './check.ts';
import type { Asked, Call, Window } from './window.ts';

const item = { sku: 'tee', name: 'Tee', priceMinor: 1_000, currency: 'EUR', total: 5, available: 5, seated: false };
const sale: SaleBody = {
  saleId: 'sale',
  name: 'sale',
  state: 'open',
  serverTime: '',
  opensAt: '',
  closesAt: '',
  holdSeconds: 300,
  strategy: 'reserve-first',
  items: [item],
};
const saleWith = (available: number): SaleBody => ({ ...sale, items: [{ ...item, available }] });
const audit: AuditBody = {
  items: [{ sku: 'tee', total: 5, available: 2, held: 0, sold: 2, retired: 0, conserved: true }],
  money: { authorisedMinor: 0, capturedMinor: 0, fulfilledMinor: 0, refundedMinor: 0, balanced: true },
  redis: { agrees: true, drift: [] },
  asOf: '',
};
const orderOf = (orderId: string, unit: string, status: OrderBody['status'] = 'FULFILLED'): OrderBody => ({
  orderId,
  saleId: 'sale',
  buyerId: orderId,
  status,
  displayStatus: '',
  version: 1,
  items: [{ sku: 'tee', quantity: 1, units: [unit], priceMinor: 1_000 }],
  totalMinor: 1_000,
  currency: 'EUR',
  payment: { method: 'balance', state: 'captured' },
  createdAt: '',
  updatedAt: '',
});
const cartOf = (quantity: number): CartBody => ({ saleId: 'sale', items: [{ sku: 'tee', quantity }], expiresAt: null });

const granted = (body: unknown): Answer<unknown> => ({ ok: true, status: 200, headers: {}, text: '', body });
const placing: Asked = { kind: 'place', items: [{ sku: 'tee', quantity: 1 }], method: 'balance' };
const call = (client: string, asked: Asked, invokedMs: number, respondedMs: number, body: unknown): Call => ({
  client,
  asked,
  invokedMs,
  respondedMs,
  answer: granted(body),
});

/** Ada and Bob buy a unit each, Cleo has one in her cart, and somebody looks. */
const right: Window = {
  sale,
  seats: new Map(),
  calls: [
    call('ada', placing, 0, 5, orderOf('ada', '1')),
    call('bob', placing, 1, 4, orderOf('bob', '2')),
    call('cleo', { kind: 'set-cart', sku: 'tee', quantity: 1 }, 6, 7, cartOf(1)),
    call('dora', { kind: 'read' }, 8, 9, saleWith(2)),
  ],
  readMs: 100,
  orders: [orderOf('ada', '1'), orderOf('bob', '2')],
  carts: [cartOf(1)],
  after: saleWith(2),
  audit,
};

it('a window in which all is right is believed', () => {
  expect(check(right)).toMatchObject({ operations: 4, possessions: 2, undecided: 0, violations: [] });
});

describe('a window is not believed', () => {
  const retold = (client: string, body: unknown) =>
    right.calls.map((each) => (each.client === client ? { ...each, answer: granted(body) } : each));
  const wrong: [string, Partial<Window>, RegExp][] = [
    [
      'in which an order has the unit of another',
      { calls: retold('bob', orderOf('bob', '1')), orders: [orderOf('ada', '1'), orderOf('bob', '1')] },
      /at once/,
    ],
    [
      'in which the same is seen item by item',
      { calls: retold('bob', orderOf('bob', '1')), orders: [orderOf('ada', '1'), orderOf('bob', '1')] },
      /no order of operations/,
    ],
    ['in which a reading has seen a unit more', { calls: retold('dora', saleWith(3)) }, /no order of operations/],
    ['in which an order is lost', { orders: [orderOf('ada', '1')] }, /not conserved/],
    [
      'in which the units of an ended order are not back',
      { orders: [orderOf('ada', '1', 'EXPIRED'), orderOf('bob', '2')] },
      /not conserved/,
    ],
    ['in which a cart is forgotten', { carts: [] }, /not conserved/],
    ['in which a unit was never on sale', { orders: [orderOf('ada', '6'), orderOf('bob', '2')] }, /never on sale/],
    ['in which the total has grown by itself', { after: { ...sale, items: [{ ...item, available: 3, total: 6 }] } }, /the total is/],
    ['in which the audit finds something', { audit: { ...audit, redis: { agrees: false, drift: ['a unit'] } } }, /the audit finds/],
  ];
  it.each(wrong)('%s', (_, changes, what) => {
    expect(check({ ...right, ...changes }).violations).toContainEqual(expect.stringMatching(what));
  });

  it('and says nothing of one in which a request got no answer', () => {
    const calls = right.calls.map((each) => (each.client === 'bob' ? { ...each, answer: undefined } : each));
    expect(() => check({ ...right, calls, orders: [orderOf('ada', '1')] })).toThrow(/was told nothing/);
  });
});
