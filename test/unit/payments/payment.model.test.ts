import { describe, expect, it } from 'vitest';
import type { Order } from '../../../functions/orders/order.model.ts';
import { giveUp, settle } from '../../../functions/payments/payment.model.ts';
import { anOrder } from '../../support/orders.ts';

const nowMs = 1_000_000_001_000;
const external = (changes: Partial<Order> = {}) => anOrder({ payment: { method: 'external', state: 'none' }, ...changes });
const payment = { orderId: anOrder().orderId, paymentId: 'pay_1', amountMinor: 2_500, currency: 'EUR' };

describe('money that comes for an order', () => {
  it('pays it when it is its price in its currency', () => {
    const { state, transition } = settle(external(), payment, nowMs);
    expect(state).toBe('kept');
    expect(transition.next).toMatchObject({ status: 'CONFIRMED', payment: { state: 'captured', paymentId: 'pay_1' } });
    expect(transition.returned).toBeUndefined();
  });

  it('waits for units when it comes after the order’s expiry', () => {
    const { state, transition } = settle(external({ status: 'EXPIRED', stock: 'released' }), payment, nowMs);
    expect(state).toBe('late');
    expect(transition.next.late).toStrictEqual({ paymentId: 'pay_1' });
  });

  it.each([
    ['another amount', external(), { amountMinor: 2_499 }],
    ['another currency', external(), { currency: 'USD' }],
    ['an order that is paid by balance', anOrder(), {}],
    ['an order that is paid already', external({ status: 'CONFIRMED', payment: { method: 'external', state: 'captured' } }), {}],
    ['an order that is cancelled', external({ status: 'CANCELLED' }), {}],
  ])('goes back as it came: %s', (_, order, changes) => {
    const came = { ...payment, ...changes };
    const { state, transition } = settle(order, came, nowMs);
    const { orderId: _id, ...returned } = came;
    expect(state).toBe('returned');
    expect(transition).toMatchObject({ returned, movements: ['receive', 'return'], events: ['PaymentRefunded'] });
    expect(transition.next).toMatchObject({ status: order.status, payment: order.payment, version: 2 });
  });
});

describe('a payment that failed', () => {
  it('ends the order that waits for it, and none that is paid by balance', () => {
    const ended = giveUp(external(), nowMs);
    expect(ended).toMatchObject({ outcome: 'go', transition: { next: { status: 'FAILED', failure: 'PAYMENT_DECLINED' }, units: 'free' } });
    expect(giveUp(anOrder(), nowMs)).toStrictEqual({ outcome: 'stay', reason: 'paid-elsewhere' });
    expect(giveUp(external({ status: 'EXPIRED' }), nowMs)).toStrictEqual({ outcome: 'stay', reason: 'not-awaiting-payment' });
  });
});
