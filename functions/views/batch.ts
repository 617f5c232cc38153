import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { type Clock, systemClock } from '../shared/clock.ts';
import type { Failures } from '../shared/failures.ts';
import { measure } from '../shared/metrics.ts';
import { log } from '../shared/telemetry.ts';
import type { Message, Projection } from './view.ports.ts';

/**
 * The handler of a queue whose messages are taken a batch at a time: what the schema says of each goes to the projection together, so that a crowd of
 * messages about one thing costs one write. A message that is not one fails by itself; what fails as a whole comes again as a whole. Why a message
 * failed is noted for whoever finds it among the dead letters, where `failures` keeps notes.
 */
export function batchConsumer<Detail>(
  Detail: z.ZodType<Detail>,
  project: Projection<Detail>,
  failures?: Pick<Failures, 'note'>,
  clock: Clock = systemClock,
) {
  const BusMessage = z.object({ time: z.string().optional(), detail: Detail });
  return async (event: SQSEvent, context?: Pick<Context, 'functionName'>): Promise<SQSBatchResponse> => {
    const messages: Message<Detail>[] = [];
    const failed = new Map<string, unknown>();
    const saidAtMs = new Map<string, number>();
    for (const { messageId, body } of event.Records) {
      try {
        const { time, detail } = BusMessage.parse(JSON.parse(body));
        messages.push({ messageId, detail });
        if (time !== undefined) saidAtMs.set(messageId, Date.parse(time));
      } catch (error) {
        log.warn('a message is unreadable', { messageId, error });
        failed.set(messageId, error);
      }
    }
    if (messages.length > 0) for (const [messageId, error] of await project(messages)) failed.set(messageId, error);
    for (const record of event.Records) if (failed.has(record.messageId)) await failures?.note(record, failed.get(record.messageId));
    const nowMs = clock.nowMs();
    const lagsMs = [...saidAtMs].filter(([messageId]) => !failed.has(messageId)).map(([, atMs]) => Math.max(0, nowMs - atMs));
    measure('EventLag', context?.functionName ?? 'unknown', lagsMs, { clock });
    return { batchItemFailures: [...failed.keys()].map((itemIdentifier) => ({ itemIdentifier })) };
  };
}
