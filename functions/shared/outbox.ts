import type { Write } from './dynamo.ts';
import { shardOf } from './ids.ts';

/** Who publishes what an outbox row says: the table's stream, or a poller that reads the index of rows that nobody has published yet. */
export const outboxModes = ['stream', 'polling'] as const;
export type OutboxMode = (typeof outboxModes)[number];

/** Where outbox rows go, and by whom they are to be published. */
export interface OutboxTarget {
  readonly table: string;
  readonly mode: OutboxMode;
}

export interface OutboxKey {
  readonly subject: string;
  readonly version: number;
}

const pollShards = 16;

/** The partitions of the index of unpublished rows: all writers at once would be too many for one. */
export const pollShardNames: readonly string[] = Array.from({ length: pollShards }, (_, shard) => `poll#${shard}`);

/** Where a row waits for the poller: all rows of one order in one partition. */
export const pollShardOf = (subject: string): string => `poll#${shardOf(subject, pollShards)}`;

/**
 * The piece of a transaction that keeps a row. In polling mode it has the keys of the index `unpublished`, which the poller removes once the
 * row's events are on the bus: a row without them is published, or is the stream's to publish.
 */
export const outboxWrite = (row: OutboxKey & { readonly atMs: number }, { table, mode }: OutboxTarget): Write => ({
  Put: { TableName: table, Item: mode === 'polling' ? { ...row, pollShard: pollShardOf(row.subject), pollAtMs: row.atMs } : row },
});
