import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Movement } from '../../../functions/accounts/account.model.ts';
import { movementWrites } from '../../../functions/accounts/account.writes.ts';
import { Findings } from '../../../functions/operations/findings.model.ts';
import { MoneyAudit } from '../../../functions/operations/money-audit.model.ts';
import { type Decision, type Order, outsidePaymentOf } from '../../../functions/orders/order.model.ts';
import {
  allocate,
  authorise,
  cancel,
  capture,
  confirm,
  decline,
  expire,
  fulfil,
  giveBackLate,
  receive,
  reclaim,
  refund,
  reject,
  release,
  requestRefund,
  sendBack,
} from '../../../functions/orders/order.transitions.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';

const nowMs = 2_000_000_000_000;
const allocation = ({ holdId, bornUs, holdExpiresAtMs, items, slots }: Order) => ({ holdId, bornUs, holdExpiresAtMs, items, slots });

/** Every rule that moves an order or its money; which of them does anything is the order's to say. */
const rules: Record<string, (order: Order, payment: number) => Decision> = {
  authorise: (order) => authorise(order, nowMs),
  receive: (order, payment) => receive(order, `pay_${payment}`, nowMs),
  sendBack: (order, payment) => ({
    outcome: 'go',
    transition: sendBack(order, { paymentId: `back_${payment}`, amountMinor: payment * 7, currency: payment % 2 ? 'USD' : 'EUR' }, nowMs),
  }),
  decline: (order) => decline(order, nowMs),
  expire: (order) => expire(order, nowMs),
  cancel: (order) => cancel(order, nowMs),
  allocate: (order) => allocate(order, allocation(order), nowMs),
  reject: (order) => reject(order, 'OUT_OF_STOCK', nowMs),
  confirm: (order) => confirm(order, nowMs),
  capture: (order) => capture(order, nowMs),
  fulfil: (order) => fulfil(order, [], nowMs),
  requestRefund: (order) => requestRefund(order, { reason: 'a test', units: 'free' }, nowMs),
  refund: (order) => refund(order, nowMs),
  release: (order) => release(order, nowMs),
  reclaim: (order) => reclaim(order, allocation(order), nowMs),
  giveBackLate: (order) => giveBackLate(order, nowMs),
};

const course = fc.record({
  method: fc.constantFrom('balance' as const, 'external' as const),
  status: fc.constantFrom('RESERVED' as const, 'PENDING' as const),
  steps: fc.array(fc.record({ rule: fc.constantFrom(...Object.keys(rules)), payment: fc.nat(99) }), { maxLength: 25, size: 'max' }),
});

interface Booked {
  readonly order: Order;
  /** What the ledger has of the order, by its key: a second movement under the same key would refuse its transaction. */
  readonly ledger: ReadonlyMap<string, Movement>;
}

/** An order after these steps, with all that they booked. A payment that was told of before is not told again. */
function bookedBy({ method, status, steps }: typeof course extends fc.Arbitrary<infer Value> ? Value : never): Booked {
  let order = anOrder({ holdId: freshHoldId(), status, payment: { method, state: 'none' } });
  const ledger = new Map<string, Movement>();
  const told = new Set<string>();
  for (const { rule, payment } of steps) {
    const isPayment = rule === 'receive' || rule === 'sendBack';
    if (isPayment && told.has(`${rule} ${payment}`)) continue;
    const decision = rules[rule]?.(order, payment);
    if (decision?.outcome !== 'go') continue;
    told.add(`${rule} ${payment}`);
    const { next, movements = [] } = decision.transition;
    for (const movement of movements) {
      for (const { Put } of movementWrites(movement, next, nowMs, 'accounts', outsidePaymentOf(decision.transition))) {
        if (!Put) continue;
        const { entry, ...row } = Put.Item as Movement & { entry: string };
        expect(ledger.has(entry), `${entry} is booked once`).toBe(false);
        ledger.set(entry, row);
      }
    }
    order = next;
  }
  return { order, ledger };
}

