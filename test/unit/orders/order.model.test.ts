import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  asPlaced,
  authorise,
  cancel,
  capture,
  confirm,
  type Decision,
  decline,
  displayStatusOf,
  expire,
  expiryGraceMs,
  fulfil,
  hasEnded,
  nextDueMs,
  nextStep,
  type Order,
  orderFailures,
  orderStatuses,
  owesMoney,
  paymentMethods,
  paymentStates,
  refund,
  release,
  type Transition,
} from '../../../functions/orders/order.model.ts';
import { anOrder } from '../../support/orders.ts';

type Rule = (order: Order, nowMs: number) => Decision;
const rules: Record<string, Rule> = {
  authorise,
  decline,
  confirm,
  capture,
  fulfil: (order, nowMs) => fulfil(order, [{ sku: 'tee', unit: '1', code: 'code' }], nowMs),
  expire,
  cancel,
  refund,
  release,
};
const afterExpiryMs = anOrder().holdExpiresAtMs + expiryGraceMs;

/** Applies a random sequence of rules, as racing consumers would, and keeps what was done. */
function run(order: Order, names: readonly string[], nowMs: number) {
  const done: { name: string; before: Order; transition: Transition }[] = [];
  let current = order;
  for (const name of names) {
    const decision = rules[name]?.(current, nowMs);
    if (decision?.outcome !== 'go') continue;
    done.push({ name, before: current, transition: decision.transition });
    current = decision.transition.next;
  }
  return { order: current, done };
}

const sequences = fc.array(fc.constantFrom(...Object.keys(rules)), { maxLength: 40 });
const methods = fc.constantFrom(...paymentMethods);

