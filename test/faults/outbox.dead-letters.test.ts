import { randomUUID } from 'node:crypto';
import { DeleteMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { attemptsMax, pollOnce } from '../../functions/messaging/poll.ts';
import { unpublishedRows } from '../../functions/messaging/unpublished.repository.ts';
import { deadLetterQueues } from '../../functions/operations/dead-letter.queues.ts';
import { type DeadLetterPorts, listDeadLetters, redrive } from '../../functions/operations/dead-letters.ts';
import { failureNotes } from '../../functions/shared/failures.ts';
import { type Queues, startQueues } from '../../lib/local/queues.ts';
import { startTables } from '../support/database.ts';
import { KeepingBus, storedRow, writeRow } from '../support/outbox.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let server: Queues;
let sqs: SQSClient;
let ports: DeadLetterPorts;
let nowMs = Date.now();
const clock = { nowMs: () => nowMs };
const urls = { dead: '', source: '', undelivered: '' };

const connect = () =>
  new SQSClient({ endpoint: server.url, region: 'eu-central-1', credentials: { accessKeyId: 'local', secretAccessKey: 'local' } });

beforeAll(async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  [tables, server] = await Promise.all([startTables(), startQueues()]);
  sqs = connect();
  const rows = unpublishedRows(tables.database, 'outbox');
  ports = {
    queues: [],
    messages: deadLetterQueues(sqs),
    outbox: rows,
    failures: failureNotes(tables.database, 'failures', clock),
    clock,
  };
});
afterAll(async () => {
  vi.restoreAllMocks();
  sqs?.destroy();
  await Promise.all([tables?.stop(), server?.stop()]);
});

beforeEach(async () => {
  for (const queue of ['dead', 'source', 'undelivered'] as const) {
    const name = `${queue}-${randomUUID()}`;
    await server.client.call('CreateQueue', { QueueName: name });
    urls[queue] = server.urlOf(name);
  }
  ports = {
    ...ports,
    queues: [
      { name: 'payment', deadUrl: urls.dead, sourceUrl: urls.source },
      { name: 'outbox', deadUrl: urls.undelivered },
    ],
  };
});

const send = (url: string, body: object) => sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: JSON.stringify(body) }));
const listed = async (queue: string) => {
  const answer = await listDeadLetters({ queue, limit: 50 }, ports);
  if (answer.outcome !== 'listed') throw new Error(answer.outcome);
  return answer.answer.items;
};
const redriven = async (queue: string, changed: Partial<DeadLetterPorts> = {}) => {
  const answer = await redrive(queue, { ...ports, ...changed });
  if (answer.outcome !== 'redriven') throw new Error(answer.outcome);
  return answer.answer.queues;
};

describe('a redrive', () => {
  it('that dies between sending and deleting has sent twice and lost none', async () => {
    for (let index = 0; index < 12; index++) await send(urls.dead, { index });
    const dying = connect();
    dying.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === DeleteMessageBatchCommand.name) throw new Error('killed');
        return next(args);
      },
      { step: 'initialize' },
    );
    await expect(redriven('payment', { messages: deadLetterQueues(dying) })).rejects.toThrow('killed');
    dying.destroy();
    expect(await ports.messages.waiting(urls.dead)).toBe(12);
    expect(await ports.messages.waiting(urls.source)).toBe(10);
  });

  it('moves each message once when nothing goes wrong, and says when there is nothing left', async () => {
    for (let index = 0; index < 12; index++) await send(urls.dead, { index });
    expect(await redriven('payment')).toEqual([{ queue: 'payment', moved: 12, left: 0 }]);
    expect(await redriven('payment')).toEqual([{ queue: 'payment', moved: 0, left: 0 }]);
    expect(await ports.messages.waiting(urls.source)).toBe(12);
  });

  it('publishes outbox rows that were set aside from their rows, once, when the bus takes them again', async () => {
    const row = await writeRow(tables.database, 'polling');
    const bus = new KeepingBus();
    bus.verdict = () => ({ refused: 'InternalFailure: no' });
    const poll = () => pollOnce({ rows: unpublishedRows(tables.database, 'outbox'), bus, clock });
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      await poll();
      nowMs += 60_000;
    }
    expect(await listed('outbox')).toMatchObject([
      { queue: 'outbox', orderId: row.subject, messageId: `${row.subject}#1`, attempts: attemptsMax, why: 'InternalFailure: no' },
    ]);
    bus.verdict = () => 'taken';
    expect(await redriven('outbox')).toEqual([{ queue: 'outbox', moved: 1, left: 0 }]);
    expect(await listed('outbox')).toEqual([]);
    await poll();
    await poll();
    expect(bus.times(row.eventId)).toBe(1);
    expect(await storedRow(tables.database, row)).not.toHaveProperty('pollShard');
  });

  it('leaves what only tells of lost rows, and says so', async () => {
    await send(urls.undelivered, {
      requestContext: { condition: 'RetryAttemptsExhausted' },
      DDBStreamBatchInfo: { startSequenceNumber: '17', endSequenceNumber: '23', batchSize: 7 },
    });
    expect(await redriven('outbox')).toEqual([{ queue: 'outbox', moved: 0, left: 1 }]);
    const [letter] = await listed('outbox');
    for (const word of ['7 outbox rows', '17', '23', 'RetryAttemptsExhausted']) expect(letter?.why).toContain(word);
  });
});

describe('why a message failed', () => {
  const record = (messageId: string, attempts: number) => ({ messageId, attributes: { ApproximateReceiveCount: String(attempts) } });

  it('is what its last attempt met, with what caused it', async () => {
    await send(urls.dead, { detail: { orderId: 'ord_x' } });
    const [letter] = await listed('payment');
    if (!letter) throw new Error('nothing is listed');
    expect(letter.why).toContain('No failure was noted');
    const { note } = failureNotes(tables.database, 'failures', clock);
    await note(record(letter.messageId, 4), new Error('an earlier one'));
    await note(record(letter.messageId, 5), new Error('contended', { cause: new Error('the database\n was busy') }));
    expect(await listed('payment')).toMatchObject([
      { why: 'Error: contended (Error: the database was busy)', attempts: 5, lastFailedAt: new Date(nowMs).toISOString() },
    ]);
  });

  it('is not written for a first failure, which the next attempt mostly mends, and never makes a message fail', async () => {
    const notes = failureNotes(tables.database, 'failures', clock);
    await notes.note(record('first', 1), new Error('a race'));
    expect((await notes.of(['first'])).size).toBe(0);
    await failureNotes(tables.database, 'no such table', clock).note(record('second', 2), new Error('no'));
  });
});
