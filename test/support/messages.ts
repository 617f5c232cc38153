import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import fc from 'fast-check';
import type { BusEntry } from '../../functions/messaging/dispatch.ts';

/** What a queue's function is called with: messages by id, each as EventBridge puts an event into a queue. */
export const batchOf = (messages: readonly (readonly [messageId: string, body: string])[]): SQSEvent =>
  ({ Records: messages.map(([messageId, body]) => ({ messageId, body })) }) as unknown as SQSEvent;

export const bodyOf = ({ source, name, detail }: Pick<BusEntry, 'source' | 'name' | 'detail'>): string =>
  JSON.stringify({ source, 'detail-type': name, detail });

/** All of them in an order that the seed decides. */
export const shuffledBy = <Each>(all: readonly Each[], seed: number): Each[] =>
  fc.sample(fc.shuffledSubarray([...all], { minLength: all.length, maxLength: all.length }), { seed, numRuns: 1 })[0] ?? [];

export const failuresOf = ({ batchItemFailures }: SQSBatchResponse): string[] =>
  batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

/** Delivers every message so many times, in an order that the seed decides, ten at a time; fails when any of them fails. */
export async function deliver(
  consume: (event: SQSEvent) => Promise<SQSBatchResponse>,
  entries: readonly BusEntry[],
  { times = 5, seed = 1, atOnce = 10 } = {},
): Promise<void> {
  const bodies = shuffledBy(Array.from({ length: times }, () => entries.map(bodyOf)).flat(), seed);
  for (let from = 0; from < bodies.length; from += atOnce) {
    const batch = bodies.slice(from, from + atOnce).map((body, index) => [String(from + index), body] as const);
    const failed = failuresOf(await consume(batchOf(batch)));
    if (failed.length > 0) throw new Error(`messages failed: ${failed.join()}`);
  }
}
