import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Placed } from './assembly.ts';
import { type JsonClient, jsonClient } from './aws-json.ts';
import type { SendToQueue } from './bus.ts';
import { account, region } from './intrinsics.ts';

export interface Queues {
  readonly url: string;
  readonly client: JsonClient;
  readonly urlOf: (name: string) => string;
  /** Makes the template's queues, dead-letter queues first. */
  create(queues: readonly Placed<'AWS::SQS::Queue'>[]): Promise<void>;
  send: SendToQueue;
  stop(): Promise<void>;
}

const batchMax = 10;
const sendAttemptsMax = 3;

/** An SQS server of our own in a thread of its own, on a free port of 127.0.0.1. */
export async function startQueues(): Promise<Queues> {
  const worker = new Worker(new URL('./queues.worker.ts', import.meta.url), { workerData: { region }, execArgv: [] });
  const [url] = (await once(worker, 'message')) as [string];
  const client = jsonClient(url, 'AmazonSQS');
  const urlOf = (name: string) => `${url}/${account}/${name}`;
  const nameOf = (arn: string) => arn.split(':').at(-1) ?? '';

  async function sendBatch(QueueUrl: string, bodies: readonly string[], offset: number): Promise<number[]> {
    const Entries = bodies.map((MessageBody, index) => ({ Id: String(index), MessageBody }));
    const answer = (await client.call('SendMessageBatch', { QueueUrl, Entries })) as { Failed?: { Id: string }[] };
    return (answer.Failed ?? []).map(({ Id }) => offset + Number(Id));
  }

  async function sendAll(arn: string, bodies: readonly string[]): Promise<number[]> {
    const failed: number[] = [];
    for (let offset = 0; offset < bodies.length; offset += batchMax) {
      const batch = bodies.slice(offset, offset + batchMax);
      for (let attempt = 1; ; attempt++) {
        try {
          failed.push(...(await sendBatch(urlOf(nameOf(arn)), batch, offset)));
          break;
        } catch {
          if (attempt < sendAttemptsMax) continue;
          failed.push(...batch.map((_, index) => offset + index));
          break;
        }
      }
    }
    return failed;
  }

  return {
    url,
    client,
    urlOf,
    async create(queues) {
      // A redrive policy may only name a queue that exists.
      const inOrder = [...queues].sort(
        (one, other) => Number(one.properties.RedrivePolicy !== undefined) - Number(other.properties.RedrivePolicy !== undefined),
      );
      for (const { name, properties } of inOrder) {
        const { VisibilityTimeout, DelaySeconds, RedrivePolicy } = properties;
        await client.call('CreateQueue', {
          QueueName: name,
          Attributes: {
            VisibilityTimeout: String(VisibilityTimeout),
            DelaySeconds: String(DelaySeconds),
            ...(RedrivePolicy ? { RedrivePolicy: JSON.stringify(RedrivePolicy) } : {}),
          },
        });
      }
    },
    send: sendAll,
    async stop() {
      client.close();
      await worker.terminate();
    },
  };
}
