import * as z from 'zod';
import type { Unpublished } from '../messaging/unpublished.ports.ts';
import { isSaleSubject, saleIdOfSubject } from '../sales/sale-outbox.model.ts';
import { rfc3339 } from '../shared/clock.ts';
import type { FailureNote } from '../shared/failures.ts';
import type { DeadLetter } from './dead-letter.schemas.ts';

/** A message as it lies in a queue of dead letters. */
export interface DeadMessage {
  readonly messageId: string;
  readonly body: string;
  readonly sentAtMs: number;
  /** How often it was received, peeks included. */
  readonly receivedTimes: number;
  /** What the event bus says of a message that it could not deliver. */
  readonly deliveryError?: string | undefined;
}

const Text = z.string().optional().catch(undefined);

/** What bodies of our queues say of themselves: an event of the bus, a request for a rebuild, or the stream's word of rows that it gave up. */
const Body = z.looseObject({
  'detail-type': Text,
  detail: z.looseObject({ eventId: Text, orderId: Text, saleId: Text }).optional().catch(undefined),
  saleId: Text,
  requestContext: z.looseObject({ condition: Text }).optional().catch(undefined),
  DDBStreamBatchInfo: z
    .looseObject({ startSequenceNumber: Text, endSequenceNumber: Text, batchSize: z.number().optional().catch(undefined) })
    .optional()
    .catch(undefined),
});
type Body = z.infer<typeof Body>;

function parsed(body: string): Body | undefined {
  try {
    return Body.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

/** What is stuck and why, of a message: the last failure that its consumer has noted, or what others have said of it. */
export function deadLetterOf(queue: string, message: DeadMessage, note: FailureNote | undefined): DeadLetter {
  const body = parsed(message.body);
  const { eventId, orderId, saleId } = body?.detail ?? { saleId: body?.saleId };
  const known = { event: body?.['detail-type'], eventId, orderId, saleId };
  return {
    queue,
    messageId: message.messageId,
    ...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
    attempts: note?.attempts ?? message.receivedTimes,
    firstSeenAt: rfc3339(message.sentAtMs),
    ...(note ? { lastFailedAt: rfc3339(note.atMs) } : {}),
    why: note?.why ?? message.deliveryError ?? streamsWord(body) ?? unknownWhy(queue, body),
  };
}

function streamsWord(body: Body | undefined): string | undefined {
  const { startSequenceNumber, endSequenceNumber, batchSize = 0 } = body?.DDBStreamBatchInfo ?? {};
  if (startSequenceNumber === undefined) return undefined;
  const rows = `${batchSize} outbox rows from sequence number ${startSequenceNumber} to ${endSequenceNumber}`;
  return `The stream gave up ${rows} (${body?.requestContext?.condition}): see the dispatcher’s log. They can’t be sent back from here; their orders end by the sweeper.`;
}

function unknownWhy(queue: string, body: Body | undefined): string {
  if (!body) return 'It is not JSON.';
  return `No failure was noted: the function of ${queue} ended without a word, by its time or a crash. See its log.`;
}

/** What is stuck and why, of an outbox row that was set aside. */
export function deadRowOf(queue: string, { subject, version, attempts, failure, atMs }: Unpublished): DeadLetter {
  return {
    queue,
    messageId: `${subject}#${version}`,
    ...(isSaleSubject(subject) ? { saleId: saleIdOfSubject(subject) } : { orderId: subject }),
    attempts,
    firstSeenAt: rfc3339(atMs),
    why: failure,
  };
}
