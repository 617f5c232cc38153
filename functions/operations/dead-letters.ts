import type { UnpublishedRows } from '../messaging/unpublished.ports.ts';
import type { Clock } from '../shared/clock.ts';
import type { Failures } from '../shared/failures.ts';
import { inParallel } from '../shared/parallel.ts';
import { type DeadMessage, deadLetterOf, deadRowOf } from './dead-letter.model.ts';
import type { DeadLetter, DeadLettersAnswer, DeadLettersQuery, RedriveAnswer } from './dead-letter.schemas.ts';

/** A queue of dead letters, as operators know it. */
export interface DeadQueue {
  readonly name: string;
  readonly deadUrl: string;
  /** Where its messages came from; none for messages that only tell of something. */
  readonly sourceUrl?: string | undefined;
}

export interface DeadLetterPorts {
  readonly queues: readonly DeadQueue[];
  readonly messages: {
    /** Looks at messages and leaves them where they are. */
    peek(deadUrl: string, messagesMax: number): Promise<DeadMessage[]>;
    /** Sends messages on, each before it is deleted, and says how many. */
    move(deadUrl: string, sourceUrl: string, messagesMax: number): Promise<number>;
    waiting(deadUrl: string): Promise<number>;
  };
  /** Outbox rows that were given up: dead letters that are no messages. */
  readonly outbox: Pick<UnpublishedRows, 'setAside' | 'giveBack'>;
  readonly failures: Pick<Failures, 'of'>;
  readonly clock: Clock;
}

/** The queue that outbox rows are shown under. */
const outboxName = 'outbox';
const queuesAtOnce = 4;
/** What one redrive moves of each queue at most. */
export const movedMax = 200;
const rowsAtOnce = 8;

type Unknown = { readonly outcome: 'unknown-queue'; readonly known: readonly string[] };

const chosen = (queues: readonly DeadQueue[], name: string | undefined): readonly DeadQueue[] | Unknown => {
  const matching = queues.filter((queue) => name === undefined || queue.name === name);
  return matching.length > 0 ? matching : { outcome: 'unknown-queue', known: queues.map((queue) => queue.name) };
};

const isUnknown = (queues: readonly DeadQueue[] | Unknown): queues is Unknown => 'outcome' in queues;

/** What is stuck and why, at most `limit` of each queue. */
export async function listDeadLetters(
  { queue: name, limit }: DeadLettersQuery,
  ports: DeadLetterPorts,
): Promise<{ outcome: 'listed'; answer: DeadLettersAnswer } | Unknown> {
  const queues = chosen(ports.queues, name);
  if (isUnknown(queues)) return queues;
  const looks = await inParallel(queues, queuesAtOnce, (queue) => lookInto(queue, limit, ports));
  return {
    outcome: 'listed',
    answer: { items: looks.flatMap(({ items }) => items), queues: looks.map(({ queue, waiting }) => ({ queue, waiting })) },
  };
}

async function lookInto({ name, deadUrl }: DeadQueue, limit: number, { messages, outbox, failures }: DeadLetterPorts) {
  const [waiting, found, rows] = await Promise.all([
    messages.waiting(deadUrl),
    messages.peek(deadUrl, limit),
    name === outboxName ? outbox.setAside(limit) : [],
  ]);
  const notes = await failures.of(found.map(({ messageId }) => messageId));
  const items: DeadLetter[] = [
    ...rows.map((row) => deadRowOf(name, row)),
    ...found.map((message) => deadLetterOf(name, message, notes.get(message.messageId))),
  ];
  // The queue counts approximately: never fewer than were seen.
  return { queue: name, waiting: Math.max(waiting, found.length) + rows.length, items: items.slice(0, limit) };
}

/** Sends what is stuck on its way again, at most `movedMax` of each queue. */
export async function redrive(
  name: string | undefined,
  ports: DeadLetterPorts,
): Promise<{ outcome: 'redriven'; answer: RedriveAnswer } | Unknown> {
  const queues = chosen(ports.queues, name);
  if (isUnknown(queues)) return queues;
  const counts = await inParallel(queues, queuesAtOnce, async (queue) => {
    const moved = queue.name === outboxName ? await giveRowsBack(ports) : 0;
    const sent = queue.sourceUrl === undefined ? 0 : await ports.messages.move(queue.deadUrl, queue.sourceUrl, movedMax);
    const rowsLeft = queue.name === outboxName ? await ports.outbox.setAside(movedMax) : [];
    return { queue: queue.name, moved: moved + sent, left: (await ports.messages.waiting(queue.deadUrl)) + rowsLeft.length };
  });
  return { outcome: 'redriven', answer: { queues: counts } };
}

/** The poller publishes them from their rows in its next round. */
async function giveRowsBack({ outbox, clock }: DeadLetterPorts): Promise<number> {
  const rows = await outbox.setAside(movedMax);
  const given = await inParallel(rows, rowsAtOnce, (row) => outbox.giveBack(row, clock.nowMs()));
  return given.filter(Boolean).length;
}
