import * as z from 'zod';
import type { Kept } from './data-directory.ts';
import type { StreamRecord } from './stream-lane.ts';

const Positions = z.object({ streamArn: z.string(), shards: z.record(z.string(), z.string()) });

/** A position is written this long after it has moved at most; what a process that is killed had handled since is handled again. */
const writtenAfterMs = 200;

/**
 * How far a consumer is in its stream, kept for the next start. Lanes finish out of step, so a shard's position is the last record before
 * the first that is not done: nothing is passed over, and what stands behind it comes again.
 */
export class StreamProgress {
  readonly #streamArn: string;
  readonly #kept: Kept;
  readonly #onLog: (line: string) => void;
  readonly #shards = new Map<string, ShardProgress>();
  readonly #shardOf = new WeakMap<StreamRecord, ShardProgress>();
  #known: Readonly<Record<string, string>> | undefined;
  #hasMoved = false;
  #writing: Promise<void> | undefined;

  constructor(streamArn: string, kept: Kept, onLog: (line: string) => void) {
    this.#streamArn = streamArn;
    this.#kept = kept;
    this.#onLog = onLog;
  }

  /** Where an earlier run was; false when there was none with this very stream. Call it before anything else. */
  async resume(): Promise<boolean> {
    const kept = Positions.safeParse(await this.#kept.read()).data;
    const isThisStream = kept?.streamArn === this.#streamArn;
    this.#known = isThisStream ? kept.shards : undefined;
    return isThisStream;
  }

  /** The record behind which to go on, or undefined for a shard that is not known. */
  positionIn(shardId: string): string | undefined {
    return this.#known?.[shardId];
  }

  /** Records are told in the shard's order. */
  read(shardId: string, record: StreamRecord): void {
    const shard = this.#shards.get(shardId) ?? new ShardProgress();
    this.#shards.set(shardId, shard);
    this.#shardOf.set(record, shard);
    shard.read(record);
  }

  /** In any order: handled, filtered out or given up. */
  done(records: readonly StreamRecord[]): void {
    for (const record of records) if (this.#shardOf.get(record)?.done(record)) this.#hasMoved = true;
    if (this.#hasMoved) this.#writing ??= this.#writeLater();
  }

  /** Writes what has not been written yet. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#hasMoved) await this.#write();
  }

  async #writeLater(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, writtenAfterMs));
    await this.#write();
    this.#writing = undefined;
    if (this.#hasMoved) this.#writing = this.#writeLater();
  }

  async #write(): Promise<void> {
    this.#hasMoved = false;
    const moved = [...this.#shards].flatMap(([id, { position }]) => (position === undefined ? [] : [[id, position] as const]));
    const shards = { ...this.#known, ...Object.fromEntries(moved) };
    await this.#kept.write({ streamArn: this.#streamArn, shards }).catch((error: unknown) => {
      // The position is only a little older than it could be, and the next write brings it up.
      this.#onLog(`where ${this.#streamArn} was read to could not be written: ${String(error)}`);
    });
  }
}

class ShardProgress {
  /** Those that are not done, and those done behind them, in the shard's order. */
  readonly #open = new Map<StreamRecord, boolean>();
  position: string | undefined;

  read(record: StreamRecord): void {
    this.#open.set(record, false);
  }

  /** Whether the position has moved. */
  done(record: StreamRecord): boolean {
    if (!this.#open.has(record)) return false;
    this.#open.set(record, true);
    const before = this.position;
    for (const [first, isDone] of this.#open) {
      if (!isDone) break;
      this.#open.delete(first);
      this.position = first.dynamodb.SequenceNumber;
    }
    return this.position !== before;
  }
}
