import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type {
  BatchGetCommandInput,
  BatchGetCommandOutput,
  DeleteCommandInput,
  DeleteCommandOutput,
  GetCommandInput,
  GetCommandOutput,
  PutCommandInput,
  PutCommandOutput,
  QueryCommandInput,
  QueryCommandOutput,
  ScanCommandInput,
  ScanCommandOutput,
  TransactWriteCommandInput,
  UpdateCommandInput,
  UpdateCommandOutput,
} from '@aws-sdk/lib-dynamodb';
import { type Attributes, unmarshalled } from './attributes.ts';
import { measure } from './metrics.ts';

/** One piece of a transaction. `*.writes.ts` modules make them, repositories send them. */
export type Write = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

export interface CallOptions {
  /** Ends the call with an `AbortError`, with all its attempts. */
  readonly abortSignal?: AbortSignal;
}

type Answer<Output extends { readonly $metadata: unknown }> = Promise<Omit<Output, '$metadata'>>;

/**
 * The database as repositories see it: its operations with the document client's inputs and answers, whoever carries them (`dynamo.sdk.ts` by the SDK,
 * `dynamo.wire.ts` by signed calls of our own). Each call ends with an answer or an error within the attempts and times of `aws.ts`. Errors are told by
 * their names, never by their classes: those of the SDK are not ours.
 */
export interface Database {
  get(input: GetCommandInput, options?: CallOptions): Answer<GetCommandOutput>;
  put(input: PutCommandInput, options?: CallOptions): Answer<PutCommandOutput>;
  update(input: UpdateCommandInput, options?: CallOptions): Answer<UpdateCommandOutput>;
  delete(input: DeleteCommandInput, options?: CallOptions): Answer<DeleteCommandOutput>;
  query(input: QueryCommandInput, options?: CallOptions): Answer<QueryCommandOutput>;
  scan(input: ScanCommandInput, options?: CallOptions): Answer<ScanCommandOutput>;
  batchGet(input: BatchGetCommandInput, options?: CallOptions): Answer<BatchGetCommandOutput>;
  /** With a token, so that an attempt whose reply was lost is not refused by itself. */
  transactWrite(input: TransactWriteCommandInput & { readonly ClientRequestToken: string }, options?: CallOptions): Promise<unknown>;
}

/**
 * How long one request may take of whoever reads very many rows: its pages are large, and one that is given up on a busy database is read again,
 * which makes it no less busy.
 */
export const largeReadMsMax = 10_000;

/** A write's condition did not hold; nothing was written. */
export interface ConditionFailed extends Error {
  readonly name: 'ConditionalCheckFailedException';
}

export const isConditionFailed = (error: unknown): error is ConditionFailed =>
  error instanceof Error && error.name === 'ConditionalCheckFailedException';

