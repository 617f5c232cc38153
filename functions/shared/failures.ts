import type { SQSRecord } from 'aws-lambda';
import { type Clock, systemClock } from './clock.ts';
import { connectDatabase } from './dynamo.sdk.ts';
import { batchGet, type Database } from './dynamo.ts';
import { readEnvironment } from './environment.ts';
import { log } from './telemetry.ts';

/** What the last attempt at a message met. */
export interface FailureNote {
  readonly messageId: string;
  readonly why: string;
  readonly attempts: number;
  readonly atMs: number;
}

export interface Failures {
  /** Notes why a message failed, for whoever finds it among the dead letters. Never fails itself: the message's own failure is what counts. */
  note(record: Pick<SQSRecord, 'messageId'> & { readonly attributes?: Partial<SQSRecord['attributes']> }, error: unknown): Promise<void>;
  /** What is known of these messages, by their ids. */
  of(messageIds: readonly string[]): Promise<ReadonlyMap<string, FailureNote>>;
}

/** The first failure is mostly a race that the next attempt wins: not worth a write. */
const attemptsWorthNoting = 2;
const whyCharactersMax = 500;
/** A day longer than a queue keeps its messages. */
const keptMs = 15 * 86_400_000;

/** An error in one line: its name and words, and those of what caused it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error).slice(0, whyCharactersMax);
  const cause = error.cause === undefined ? '' : ` (${reasonOf(error.cause)})`;
  return `${error.name}: ${error.message}${cause}`.replace(/\s+/g, ' ').slice(0, whyCharactersMax);
}

export function failureNotes(database: Database, tableName: string, clock: Clock): Failures {
  return {
    async note({ messageId, attributes }, error) {
      const attempts = Number(attributes?.ApproximateReceiveCount ?? attemptsWorthNoting);
      if (attempts < attemptsWorthNoting) return;
      const atMs = clock.nowMs();
      const note: FailureNote = { messageId, why: reasonOf(error), attempts, atMs };
      const item = { ...note, expiresAtSeconds: Math.ceil((atMs + keptMs) / 1_000) };
      await database
        .put({ TableName: tableName, Item: item })
        .catch((cause: unknown) => log.warn('a failure could not be noted', { messageId, error: cause }));
    },
    async of(messageIds) {
      const items = await batchGet(
        database,
        tableName,
        messageIds.map((messageId) => ({ messageId })),
      );
      return new Map(items.map((item) => [String(item.messageId), item as unknown as FailureNote]));
    },
  };
}

/** For a consumer's cold start: notes of failures, by the environment. */
export const connectFailures = (): Failures =>
  failureNotes(connectDatabase(), readEnvironment(['FAILURES_TABLE']).FAILURES_TABLE, systemClock);
