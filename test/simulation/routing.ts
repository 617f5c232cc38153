import { account, region } from '../../lib/local/intrinsics.ts';
import { failedOf } from '../../lib/local/queue-pollers.ts';
import type { ConsumerSpec, Deployment, QueueSpec, ScheduleSpec } from './deployment.ts';
import type { BusEntry } from './machine/contract.ts';
import type { SimMessage } from './machine/queues.ts';
import { Lanes } from './stream-lanes.ts';
import type { World } from './world.ts';

/** What AWS does between the functions, at its own pace, from the start to `stop`. */
export interface Routing {
  /** Ends when what is under way has ended. */
  stop(): Promise<void>;
  /** What is still on its way, in words; undefined when nothing is. What lies among the dead letters is not. */
  onItsWay(): string | undefined;
  /** A run of a schedule besides its own pace. */
  runNow(schedule: string): Promise<void>;
  /** Whether an event was lost, or lies where no consumer gets it any more. */
  readonly hasLostEvents: boolean;
}

/** A consumer's batches under way at most: AWS would allow more, and what races with what is the same. */
const batchesMax = 3;
const tickMs = { min: 40, max: 260 };
/** EventBridge and SQS take a moment, and keep no order. */
const busMsMax = 400;
const lateMsMax = 90_000;