/** The item that the condition did not hold for, if it was asked for (`ReturnValuesOnConditionCheckFailure`) and there is one. */
export function itemInTheWay(error: ConditionFailed): Record<string, unknown> | undefined {
  const { Item } = error as { Item?: Attributes };
  return Item && unmarshalled(Item);
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

export const attemptsMax = 6;
/** All attempts together: less than any function's own time, with room for what is done before and after. */
export const transactMsMax = 6_000;
const transientCodes = new Set(['TransactionConflict', 'ThrottlingError', 'ProvisionedThroughputExceeded', 'RequestLimitExceeded']);
const transientNames = new Set([
  'TransactionInProgressException',
  'TransactionConflictException',
  'ThrottlingException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'InternalServerError',
  'UnreadableAnswer',
]);

/** What the runtime says of a connection that broke. Any other error with a code is a mistake in the program. */
const brokenConnection = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * Commits all writes or none. Conflicts and throttling are retried (at most 6 attempts with full jitter, within 6 s).
 * A condition that does not hold is an outcome, never retried. Throws `UnsettledTransaction` when the outcome is unknown.
 */
export async function transact(database: Database, writes: Write[]): Promise<TransactOutcome> {
  const controller = new AbortController();
  // Taken back when it is over, as nearly every transaction is in milliseconds: a crowd's would pile up.
  const timer = setTimeout(() => controller.abort(), transactMsMax);
  try {
    return await transactUntil(controller.signal, database, writes);
  } finally {
    clearTimeout(timer);
  }
}

async function transactUntil(deadline: AbortSignal, database: Database, writes: Write[]): Promise<TransactOutcome> {
  // One token for all attempts: whichever of them committed, the others are that one and not refused by it.
  const command = { TransactItems: writes, ClientRequestToken: randomUUID() };
  let cause: unknown;
  const retried: string[] = [];
  const told = <Outcome>(outcome: Outcome): Outcome => {
    for (const reason of new Set(retried)) measure('TransactionRetries', reason, retried.filter((each) => each === reason).length);
    return outcome;
  };
  for (let attempt = 0; attempt < attemptsMax && !deadline.aborted; attempt++) {
    try {
      await database.transactWrite(command, { abortSignal: deadline });
      return told({ outcome: 'committed' });
    } catch (error) {
      const refusals = refusalsOf(error);
      if (refusals.length > 0) return told({ outcome: 'refused', refusals });
      if (!mayStillCommit(error)) throw error;
      cause = error;
      retried.push(reasonToRetry(error));
    }
    await pause(Math.random() * Math.min(25 * 2 ** attempt, 400));
  }
  throw told(new UnsettledTransaction('the transaction had no outcome', { cause }));
}

interface CancellationReason {
  readonly Code?: string;
  readonly Item?: Attributes;
}

const reasonsOf = (error: unknown): readonly CancellationReason[] =>
  error instanceof Error && error.name === 'TransactionCanceledException'
    ? ((error as { CancellationReasons?: CancellationReason[] }).CancellationReasons ?? [])
    : [];

/** The conditions that did not hold; none while another writer was at some of the items, because what it leaves is not known yet. */
function refusalsOf(error: unknown): Refusal[] {
  const reasons = reasonsOf(error);
  if (reasons.some(({ Code }) => transientCodes.has(Code ?? ''))) return [];
  return reasons.flatMap((reason, index) =>
    reason.Code === 'ConditionalCheckFailed' ? [{ index, item: reason.Item && unmarshalled(reason.Item) }] : [],
  );
}

/** What metrics tell retries apart by: another writer at the same item, too many calls, or no answer. */
function reasonToRetry(error: unknown): 'conflict' | 'throttled' | 'unanswered' {
  const codes = [...reasonsOf(error).map(({ Code }) => Code ?? ''), error instanceof Error ? error.name : ''];
  if (codes.some((code) => /^Transaction(Conflict|InProgress)/.test(code))) return 'conflict';
  return codes.some((code) => /Throttl|Exceeded/.test(code)) ? 'throttled' : 'unanswered';
}

/** Whether the same transaction may be sent again: it was not done because of others, or nobody knows whether it was. */
function mayStillCommit(error: unknown): boolean {
  if (reasonsOf(error).some(({ Code }) => transientCodes.has(Code ?? ''))) return true;
  if (!(error instanceof Error)) return false;
  const { code, $metadata } = error as { code?: unknown; $metadata?: { httpStatusCode?: number } };
  const unanswered = error.name === 'TimeoutError' || error.name === 'AbortError' || brokenConnection.has(String(code));
  return transientNames.has(error.name) || unanswered || ($metadata?.httpStatusCode ?? 0) >= 500;
}

/** The parameters that bring these attributes alone. All of them go by an alias: some are reserved words. */
export const projection = (attributes: readonly string[]) => ({
  ProjectionExpression: attributes.map((_, index) => `#p${index}`).join(', '),
  ExpressionAttributeNames: Object.fromEntries(attributes.map((attribute, index) => [`#p${index}`, attribute])),
});

export const batchKeysMax = 100;

/**
 * Reads items by key with strong consistency, 100 a call, at most 8 attempts for what the database leaves over. Order is not kept.
 * `attributes`: those that are wanted; all when left out.
 */
export async function batchGet(
  database: Database,
  tableName: string,
  keys: readonly Record<string, unknown>[],
  attributes?: readonly string[],
): Promise<Record<string, unknown>[]> {
  // A key that is asked for twice would refuse the whole call; an index that is changing may name one twice.
  const unique = [...new Map(keys.map((key) => [JSON.stringify(key), key])).values()];
  const chunks = Array.from({ length: Math.ceil(unique.length / batchKeysMax) }, (_, chunk) =>
    unique.slice(chunk * batchKeysMax, (chunk + 1) * batchKeysMax),
  );
  const wanted = { ConsistentRead: true, ...(attributes && projection(attributes)) };
  const read = async (chunk: Record<string, unknown>[]) => {
    const items: Record<string, unknown>[] = [];
    let left = chunk;
    for (let attempt = 0; left.length > 0; attempt++) {
      if (attempt === 8) throw new UnsettledTransaction(`${left.length} keys of ${tableName} still unread after ${attempt} attempts`);
      if (attempt > 0) await pause(Math.random() * Math.min(25 * 2 ** attempt, 400));
      const answer = await database.batchGet({ RequestItems: { [tableName]: { Keys: left, ...wanted } } });
      items.push(...(answer.Responses?.[tableName] ?? []));
      left = answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    }
    return items;
  };
  return (await Promise.all(chunks.map(read))).flat();
}
