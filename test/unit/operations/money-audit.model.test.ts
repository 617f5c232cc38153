import { describe, expect, it } from 'vitest';
import { type OrderMovement, transfer } from '../../../functions/accounts/account.model.ts';
import { movementWrites } from '../../../functions/accounts/account.writes.ts';
import { SaleAudit } from '../../../functions/operations/audit.model.ts';
import { Findings } from '../../../functions/operations/findings.model.ts';
import {
  InexactSum,
  type Ledger,
  type LedgerMovement,
  MoneyAudit,
  type OrderOfMoney,
} from '../../../functions/operations/money-audit.model.ts';
import type { Order, PaymentState } from '../../../functions/orders/order.model.ts';
import type { Sale } from '../../../functions/sales/sale.model.ts';

const order = (method: 'balance' | 'external', state: PaymentState, changes: Partial<Order> = {}): OrderOfMoney => ({
  orderId: 'o',
  buyerId: 'ada',
  status: 'CONFIRMED',
  totalMinor: 400,
  currency: 'EUR',
  payment: { method, state, ...(method === 'external' && state !== 'none' ? { paymentId: 'pay' } : {}) },
  ...changes,
});
const paid = { orderId: 'o', saleId: 's', buyerId: 'ada', totalMinor: 400, currency: 'EUR' };
const outside = { paymentId: 'pay', amountMinor: 400, currency: 'EUR' };
const movement = (kind: OrderMovement, by?: typeof outside, of = paid): LedgerMovement => {
  const written = movementWrites(kind, of, 1, 'accounts', by).find(({ Put }) => Put)?.Put?.Item;
  return written as unknown as LedgerMovement;
};
const own = (...kinds: OrderMovement[]) => kinds.map((kind) => movement(kind));
const fromOutside = (...kinds: OrderMovement[]) => kinds.map((kind) => movement(kind, outside));
const opening: LedgerMovement = { kind: 'opening', currency: 'EUR', entries: transfer('bank', 'user:ada', 1_000) };

function audited(orders: readonly OrderOfMoney[], movements: readonly LedgerMovement[], ledger: Partial<Ledger> = {}) {
  const findings = new Findings(50);
  const audit = new MoneyAudit(findings);
  for (const each of orders) audit.seeOrder(each);
  const byEntries = movements
    .flatMap(({ entries }) => entries)
    .reduce((sum, { account, amountMinor }) => (account === 'user:ada' ? sum + amountMinor : sum), 0);
  audit.seeLedger({ userId: 'ada', account: { balanceMinor: byEntries }, movements, ...ledger });
  return { figures: audit.conclude(), found: [...findings.shown] };
}
const figures = (authorisedMinor: number, capturedMinor: number, fulfilledMinor: number, refundedMinor: number) => ({
  authorisedMinor,
  capturedMinor,
  fulfilledMinor,
  refundedMinor,
});

