import { PutCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { movementWrites } from '../../../functions/accounts/account.writes.ts';
import { fulfilmentWrite } from '../../../functions/fulfilment/fulfilment.writes.ts';
import { timelineOf } from '../../../functions/operations/timeline.model.ts';
import { orderHistories } from '../../../functions/operations/timeline.repository.ts';
import { TimelineEntryAnswer } from '../../../functions/operations/timeline.schemas.ts';
import { OutboxRow } from '../../../functions/orders/outbox.schemas.ts';
import type { PaymentRow } from '../../../functions/payments/payment.model.ts';
import { rfc3339 } from '../../../functions/shared/clock.ts';
import { startTables, tableNames } from '../../support/database.ts';
import { type Life, lifeOf, lives, putInto } from '../../support/histories.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
beforeAll(async () => {
  tables = await startTables();
});
afterAll(() => tables?.stop());

const rowsOf = ({ writes }: Life) => writes.flatMap((each) => putInto('outbox', each)).map((row) => OutboxRow.parse(row));
const nothing = { movements: [], payments: [], fulfilment: undefined };

/** An order to which everything happens in turn, a second apart, and its rows. */
function aLife() {
  const life = lifeOf(anOrder({ holdId: freshHoldId() }), [
    'authorise',
    'confirm',
    'capture',
    'fulfil',
    'refundAndRetire',
    'refund',
    'release',
  ]);
  return { order: life.order, rows: rowsOf(life).map((row, index) => ({ ...row, atMs: 1_000_000 + index * 1_000 })) };
}

describe('a timeline', () => {
  it('tells each transition, event and step of the stock, in order, of any order', () => {
    fc.assert(
      fc.property(lives, (all) => {
        for (const life of all) {
          const rows = rowsOf(life);
          const timeline = timelineOf({ ...nothing, rows: rows.toReversed() });
          const of = (kind: string) => timeline.filter((entry) => entry.kind === kind);
          expect(of('transition').map((entry) => 'version' in entry && entry.version)).toEqual(rows.map(({ version }) => version));
          expect(of('event')).toHaveLength(rows.reduce((sum, { events }) => sum + events.length, 0));
          expect(of('stock')).toHaveLength(rows.filter(({ stock }) => stock.length > 0).length);
          for (const { atMs, ...entry } of timeline) TimelineEntryAnswer.parse({ ...entry, at: rfc3339(atMs) });
        }
      }),
    );
  });

  it('goes by versions where clocks differ, and puts money and tickets with the transition that moved them', () => {
    const { rows } = aLife();
    // The function that confirmed has a clock that is behind.
    const skewed = rows.map((row) => (row.version === 3 ? { ...row, atMs: row.atMs - 60_000 } : row));
    const at = (version: number) => skewed.find((row) => row.version === version)?.atMs ?? 0;
    const movement = { currency: 'EUR', entries: [] };
    const timeline = timelineOf({
      rows: skewed,
      movements: [
        { ...movement, kind: 'capture', atMs: at(4) },
        { ...movement, kind: 'authorise', atMs: at(2) },
        { ...movement, kind: 'refund', atMs: at(7) },
      ],
      payments: [],
      fulfilment: { tickets: [], fulfilledAtMs: at(5) },
    });
    expect(
      timeline.map((entry) => ('name' in entry ? `${entry.kind} ${entry.name}` : 'status' in entry ? entry.status : entry.kind)),
    ).toEqual(
      [
        ['RESERVED', 'stock', 'event OrderPlaced'],
        ['RESERVED', 'movement authorise', 'event PaymentAuthorised'],
        ['CONFIRMED', 'stock', 'event OrderConfirmed'],
        ['CONFIRMED', 'movement capture', 'event PaymentCaptured'],
        ['FULFILLED', 'fulfilment', 'event OrderFulfilled'],
        ['REFUNDING', 'event RefundRequested'],
        ['REFUNDED', 'stock', 'movement refund', 'event PaymentRefunded'],
        ['REFUNDED'],
      ].flat(),
    );
    const reasons = timeline.flatMap((entry) => (entry.kind === 'event' && entry.name === 'RefundRequested' ? [entry.data] : []));
    expect(reasons).toMatchObject([{ reason: 'used', units: 'retire' }]);
  });

  it('tells of money that came from outside before it tells where that went', () => {
    const [row] = aLife().rows;
    if (!row) throw new Error('a life begins with a row');
    const movement = { currency: 'EUR', entries: [], atMs: row.atMs };
    const movements = (['return', 'capture', 'receive'] as const).map((kind) => ({ ...movement, kind }));
    const timeline = timelineOf({ ...nothing, rows: [row], movements });
    expect(timeline.flatMap((entry) => (entry.kind === 'movement' ? [entry.name] : []))).toEqual(['receive', 'capture', 'return']);
  });

  it('says how an order ended that did not become what it was to be', () => {
    const ends = (names: readonly string[]) =>
      timelineOf({ ...nothing, rows: rowsOf(lifeOf(anOrder({ holdId: freshHoldId() }), names)) }).flatMap((entry) =>
        entry.kind === 'event' ? [{ name: entry.name, ...entry.data }] : [],
      );
    expect(ends(['decline'])).toContainEqual({ name: 'OrderFailed', failure: 'PAYMENT_DECLINED' });
    expect(ends(['expire'])).toContainEqual({ name: 'OrderExpired' });
    expect(ends(['callOff'])).toContainEqual({ name: 'OrderCancelled', reason: 'called off', units: 'retire' });
  });

  it('is read from what is stored of the order, all of it and of no other, as far as its bound goes', async () => {
    const { order, rows } = aLife();
    const other = aLife();
    for (const row of [...rows, ...other.rows]) await tables.database.send(new PutCommand({ TableName: 'outbox', Item: row }));
    // Of the same buyer.
    for (const { orderId } of [order, other.order]) {
      for (const [index, kind] of (['authorise', 'capture', 'refund'] as const).entries()) {
        const puts = movementWrites(kind, { ...order, orderId }, index, 'accounts').filter(({ Put }) => Put);
        await tables.database.send(new TransactWriteCommand({ TransactItems: puts }));
      }
      const payment: PaymentRow = {
        orderId,
        paymentId: 'pay_1',
        amountMinor: 1,
        currency: 'EUR',
        state: 'returned',
        webhookId: 'w',
        atMs: 1,
      };
      await tables.database.send(new PutCommand({ TableName: 'payments', Item: payment }));
      await tables.database.send(
        new TransactWriteCommand({ TransactItems: [fulfilmentWrite({ ...order, orderId, updatedAtMs: 5 }, 'fulfilments')] }),
      );
    }
    const histories = orderHistories(tables.database, tableNames);
    const { history, complete } = await histories.of(order, 100);
    expect(complete).toBe(true);
    expect(history.rows).toEqual(rows);
    expect(history.movements).toMatchObject(['authorise', 'capture', 'refund'].map((kind) => ({ kind, orderId: order.orderId })));
    expect(history.payments).toMatchObject([{ orderId: order.orderId, state: 'returned' }]);
    expect(history.fulfilment).toMatchObject({ orderId: order.orderId, fulfilledAtMs: 5 });

    const short = await histories.of(order, 3);
    expect(short.complete).toBe(false);
    expect(short.history.rows).toEqual(rows.slice(0, 3));
    expect((await histories.of(order, rows.length)).complete).toBe(true);
    expect(await histories.of(anOrder({ holdId: freshHoldId() }), 3)).toMatchObject({
      history: { rows: [], fulfilment: undefined },
      complete: true,
    });
  });
});
