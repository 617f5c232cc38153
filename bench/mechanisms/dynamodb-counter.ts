import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { readAll } from '../../functions/shared/reads.ts';
import { startEngine } from '../../test/support/engine.ts';
import { type Mechanism, soldOut } from './mechanism.ts';
import { orderIdOf } from './plain-shop.ts';

/** A table that has no index, so that a write costs no more than it must. */
const TableName = 'units';
const counter = { bucket: 'counter', unit: 'stock' };
const orders = 'orders';

/**
 * One item with a counter, taken from by a conditional update; what the database throttles or does not answer, the SDK retries. Then the order.
 */
export const dynamodbCounter: Mechanism<undefined> = {
  name: 'conditional update of one DynamoDB counter',
  async open(_, { stock }) {
    const { database, stop } = await startEngine();
    await database.send(new PutCommand({ TableName, Item: { ...counter, left: stock } }));
    const take = (quantity: number) =>
      database.send(
        new UpdateCommand({
          TableName,
          Key: counter,
          UpdateExpression: 'SET #left = #left - :quantity',
          ConditionExpression: '#left >= :quantity',
          ExpressionAttributeNames: { '#left': 'left' },
          ExpressionAttributeValues: { ':quantity': quantity },
        }),
      );
    return {
      async buy(attempt, _lane, crash) {
        const { key, buyerId, quantity } = attempt;
        try {
          await take(quantity);
        } catch (error) {
          if (error instanceof ConditionalCheckFailedException) return soldOut;
          throw error;
        }
        crash?.();
        const orderId = orderIdOf(attempt);
        await database.send(new PutCommand({ TableName, Item: { bucket: orders, unit: orderId, key, buyerId, quantity } }));
        return { sold: true, orderId };
      },
      async orders() {
        const rows = await readAll(database, {
          TableName,
          KeyConditionExpression: '#bucket = :orders',
          ExpressionAttributeNames: { '#bucket': 'bucket' },
          ExpressionAttributeValues: { ':orders': orders },
          ConsistentRead: true,
        });
        return rows.map((row) => ({ orderId: String(row.unit), key: String(row.key), quantity: Number(row.quantity) }));
      },
      close: stop,
    };
  },
};
