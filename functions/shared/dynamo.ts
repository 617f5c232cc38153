import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, TransactWriteCommand, type TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';

/** One piece of a transaction. `*.writes.ts` modules make them, repositories send them. */
export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

export type Database = DynamoDBDocumentClient;

/**
 * One client per container. A call ends by itself well inside a function's time, as an outcome and not as a kill. Connecting gets two
 * seconds, because a container that is busy with a crowd takes as long to look at its own sockets.
 */
export function connectDatabase(): Database {
  const client = new DynamoDBClient({
    maxAttempts: 3,
    requestHandler: {
      connectionTimeout: 2_000,
      requestTimeout: 3_000,
      httpsAgent: { maxSockets: 256, keepAlive: true },
      httpAgent: { maxSockets: 256, keepAlive: true },
    },
  });
  return DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
}

/** A condition of the transaction that did not hold: the position of the write, and the item that stood in its way if it was asked for. */
export interface Refusal {
  readonly index: number;
  readonly item: Record<string, unknown> | undefined;
}

export type TransactOutcome = { outcome: 'committed' } | { outcome: 'refused'; refusals: Refusal[] };

/** The database did not say whether it committed, or was too busy for all attempts. Whoever asked must read before concluding. */
export class UnsettledTransaction extends Error {
  override readonly name = 'UnsettledTransaction';
}

const attemptsMax = 6;
/** All attempts together: less than any function's own time, with room for what is done before and after. */
const transactMsMax = 6_000;
const transientCodes = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded']);
const transientNames = new Set([
  'TransactionInProgressException',
  'TransactionConflictException',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'InternalServerError',
]);

/**
 * Commits all writes or none. Conflicts and throttling are retried (at most 6 attempts with full jitter, within 6 s).
 * A condition that does not hold is an outcome, never retried. Throws `UnsettledTransaction` when the outcome is unknown.
 */
export async function transact(database: Database, writes: Write[]): Promise<TransactOutcome> {
  let cause: unknown;
  const deadline = AbortSignal.timeout(transactMsMax);
  for (let attempt = 0; attempt < attemptsMax && !deadline.aborted; attempt++) {
    try {
      await database.send(new TransactWriteCommand({ TransactItems: writes }), { abortSignal: deadline });
      return { outcome: 'committed' };
    } catch (error) {
      cause = error;
      if (error instanceof TransactionCanceledException) {
        const reasons = error.CancellationReasons ?? [];
        const refusals = reasons.flatMap((reason, index) =>
          reason.Code === 'ConditionalCheckFailed' ? [{ index, item: reason.Item && unmarshall(reason.Item) }] : [],
        );
        if (refusals.length > 0) return { outcome: 'refused', refusals };
        if (!reasons.some((reason) => transientCodes.has(reason.Code ?? ''))) throw error;
      } else if (!(error instanceof Error && (transientNames.has(error.name) || isUnknownOutcome(error)))) {
        throw error;
      }
    }
    await pause(Math.random() * Math.min(25 * 2 ** attempt, 400));
  }
  throw new UnsettledTransaction('the transaction had no outcome', { cause });
}

function isUnknownOutcome(error: Error): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return error.name === 'TimeoutError' || error.name === 'AbortError' || 'code' in error || (status !== undefined && status >= 500);
}

const batchKeysMax = 100;

/** Reads items by key with strong consistency, 100 a call, at most 8 attempts for what the database leaves over. Order is not kept. */
export async function batchGet(
  database: Database,
  tableName: string,
  keys: readonly Record<string, unknown>[],
): Promise<Record<string, unknown>[]> {
  const chunks = Array.from({ length: Math.ceil(keys.length / batchKeysMax) }, (_, chunk) =>
    keys.slice(chunk * batchKeysMax, (chunk + 1) * batchKeysMax),
  );
  const read = async (chunk: Record<string, unknown>[]) => {
    const items: Record<string, unknown>[] = [];
    let left = chunk;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === 8) throw new UnsettledTransaction(`${left.length} keys of ${tableName} still unread after ${attempt} attempts`);
      if (attempt > 0) await pause(Math.random() * Math.min(25 * 2 ** attempt, 400));
      const answer = await database.send(new BatchGetCommand({ RequestItems: { [tableName]: { Keys: left, ConsistentRead: true } } }));
      items.push(...(answer.Responses?.[tableName] ?? []));
      left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return items;
  };
  return (await Promise.all(chunks.map(read))).flat();
}
