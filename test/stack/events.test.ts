import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { orderEventNames, orderEventSource } from '../../functions/orders/order.events.ts';
import { saleEventNames, saleEventSource } from '../../functions/sales/sale.events.ts';
import { type Properties, type Resource, roleOf, type Synthesised, statementsOf, synthesised, target } from './synthesised.ts';

let stacks: Synthesised;
let queues: Resource[];
let mappings: Resource[];
let functions: Map<string, Resource>;
beforeAll(() => {
  stacks = synthesised();
  queues = stacks.of('AWS::SQS::Queue');
  mappings = stacks.of('AWS::Lambda::EventSourceMapping');
  functions = new Map(stacks.of('AWS::Lambda::Function').map((lambda) => [lambda.id, lambda]));
});
afterAll(() => stacks?.remove());

const deadLetterIds = () => [
  ...queues.flatMap(({ properties }) => (properties.RedrivePolicy ? [target(properties.RedrivePolicy.deadLetterTargetArn)] : [])),
  ...mappings.flatMap(({ properties }) =>
    properties.DestinationConfig ? [target(properties.DestinationConfig.OnFailure.Destination)] : [],
  ),
];

const functionOf = (mapping: Resource) => {
  const lambda = functions.get(target(mapping.properties.FunctionName));
  if (!lambda) throw new Error(`${mapping.path} maps to no function`);
  return lambda;
};

describe('queues', () => {
  it('gives each queue a dead-letter queue of its own, or is one', () => {
    const dead = deadLetterIds();
    expect(new Set(dead).size).toBe(dead.length);
    for (const { id, path, properties } of queues) {
      const isDeadLetters = dead.includes(id);
      expect(isDeadLetters !== (properties.RedrivePolicy !== undefined), path).toBe(true);
      if (!isDeadLetters) expect(properties.RedrivePolicy.maxReceiveCount, path).toBe(5);
    }
    expect(queues.filter(({ properties }) => properties.RedrivePolicy)).toHaveLength(9);
  });

  it('keeps what failed for two weeks', () => {
    for (const { path, properties } of queues) expect(properties.MessageRetentionPeriod, path).toBe(14 * 86_400);
  });

  it('alarms on the first message in every dead-letter queue', () => {
    const alarms = stacks.of('AWS::CloudWatch::Alarm').map(({ properties }) => properties);
    for (const id of deadLetterIds()) {
      const watching = alarms.filter(({ Dimensions }) => Dimensions?.some(({ Value }: Properties) => Value['Fn::GetAtt']?.[0] === id));
      expect(watching, id).toMatchObject([
        { MetricName: 'ApproximateNumberOfMessagesVisible', Threshold: 1, ComparisonOperator: 'GreaterThanOrEqualToThreshold' },
      ]);
    }
  });

  it('tells alarms apart from silence: each says what to do', () => {
    for (const { path, properties } of stacks.of('AWS::CloudWatch::Alarm'))
      expect(properties.AlarmDescription?.length, path).toBeGreaterThan(30);
  });
});

describe('mappings', () => {
  it('reports failures message by message on every mapping', () => {
    expect(mappings).toHaveLength(10);
    for (const { path, properties } of mappings) expect(properties.FunctionResponseTypes, path).toEqual(['ReportBatchItemFailures']);
  });

  it('never shows a message again while its function may still be at it', () => {
    const byId = new Map(queues.map((queue) => [queue.id, queue]));
    for (const mapping of mappings.filter(({ properties }) => !properties.StartingPosition)) {
      const queue = byId.get(target(mapping.properties.EventSourceArn));
      expect(queue?.properties.VisibilityTimeout, mapping.path).toBeGreaterThanOrEqual(6 * functionOf(mapping).properties.Timeout);
    }
  });

  it('bounds how much of the account’s concurrency the consumers may take from buyers', () => {
    const bounds = mappings
      .filter(({ properties }) => !properties.StartingPosition)
      .map(({ properties }) => properties.ScalingConfig.MaximumConcurrency);
    expect(bounds).toHaveLength(9);
    expect(bounds.reduce((sum, each) => sum + each, 0)).toBeLessThanOrEqual(250);
  });

  it('gives up on a poison outbox row after finite attempts, narrows it down, and leaves word of it', () => {
    const [stream] = mappings.filter(({ properties }) => properties.StartingPosition);
    expect(stream?.properties).toMatchObject({
      StartingPosition: 'TRIM_HORIZON',
      BatchSize: 100,
      ParallelizationFactor: 10,
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 10,
      MaximumRecordAgeInSeconds: 6 * 3600,
    });
    expect(queues.map(({ id }) => id)).toContain(target(stream?.properties.DestinationConfig.OnFailure.Destination));
  });

  it('lets the dispatcher read its own stream, publish on its own bus, and leave rows to the poller, and nothing else', () => {
    const [dispatcher] = [...functions.values()].filter(({ path }) => path.startsWith('Messaging/Stream/'));
    if (!dispatcher) throw new Error('no dispatcher');
    const rights = statementsOf(roleOf(dispatcher, stacks), stacks).flatMap(({ actions }) => actions);
    expect(rights.filter((action) => !/^(logs|xray):/.test(action)).sort()).toEqual([
      'dynamodb:DescribeStream',
      'dynamodb:GetRecords',
      'dynamodb:GetShardIterator',
      'dynamodb:ListStreams',
      'dynamodb:UpdateItem',
      'events:PutEvents',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:SendMessage',
    ]);
  });
});