/** Starts streams, rules, queues and schedules of the deployment. */
export function startRouting(world: World): Routing {
  const { machine, deployment, plan, faults } = world;
  const { queues, bus } = machine;
  const random = machine.random.fork('routing');
  const queueBy = new Map(deployment.queues.map((queue) => [queue.name, queue]));
  const lanes = deployment.streams.map((spec) => new Lanes(spec, world));
  const schedules = deployment.schedules.filter(
    ({ functionName }) =>
      !(plan.isBusOff && functionName.startsWith('messaging/')) && !(plan.isReconcilerOff && functionName.startsWith('reconciliation/')),
  );
  const underWay = new Map<string, number>();
  let isStopping = false;
  let routed = 0;
  let batches = 0;
  let lostEvents = plan.isBusOff;

  bus.onEntry(() => (faults.strikes('bus-refuses-some') ? 'InternalFailure' : undefined));

  function routeBus(): void {
    for (; routed < bus.entries.length; routed++) {
      const entry = bus.entries[routed];
      if (entry && !plan.isBusOff) deliver(entry);
    }
  }

  function deliver(entry: BusEntry): void {
    const event = eventBridgeEvent(entry);
    const names = deployment.rules.filter(({ matches }) => matches(event)).flatMap(({ queueNames }) => queueNames);
    for (const name of names) {
      send(queueOf(name), event);
      const again = faults.strikes('duplicate', entry.detailType);
      if (again) send(queueOf(name), event, again.int(again.chance(0.5) ? busMsMax : lateMsMax));
    }
  }

  function send(queue: QueueSpec, event: object, laterMs = 0): void {
    const message = queues.send(queue.url, JSON.stringify(event));
    const late = faults.strikes('late');
    const waitMs = laterMs + random.int(busMsMax) + (late ? late.int(lateMsMax) : 0);
    if (waitMs > 0) queues.hide(queue.url, message.messageId, waitMs);
  }

  const queueOf = (name: string): QueueSpec => {
    const queue = queueBy.get(name);
    if (!queue) throw new Error(`the template has no queue ${name}`);
    return queue;
  };

  function consume(consumer: ConsumerSpec): void {
    const queue = queueOf(consumer.queueName);
    if (queues.messages(queue.url).length === 0) return;
    if (faults.strikes('poison', consumer.functionName)) queues.send(queue.url, '{"detail-type": "OrderPlaced", "detail": {"orderId": 7');
    const busy = underWay.get(queue.name) ?? 0;
    if (busy >= Math.min(batchesMax, consumer.concurrencyMax)) return;
    const messages = queues.receive(queue.url, consumer.batchSize, queue.visibilityMs).filter((message) => !isDead(queue, message));
    if (messages.length === 0 || faults.strikes('receive-lost', consumer.functionName)) return;
    underWay.set(queue.name, busy + 1);
    batches++;
    void handle(consumer, queue, messages).finally(() => {
      underWay.set(queue.name, (underWay.get(queue.name) ?? 1) - 1);
      batches--;
    });
  }

  /** A message that was received too often goes to the dead letters. */
  function isDead(queue: QueueSpec, message: SimMessage): boolean {
    if (message.receivedTimes <= queue.receivesMax) return false;
    if (queue.deadLetterName !== undefined) queues.send(queueOf(queue.deadLetterName).url, message.body, message.attributes);
    queues.remove(queue.url, message.messageId);
    lostEvents = true;
    return true;
  }

  async function handle(consumer: ConsumerSpec, queue: QueueSpec, messages: readonly SimMessage[]): Promise<void> {
    const deed = consumer.functionName === 'stock/rebuild' ? 'rebuild' : consumer.functionName;
    const event = { Records: messages.map((message) => sqsRecord(message, queue)) };
    const invocation = await world.invoke(consumer.functionName, event, deed);
    if (invocation.outcome !== 'returned') return;
    const failed = failedOf(
      invocation.result,
      true,
      messages.map(({ messageId }) => ({ MessageId: messageId })),
    );
    // What failed stays hidden until its time in the queue is over, as it does behind Lambda.
    for (const { messageId } of messages) if (!failed.has(messageId)) queues.remove(queue.url, messageId);
  }

  async function pump(): Promise<void> {
    while (!isStopping) {
      for (const each of lanes) each.fill(plan.isBusOff);
      routeBus();
      for (const consumer of deployment.consumers) consume(consumer);
      for (const { functionArn, input } of machine.capacity.takeDue()) void call(functionArn, input);
      await machine.sleep(random.between(tickMs.min, tickMs.max));
    }
  }

  async function repeat(schedule: ScheduleSpec): Promise<void> {
    await machine.sleep(random.int(schedule.everyMs));
    while (!isStopping) {
      void run(schedule);
      await machine.sleep(schedule.everyMs);
    }
  }

  let runs = 0;
  async function run({ functionName, input, name }: ScheduleSpec): Promise<void> {
    runs++;
    await world.invoke(functionName, input, name).finally(() => runs--);
  }

  /** What nobody waits for: a one-time schedule, or a function that another one has invoked so. Who fails is not called again here. */
  async function call(functionArn: string, input: unknown): Promise<void> {
    runs++;
    const functionName = deployment.functionNameOfArn(functionArn);
    await world.invoke(functionName, input, functionName).finally(() => runs--);
  }

  const loops = [pump()];
  for (const schedule of schedules) void repeat(schedule);

  return {
    async stop() {
      isStopping = true;
      await Promise.all(loops);
      while (batches > 0 || runs > 0 || lanes.some(({ isBusy }) => isBusy)) await machine.sleep(1_000);
    },
    onItsWay() {
      const waiting = deployment.consumers
        .filter(({ functionName }) => functionName !== 'stock/rebuild')
        .map(({ queueName }) => queueOf(queueName))
        .find(({ url }) => queues.messages(url).length > 0);
      if (waiting) return `messages in ${waiting.name}`;
      if (batches > 0) return 'a batch under way';
      const lane = lanes.find(({ isBusy }) => isBusy);
      if (lane) return 'rows of a stream';
      return routed < bus.entries.length ? 'entries of the bus' : undefined;
    },
    async runNow(name) {
      const schedule = schedules.find((each) => each.name === name);
      if (schedule) await run(schedule);
    },
    get hasLostEvents() {
      return lostEvents || lanes.some(({ hasLost }) => hasLost);
    },
  };
}

/** EventBridge's envelope. */
function eventBridgeEvent({ eventId, detailType, source, timeMs, detail }: BusEntry) {
  return {
    ...{ version: '0', id: eventId, 'detail-type': detailType, source, account },
    ...{ time: new Date(timeMs).toISOString().replace(/\.\d{3}Z$/, 'Z'), region, resources: [], detail: JSON.parse(detail) as object },
  };
}

const sqsRecord = ({ messageId, body, receivedTimes, sentAtMs, attributes }: SimMessage, queue: QueueSpec) => ({
  messageId,
  receiptHandle: `${messageId}/${receivedTimes}`,
  body,
  attributes: {
    ApproximateReceiveCount: String(receivedTimes),
    SentTimestamp: String(sentAtMs),
    SenderId: 'simulated',
    ApproximateFirstReceiveTimestamp: String(sentAtMs),
  },
  messageAttributes: attributes,
  md5OfBody: '',
  eventSource: 'aws:sqs',
  eventSourceARN: queue.arn,
  awsRegion: region,
});

/** The queues that functions know, for whoever makes a machine. */
export const queueUrlsOf = ({ queues }: Deployment): string[] => queues.map(({ url }) => url);