describe('the money of a sale', () => {
  it.each([
    ['nothing', order('balance', 'none'), [], figures(0, 0, 0, 0)],
    ['a decline', order('balance', 'declined'), [], figures(0, 0, 0, 0)],
    ['what is set aside', order('balance', 'authorised'), own('authorise'), figures(400, 0, 0, 0)],
    ['what went back', order('balance', 'voided'), own('authorise', 'void'), figures(0, 0, 0, 0)],
    ['what is taken', order('balance', 'captured'), own('authorise', 'capture'), figures(0, 400, 0, 0)],
    [
      'what is handed over for',
      order('balance', 'captured', { status: 'FULFILLED' }),
      own('authorise', 'capture'),
      figures(0, 400, 400, 0),
    ],
    ['a refund', order('balance', 'refunded', { status: 'REFUNDED' }), own('authorise', 'capture', 'refund'), figures(0, 400, 0, 400)],
    ['a payment from outside', order('external', 'captured'), fromOutside('receive', 'capture'), figures(0, 400, 0, 0)],
    ['its refund', order('external', 'refunded'), fromOutside('receive', 'capture', 'refund'), figures(0, 400, 0, 400)],
    [
      'money that came late and waits',
      order('external', 'none', { status: 'EXPIRED', late: { paymentId: 'pay' } }),
      fromOutside('receive'),
      figures(400, 0, 0, 0),
    ],
    ['money that was not for it and went back', order('external', 'none'), fromOutside('receive', 'return'), figures(0, 0, 0, 0)],
    [
      'money that went back of an order that is paid by balance',
      order('balance', 'none'),
      fromOutside('receive', 'return'),
      figures(0, 0, 0, 0),
    ],
  ] as const)('adds up with %s', (_, of, movements, wanted) => {
    expect(audited([of], [opening, ...movements])).toStrictEqual({ figures: wanted, found: [] });
  });

  it('adds up over orders, and other sales’ movements count towards the balance alone', () => {
    const second = { ...paid, orderId: 'o2', totalMinor: 7 };
    const elsewhere = { ...paid, orderId: 'elsewhere' };
    const orders = [order('balance', 'authorised'), order('balance', 'captured', { orderId: 'o2', totalMinor: 7 })];
    const movements = [
      opening,
      ...own('authorise'),
      ...(['authorise', 'capture'] as const).map((kind) => movement(kind, undefined, second)),
      movement('authorise', undefined, elsewhere),
      { kind: 'credit' as const, currency: 'EUR', orderId: 'o', entries: transfer('bank', 'user:ada', 3) },
    ];
    expect(audited(orders, movements)).toStrictEqual({ figures: figures(400, 7, 0, 0), found: [] });
  });

  it('names the movements that an order lacks, or has too many of', () => {
    expect(audited([order('balance', 'captured')], [opening]).found).toStrictEqual([
      'o has the movements none, and its payment is captured',
      'captured: 0 by the ledger, 400 by the orders',
    ]);
    expect(audited([order('balance', 'captured')], [opening, ...own('authorise')]).found).toStrictEqual([
      'o has the movements authorise, and its payment is captured',
      'o has 400 in escrow, and its payment is captured',
      'captured: 0 by the ledger, 400 by the orders',
      'authorised: 400 by the ledger, 0 by the orders',
    ]);
    expect(audited([order('balance', 'authorised')], [opening, ...own('capture', 'authorise')]).found).toStrictEqual([
      'o has the movements authorise, capture, and its payment is authorised',
      'o has 0 in escrow, and its payment is authorised',
      'captured: 400 by the ledger, 0 by the orders',
      'authorised: 0 by the ledger, 400 by the orders',
    ]);
    const late = order('external', 'none', { late: { paymentId: 'pay' } });
    expect(audited([late], [opening]).found).toStrictEqual([
      'o has the movements none, and its payment is none',
      'o has 0 in escrow, and its payment is none',
      'authorised: 0 by the ledger, 400 by the orders',
    ]);
    expect(audited([order('external', 'captured')], [opening, ...own('authorise', 'capture')]).found).toStrictEqual([
      'o has the movements authorise, capture, and its payment is captured',
    ]);
  });

  it('names a movement that is not of the order’s total, or its currency', () => {
    const less = [movement('authorise', undefined, { ...paid, totalMinor: 399 })];
    expect(audited([order('balance', 'authorised')], [opening, ...less]).found[0]).toBe('o: its authorise is not of its total');
    const dollars = [movement('authorise', undefined, { ...paid, currency: 'USD' })];
    expect(audited([order('balance', 'authorised')], [opening, ...dollars]).found).toStrictEqual(['o: its authorise is not of its total']);
  });

  it('names money that an order did not keep and that did not go back', () => {
    const stray = { paymentId: 'stray', amountMinor: 9, currency: 'USD' };
    const came = movement('receive', stray);
    expect(audited([order('external', 'none')], [opening, came]).found).toStrictEqual([
      'o did not keep stray in USD, which has the movements receive',
    ]);
    expect(audited([order('external', 'none')], [opening, came, movement('return', stray)]).found).toStrictEqual([]);
    const short = movement('return', { ...stray, amountMinor: 8 });
    expect(audited([order('external', 'none')], [opening, came, short]).found).toStrictEqual([
      'o did not keep stray in USD, which has the movements receive, return',
    ]);
    const other = movement('return', { ...stray, currency: 'EUR' });
    expect(audited([order('external', 'none')], [opening, came, other]).found).toHaveLength(2);
  });

  it('names an account that has not what its entries say, and entries that do not sum to zero', () => {
    expect(audited([], [opening], { account: { balanceMinor: 999 } }).found).toStrictEqual(['ada has 999, by entries 1000']);
    const unbalanced: LedgerMovement = { kind: 'credit', currency: 'EUR', entries: [{ account: 'bank', amountMinor: -1 }] };
    expect(audited([], [unbalanced]).found).toStrictEqual(['ada: the entries of credit  do not sum to zero']);
    expect(audited([], [{ ...unbalanced, orderId: 'x' }]).found).toStrictEqual(['ada: the entries of credit x do not sum to zero']);
    const audit = new MoneyAudit(new Findings(5));
    audit.seeLedger({ userId: 'nobody', movements: [] });
    expect(audit.conclude()).toStrictEqual(figures(0, 0, 0, 0));
  });

  it('counts an account that is not there as one that has nothing', () => {
    const findings = new Findings(5);
    const audit = new MoneyAudit(findings);
    audit.seeLedger({ userId: 'ada', movements: [] });
    audit.seeLedger({ userId: 'bob', movements: [{ kind: 'credit', currency: 'EUR', entries: transfer('bank', 'user:bob', 3) }] });
    expect(findings.shown).toStrictEqual(['bob has 0, by entries 3']);
  });

  it('is not counted beyond what is exact', () => {
    const audit = new MoneyAudit(new Findings(5));
    const much = order('balance', 'authorised', { totalMinor: Number.MAX_SAFE_INTEGER });
    audit.seeOrder(much);
    expect(() => audit.seeOrder({ ...much, orderId: 'o2', totalMinor: 1 })).toThrow(InexactSum);
    expect(audit.isOrder('o')).toBe(true);
    expect(audit.isOrder('x')).toBe(false);
  });
});