describe('rules', () => {
  /** Which consumer hears which event, as the rules say it. */
  const heard = () =>
    stacks.of('AWS::Events::Rule').flatMap(({ path, properties: { EventPattern } }) => {
      const [, consumer] = path.split('/');
      return (EventPattern['detail-type'] as string[]).map((event) => ({ consumer, event, detail: EventPattern.detail }));
    });

  it('brings each consumer the events it acts on, and no others', () => {
    expect(heard().toSorted((a, b) => `${a.consumer}${a.event}`.localeCompare(`${b.consumer}${b.event}`))).toEqual([
      { consumer: 'Allocation', event: 'PaymentAuthorised', detail: { strategy: ['charge-first'] } },
      { consumer: 'Allocation', event: 'PaymentCaptured', detail: { strategy: ['charge-first'], data: { paymentMethod: ['external'] } } },
      { consumer: 'CapacityPlan', event: 'SaleClosed' },
      { consumer: 'CapacityPlan', event: 'SaleCreated' },
      { consumer: 'CapacityPlan', event: 'SaleRescheduled' },
      { consumer: 'Compensation', event: 'OrderCancelled' },
      { consumer: 'Compensation', event: 'OrderExpired' },
      { consumer: 'Compensation', event: 'OrderFailed' },
      { consumer: 'Compensation', event: 'PaymentRefunded' },
      { consumer: 'Compensation', event: 'RefundRequested' },
      { consumer: 'Confirmation', event: 'PaymentAuthorised', detail: { strategy: ['reserve-first'] } },
      { consumer: 'Confirmation', event: 'StockReserved', detail: { strategy: ['charge-first'], data: { paymentMethod: ['balance'] } } },
      { consumer: 'Fulfilment', event: 'OrderConfirmed', detail: { data: { paymentState: ['captured'] } } },
      { consumer: 'Fulfilment', event: 'PaymentCaptured' },
      { consumer: 'OrderViews', event: 'OrderUpdated' },
      { consumer: 'Payment', event: 'OrderConfirmed', detail: { data: { paymentState: ['authorised'] } } },
      { consumer: 'Payment', event: 'OrderPlaced', detail: { strategy: ['charge-first'], data: { paymentMethod: ['balance'] } } },
      { consumer: 'Payment', event: 'StockReserved', detail: { strategy: ['reserve-first'], data: { paymentMethod: ['balance'] } } },
      { consumer: 'StockLevels', event: 'OrderUpdated', detail: { data: { movesStock: [true] } } },
      { consumer: 'StockLevels', event: 'SaleCreated' },
      { consumer: 'StockLevels', event: 'StockAdjusted' },
    ]);
  });

  it('listens on our own bus, for one of our own sources, to events that it has', () => {
    const [bus] = stacks.of('AWS::Events::EventBus');
    for (const { path, properties } of stacks.of('AWS::Events::Rule')) {
      expect(target(properties.EventBusName), path).toBe(bus?.id);
      const names: Record<string, readonly string[]> = { [orderEventSource]: orderEventNames, [saleEventSource]: saleEventNames };
      const [source, ...others] = properties.EventPattern.source;
      expect(others, path).toEqual([]);
      for (const event of properties.EventPattern['detail-type']) expect(names[source], path).toContain(event);
    }
  });

  it('keeps what a rule could not deliver', () => {
    const dead = deadLetterIds();
    for (const { path, properties } of stacks.of('AWS::Events::Rule')) {
      for (const { DeadLetterConfig } of properties.Targets) expect(dead, path).toContain(target(DeadLetterConfig.Arn));
    }
  });
});

/** The schedule that is called so by its input. */
const scheduleOf = (name: string) =>
  stacks.of('AWS::Scheduler::Schedule').find(({ properties }) => JSON.parse(properties.Target.Input).schedule === name);

