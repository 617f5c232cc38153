import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayStatusOf } from '../../../functions/orders/display-status.model.ts';
import { orderAnswer } from '../../../functions/orders/order.answer.ts';
import { orderEvents } from '../../../functions/orders/order.events.ts';
import {
  asPlaced,
  type Decision,
  expiryGraceMs,
  hasEnded,
  hasUnits,
  nextDueMs,
  nextStep,
  type Order,
  orderFailures,
  orderStatuses,
  owesMoney,
  ownsUnits,
  type PaymentMethod,
  paymentMethods,
  paymentStates,
  retiresUnits,
  type Transition,
} from '../../../functions/orders/order.model.ts';
import {
  allocate,
  authorise,
  cancel,
  capture,
  confirm,
  decline,
  disown,
  expire,
  fulfil,
  giveBackLate,
  receive,
  reclaim,
  refund,
  refundTerms,
  reject,
  release,
  requestRefund,
  takeBack,
} from '../../../functions/orders/order.transitions.model.ts';
import { eventsOf, outboxRow } from '../../../functions/orders/outbox.model.ts';
import { standingOf } from '../../../functions/orders/placement.model.ts';
import type { Strategy } from '../../../functions/sales/sale.model.ts';
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
  callOff: (order, nowMs) => takeBack(order, { reason: 'called off', units: 'retire' }, nowMs),
  refundAndReturn: (order, nowMs) => requestRefund(order, refundTerms(order, { reason: 'moved', returnUnits: true }), nowMs),
  refundAndRetire: (order, nowMs) => requestRefund(order, refundTerms(order, { reason: 'used', returnUnits: false }), nowMs),
  refund,
  release,
  allocate: (order, nowMs) => allocate(order, unitsFor(order), nowMs),
  rejectOutOfStock: (order, nowMs) => reject(order, 'OUT_OF_STOCK', nowMs),
  receive: (order, nowMs) => receive(order, `payment-${order.version}`, nowMs),
  reclaim: (order, nowMs) => reclaim(order, unitsFor(order), nowMs),
  giveBackLate,
  disown: (order, nowMs) => disown(order, order.bornUs, nowMs),
};
/** A hold for the order, born later than whatever was before. */
const unitsFor = (order: Order) => ({
  holdId: `${order.holdId}.later`,
  bornUs: order.bornUs + order.version,
  holdExpiresAtMs: order.holdExpiresAtMs,
  items: [{ sku: 'tee', quantity: 1, units: [`${order.version}`], priceMinor: 2_500 }],
  slots: [1],
});
/** As each strategy places it. */
const placedBy = (strategy: Strategy, method: PaymentMethod = 'balance'): Order =>
  anOrder({
    strategy,
    payment: { method, state: 'none' },
    ...(strategy === 'charge-first'
      ? { status: 'PENDING', items: [{ sku: 'tee', quantity: 1, units: [], priceMinor: 2_500 }], slots: [] }
      : {}),
  });
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

/** The way of an order that all goes well for, parts of it and repeats: chance alone hardly ever gets as far as the money. */
const theWay = ['authorise', 'receive', 'receive', 'allocate', 'confirm', 'confirm', 'capture', 'capture', 'fulfil', 'fulfil'];
const sequences = fc
  .tuple(fc.oneof(fc.constant([]), fc.subarray(theWay)), fc.array(fc.constantFrom(...Object.keys(rules)), { maxLength: 40 }))
  .map(([begun, rest]) => [...begun, ...rest]);
/** Enough that every short detour from the way is taken. */
const often = { numRuns: 2_000 };
const methods = fc.constantFrom(...paymentMethods);
const strategies = fc.constantFrom<Strategy>('reserve-first', 'charge-first');

