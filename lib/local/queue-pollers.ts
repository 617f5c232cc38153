import type { Placed } from './assembly.ts';
import type { JsonClient } from './aws-json.ts';
import type { HostedFunction } from './containers.ts';
import { region } from './intrinsics.ts';

/** Receivers per mapping at most. Each has one batch under way; AWS goes to five at once and on to the mapping's maximum. */
const receiversMax = 4;
const receiveMax = 10;
const waitSeconds = 20;
/** A failed message comes back after 1, 2, 4, … seconds, at most the queue's own time: a laptop's user is watching. */
const comebackSecondsMax = 30;
const restMs = 500;

interface Message {
  readonly MessageId: string;
  readonly ReceiptHandle: string;
  readonly Body: string;
  readonly MD5OfBody: string;
  readonly Attributes?: Readonly<Record<string, string>>;
  readonly MessageAttributes?: Readonly<Record<string, unknown>>;
}

export interface Poller {
  /** Takes no more; resolves when what is under way is done. */
  stop(): Promise<void>;
}

export interface QueueMapping {
  readonly mapping: Placed<'AWS::Lambda::EventSourceMapping'>;
  readonly queue: Placed<'AWS::SQS::Queue'>;
  readonly queueUrl: string;
  readonly target: Pick<HostedFunction, 'invoke'>;
  readonly client: JsonClient;
  readonly onLog: (line: string) => void;
}

/**
 * An SQS event source mapping: receives batches, invokes the function, deletes what it has done and lets the rest come back, until the
 * queue's redrive policy takes it. Handlers are called any number of times with the same message, as in AWS.
 */
export function startQueuePoller(source: QueueMapping): Poller {
  const stopping = new AbortController();
  const concurrency = Math.min(source.mapping.properties.ScalingConfig?.MaximumConcurrency ?? receiversMax, receiversMax);
  const loops = Array.from({ length: concurrency }, () => receiveLoop(source, stopping.signal));
  return {
    async stop() {
      stopping.abort();
      await Promise.all(loops);
    },
  };
}

async function receiveLoop(source: QueueMapping, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    try {
      const messages = await receiveBatch(source, stopping);
      if (messages.length > 0) await handle(source, messages);
    } catch (error) {
      if (stopping.aborted) return;
      source.onLog(`${source.queue.name}: ${String(error)}`);
      await new Promise((resolve) => setTimeout(resolve, restMs));
    }
  }
}

async function receiveBatch({ mapping, queueUrl, client }: QueueMapping, stopping: AbortSignal): Promise<Message[]> {
  const { BatchSize = 10, MaximumBatchingWindowInSeconds } = mapping.properties;
  const receive = async (count: number, WaitTimeSeconds: number) => {
    const input = {
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(count, receiveMax),
      WaitTimeSeconds,
      AttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    };
    const { Messages = [] } = (await client.call('ReceiveMessage', input, stopping)) as { Messages?: Message[] };
    return Messages;
  };
  const messages = await receive(BatchSize, waitSeconds);
  // A batch without a window is what one look into the queue finds.
  const deadline = performance.now() + MaximumBatchingWindowInSeconds * 1_000;
  while (messages.length > 0 && messages.length < BatchSize && performance.now() < deadline && !stopping.aborted) {
    const more = await receive(BatchSize - messages.length, 1).catch(() => []);
    messages.push(...more);
  }
  return messages;
}

async function handle(source: QueueMapping, messages: readonly Message[]): Promise<void> {
  const { mapping, queue, queueUrl, target, client, onLog } = source;
  const Records = messages.map((message) => recordOf(message, queue.arn));
  const failed = await target.invoke({ Records }).then(
    (result) => failedOf(result, mapping.properties.FunctionResponseTypes.length > 0, messages),
    (error: unknown) => {
      onLog(`${queue.name}: ${error instanceof Error ? error.message : String(error)}`);
      return new Set(messages.map((message) => message.MessageId));
    },
  );
  const done = messages.filter((message) => !failed.has(message.MessageId));
  const back = messages.filter((message) => failed.has(message.MessageId));
  for (const batch of chunksOf(done)) {
    const Entries = batch.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }));
    await client.call('DeleteMessageBatch', { QueueUrl: queueUrl, Entries });
  }
  for (const batch of chunksOf(back)) {
    const Entries = batch.map(({ ReceiptHandle, Attributes }, index) => {
      const attempt = Number(Attributes?.ApproximateReceiveCount ?? 1);
      const VisibilityTimeout = Math.min(2 ** (attempt - 1), comebackSecondsMax, queue.properties.VisibilityTimeout);
      return { Id: String(index), ReceiptHandle, VisibilityTimeout };
    });
    await client.call('ChangeMessageVisibilityBatch', { QueueUrl: queueUrl, Entries });
  }
}

function* chunksOf(messages: readonly Message[]): Generator<readonly Message[]> {
  for (let at = 0; at < messages.length; at += receiveMax) yield messages.slice(at, at + receiveMax);
}

/** Which messages failed, by AWS' rules: an item failure that names no message of the batch fails the whole batch. */
export function failedOf(result: unknown, reportsItemFailures: boolean, messages: readonly { readonly MessageId: string }[]): Set<string> {
  if (!reportsItemFailures) return new Set();
  const failures = (result as { batchItemFailures?: { itemIdentifier?: unknown }[] } | null)?.batchItemFailures ?? [];
  const known = new Set(messages.map((message) => message.MessageId));
  const named = failures.map((failure) => failure.itemIdentifier);
  const isMalformed = named.some((id) => typeof id !== 'string' || !known.has(id));
  return isMalformed ? known : new Set(named as string[]);
}

function recordOf(message: Message, queueArn: string) {
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body,
    attributes: message.Attributes ?? {},
    messageAttributes: message.MessageAttributes ?? {},
    md5OfBody: message.MD5OfBody,
    eventSource: 'aws:sqs',
    eventSourceARN: queueArn,
    awsRegion: region,
  };
}
