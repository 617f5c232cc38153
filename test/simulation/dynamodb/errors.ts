import {
  type CancellationReason,
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  IdempotentParameterMismatchException,
  ResourceNotFoundException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import type { Item } from './values.ts';

/** Something was asked of the model that it has not learned: it must be taught, or it would answer otherwise than DynamoDB. */
export class UnknownToModel extends Error {
  override readonly name = 'UnknownToModel';
}

export const unknownToModel = (what: string): UnknownToModel => new UnknownToModel(`the model does not know ${what}`);

const metadata = { $metadata: { httpStatusCode: 400, requestId: 'model', attempts: 1, totalRetryDelay: 0 } };

/** The SDK has no class of its own for this one. */
export const refusedAsInvalid = (message: string): DynamoDBServiceException =>
  new DynamoDBServiceException({ name: 'ValidationException', $fault: 'client', message, ...metadata });

const byTable = new WeakSet<object>();

/**
 * The same where it takes the table's keys, or what stands there, to see that something is wrong: in a transaction that is the reason of one
 * write, and not of the call.
 */
export function refusedByTable(message: string): DynamoDBServiceException {
  const refusal = refusedAsInvalid(message);
  byTable.add(refusal);
  return refusal;
}

export const isRefusedByTable = (error: unknown): error is DynamoDBServiceException =>
  error instanceof DynamoDBServiceException && byTable.has(error);

export const noSuchTable = (table: string): ResourceNotFoundException =>
  new ResourceNotFoundException({ message: `Requested resource not found: Table: ${table} not found`, ...metadata });

/** `shown`: the item that stands in the way, where it was asked for. */
export const conditionFailed = (shown: Item | undefined): ConditionalCheckFailedException =>
  new ConditionalCheckFailedException({ message: 'The conditional request failed', ...(shown && { Item: marshall(shown) }), ...metadata });

/** What one write of a transaction says: nothing, or why it cannot be. */
export type Reason =
  | 'none'
  | { readonly code: 'ConditionalCheckFailed' | 'ValidationError'; readonly message: string; readonly item?: Item | undefined };

export function transactionCancelled(reasons: readonly Reason[]): TransactionCanceledException {
  const codes = reasons.map((reason) => (reason === 'none' ? 'None' : reason.code));
  const CancellationReasons = reasons.map((reason): CancellationReason => {
    if (reason === 'none') return { Code: 'None' };
    return { Code: reason.code, Message: reason.message, ...(reason.item && { Item: marshall(reason.item) }) };
  });
  const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes.join(', ')}]`;
  return new TransactionCanceledException({ message, CancellationReasons, ...metadata });
}

export const tokenOfAnother = (): IdempotentParameterMismatchException =>
  new IdempotentParameterMismatchException({
    message: 'Request is using an already used client token but with different parameters.',
    ...metadata,
  });
