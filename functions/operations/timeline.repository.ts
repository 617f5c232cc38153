import type { QueryCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Movement } from '../accounts/account.model.ts';
import { movementPrefix } from '../accounts/account.writes.ts';
import type { Order, Ticket } from '../orders/order.model.ts';
import { OutboxRow } from '../orders/outbox.schemas.ts';
import type { PaymentRow } from '../payments/payment.model.ts';
import type { Database } from '../shared/dynamo.ts';
import type { OrderHistory } from './timeline.model.ts';

export interface TimelineTables {
  readonly outbox: string;
  readonly accounts: string;
  readonly payments: string;
  readonly fulfilments: string;
}

export interface OrderHistories {
  /** All that is stored of the order's past, read with strong consistency, at most `rowsMax` of each kind. */
  of(order: Pick<Order, 'orderId' | 'buyerId'>, rowsMax: number): Promise<{ history: OrderHistory; complete: boolean }>;
}

export function orderHistories(database: Database, tables: TimelineTables): OrderHistories {
  type Condition = Pick<QueryCommandInput, 'TableName' | 'KeyConditionExpression' | 'ExpressionAttributeValues'>;

  /** The first rows by their key; a page may end before its limit, so it is asked for more until there are enough. */
  async function query(condition: Condition, rowsMax: number): Promise<{ rows: Record<string, unknown>[]; complete: boolean }> {
    const rows: Record<string, unknown>[] = [];
    let after: QueryCommandInput['ExclusiveStartKey'];
    do {
      const { Items = [], LastEvaluatedKey } = await database.query({
        ...condition,
        ConsistentRead: true,
        Limit: rowsMax + 1 - rows.length,
        ExclusiveStartKey: after,
      });
      rows.push(...Items);
      after = LastEvaluatedKey;
    } while (after && rows.length <= rowsMax);
    return { rows: rows.slice(0, rowsMax), complete: rows.length <= rowsMax };
  }

  async function fulfilmentOf(orderId: string): Promise<OrderHistory['fulfilment']> {
    const { Item } = await database.get({ TableName: tables.fulfilments, Key: { orderId }, ConsistentRead: true });
    return Item as { tickets: Ticket[]; fulfilledAtMs: number } | undefined;
  }

  return {
    async of({ orderId, buyerId }, rowsMax) {
      const rowsOf = (TableName: string, KeyConditionExpression: string, ExpressionAttributeValues: Record<string, string>) =>
        query({ TableName, KeyConditionExpression, ExpressionAttributeValues }, rowsMax);
      const [rows, movements, payments, fulfilment] = await Promise.all([
        rowsOf(tables.outbox, 'subject = :subject', { ':subject': orderId }),
        rowsOf(tables.accounts, 'userId = :user AND begins_with(entry, :prefix)', {
          ':user': buyerId,
          ':prefix': `${movementPrefix}${orderId}#`,
        }),
        rowsOf(tables.payments, 'orderId = :orderId', { ':orderId': orderId }),
        fulfilmentOf(orderId),
      ]);
      const history: OrderHistory = {
        rows: rows.rows.map((row) => OutboxRow.parse(row)),
        movements: movements.rows as unknown as Movement[],
        payments: payments.rows as unknown as PaymentRow[],
        fulfilment,
      };
      return { history, complete: [rows, movements, payments].every((each) => each.complete) };
    },
  };
}
