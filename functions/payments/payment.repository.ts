import { strayPaymentWrites } from '../accounts/account.writes.ts';
import { type Database, transact, type Write } from '../shared/dynamo.ts';
import type { Payment, PaymentRow } from './payment.model.ts';

export interface PaymentRepository {
  /** What became of a payment that arrived before, read with strong consistency. */
  get(payment: Pick<Payment, 'orderId' | 'paymentId'>): Promise<PaymentRow | undefined>;
  /** The piece of a transaction that takes a payment, once: refused when it was taken already. */
  entry(row: PaymentRow): Write;
  /** Books money whose order nobody knows, in and out again: one transaction, or nothing where the payment was taken already. */
  bookStray(row: PaymentRow): Promise<'booked' | 'known'>;
}

export function paymentRepository(database: Database, tables: { readonly payments: string; readonly accounts: string }): PaymentRepository {
  const entry = (row: PaymentRow): Write => ({
    Put: { TableName: tables.payments, Item: { ...row }, ConditionExpression: 'attribute_not_exists(orderId)' },
  });
  return {
    entry,
    async get({ orderId, paymentId }) {
      const { Item } = await database.get({ TableName: tables.payments, Key: { orderId, paymentId }, ConsistentRead: true });
      return Item as PaymentRow | undefined;
    },
    async bookStray(row) {
      const { outcome } = await transact(database, [entry(row), ...strayPaymentWrites(row.orderId, row, row.atMs, tables.accounts)]);
      return outcome === 'committed' ? 'booked' : 'known';
    },
  };
}
