import { describe, expect, it } from 'vitest';
import type { Movement } from '../../../functions/accounts/account.model.ts';
import { type OrderHistory, type TimelineEntry, timelineOf } from '../../../functions/operations/timeline.model.ts';
import type { OutboxRow } from '../../../functions/orders/outbox.schemas.ts';
import type { PaymentRow } from '../../../functions/payments/payment.model.ts';

const row = (version: number, atMs: number, changes: Partial<OutboxRow> = {}): OutboxRow => ({
  subject: 'o',
  orderId: 'o',
  version,
  saleId: 's',
  buyerId: 'ada',
  strategy: 'reserve-first',
  status: 'RESERVED',
  paymentState: 'none',
  events: [],
  stock: [],
  atMs,
  ...changes,
});
const movement = (kind: Movement['kind'], atMs: number, changes: Partial<Movement> = {}): Movement => ({
  kind,
  currency: 'EUR',
  entries: [],
  atMs,
  orderId: 'o',
  ...changes,
});
const payment = (atMs: number): PaymentRow => ({
  orderId: 'o',
  paymentId: 'p',
  amountMinor: 5,
  currency: 'EUR',
  state: 'kept',
  webhookId: 'w',
  atMs,
});
const told = (history: Partial<OrderHistory>) => timelineOf({ rows: [], movements: [], payments: [], fulfilment: undefined, ...history });
const inShort = (entries: readonly TimelineEntry[]) =>
  entries.map((entry) => `${entry.kind} ${'version' in entry ? entry.version : 'name' in entry ? entry.name : ''}`.trim());

describe('a timeline', () => {
  it('shows what each transition changed, moved and told', () => {
    const stock = [{ sku: 'tee', held: 1, sold: 0, retired: 0 }];
    const data = { totalMinor: 5, currency: 'EUR', paymentMethod: 'balance' } as const;
    expect(told({ rows: [row(1, 10, { stock, events: [{ name: 'OrderPlaced', data }] })] })).toStrictEqual([
      { kind: 'transition', version: 1, status: 'RESERVED', paymentState: 'none', atMs: 10 },
      { kind: 'stock', version: 1, items: stock, atMs: 10 },
      { kind: 'event', version: 1, name: 'OrderPlaced', eventId: 'o#1#OrderPlaced', data, atMs: 10 },
    ]);
    expect(told({})).toStrictEqual([]);
  });

  it('shows money as it moved, payments as they came, and tickets by their number', () => {
    const entries = [{ account: 'a', amountMinor: 1 }];
    expect(
      told({
        movements: [movement('capture', 3, { entries, paymentId: 'p' }), movement('authorise', 2, { entries })],
        payments: [payment(1)],
        fulfilment: { tickets: [{ sku: 'tee', unit: '1', code: 'c' }], fulfilledAtMs: 4 },
      }),
    ).toStrictEqual([
      { kind: 'payment', paymentId: 'p', amountMinor: 5, currency: 'EUR', state: 'kept', atMs: 1 },
      { kind: 'movement', name: 'authorise', currency: 'EUR', entries, atMs: 2 },
      { kind: 'movement', name: 'capture', paymentId: 'p', currency: 'EUR', entries, atMs: 3 },
      { kind: 'fulfilment', tickets: 1, atMs: 4 },
    ]);
  });

  it('puts what has no version with the transition of its very moment, or behind the last before it', () => {
    const rows = [row(1, 100), row(2, 50), row(3, 200)];
    const of = (atMs: number) => inShort(told({ rows: rows.toReversed(), movements: [movement('capture', atMs)] }));
    const all = (at: number) => ['transition 1', 'transition 2', 'transition 3'].toSpliced(at, 0, 'movement capture');
    expect(of(100)).toStrictEqual(all(1));
    expect(of(50)).toStrictEqual(all(2));
    expect(of(200)).toStrictEqual(all(3));
    expect(of(150)).toStrictEqual(all(2));
    expect(of(60)).toStrictEqual(all(2));
    expect(of(999)).toStrictEqual(all(3));
    expect(of(1)).toStrictEqual(all(0));
  });

  it('goes from cause to effect within one transition', () => {
    const events = [{ name: 'OrderFulfilled', data: {} }] as const;
    const rows = [row(1, 10, { events: [...events], stock: [{ sku: 'tee', held: 1, sold: 0, retired: 0 }] })];
    const movements = [movement('refund', 10), movement('capture', 10), movement('receive', 10), movement('authorise', 10)];
    const fulfilment = { tickets: [], fulfilledAtMs: 10 };
    expect(inShort(told({ rows, movements, payments: [payment(10)], fulfilment }))).toStrictEqual([
      'payment',
      'transition 1',
      'stock 1',
      'movement authorise',
      'movement receive',
      'movement capture',
      'movement refund',
      'fulfilment',
      'event 1',
    ]);
  });

  it('goes by time between moves of money that no transition tells apart', () => {
    const movements = [movement('authorise', 30), movement('refund', 20)];
    expect(inShort(told({ rows: [row(1, 10)], movements }))).toStrictEqual(['transition 1', 'movement refund', 'movement authorise']);
  });
});
