import type { OutboxKey } from '../shared/outbox.ts';

/** A row that waits to be published, or was set aside. */
export interface Unpublished extends OutboxKey {
  readonly pollShard: string;
  readonly pollAtMs: number;
  /** How often it was tried and not taken. */
  readonly attempts: number;
  /** What the last attempt met; empty before the first. */
  readonly failure: string;
  readonly atMs: number;
  readonly item: Readonly<Record<string, unknown>>;
}

export interface Failed {
  readonly why: string;
  readonly attempts: number;
  readonly againAtMs: number | 'never';
}

export interface UnpublishedRows {
  /** Rows of one partition whose time has come, oldest first as the index goes; rows that it does not know yet are in a later answer. */
  due(shard: string, untilMs: number, limit: number): Promise<Unpublished[]>;
  setAside(limit: number): Promise<Unpublished[]>;
  /** The row's events are on the bus: it leaves the index. */
  published(row: Unpublished): Promise<void>;
  failed(row: Unpublished, failed: Failed): Promise<void>;
  /** Puts a row into the index that was the stream's to publish. False when there is no such row. */
  handOver(key: OutboxKey, failed: { readonly why: string; readonly attempts: number; readonly atMs: number }): Promise<boolean>;
  /** Lets the poller try a row again that was set aside. False when it is no longer there. */
  giveBack(row: Unpublished, nowMs: number): Promise<boolean>;
}
