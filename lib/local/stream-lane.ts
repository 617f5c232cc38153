import { randomUUID } from 'node:crypto';

/** A stream record as Lambda hands it over; the database's own JSON already has this form. */
export interface StreamRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly dynamodb: {
    readonly Keys: Readonly<Record<string, unknown>>;
    readonly SequenceNumber: string;
    /** Seconds since 1970. */
    readonly ApproximateCreationDateTime?: number;
  };
}

export interface LaneOptions {
  readonly batchSize: number;
  readonly windowMs: number;
  readonly reportsItemFailures: boolean;
  readonly bisects: boolean;
  /** Retries after the first attempt; -1 for no end. */
  readonly retriesMax: number;
  /** Records older than this are given up; -1 for no limit. */
  readonly ageSecondsMax: number;
  readonly streamArn: string;
  readonly functionArn: string;
  readonly invoke: (event: { Records: readonly StreamRecord[] }) => Promise<unknown>;
  /** Told of records that were given up, as Lambda's on-failure destination is. */
  readonly onGivenUp: (notice: object) => Promise<void>;
  /** Told of records that are not delivered again: handled, or given up. */
  readonly onDone?: (records: readonly StreamRecord[]) => void;
  readonly onLog: (line: string) => void;
  readonly nowMs: () => number;
  /** How long to wait before the next attempt, by the failures so far. */
  readonly restMs?: (failures: number) => number;
}

interface Attempt {
  readonly records: readonly StreamRecord[];
  /** Failed attempts of the first record so far. */
  readonly failures: number;
}

const restMsMax = 2_000;
const growingRestMs = (failures: number) => Math.min(50 * 2 ** failures, restMsMax);

/**
 * Delivers records strictly in order. A failure holds the lane up: what stands before the lowest failed record is done, the rest comes
 * again, in halves when bisecting, until it succeeds or its retries are used up.
 */
export class StreamLane {
  readonly #options: LaneOptions;
  readonly #restMs: (failures: number) => number;
  readonly #stopping = new AbortController();
  #records: StreamRecord[] = [];
  #running: Promise<void> | undefined;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#restMs = options.restMs ?? growingRestMs;
  }

  /** Records that wait. */
  get backlog(): number {
    return this.#records.length;
  }

  push(record: StreamRecord): void {
    this.#records.push(record);
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Resolves once nothing waits and nothing is under way. */
  async drained(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Finishes the attempt under way, and leaves the rest. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // What arrives in the same moment belongs in the same batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#records.length > 0 && !this.#stopping.signal.aborted) {
      const { batchSize, windowMs } = this.#options;
      if (windowMs > 0 && this.#records.length < batchSize) await this.#rest(windowMs);
      await this.#deliver(this.#records.splice(0, batchSize));
    }
  }

  async #deliver(batch: readonly StreamRecord[]): Promise<void> {
    const attempts: Attempt[] = [{ records: batch, failures: 0 }];
    while (attempts.length > 0 && !this.#stopping.signal.aborted) {
      const attempt = attempts.shift();
      if (!attempt) return;
      if (this.#isTooOld(attempt)) {
        await this.#giveUp(attempt, 'RecordAgeExceeded');
        continue;
      }
      const failedAt = await this.#invoke(attempt.records);
      this.#options.onDone?.(attempt.records.slice(0, failedAt));
      if (failedAt === undefined) continue;
      attempts.unshift(...(await this.#afterFailure(attempt, failedAt)));
    }
  }

  /** What is to be tried next of a batch that failed from a position on; nothing once it is given up. */
  async #afterFailure({ records, failures }: Attempt, failedAt: number): Promise<Attempt[]> {
    const { bisects, retriesMax } = this.#options;
    if (failedAt > 0) {
      // The first of the rest has failed for the first time.
      const rest = { records: records.slice(failedAt), failures: 1 };
      await this.#rest(this.#restMs(0));
      return [rest];
    }
    if (bisects && records.length > 1) {
      // Splitting uses up no retry: a poison record is to end alone, with all its own.
      const half = Math.ceil(records.length / 2);
      await this.#rest(this.#restMs(0));
      return [records.slice(0, half), records.slice(half)].map((part) => ({ records: part, failures: 0 }));
    }
    const next = { records, failures: failures + 1 };
    if (retriesMax >= 0 && next.failures > retriesMax) {
      await this.#giveUp(next, 'RetryAttemptsExhausted');
      return [];
    }
    await this.#rest(this.#restMs(failures));
    return [next];
  }

  /** The position of the lowest record that failed, or undefined when all is done. */
  async #invoke(records: readonly StreamRecord[]): Promise<number | undefined> {
    try {
      const result = await this.#options.invoke({ Records: records });
      return this.#options.reportsItemFailures ? lowestFailure(result, records) : undefined;
    } catch (error) {
      this.#options.onLog(error instanceof Error ? error.message : String(error));
      return 0;
    }
  }

  #isTooOld({ records }: Attempt): boolean {
    const { ageSecondsMax, nowMs } = this.#options;
    const bornSeconds = records[0]?.dynamodb.ApproximateCreationDateTime;
    return ageSecondsMax >= 0 && bornSeconds !== undefined && nowMs() / 1_000 - bornSeconds > ageSecondsMax;
  }

  async #giveUp({ records, failures }: Attempt, condition: string): Promise<void> {
    const { functionArn, streamArn, nowMs, onGivenUp, onLog } = this.#options;
    const [first, last] = [records[0], records.at(-1)];
    const at = (record: StreamRecord | undefined) => new Date((record?.dynamodb.ApproximateCreationDateTime ?? 0) * 1_000).toISOString();
    onLog(`${records.length} stream records are given up: ${condition}`);
    await onGivenUp({
      requestContext: { requestId: randomUUID(), functionArn, condition, approximateInvokeCount: failures },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: new Date(nowMs()).toISOString(),
      DDBStreamBatchInfo: {
        shardId: 'shard-local',
        startSequenceNumber: first?.dynamodb.SequenceNumber,
        endSequenceNumber: last?.dynamodb.SequenceNumber,
        approximateArrivalOfFirstRecord: at(first),
        approximateArrivalOfLastRecord: at(last),
        batchSize: records.length,
        streamArn,
      },
    });
    this.#options.onDone?.(records);
  }

  #rest(ms: number): Promise<void> {
    const { signal } = this.#stopping;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }
}

/** By Lambda's rules: the lowest sequence number reported is where the stream goes on; a report that names none of the records fails all. */
export function lowestFailure(result: unknown, records: readonly StreamRecord[]): number | undefined {
  const failures = (result as { batchItemFailures?: { itemIdentifier?: unknown }[] } | null)?.batchItemFailures ?? [];
  if (failures.length === 0) return undefined;
  const positions = failures.map(({ itemIdentifier }) => records.findIndex((record) => record.dynamodb.SequenceNumber === itemIdentifier));
  return Math.max(0, Math.min(...positions));
}
