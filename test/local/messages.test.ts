import { describe, expect, it, onTestFinished } from 'vitest';
import type { Placed } from '../../lib/local/assembly.ts';
import { jsonClient } from '../../lib/local/aws-json.ts';
import { startBus } from '../../lib/local/bus.ts';
import { startQueuePoller } from '../../lib/local/queue-pollers.ts';
import { type Queues, startQueues } from '../../lib/local/queues.ts';
import { hosted } from '../../lib/local/resources.ts';

const place = { stack: 'Small', logicalId: 'It' };
const queueOf = (name: string, properties: object = {}): Placed<'AWS::SQS::Queue'> => ({
  ...place,
  name,
  arn: `arn:aws:sqs:eu-central-1:000000000000:${name}`,
  properties: hosted['AWS::SQS::Queue'].parse(properties),
});
const mappingOf = (properties: object): Placed<'AWS::Lambda::EventSourceMapping'> => ({
  ...place,
  ...{ name: 'it', arn: 'arn:it' },
  properties: hosted['AWS::Lambda::EventSourceMapping'].parse({ EventSourceArn: 'arn', FunctionName: 'fn', ...properties }),
});

interface Batch {
  readonly Records: readonly { readonly messageId: string; readonly body: string; readonly attributes: Record<string, string> }[];
}

/** A queue with its dead-letter queue, and a function behind it. */
async function queueWith(handle: (batch: Batch) => unknown, { maxReceiveCount = 2, reportsItemFailures = true } = {}) {
  const queues = await startQueues();
  onTestFinished(() => queues.stop());
  const dead = queueOf('dead');
  const work = queueOf('work', { VisibilityTimeout: 60, RedrivePolicy: { deadLetterTargetArn: dead.arn, maxReceiveCount } });
  // The one that names the other comes first: the order of a template means nothing.
  await queues.create([work, dead]);
  const poller = startQueuePoller({
    mapping: mappingOf({ BatchSize: 10, FunctionResponseTypes: reportsItemFailures ? ['ReportBatchItemFailures'] : [] }),
    queue: work,
    queueUrl: queues.urlOf('work'),
    target: { invoke: async (event) => handle(event as Batch) },
    client: queues.client,
    onLog: () => {},
  });
  onTestFinished(() => poller.stop());
  return { queues, work, dead };
}

async function depthOf(queues: Queues, name: string): Promise<number> {
  const input = { QueueUrl: queues.urlOf(name), AttributeNames: ['All'] };
  const { Attributes } = (await queues.client.call('GetQueueAttributes', input)) as { Attributes: Record<string, string> };
  return Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible);
}

describe('a queue and the function behind it', () => {
  it('loses nothing, and deletes what was done', async () => {
    const seen = new Set<string>();
    const { queues, work } = await queueWith(({ Records }) => {
      for (const { body } of Records) seen.add(body);
      return { batchItemFailures: [] };
    });
    const bodies = Array.from({ length: 25 }, (_, index) => `message ${index}`);
    expect(await queues.send(work.arn, bodies)).toEqual([]);
    await expect.poll(() => seen.size, { timeout: 50_000 }).toBe(25);
    await expect.poll(() => depthOf(queues, 'work'), { timeout: 50_000 }).toBe(0);
    expect(await depthOf(queues, 'dead')).toBe(0);
  });

  it('gets only the failed messages of a batch again, and buries them after their last attempt', async () => {
    const seen: string[] = [];
    const { queues, work } = await queueWith(({ Records }) => {
      for (const { body } of Records) seen.push(body);
      return { batchItemFailures: Records.filter(({ body }) => body === 'poison').map(({ messageId }) => ({ itemIdentifier: messageId })) };
    });
    await queues.send(work.arn, ['good', 'poison', 'fine']);
    await expect.poll(() => depthOf(queues, 'dead'), { timeout: 50_000 }).toBe(1);
    expect(seen.toSorted()).toEqual(['fine', 'good', 'poison', 'poison']);
    expect(await depthOf(queues, 'work')).toBe(0);
  });

  it('gets the whole batch again when it throws, or reports a message that is not in it', async () => {
    for (const handle of [() => Promise.reject(new Error('no')), () => ({ batchItemFailures: [{ itemIdentifier: 'nobody' }] })]) {
      const { queues, work } = await queueWith(handle, { maxReceiveCount: 1 });
      await queues.send(work.arn, ['one', 'two']);
      await expect.poll(() => depthOf(queues, 'dead'), { timeout: 50_000 }).toBe(2);
    }
  });
});

