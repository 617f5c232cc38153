import type { DynamoDBRecord } from 'aws-lambda';
import type { StreamSpec } from './deployment.ts';
import { hash32 } from './random.ts';
import type { World } from './world.ts';

/** Retries of a batch that fails wait so long at first, twice as long each time, and never longer than the second. */
const restMs = { first: 200, max: 30_000 };

interface Attempt {
  readonly records: readonly DynamoDBRecord[];
  readonly failures: number;
}

/**
 * A table's stream as Lambda reads it: records of one partition key in order, lane by lane; a failure holds up its lane, is cut in halves, tried again
 * a finite number of times, and then its records' numbers go to the queue of those that were given up.
 */
export class Lanes {
  readonly #spec: StreamSpec;
  readonly #world: World;
  readonly #lanes: DynamoDBRecord[][];
  readonly #busy = new Set<number>();
  #position = 0;
  #hasLost = false;

  constructor(spec: StreamSpec, world: World) {
    this.#spec = spec;
    this.#world = world;
    this.#lanes = Array.from({ length: spec.lanes }, () => []);
  }

  get isBusy(): boolean {
    return this.#busy.size > 0 || this.#lanes.some((lane) => lane.length > 0);
  }

  get hasLost(): boolean {
    return this.#hasLost;
  }

  /** Takes what is new, and starts lanes that have something to do. With the bus switched off it goes nowhere. */
  fill(isOff: boolean): void {
    const { machine, faults, rows } = this.#world;
    const { position, records } = machine.database.stream(this.#spec.table, this.#position);
    this.#position = position;
    for (const record of records) {
      if (isOff) {
        if (this.#spec.table === 'outbox') rows.hit(6);
      } else if (faults.strikes('event-lost', record.eventName)) this.#hasLost = true;
      else this.#lanes[this.#laneOf(record)]?.push(record);
    }
    for (const index of this.#lanes.keys()) this.#start(index);
  }

  #laneOf(record: DynamoDBRecord): number {
    return hash32(JSON.stringify(record.dynamodb?.Keys?.subject ?? record.dynamodb?.Keys)) % this.#lanes.length;
  }

  #start(index: number): void {
    const lane = this.#lanes[index] ?? [];
    if (lane.length === 0 || this.#busy.has(index)) return;
    this.#busy.add(index);
    void this.#deliver(lane.splice(0, this.#spec.batchSize)).finally(() => this.#busy.delete(index));
  }

  async #deliver(batch: readonly DynamoDBRecord[]): Promise<void> {
    const attempts: Attempt[] = [{ records: batch, failures: 0 }];
    for (let attempt = attempts.shift(); attempt; attempt = attempts.shift()) {
      if (this.#isTooOld(attempt)) {
        this.#giveUp(attempt, 'RecordAgeExceeded');
        continue;
      }
      const failedAt = await this.#invoke(attempt.records);
      if (failedAt === undefined) continue;
      await this.#world.machine.sleep(Math.min(restMs.first * 2 ** attempt.failures, restMs.max));
      attempts.unshift(...this.#afterFailure(attempt, failedAt));
    }
  }

  #afterFailure({ records, failures }: Attempt, failedAt: number): Attempt[] {
    if (failedAt > 0) return [{ records: records.slice(failedAt), failures: 1 }];
    if (this.#spec.bisects && records.length > 1) {
      const half = Math.ceil(records.length / 2);
      return [records.slice(0, half), records.slice(half)].map((part) => ({ records: part, failures: 0 }));
    }
    const next = { records, failures: failures + 1 };
    if (next.failures <= this.#spec.retriesMax) return [next];
    this.#giveUp(next, 'RetryAttemptsExhausted');
    return [];
  }

  /** The position of the first record that failed; undefined when none did. */
  async #invoke(records: readonly DynamoDBRecord[]): Promise<number | undefined> {
    const invocation = await this.#world.invoke(this.#spec.functionName, { Records: records }, this.#spec.functionName);
    if (invocation.outcome !== 'returned') return 0;
    const { batchItemFailures = [] } = (invocation.result ?? {}) as { batchItemFailures?: readonly { readonly itemIdentifier: string }[] };
    const positions = batchItemFailures.map(({ itemIdentifier }) =>
      records.findIndex(({ dynamodb }) => dynamodb?.SequenceNumber === itemIdentifier),
    );
    return positions.length === 0 ? undefined : Math.max(0, Math.min(...positions));
  }

  #isTooOld({ records }: Attempt): boolean {
    const bornSeconds = records[0]?.dynamodb?.ApproximateCreationDateTime ?? Number.POSITIVE_INFINITY;
    return this.#spec.ageMsMax >= 0 && this.#world.machine.nowMs() - bornSeconds * 1_000 > this.#spec.ageMsMax;
  }

  #giveUp({ records }: Attempt, condition: string): void {
    const { machine, deployment } = this.#world;
    const queue = deployment.queues.find(({ name }) => name === this.#spec.deadLetterName);
    this.#hasLost = true;
    const [first, last] = [records[0], records.at(-1)].map((record) => record?.dynamodb?.SequenceNumber);
    const batch = { startSequenceNumber: first, endSequenceNumber: last, batchSize: records.length };
    if (queue) machine.queues.send(queue.url, JSON.stringify({ requestContext: { condition }, DDBStreamBatchInfo: batch }));
  }
}
