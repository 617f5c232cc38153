import type { DynamoModel } from '../dynamodb/model.ts';
import type { Random } from '../random.ts';
import type { BusEntry, SimBus, Target } from './contract.ts';
import { NotSimulated } from './globals.ts';
import type { SimMessage, SimQueues } from './queues.ts';
import { secretText } from './secrets.ts';

/** A service behind a client of the SDK. */
export interface Service {
  readonly target: Target;
  /** One request, done at this moment. `operation` is the command's name without `Command`. */
  apply(operation: string, input: Fields): unknown;
  /** How much longer it takes for this answer. */
  extraMs?(operation: string, input: Fields, answer: unknown): number;
}

type Fields = Readonly<Record<string, unknown>>;

/** `tableCall` answers what is about a table and not about its items. */
export const databaseService = (database: DynamoModel, tableCall: (operation: string, input: Fields) => unknown): Service => ({
  target: 'dynamodb',
  apply: (operation, input) => tableCall(operation, input) ?? database.call(operation, input),
});

export const secretService = (): Service => ({
  target: 'secrets',
  apply(operation, { SecretId }) {
    if (operation !== 'GetSecretValue') throw new NotSimulated(`${operation} of Secrets Manager is not in the simulation`);
    return { SecretString: secretText(String(SecretId)) };
  },
});

interface PutEntry {
  readonly EventBusName: string;
  readonly Source: string;
  readonly DetailType: string;
  readonly Detail: string;
  readonly Time?: Date;
}

export interface HostedBus extends SimBus {
  readonly service: Service;
}

export function busService(nowMs: () => number, random: Random): HostedBus {
  const entries: BusEntry[] = [];
  let refuses: (entry: Omit<BusEntry, 'eventId'>) => string | undefined = () => undefined;
  const newId = () => Array.from({ length: 32 }, () => random.int(16).toString(16)).join('');
  const put = ({ EventBusName, Source, DetailType, Detail, Time }: PutEntry) => {
    const entry = {
      atMs: nowMs(),
      busName: EventBusName,
      source: Source,
      detailType: DetailType,
      detail: Detail,
      timeMs: Time?.getTime() ?? nowMs(),
    };
    const refusal = refuses(entry);
    if (refusal !== undefined) return { ErrorCode: refusal, ErrorMessage: 'refused by the simulation' };
    const eventId = newId();
    entries.push({ eventId, ...entry });
    return { EventId: eventId };
  };
  return {
    entries,
    onEntry(judge) {
      refuses = judge;
    },
    service: {
      target: 'bus',
      apply(operation, { Entries }) {
        if (operation !== 'PutEvents') throw new NotSimulated(`${operation} of EventBridge is not in the simulation`);
        const answers = (Entries as readonly PutEntry[]).map(put);
        return { FailedEntryCount: answers.filter((answer) => 'ErrorCode' in answer).length, Entries: answers };
      },
    },
  };
}

interface BatchEntry {
  readonly Id: string;
  readonly MessageBody?: string;
  readonly ReceiptHandle?: string;
  readonly VisibilityTimeout?: number;
}

const asReceived = ({ messageId, body, sentAtMs, receivedTimes, attributes }: SimMessage) => ({
  MessageId: messageId,
  ReceiptHandle: messageId,
  Body: body,
  Attributes: { SentTimestamp: String(sentAtMs), ApproximateReceiveCount: String(receivedTimes) },
  ...(Object.keys(attributes).length > 0 ? { MessageAttributes: attributes } : {}),
});

/** SQS: the requests that the functions make. Receipt handles are message ids: whoever deletes late deletes all the same. */
export function queueService(queues: SimQueues, nowMs: () => number): Service {
  const batch = (input: Fields, done: (entry: BatchEntry) => void) => {
    const entries = input.Entries as readonly BatchEntry[];
    for (const entry of entries) done(entry);
    return { Successful: entries.map(({ Id }) => ({ Id })), Failed: [] };
  };
  const operations: Readonly<Record<string, (url: string, input: Fields) => unknown>> = {
    SendMessage: (url, { MessageBody }) => ({ MessageId: queues.send(url, String(MessageBody)).messageId }),
    SendMessageBatch: (url, input) => batch(input, ({ MessageBody }) => queues.send(url, MessageBody ?? '')),
    ReceiveMessage(url, { MaxNumberOfMessages, VisibilityTimeout }) {
      const found = queues.receive(url, Number(MaxNumberOfMessages ?? 1), Number(VisibilityTimeout ?? 30) * 1_000);
      return found.length > 0 ? { Messages: found.map(asReceived) } : {};
    },
    DeleteMessageBatch: (url, input) => batch(input, ({ ReceiptHandle }) => queues.remove(url, ReceiptHandle ?? '')),
    ChangeMessageVisibilityBatch: (url, input) =>
      batch(input, ({ ReceiptHandle, VisibilityTimeout }) => queues.hide(url, ReceiptHandle ?? '', Number(VisibilityTimeout ?? 0) * 1_000)),
    GetQueueAttributes(url) {
      const hidden = queues.messages(url).filter(({ visibleAtMs }) => visibleAtMs > nowMs()).length;
      const shown = queues.messages(url).length - hidden;
      return {
        Attributes: { ApproximateNumberOfMessages: String(shown), ApproximateNumberOfMessagesNotVisible: String(hidden) },
      };
    },
  };
  return {
    target: 'queue',
    apply(operation, input) {
      const done = operations[operation];
      if (!done) throw new NotSimulated(`${operation} of SQS is not in the simulation`);
      return done(String(input.QueueUrl), input);
    },
    // An empty queue is waited at.
    extraMs: (operation, { WaitTimeSeconds }, answer) =>
      operation === 'ReceiveMessage' && typeof answer === 'object' && answer !== null && !('Messages' in answer)
        ? Number(WaitTimeSeconds ?? 0) * 1_000
        : 0,
  };
}
