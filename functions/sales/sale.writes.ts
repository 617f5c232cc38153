import type { Write } from '../shared/dynamo.ts';
import { type OutboxTarget, outboxWrite } from '../shared/outbox.ts';
import type { SaleChanges } from './control.model.ts';
import type { Sale } from './sale.model.ts';
import type { SaleOutboxRow } from './sale-outbox.model.ts';
import type { SeatChunk } from './seat.model.ts';

/** Puts a new sale; refused when its id is taken. Its stock is not loaded yet. */
export const createSaleWrite = (sale: Sale, tableName: string): Write => ({
  Put: {
    TableName: tableName,
    Item: { ...sale, stockLoaded: false },
    ConditionExpression: 'attribute_not_exists(saleId)',
  },
});

/**
 * Sets what an operator changes, and nothing else: the epoch, the mark of the load and the progress of a cancellation have other writers.
 * Refused when the sale is no longer at the version that the change was decided on.
 */
export function changeSaleWrite({ saleId, version }: Pick<Sale, 'saleId' | 'version'>, changes: SaleChanges, tableName: string): Write {
  const set = Object.entries({ ...changes, version: version + 1 });
  return {
    Update: {
      TableName: tableName,
      Key: { saleId },
      UpdateExpression: `SET ${set.map((_, index) => `#n${index} = :v${index}`).join(', ')}`,
      ConditionExpression: '#version = :read',
      ExpressionAttributeNames: { '#version': 'version', ...Object.fromEntries(set.map(([name], index) => [`#n${index}`, name])) },
      ExpressionAttributeValues: { ':read': version, ...Object.fromEntries(set.map(([, value], index) => [`:v${index}`, value])) },
    },
  };
}

/** Puts a row of seats; one that is there already is never written over. */
export const putSeatsWrite = (chunk: SeatChunk, tableName: string): Write => ({
  Put: {
    TableName: tableName,
    Item: chunk,
    ConditionExpression: 'attribute_not_exists(saleId)',
  },
});

/** The row of the outbox that commits with a change of a sale. The sale's version guards it. */
export const saleOutboxWrite = (row: SaleOutboxRow, target: OutboxTarget): Write => outboxWrite(row, target);