describe('an order', () => {
  it('has units from one claim to one end of it, whoever steps in between', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, (names, method, strategy) => {
        const placed = placedBy(strategy, method);
        const { done } = run(placed, names, afterExpiryMs);
        let has = hasUnits(placed);
        for (const { before, transition } of done) {
          const { units, next } = transition;
          const claims = units === 'claim';
          const leaves = (units === 'free' || units === 'retire') && hasUnits(before);
          if (claims) expect(has).toBe(false);
          if (leaves || units === 'sell') expect(has).toBe(true);
          if (leaves) expect(units).toBe(retiresUnits(next) ? 'retire' : 'free');
          has = claims || (has && !leaves);
          // An end has none, and whoever is promised some has them; one on its way back may never have had any.
          if (hasEnded(next)) expect(has).toBe(false);
          if (ownsUnits(next) && next.status !== 'REFUNDING') expect(has).toBe(true);
        }
      }),
    );
  });

  it('stays ended, unless money that came too late bought units once more', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, (names, method, strategy) => {
        const { done } = run(placedBy(strategy, method), names, afterExpiryMs);
        for (const { before, transition, name } of done) {
          if (hasEnded(before) && name !== 'reclaim') expect(transition.next.status).toBe(before.status);
        }
      }),
    );
  });

  it('never takes money twice, nor returns what it did not take', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, (names, method, strategy) => {
        const { done, order } = run(placedBy(strategy, method), names, afterExpiryMs);
        const movements = done.flatMap(({ transition }) => transition.movements ?? []);
        const times = (...wanted: string[]) => movements.filter((movement) => wanted.includes(movement)).length;
        for (const once of ['authorise', 'capture', 'void', 'refund']) expect(times(once), once).toBeLessThanOrEqual(1);
        // All that came is still here, or has gone back.
        const holds = order.payment.state === 'authorised' || order.payment.state === 'captured' ? 1 : 0;
        const late = order.late === undefined ? 0 : 1;
        expect(times('authorise', 'receive') - times('void', 'refund', 'return')).toBe(holds + late);
        if (times('refund') > 0) expect(times('capture')).toBe(1);
        if (method === 'balance') expect(times('receive', 'return')).toBe(0);
        else expect(times('authorise', 'void')).toBe(0);
      }),
      often,
    );
  });

  it('is fulfilled only with captured money, and ended only with none', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, (names, method, strategy) => {
        for (const { transition } of run(placedBy(strategy, method), names, afterExpiryMs).done) {
          const { next } = transition;
          if (next.status === 'FULFILLED') expect(next.payment.state).toBe('captured');
          if (hasEnded(next)) expect(owesMoney(next)).toBe(next.late !== undefined);
        }
      }),
      often,
    );
  });

  it('always reaches a rest when it is driven by what it is, from wherever others left it, with units left or none', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, fc.boolean(), (names, method, strategy, isLeft) => {
        let { order } = run(placedBy(strategy, method), names, 0);
        for (let step = 0; step < 10; step++) {
          const next = nextStep(order, afterExpiryMs);
          if (next === 'rest') break;
          const choices: Record<string, string[]> = {
            charge: ['authorise', 'capture'],
            allocate: [isLeft ? 'allocate' : 'rejectOutOfStock'],
            confirm: ['confirm'],
            fulfil: ['fulfil'],
            expire: ['expire'],
            compensate: ['refund', 'release'],
            reclaim: [isLeft ? 'reclaim' : 'giveBackLate'],
          };
          order = run(order, choices[next] ?? [], afterExpiryMs).order;
        }
        expect(nextStep(order, afterExpiryMs)).toBe('rest');
        expect(nextDueMs(order, afterExpiryMs)).toBeUndefined();
      }),
    );
  });

  it('gets no hold that was given back, whatever version it is seen at', () => {
    const pending = run(placedBy('charge-first'), ['authorise'], 0).order;
    const hold = unitsFor(pending);
    const touched = disown(pending, hold.bornUs, 0);
    if (touched.outcome !== 'go') throw new Error(touched.reason);
    expect(allocate(touched.transition.next, hold, 0)).toEqual({ outcome: 'stay', reason: 'disowned' });
    expect(allocate(touched.transition.next, { ...hold, bornUs: hold.bornUs + 1 }, 0)).toMatchObject({ outcome: 'go' });
    const reserved = run(pending, ['allocate'], 0).order;
    expect(disown(reserved, hold.bornUs, 0)).toEqual({ outcome: 'stay', reason: 'nothing-awaited' });
  });

  it('that was paid before it was confirmed says so, for whoever hands it over', () => {
    const pending = placedBy('charge-first', 'external');
    const { order, done } = run(pending, ['receive', 'allocate'], 0);
    expect(order).toMatchObject({ status: 'CONFIRMED', payment: { state: 'captured' } });
    expect(done.map(({ transition }) => transition.events)).toEqual([['PaymentCaptured'], ['StockReserved', 'OrderConfirmed']]);
    expect(eventsOf(outboxRow(done[1]?.transition as Transition)).find(({ name }) => name === 'OrderConfirmed')?.detail.data).toEqual({
      paymentState: 'captured',
    });
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
      often,
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

  it('is refunded from CONFIRMED with its units for sale again, and from FULFILLED only when that is asked for', () => {
    const confirmed = run(anOrder(), ['authorise', 'confirm'], 0).order;
    const fulfilled = run(confirmed, ['capture', 'fulfil'], 0).order;
    const ends = (order: Order, rule: string) => run(order, [rule, 'refund'], 0).order;
    expect(ends(confirmed, 'refundAndRetire')).toMatchObject({
      status: 'REFUNDED',
      payment: { state: 'voided' },
      takenBack: { units: 'free' },
    });
    expect(ends(fulfilled, 'refundAndReturn')).toMatchObject({
      status: 'REFUNDED',
      payment: { state: 'refunded' },
      takenBack: { units: 'free' },
    });
    expect(ends(fulfilled, 'refundAndRetire')).toMatchObject({ status: 'REFUNDED', takenBack: { reason: 'used', units: 'retire' } });
    for (const order of [anOrder(), ends(fulfilled, 'refundAndReturn'), run(fulfilled, ['refundAndRetire'], 0).order]) {
      expect(requestRefund(order, { reason: 'again', units: 'free' }, 0)).toEqual({ outcome: 'stay', reason: 'not-refundable' });
    }
  });

  it('that is fulfilled is due again from its refund until Redis has let go, and displays it', () => {
    const fulfilled = run(anOrder(), ['authorise', 'confirm', 'capture', 'fulfil'], 0).order;
    expect([fulfilled.dueAtMs, nextStep(fulfilled, 0)]).toEqual([undefined, 'rest']);
    const refunding = run(fulfilled, ['refundAndRetire'], 0).order;
    expect([refunding.status, nextStep(refunding, 0), displayStatusOf(refunding)]).toEqual([
      'REFUNDING',
      'compensate',
      'REFUND_IN_PROGRESS',
    ]);
    expect(refunding.dueAtMs).toBeDefined();
    const refunded = run(refunding, ['refund'], 0).order;
    expect([refunded.status, nextStep(refunded, 0), displayStatusOf(refunded)]).toEqual(['REFUNDED', 'compensate', 'REFUNDED']);
    const released = run(refunded, ['release'], 0).order;
    expect([released.dueAtMs, nextStep(released, 0)]).toEqual([undefined, 'rest']);
  });

  it.each([
    { paid: [], ends: 'CANCELLED', payment: 'none' },
    { paid: ['authorise'], ends: 'CANCELLED', payment: 'voided' },
    { paid: ['authorise', 'confirm'], ends: 'REFUNDED', payment: 'voided' },
    { paid: ['authorise', 'confirm', 'capture'], ends: 'REFUNDED', payment: 'refunded' },
    { paid: ['authorise', 'confirm', 'capture', 'fulfil'], ends: 'REFUNDED', payment: 'refunded' },
  ])('whose sale is called off ends $ends after [$paid], with its money back and its units retired', ({ paid, ends, payment }) => {
    const { order, done } = run(anOrder(), [...paid, 'callOff', 'callOff', 'refund', 'callOff'], 0);
    expect(order).toMatchObject({ status: ends, payment: { state: payment }, stock: 'releasing', takenBack: { units: 'retire' } });
    expect(done.filter(({ transition }) => transition.units === 'retire')).toHaveLength(1);
    expect(standingOf(order)).toBe('retired');
    expect(run(order, ['release'], 0).done).toMatchObject([{ transition: { next: { stock: 'released' }, events: [] } }]);
  });

  it('that the buyer took back first keeps to that when its sale is called off', () => {
    const refunding = run(anOrder(), ['authorise', 'confirm', 'cancel'], 0).order;
    expect(run(refunding, ['callOff'], 0).done).toEqual([]);
    expect(standingOf(run(refunding, ['refund'], 0).order)).toBe('ended');
    const declined = run(anOrder(), ['decline'], 0).order;
    expect(run(declined, ['callOff'], 0).done).toEqual([]);
  });

  it('says in its events why it was taken back and what becomes of its units', () => {
    const dataOf = (names: readonly string[]) => {
      const { done } = run(anOrder(), names, 0);
      const events = done.flatMap(({ transition }) => eventsOf(outboxRow(transition)));
      for (const { name, detail } of events) expect(orderEvents[name].safeParse(detail).success, name).toBe(true);
      return events.filter(({ name }) => name !== 'OrderUpdated').at(-1)?.detail.data;
    };
    const paid = ['authorise', 'confirm', 'capture', 'fulfil'];
    expect(dataOf([...paid, 'refundAndRetire'])).toMatchObject({ reason: 'used', units: 'retire', totalMinor: 2_500 });
    expect(dataOf(['authorise', 'confirm', 'cancel'])).toEqual({ units: 'free', totalMinor: 2_500, currency: 'EUR' });
    expect(dataOf(['callOff'])).toEqual({ reason: 'called off', units: 'retire' });
    expect(dataOf(['cancel'])).toEqual({ units: 'free' });
  });

  it('shows its first answer to whoever repeats the key, whatever has happened since', () => {
    fc.assert(
      fc.property(sequences, methods, strategies, (names, method, strategy) => {
        const placed = placedBy(strategy, method);
        const shown = (order: Order) => orderAnswer(asPlaced(order));
        expect(shown(run(placed, names, afterExpiryMs).order)).toEqual(shown(placed));
      }),
      often,
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