/** What the audit says of orders of one sale and what their buyers' ledgers have. */
function audited(booked: readonly Pick<Booked, 'order' | 'ledger'>[]) {
  const findings = new Findings(20);
  const audit = new MoneyAudit(findings);
  for (const { order } of booked) audit.seeOrder(order);
  for (const [index, { ledger }] of booked.entries()) {
    // The buyer has what the entries say; that this is compared is another test's.
    const balanceMinor = [...ledger.values()]
      .flatMap(({ entries }) => entries)
      .reduce((sum, { account, amountMinor }) => (account === 'user:ada' ? sum + amountMinor : sum), 0);
    audit.seeLedger({
      userId: index === 0 ? 'ada' : `ada${index}`,
      account: { balanceMinor: index === 0 ? balanceMinor : 0 },
      movements: [...ledger.values()],
    });
  }
  return { figures: audit.conclude(), findings: findings.shown };
}

describe('the audit of money', () => {
  it('balances after every course of an order, paid by balance or from outside, with wrong, late and pending payments', () => {
    fc.assert(
      fc.property(course, (one) => {
        const booked = bookedBy(one);
        const { order } = booked;
        const { figures, findings } = audited([booked]);
        expect(findings, JSON.stringify(order)).toEqual([]);
        const waits = order.payment.state === 'captured' && order.status !== 'FULFILLED' ? order.totalMinor : 0;
        expect(figures.capturedMinor).toBe(figures.fulfilledMinor + figures.refundedMinor + waits);
        const inEscrowMinor = order.payment.state === 'authorised' || order.late ? order.totalMinor : 0;
        expect(figures.authorisedMinor).toBe(inEscrowMinor);
      }),
      { numRuns: 500 },
    );
  });

  it('balances the sum of many', () => {
    fc.assert(
      fc.property(fc.array(course, { minLength: 2, maxLength: 6 }), (courses) => {
        const outside = courses.map((one) => bookedBy({ ...one, method: 'external' }));
        expect(audited(outside).findings).toEqual([]);
      }),
    );
  });

  it('finds each movement that is missing, and each that is of another amount', () => {
    fc.assert(
      fc.property(course, fc.nat(), (one, at) => {
        const { order, ledger } = bookedBy(one);
        fc.pre(ledger.size > 0);
        const [entry, movement] = [...ledger][at % ledger.size] ?? [];
        if (entry === undefined || movement === undefined) return;
        const isOfNothing = movement.entries.every(({ amountMinor }) => amountMinor === 0);
        const without = new Map([...ledger].filter(([each]) => each !== entry));
        expect(audited([{ order, ledger: without }]).findings).not.toEqual([]);
        if (isOfNothing) return;
        const doubled = movement.entries.map((each) => ({ ...each, amountMinor: each.amountMinor * 2 }));
        expect(audited([{ order, ledger: new Map([...ledger, [entry, { ...movement, entries: doubled }]]) }]).findings).not.toEqual([]);
      }),
    );
  });

  it('finds money that came for an order and stayed, and money that went back in another currency', () => {
    const [order, ledger] = [anOrder({ payment: { method: 'external', state: 'none' } }), new Map<string, Movement>()];
    const sent = sendBack(order, { paymentId: 'pay_1', amountMinor: 100, currency: 'USD' }, nowMs);
    for (const kind of sent.movements ?? [])
      for (const { Put } of movementWrites(kind, sent.next, nowMs, 'accounts', sent.returned)) ledger.set(kind, Put?.Item as Movement);
    expect(audited([{ order: sent.next, ledger }]).findings).toEqual([]);
    const stayed = new Map([...ledger].filter(([kind]) => kind !== 'return'));
    expect(audited([{ order: sent.next, ledger: stayed }]).findings).toHaveLength(1);
    const changed = new Map([...ledger].map(([kind, row]) => [kind, kind === 'return' ? { ...row, currency: 'EUR' } : row] as const));
    expect(audited([{ order: sent.next, ledger: changed }]).findings).toHaveLength(2);
  });
});