describe('the bus', () => {
  const at = 'arn:aws:sqs:eu-central-1:000000000000:';
  const ruleOf = (queue: string, EventPattern: object): Placed<'AWS::Events::Rule'> => ({
    ...{ stack: 'Small', logicalId: `To${queue}`, name: queue, arn: `arn:rule:${queue}` },
    properties: hosted['AWS::Events::Rule'].parse({ EventBusName: 'orders', EventPattern, Targets: [{ Id: 'q', Arn: at + queue }] }),
  });
  const bus = { ...place, name: 'orders', arn: 'arn:bus', properties: { Name: 'orders' } };
  const entry = (DetailType: string, Detail = '{"n":1}', EventBusName = 'orders') => ({
    Source: 'shop',
    DetailType,
    Detail,
    EventBusName,
    Time: 1_700_000_000,
  });

  async function busOver(rules: Placed<'AWS::Events::Rule'>[], refuses: readonly string[] = []) {
    const sent: { arn: string; body: string }[] = [];
    const send = async (arn: string, bodies: readonly string[]) => {
      if (refuses.includes(arn)) return bodies.map((_, index) => index);
      sent.push(...bodies.map((body) => ({ arn, body })));
      return [];
    };
    const queues = ['paid', 'all'].map((name) => queueOf(name));
    const server = await startBus({ buses: [bus], rules, queues }, send, () => 0);
    onTestFinished(() => server.stop());
    const client = jsonClient(server.url, 'AWSEvents');
    onTestFinished(() => client.close());
    return { sent, put: (...Entries: object[]) => client.call('PutEvents', { Entries }) };
  }

  it('puts an event into every queue whose rule matches, in EventBridge’s envelope', async () => {
    const { put, sent } = await busOver([ruleOf('paid', { 'detail-type': ['Paid'] }), ruleOf('all', { source: ['shop'] })]);
    expect(await put(entry('Paid'), entry('Placed'))).toMatchObject({
      FailedEntryCount: 0,
      Entries: [{ EventId: expect.any(String) }, {}],
    });
    expect(sent.map(({ arn, body }) => [arn, (JSON.parse(body) as Record<string, unknown>)['detail-type']]).toSorted()).toEqual([
      [`${at}all`, 'Paid'],
      [`${at}all`, 'Placed'],
      [`${at}paid`, 'Paid'],
    ]);
    expect(JSON.parse(sent[0]?.body ?? '')).toEqual({
      ...{ version: '0', id: expect.any(String), source: 'shop', account: '000000000000', region: 'eu-central-1', resources: [] },
      ...{ 'detail-type': 'Paid', time: '2023-11-14T22:13:20Z', detail: { n: 1 } },
    });
  });

  it('reports each entry that it did not deliver, and only those', async () => {
    const { put, sent } = await busOver(
      [ruleOf('paid', { 'detail-type': ['Paid'] }), ruleOf('all', { 'detail-type': ['Placed'] })],
      [`${at}paid`],
    );
    const answer = await put(entry('Paid'), entry('Placed'), entry('Placed', 'not json'), entry('Placed', '{}', 'elsewhere'));
    expect(answer).toMatchObject({
      FailedEntryCount: 3,
      Entries: [
        { ErrorCode: 'InternalFailure' },
        { EventId: expect.any(String) },
        { ErrorCode: 'MalformedDetail' },
        { ErrorCode: 'InvalidArgument' },
      ],
    });
    expect(sent).toHaveLength(1);
  });

  it('is not started over a rule that it could not follow', async () => {
    await expect(busOver([ruleOf('nowhere', { source: ['shop'] })])).rejects.toThrow(/Tonowhere.*nowhere/);
    await expect(busOver([ruleOf('all', { source: [{ wildcard: 's*' }] })])).rejects.toThrow(/Small\/Toall.*wildcard/);
  });
});
