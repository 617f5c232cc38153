import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { accountRepository } from '../../../functions/accounts/account.repository.ts';
import { fulfilmentWrite } from '../../../functions/fulfilment/fulfilment.writes.ts';
import type { PaymentRow } from '../../../functions/payments/payment.model.ts';
import { paymentRepository } from '../../../functions/payments/payment.repository.ts';
import { transact } from '../../../functions/shared/dynamo.ts';
import { startTables, tableNames } from '../../support/database.ts';
import { anOrder } from '../../support/orders.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => expect(reads.weak()).toStrictEqual([]));

const payments = () => paymentRepository(tables.database, tableNames);
const row = (orderId: string, changes: Partial<PaymentRow> = {}): PaymentRow => ({
  orderId,
  paymentId: 'pay_1',
  amountMinor: 100,
  currency: 'EUR',
  state: 'kept',
  webhookId: 'w1',
  atMs: 5,
  ...changes,
});

describe('a payment from outside', () => {
  it('is taken once for its order, and read as it was taken', async () => {
    expect(await payments().get(row('o1'))).toBeUndefined();
    expect(await transact(tables.database, [payments().entry(row('o1'))])).toStrictEqual({ outcome: 'committed' });
    expect((await transact(tables.database, [payments().entry(row('o1', { state: 'returned' }))])).outcome).toBe('refused');
    expect(await payments().get(row('o1'))).toStrictEqual(row('o1'));
    expect(await payments().get(row('o1', { paymentId: 'pay_2' }))).toBeUndefined();
    expect(await transact(tables.database, [payments().entry(row('o1', { paymentId: 'pay_2' }))])).toStrictEqual({ outcome: 'committed' });
  });

  it('whose order nobody knows is booked in and out again, once', async () => {
    expect(await payments().bookStray(row('o2', { state: 'returned' }))).toBe('booked');
    expect(await payments().bookStray(row('o2', { state: 'returned' }))).toBe('known');
    expect(await payments().get(row('o2'))).toMatchObject({ state: 'returned' });
    const movements = await accountRepository(tables.database, 'accounts').movements('stray:o2');
    expect(movements.map(({ kind, paymentId, orderId, currency, atMs }) => ({ kind, paymentId, orderId, currency, atMs }))).toStrictEqual([
      { kind: 'receive', paymentId: 'pay_1', orderId: 'o2', currency: 'EUR', atMs: 5 },
      { kind: 'return', paymentId: 'pay_1', orderId: 'o2', currency: 'EUR', atMs: 5 },
    ]);
    expect(movements.map(({ entries }) => entries)).toStrictEqual([
      [
        { account: 'outside', amountMinor: -100 },
        { account: 'escrow:o2', amountMinor: 100 },
      ],
      [
        { account: 'escrow:o2', amountMinor: -100 },
        { account: 'outside', amountMinor: 100 },
      ],
    ]);
  });
});

describe('what was handed over', () => {
  it('is kept with the order, its tickets and its moment', () => {
    const ticket = { sku: 'tee', unit: '1', code: 'code' };
    const order = anOrder({ tickets: [ticket] });
    const item = { orderId: order.orderId, saleId: 'sale', buyerId: 'ada', tickets: [ticket], fulfilledAtMs: order.updatedAtMs };
    expect(fulfilmentWrite(order, 'fulfilments')).toStrictEqual({ Put: { TableName: 'fulfilments', Item: item } });
    expect(fulfilmentWrite(anOrder(), 'fulfilments').Put?.Item).toMatchObject({ tickets: [] });
  });
});