describe('a sale’s audit', () => {
  const item = { sku: 'hall', name: 'Hall', priceMinor: 1, currency: 'EUR', total: 2, seated: true };
  const sale = { saleId: 's', version: 1, items: [item, { ...item, sku: 'gone' }] } as unknown as Sale;
  const units = { items: [], takenBack: undefined };
  const audit = () => new SaleAudit(sale, new Map([['hall', ['A-1']]]));

  it('shows the money of its orders by their buyers’ ledgers, and what is behind a difference', () => {
    const looking = audit();
    looking.seeOrder({ ...order('balance', 'authorised'), ...units } as never);
    looking.seeLedger({ userId: 'ada', account: { balanceMinor: 600 }, movements: [opening, ...own('authorise')] });
    expect(looking.conclude('not-loaded').money).toStrictEqual({ ...figures(400, 0, 0, 0), balanced: true });

    const wrong = audit();
    wrong.seeOrder({ ...order('balance', 'authorised'), ...units } as never);
    const { money, findings } = wrong.conclude('not-loaded');
    expect(money).toStrictEqual({ ...figures(0, 0, 0, 0), balanced: false });
    expect(findings).toStrictEqual({
      count: 3,
      shown: [
        'o has the movements none, and its payment is authorised',
        'o has 0 in escrow, and its payment is authorised',
        'authorised: 0 by the ledger, 400 by the orders',
      ],
    });
  });

  it('tells an order of the sale that does not list a unit from a stranger', () => {
    const looking = audit();
    looking.seeUnit({ sku: 'hall', unit: 'A-1', orderId: 'o', state: 'SOLD' });
    looking.seeUnit({ sku: 'cap', unit: '1', orderId: 'o', state: 'SOLD' });
    looking.seeUnit({ sku: 'gone', unit: 'X', orderId: 'x', state: 'SOLD' });
    looking.seeOrder({ ...order('balance', 'none'), ...units } as never);
    expect(looking.conclude('not-loaded').findings.shown).toStrictEqual([
      'hall A-1 belongs to o, which does not list it',
      'gone X was never put on sale',
      'gone X belongs to x, which is not an order of this sale',
    ]);
  });

  it('shows the first of its findings, over all items, and counts the rest', () => {
    const looking = audit();
    for (let number = 0; number < 15; number++)
      for (const sku of ['hall', 'gone']) looking.seeUnit({ sku, unit: `X-${number}`, orderId: 'x', state: 'SOLD' });
    const { count, shown } = looking.conclude('not-loaded').findings;
    expect([count, shown.length]).toStrictEqual([60, 20]);
  });
});
