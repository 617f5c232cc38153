import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { queueDefaults } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import { ourMetric } from './metrics.ts';
import type { OutboxPublishers } from './outbox-publishers.ts';
import type { Platform } from './platform.ts';

const recordsPerBatch = 100;
const attemptsMax = 10;

interface MessagingProps {
  readonly platform: Platform;
  readonly publishers: OutboxPublishers;
}

/** The outbox: each row becomes events on the bus, by the table's stream, by a poller, or by both. */
export class Messaging extends Construct {
  constructor(scope: Construct, id: string, { platform, publishers }: MessagingProps) {
    super(scope, id);
    // Kept in every mode: what is in it when the mode changes is not to go with it.
    const undelivered = new Queue(this, 'Undelivered', queueDefaults);
    platform.operations.deadLetters('outbox', { dead: undelivered });
    platform.operations.alarm(this, 'Stuck', {
      metric: undelivered.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      runbook: `The dispatcher did not get to outbox rows in ${attemptsMax} attempts: neither the bus nor the table took what it did, or it did not start. The message names the stream's shard and sequence numbers; the rows are still in the table. Orders end by the sweeper.`,
    });
    if (publishers.listensToStream) new Dispatcher(this, 'Stream', { platform, undelivered });
    new Poller(this, 'Poller', { platform, publishers });
  }
}

/** Publishes new rows as the table's stream brings them. */
class Dispatcher extends Construct {
  constructor(scope: Construct, id: string, { platform, undelivered }: { readonly platform: Platform; readonly undelivered: Queue }) {
    super(scope, id);
    const { tableStreamArn } = platform.tables.of('outbox');
    if (!tableStreamArn) throw new Error('the outbox table has no stream');
    const dispatcher = new StampedeFunction(this, 'Dispatcher', {
      platform,
      entry: 'functions/messaging/dispatch.handler.ts',
      description: 'Publishes outbox rows as events',
      // Leaves to the poller what the bus refuses.
      access: { outbox: { actions: ['UpdateItem'] } },
      settings: ['BUS_NAME'],
      timeoutSeconds: 30,
      memoryMegabytes: 512,
      runbook: 'Events are late, orders still end by the sweeper. Look in the log for entries that EventBridge refused.',
    });
    // `grantStreamRead` would add ListStreams on every table.
    dispatcher.lambda.addToRolePolicy(
      new PolicyStatement({
        actions: ['dynamodb:DescribeStream', 'dynamodb:GetRecords', 'dynamodb:GetShardIterator', 'dynamodb:ListStreams'],
        resources: [tableStreamArn],
      }),
    );
    dispatcher.lambda.addEventSourceMapping('Outbox', {
      eventSourceArn: tableStreamArn,
      startingPosition: StartingPosition.TRIM_HORIZON,
      // No batching window: an order passes here at every step, and batches fill by themselves under load.
      batchSize: recordsPerBatch,
      parallelizationFactor: 10,
      bisectBatchOnError: true,
      reportBatchItemFailures: true,
      // A poison row holds up the orders of its lane, so the end of its attempts comes soon; the sweeper drives what it stood for.
      retryAttempts: attemptsMax,
      maxRecordAge: Duration.hours(6),
      onFailure: new SqsDlq(undelivered),
    });

    platform.operations.alarm(this, 'Late', {
      metric: dispatcher.lambda.metric('IteratorAge', { period: Duration.minutes(1), statistic: 'Maximum' }),
      threshold: Duration.minutes(1).toMilliseconds(),
      periods: 3,
      runbook: 'Events are over a minute behind the orders. See whether the dispatcher fails or is throttled.',
    });
    platform.operations.show('Outbox', {
      Dispatcher: [dispatcher.lambda.metricInvocations(), dispatcher.lambda.metricErrors(), dispatcher.lambda.metricThrottles()],
      Age: [dispatcher.lambda.metric('IteratorAge', { statistic: 'Maximum' }), ourMetric('OutboxLag', 'stream', 'p99')],
      Undelivered: [undelivered.metricApproximateNumberOfMessagesVisible(), ourMetric('OutboxFailures', 'stream', 'Sum')],
    });
  }
}

/** A run goes on so much longer than the schedule's minute: the next one has begun by then, so that no event waits for it. */
const overlapSeconds = 10;
/** What a run leaves for its last round. */
const marginSeconds = 10;

/** Publishes rows that wait in the index: all of them where no stream does, and always what the stream could not. */
class Poller extends Construct {
  constructor(scope: Construct, id: string, { platform, publishers }: MessagingProps) {
    super(scope, id);
    const poller = new StampedeFunction(this, 'Poll', {
      platform,
      entry: 'functions/messaging/poll.handler.ts',
      description: 'Publishes outbox rows that wait to be published',
      access: { outbox: { actions: ['BatchGetItem', 'UpdateItem'], indexes: { unpublished: ['Query'] } } },
      settings: ['BUS_NAME', 'OUTBOX_MODE'],
      // Two at once publish some events twice, which every consumer bears; a gap would make every event wait.
      timeoutSeconds: 60 + overlapSeconds + marginSeconds,
      memoryMegabytes: 512,
      runbook:
        'Events of rows that only the poller publishes are late; orders still end by the sweeper. The next run starts within a minute.',
    });
    poller.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });

    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
      inlinePolicies: {
        Invoke: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [poller.lambda.functionArn] })],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      description: 'Runs the poller of the outbox',
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: poller.lambda.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ schedule: 'outbox' }),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });

    const setAside = ourMetric('OutboxSetAside', 'poller', 'Sum');
    platform.operations.alarm(this, 'SetAside', {
      metric: setAside,
      runbook:
        'Outbox rows were refused by the bus, or could not be read, until their attempts were used up. GET /v1/dead-letters says which and why; redrive them once the cause is mended. Orders end by the sweeper.',
    });
    platform.operations.alarm(this, 'Absent', {
      metric: poller.lambda.metricInvocations({ period: Duration.minutes(5), statistic: 'Sum' }),
      mustHappen: true,
      runbook: 'The poller has not run for five minutes. See whether its schedule is enabled and its role may invoke it.',
    });
    const lag = ourMetric('OutboxLag', 'poller', 'Maximum');
    if (publishers.writes === 'polling') {
      platform.operations.alarm(this, 'Late', {
        metric: lag,
        threshold: Duration.minutes(1).toMilliseconds(),
        periods: 3,
        runbook: 'Events are over a minute behind the orders. See whether the poller fails, is throttled, or cannot keep up.',
      });
    }
    platform.operations.show('Outbox poller', {
      Runs: [poller.lambda.metricInvocations(), poller.lambda.metricErrors()],
      Lag: [lag, ourMetric('OutboxLag', 'poller', 'p50')],
      Refused: [ourMetric('OutboxFailures', 'poller', 'Sum'), setAside],
    });
  }
}