describe('the reconciler', () => {
  it('runs every five minutes, has the time for a large sale, and is missed when it does not run', () => {
    const schedule = scheduleOf('reconciler');
    expect(schedule?.properties).toMatchObject({ ScheduleExpression: 'rate(5 minutes)', FlexibleTimeWindow: { Mode: 'OFF' } });
    const reconciler = functions.get(target(schedule?.properties.Target.Arn));
    expect(reconciler?.properties.Timeout).toBe(900);
    const alarms = stacks.of('AWS::CloudWatch::Alarm').map(({ properties }) => properties);
    const absent = alarms.filter(({ TreatMissingData }) => TreatMissingData === 'breaching');
    expect(absent.map(({ Dimensions }) => Dimensions[0].Value.Ref)).toContain(reconciler?.id);
    expect(alarms).toContainEqual(expect.objectContaining({ MetricName: 'Repairs', Dimensions: [{ Name: 'Kind', Value: 'all' }] }));
  });
});

describe('the sweeper', () => {
  it('runs every minute, is over before its next run, and is missed when it does not run', () => {
    const schedule = scheduleOf('sweeper');
    expect(schedule?.properties).toMatchObject({ ScheduleExpression: 'rate(1 minute)', FlexibleTimeWindow: { Mode: 'OFF' } });
    expect(JSON.parse(schedule?.properties.Target.Input)).toEqual({ schedule: 'sweeper' });
    const sweeper = functions.get(target(schedule?.properties.Target.Arn));
    expect(sweeper?.properties.Timeout).toBeLessThan(60);
    const absent = stacks.of('AWS::CloudWatch::Alarm').filter(({ properties }) => properties.TreatMissingData === 'breaching');
    expect(absent.map(({ properties }) => [properties.MetricName, properties.Dimensions[0].Value.Ref])).toContainEqual([
      'Invocations',
      sweeper?.id,
    ]);
  });
});

describe('rebuilds', () => {
  const queueOf = (path: string) => {
    const found = queues.find((queue) => queue.path === path);
    if (!found) throw new Error(`no queue ${path}`);
    return found;
  };

  it('can be asked for by exactly the functions that use the stock: they know the queue, and may send to it and do nothing else', () => {
    const { id } = queueOf('Rebuilds/Queue');
    for (const lambda of functions.values()) {
      const variables = lambda.properties.Environment.Variables;
      const usesStock = variables.REDIS_URL !== undefined && !lambda.path.startsWith('Stock/Rebuild/');
      expect(variables.REBUILD_QUEUE_URL, lambda.path).toEqual(usesStock ? { Ref: id } : undefined);
      const rights = statementsOf(roleOf(lambda, stacks), stacks).filter(({ resources }) => JSON.stringify(resources).includes(`"${id}"`));
      const actions = rights.flatMap((statement) => statement.actions);
      if (usesStock) expect(actions, lambda.path).toEqual(['sqs:SendMessage']);
      // Redriving sends what could not be rebuilt back to where it came from.
      else if (lambda.path.startsWith('DeadLetters/')) expect(actions, lambda.path).toEqual(['sqs:SendMessage']);
      else if (!lambda.path.startsWith('Stock/Rebuild/')) expect(actions, lambda.path).toEqual([]);
    }
  });

  it('are done one at a time by a function that reads what owns units, marks the sale, and asks for no rebuild itself', () => {
    const [mapping] = mappings.filter(({ properties }) => target(properties.EventSourceArn) === queueOf('Rebuilds/Queue').id);
    expect(mapping?.properties).toMatchObject({ BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
    const [rebuild] = [...functions.values()].filter(({ path }) => path.startsWith('Stock/Rebuild/'));
    if (!rebuild) throw new Error('no rebuild function');
    expect(target(mapping?.properties.FunctionName)).toBe(rebuild.id);
    const rights = statementsOf(roleOf(rebuild, stacks), stacks)
      .filter(({ effect }) => effect === 'Allow')
      .flatMap(({ actions }) => actions)
      .filter((action) => !/^(logs|xray|ec2):/.test(action));
    expect([...new Set(rights)].sort()).toEqual([
      'dynamodb:GetItem',
      // Why a rebuild failed.
      'dynamodb:PutItem',
      'dynamodb:Query',
      'dynamodb:UpdateItem',
      'secretsmanager:DescribeSecret',
      'secretsmanager:GetSecretValue',
      'sqs:ChangeMessageVisibility',
      'sqs:DeleteMessage',
      'sqs:GetQueueAttributes',
      'sqs:GetQueueUrl',
      'sqs:ReceiveMessage',
    ]);
  });
});
