import { pause } from '../../lib/client/bounded.ts';
import { type JsonClient, jsonClient } from '../../lib/local/aws-json.ts';
import { account } from '../../lib/local/intrinsics.ts';
import type { Random } from '../simulation/random.ts';
import type { RuntimeFacts } from './runtime.ts';

interface Message {
  readonly Body: string;
  readonly ReceiptHandle: string;
}

/** What is done to a message that was caught. */
export type Mischief = 'duplicate' | 'delay';

const receiversPerQueue = 3;
const batchMax = 5;
const delaySecondsMax = 8;
const copiesMax = 3;
const waitSeconds = 1;
/** How much longer it goes on while nothing was caught: the consumers wait at the queues too. */
const overtimeMs = 8_000;

/**
 * For about `ms` milliseconds takes messages out of the consumers' queues as a consumer would. `delay`: they come back seconds later, after
 * younger ones. `duplicate`: they come back, and so do copies of them, some at the same moment and some later. How many were caught.
 */
export async function disturbQueues(factsOf: () => RuntimeFacts, mischief: Mischief, random: Random, ms: number): Promise<number> {
  const endMs = performance.now() + ms;
  let caught = 0;
  const goesOn = () => performance.now() < endMs || (caught === 0 && performance.now() < endMs + overtimeMs);
  const names = Object.entries(factsOf().names.queues).flatMap(([logicalId, name]) => (/dead/i.test(logicalId) ? [] : [name]));
  // Each life of the runtime has its queues at another address.
  const clients = new Map<string, JsonClient>();
  const queueOf = (name: string): Queue => {
    const { sqsUrl } = factsOf();
    const client = clients.get(sqsUrl) ?? jsonClient(sqsUrl, 'AmazonSQS');
    clients.set(sqsUrl, client);
    return { client, url: `${sqsUrl}/${account}/${name}` };
  };
  const onCaught = (count: number) => {
    caught += count;
  };
  const receivers = names.flatMap((name) =>
    Array.from({ length: receiversPerQueue }, () => disturbQueue({ queueOf: () => queueOf(name), mischief, random, goesOn, onCaught })),
  );
  try {
    await Promise.all(receivers);
    return caught;
  } finally {
    for (const client of clients.values()) client.close();
  }
}

interface Queue {
  readonly client: JsonClient;
  readonly url: string;
}

interface Disturbance {
  readonly queueOf: () => Queue;
  readonly mischief: Mischief;
  readonly random: Random;
  readonly goesOn: () => boolean;
  readonly onCaught: (count: number) => void;
}

async function disturbQueue({ queueOf, mischief, random, goesOn, onCaught }: Disturbance): Promise<void> {
  while (goesOn()) {
    try {
      const { client, url: QueueUrl } = queueOf();
      const VisibilityTimeout = 1 + random.int(delaySecondsMax);
      const input = { QueueUrl, MaxNumberOfMessages: batchMax, WaitTimeSeconds: waitSeconds, VisibilityTimeout };
      const { Messages = [] } = (await client.call('ReceiveMessage', input)) as { Messages?: Message[] };
      onCaught(Messages.length);
      if (mischief === 'duplicate') for (const message of Messages) await duplicate(queueOf(), message, random);
    } catch {
      // The queues die with the runtime's process, which may be killed meanwhile.
      await pause(200);
    }
  }
}

async function duplicate({ client, url: QueueUrl }: Queue, { Body, ReceiptHandle }: Message, random: Random): Promise<void> {
  const copies = 1 + random.int(copiesMax);
  for (let copy = 0; copy < copies; copy++) {
    const DelaySeconds = random.chance(0.5) ? 0 : random.int(delaySecondsMax);
    await client.call('SendMessage', { QueueUrl, MessageBody: Body, DelaySeconds });
  }
  await client.call('ChangeMessageVisibility', { QueueUrl, ReceiptHandle, VisibilityTimeout: 1 });
}
