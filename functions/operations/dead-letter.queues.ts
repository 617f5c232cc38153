import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { DeadMessage } from './dead-letter.model.ts';
import type { DeadLetterPorts } from './dead-letters.ts';

/** SQS takes and gives so many messages a call. */
const batchMax = 10;
/** Longer than any look or move takes: nothing is seen twice by one who looks, and what is left by a crash is back soon. */
const hiddenSeconds = 30;
/** Asks all of SQS' servers and not some of them; an empty queue costs that long. */
const waitSeconds = 1;

/** Dead-letter queues of SQS. Nothing leaves one of them before it is in another queue. */
export function deadLetterQueues(client: SQSClient): DeadLetterPorts['messages'] {
  async function receive(QueueUrl: string, count: number): Promise<Message[]> {
    const { Messages = [] } = await client.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: Math.min(count, batchMax),
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: waitSeconds,
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages;
  }

  const entriesOf = (messages: readonly Message[]) =>
    messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle: ReceiptHandle ?? '' }));

  async function showAgain(QueueUrl: string, messages: readonly Message[]): Promise<void> {
    for (let first = 0; first < messages.length; first += batchMax) {
      const Entries = entriesOf(messages.slice(first, first + batchMax)).map((entry) => ({ ...entry, VisibilityTimeout: 0 }));
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    }
  }

  /** Sends them on and deletes those that were taken; whoever dies in between has sent them twice and lost none. */
  async function moveBatch(from: string, to: string, messages: readonly Message[]): Promise<number> {
    const { Successful = [] } = await client.send(
      new SendMessageBatchCommand({
        QueueUrl: to,
        Entries: messages.map(({ Body }, index) => ({ Id: String(index), MessageBody: Body ?? '' })),
      }),
    );
    const sent = messages.filter((_, index) => Successful.some(({ Id }) => Id === String(index)));
    if (sent.length > 0) await client.send(new DeleteMessageBatchCommand({ QueueUrl: from, Entries: entriesOf(sent) }));
    return sent.length;
  }

  return {
    async peek(deadUrl, messagesMax) {
      const found: Message[] = [];
      try {
        for (let page = await receive(deadUrl, messagesMax); page.length > 0; page = await receive(deadUrl, messagesMax - found.length)) {
          found.push(...page);
          if (found.length >= messagesMax) break;
        }
      } finally {
        await showAgain(deadUrl, found);
      }
      return found.map(deadMessageFrom);
    },
    async move(deadUrl, sourceUrl, messagesMax) {
      let moved = 0;
      while (moved < messagesMax) {
        const messages = await receive(deadUrl, messagesMax - moved);
        if (messages.length === 0) break;
        const sent = await moveBatch(deadUrl, sourceUrl, messages);
        moved += sent;
        // What the source does not take stays hidden for a while and is nobody's to lose.
        if (sent < messages.length) break;
      }
      return moved;
    },
    async waiting(deadUrl) {
      const { Attributes } = await client.send(
        new GetQueueAttributesCommand({
          QueueUrl: deadUrl,
          AttributeNames: ['ApproximateNumberOfMessages', 'ApproximateNumberOfMessagesNotVisible'],
        }),
      );
      return Number(Attributes?.ApproximateNumberOfMessages ?? 0) + Number(Attributes?.ApproximateNumberOfMessagesNotVisible ?? 0);
    },
  };
}

function deadMessageFrom({ MessageId, Body, Attributes, MessageAttributes }: Message): DeadMessage {
  const [code, words] = [MessageAttributes?.ERROR_CODE?.StringValue, MessageAttributes?.ERROR_MESSAGE?.StringValue];
  const isUndelivered = code !== undefined || words !== undefined;
  return {
    messageId: MessageId ?? '',
    body: Body ?? '',
    sentAtMs: Number(Attributes?.SentTimestamp ?? 0),
    receivedTimes: Number(Attributes?.ApproximateReceiveCount ?? 0),
    ...(isUndelivered ? { deliveryError: `The event bus could not deliver it: ${[code, words].filter(Boolean).join(': ')}` } : {}),
  };
}