describe('an order', () => {
  it('moves its units out once and never after it has ended, in any sequence of steps', () => {
    fc.assert(
      fc.property(sequences, methods, (names, method) => {
        const { done } = run(anOrder({ payment: { method, state: 'none' } }), names, afterExpiryMs);
        const freed = done.filter(({ transition }) => transition.units === 'free');
        expect(freed.length).toBeLessThanOrEqual(1);
        expect(done.filter(({ transition }) => transition.units === 'sell').length).toBeLessThanOrEqual(1);
        for (const { before, transition } of done) {
          if (hasEnded(before)) expect(transition.next.status).toBe(before.status);
          expect(transition.units === 'free').toBe(hasEnded(transition.next) && !hasEnded(before));
        }
      }),
    );
  });

  it('never takes money twice, nor returns what it did not take', () => {
    fc.assert(
      fc.property(sequences, methods, (names, method) => {
        const { done, order } = run(anOrder({ payment: { method, state: 'none' } }), names, afterExpiryMs);
        const movements = done.flatMap(({ transition }) => transition.movement ?? []);
        expect(new Set(movements).size).toBe(movements.length);
        const held = movements.includes('authorise') && !movements.includes('void') && !movements.includes('refund');
        expect(held).toBe(order.payment.state === 'authorised' || order.payment.state === 'captured');
        if (movements.includes('refund')) expect(movements).toContain('capture');
      }),
    );
  });

  it('is fulfilled only with captured money, and ended only with none', () => {
    fc.assert(
      fc.property(sequences, (names) => {
        const { order } = run(anOrder(), names, afterExpiryMs);
        if (order.status === 'FULFILLED') expect(order.payment.state).toBe('captured');
        if (hasEnded(order)) expect(owesMoney(order)).toBe(false);
      }),
    );
  });

  it('always reaches a rest when it is driven by what it is, from wherever others left it', () => {
    fc.assert(
      fc.property(sequences, methods, (names, method) => {
        let { order } = run(anOrder({ payment: { method, state: 'none' } }), names, 0);
        for (let step = 0; step < 8; step++) {
          const next = nextStep(order, afterExpiryMs);
          if (next === 'rest') break;
          const choices: Record<string, string[]> = {
            charge: ['authorise', 'capture'],
            confirm: ['confirm'],
            fulfil: ['fulfil'],
            expire: ['expire'],
            compensate: ['refund', 'release'],
          };
          order = run(order, choices[next] ?? [], afterExpiryMs).order;
        }
        expect(nextStep(order, afterExpiryMs)).toBe('rest');
        expect(nextDueMs(order, afterExpiryMs)).toBeUndefined();
      }),
    );
  });

  it('counts every transition in its version and stays due until nothing is owed', () => {
    fc.assert(
      fc.property(sequences, (names) => {
        const { done } = run(anOrder(), names, afterExpiryMs);
        done.forEach(({ transition }, index) => {
          expect(transition.next.version).toBe(index + 2);
          const owed =
            (transition.next.status !== 'FULFILLED' && !hasEnded(transition.next)) ||
            owesMoney(transition.next) ||
            transition.next.stock === 'releasing';
          expect(transition.next.dueAtMs !== undefined).toBe(owed);
        });
      }),
    );
  });

  it('expires at its time and its grace, not before, and not once it is paid', () => {
    const order = anOrder();
    expect(expire(order, afterExpiryMs - 1)).toEqual({ outcome: 'stay', reason: 'not-yet' });
    expect(expire(order, afterExpiryMs)).toMatchObject({ outcome: 'go', transition: { next: { status: 'EXPIRED' } } });
    const paid = run(order, ['authorise'], 0).order;
    expect(expire(paid, afterExpiryMs)).toEqual({ outcome: 'stay', reason: 'paid' });
    expect(nextStep(paid, afterExpiryMs)).toBe('confirm');
  });

  it('can be cancelled until it is fulfilled, and a second cancel changes nothing', () => {
    const cancelled = run(anOrder(), ['authorise', 'cancel'], 0).order;
    expect(cancelled).toMatchObject({ status: 'CANCELLED', payment: { state: 'voided' }, stock: 'releasing' });
    expect(cancel(cancelled, 0)).toEqual({ outcome: 'stay', reason: 'already-cancelled' });

    const captured = run(anOrder(), ['authorise', 'confirm', 'capture', 'cancel'], 0).order;
    expect(captured.status).toBe('REFUNDING');
    expect(run(captured, ['fulfil', 'capture'], 0).done).toEqual([]);
    expect(run(captured, ['refund'], 0).order).toMatchObject({ status: 'REFUNDED', payment: { state: 'refunded' } });

    const fulfilled = run(anOrder(), ['authorise', 'confirm', 'capture', 'fulfil'], 0).order;
    expect(cancel(fulfilled, 0)).toEqual({ outcome: 'stay', reason: 'not-cancellable' });
    expect(cancel(run(anOrder(), ['expire'], afterExpiryMs).order, 0)).toEqual({ outcome: 'stay', reason: 'not-cancellable' });
  });

  it('shows its first answer to whoever repeats the key, whatever has happened since', () => {
    fc.assert(
      fc.property(sequences, (names) => {
        const placed = anOrder();
        expect(asPlaced(run(placed, names, afterExpiryMs).order)).toEqual(asPlaced(placed));
      }),
    );
  });

  it('shows a word of the contract in every state it can have', () => {
    const shown = new Set<string>();
    for (const status of orderStatuses)
      for (const method of paymentMethods)
        for (const state of paymentStates)
          for (const failure of [undefined, ...orderFailures])
            shown.add(displayStatusOf({ status, payment: { method, state }, ...(failure ? { failure } : {}) }));
    expect(shown).toEqual(
      new Set([
        'AWAITING_PAYMENT',
        'AWAITING_INVENTORY',
        'PROCESSING',
        'COMPLETED',
        'REFUND_IN_PROGRESS',
        'FAILED_PAYMENT',
        'FAILED_OUT_OF_STOCK',
        'FAILED',
        'EXPIRED',
        'CANCELLED',
        'REFUNDED',
      ]),
    );
  });
});
