import { randomUUID } from 'node:crypto';
import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { type Movement, outsideAccount } from '../../functions/accounts/account.model.ts';
import { followPayment } from '../../functions/orders/follow-payment.ts';
import type { Order } from '../../functions/orders/order.model.ts';
import type { Payment, PaymentRow } from '../../functions/payments/payment.model.ts';
import { paymentRepository } from '../../functions/payments/payment.repository.ts';
import { type PaymentPorts, takeFailure, takePayment } from '../../functions/payments/take-payment.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { tableNames } from './database.ts';
import type { Engine } from './engine.ts';

export const paymentOf = (order: Order, changes: Partial<Payment> = {}): Payment => ({
  orderId: order.orderId,
  paymentId: `pay_${randomUUID()}`,
  amountMinor: order.totalMinor,
  currency: order.currency,
  ...changes,
});

/** What providers tell, on an engine without functions; what follows a payment at once is done by the engine's steps. */
export function paymentsOn(engine: Engine) {
  const { database, orders, steps, stock } = engine;
  const ports: PaymentPorts = {
    orders,
    clock,
    payments: paymentRepository(database, tableNames),
    goOn: followPayment({ ...steps, stock }),
  };
  const rowsOf = async (TableName: string, key: string, value: string) => {
    const { Items = [] } = await database.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#key = :value',
        ExpressionAttributeNames: { '#key': key },
        ExpressionAttributeValues: { ':value': value },
        ConsistentRead: true,
      }),
    );
    return Items;
  };
  const ledgerOf = async (userId: string) =>
    (await rowsOf(tableNames.accounts, 'userId', userId)).filter(({ kind }) => kind !== undefined) as unknown as Movement[];

  return {
    ports,
    ledgerOf,
    succeed: (payment: Payment, changes: Partial<PaymentPorts> = {}) => takePayment(payment, 'msg_of_a_test', { ...ports, ...changes }),
    fail: (payment: Payment, changes: Partial<PaymentPorts> = {}) => takeFailure(payment, { ...ports, ...changes }),
    rows: async (orderId: string) => (await rowsOf(tableNames.payments, 'orderId', orderId)) as unknown as PaymentRow[],

    /** What each payment from outside has moved for an order, in the ledger's words, in alphabetical order. */
    async movedFor({ buyerId, orderId }: Pick<Order, 'buyerId' | 'orderId'>): Promise<Record<string, string[]>> {
      const moved: Record<string, string[]> = {};
      for (const { paymentId, kind, orderId: of } of await ledgerOf(buyerId)) {
        if (paymentId === undefined || of !== orderId) continue;
        moved[paymentId] = [...(moved[paymentId] ?? []), kind].sort();
      }
      return moved;
    },

    /** What of the buyer's money from outside is here: what came less what went back. */
    keptMinor: async ({ buyerId }: Pick<Order, 'buyerId'>): Promise<number> =>
      (await ledgerOf(buyerId))
        .flatMap(({ entries }) => entries)
        .reduce((kept, { account, amountMinor }) => (account === outsideAccount ? kept - amountMinor : kept), 0),
  };
}
