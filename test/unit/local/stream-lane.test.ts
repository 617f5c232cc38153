import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LaneOptions, StreamLane, type StreamRecord } from '../../../lib/local/stream-lane.ts';

const record = (number: number): StreamRecord => ({
  eventID: String(number),
  eventName: 'INSERT',
  dynamodb: { Keys: { id: { S: 'one' } }, SequenceNumber: String(number), ApproximateCreationDateTime: 1_000 },
});
const numbersOf = (records: readonly StreamRecord[]) => records.map(({ dynamodb }) => Number(dynamodb.SequenceNumber));

interface Notice {
  readonly requestContext: { readonly condition: string };
  readonly DDBStreamBatchInfo: { readonly startSequenceNumber: string; readonly endSequenceNumber: string; readonly batchSize: number };
}

/** A lane over a function, and what came of the records. */
function laneOver(handle: (numbers: number[], attempt: number) => unknown, options: Partial<LaneOptions> = {}) {
  const batches: number[][] = [];
  const givenUp: Notice[] = [];
  const lane = new StreamLane({
    batchSize: 10,
    windowMs: 0,
    reportsItemFailures: true,
    bisects: false,
    retriesMax: 1,
    ageSecondsMax: -1,
    streamArn: 'arn:stream',
    functionArn: 'arn:function',
    invoke: async ({ Records }) => {
      batches.push(numbersOf(Records));
      return handle(numbersOf(Records), batches.length);
    },
    onGivenUp: async (notice) => void givenUp.push(notice as Notice),
    onLog: () => {},
    nowMs: () => 1_000_000,
    ...options,
  });
  return { lane, batches, givenUp };
}

const failing = (...numbers: number[]) => ({ batchItemFailures: numbers.map((number) => ({ itemIdentifier: String(number) })) });
const fill = (lane: StreamLane, count: number) => {
  for (let number = 1; number <= count; number++) lane.push(record(number));
};

describe('a stream lane', () => {
  it('goes on at the lowest record that failed, and never repeats what stands before it', async () => {
    const { lane, batches } = laneOver((_, attempt) => (attempt === 1 ? failing(4, 3) : failing()));
    fill(lane, 5);
    await lane.drained();
    expect(batches).toEqual([
      [1, 2, 3, 4, 5],
      [3, 4, 5],
    ]);
  });

  it('ends a poison record alone, by bisecting, and delivers all others in order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.boolean(), async (count, at, throws) => {
        const poison = Math.min(at, count);
        const done: number[] = [];
        const { lane, givenUp } = laneOver(
          (numbers) => {
            if (throws && numbers.includes(poison)) throw new Error('poison');
            const stop = numbers.indexOf(poison);
            done.push(...(stop < 0 ? numbers : numbers.slice(0, stop)));
            return stop < 0 ? failing() : failing(poison);
          },
          { bisects: true, retriesMax: 0, restMs: () => 0 },
        );
        fill(lane, count);
        await lane.drained();
        expect(done).toEqual(Array.from({ length: count }, (_, index) => index + 1).filter((number) => number !== poison));
        expect(givenUp.map(({ DDBStreamBatchInfo }) => DDBStreamBatchInfo)).toMatchObject([
          { startSequenceNumber: String(poison), endSequenceNumber: String(poison), batchSize: 1 },
        ]);
      }),
      { numRuns: 40 },
    );
  });

  it('tries as often as it may and no more, then tells and goes on', async () => {
    const { lane, batches, givenUp } = laneOver(
      (numbers) => {
        if (numbers.includes(1)) throw new Error('no');
        return failing();
      },
      { batchSize: 1, retriesMax: 2, restMs: () => 0 },
    );
    fill(lane, 2);
    await lane.drained();
    expect(batches).toEqual([[1], [1], [1], [2]]);
    expect(givenUp.map(({ requestContext }) => requestContext.condition)).toEqual(['RetryAttemptsExhausted']);
  });

  it('gives up records that are too old without trying them', async () => {
    const { lane, batches, givenUp } = laneOver(() => failing(), { ageSecondsMax: 60, nowMs: () => 1_061_000 });
    fill(lane, 1);
    await lane.drained();
    expect(batches).toEqual([]);
    expect(givenUp.map(({ requestContext }) => requestContext.condition)).toEqual(['RecordAgeExceeded']);
  });

  it('takes a report that names none of its records as a failure of all', async () => {
    const { lane, batches } = laneOver((_, attempt) => (attempt === 1 ? failing(99) : failing()), { restMs: () => 0 });
    fill(lane, 2);
    await lane.drained();
    expect(batches).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  it('stops between attempts, also while it would retry for ever', async () => {
    const { lane } = laneOver(
      () => {
        throw new Error('always');
      },
      { retriesMax: -1 },
    );
    fill(lane, 3);
    await lane.stop();
  });
});
