import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { queueDefaults } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import type { Platform } from './platform.ts';

const recordsPerBatch = 100;
const attemptsMax = 10;

/** The outbox: each new row in its stream becomes events on the bus. Rows of one order stay in order. */
export class Messaging extends Construct {
  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    const outbox = platform.tables.of('outbox');
    const { tableStreamArn } = outbox;
    if (!tableStreamArn) throw new Error('the outbox table has no stream');

    const undelivered = new Queue(this, 'Undelivered', queueDefaults);
    const dispatcher = new StampedeFunction(this, 'Dispatcher', {
      platform,
      entry: 'functions/messaging/dispatch.handler.ts',
      description: 'Publishes outbox rows as events',
      access: {},
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

    platform.operations.alarm(this, 'Stuck', {
      metric: undelivered.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      runbook: `Outbox rows were given up after ${attemptsMax} attempts. The message names the stream's shard and sequence numbers; the rows are still in the table. Orders end by the sweeper.`,
    });
    platform.operations.alarm(this, 'Late', {
      metric: dispatcher.lambda.metric('IteratorAge', { period: Duration.minutes(1), statistic: 'Maximum' }),
      threshold: Duration.minutes(1).toMilliseconds(),
      periods: 3,
      runbook: 'Events are over a minute behind the orders. See whether the dispatcher fails or is throttled.',
    });
    platform.operations.show('Outbox', {
      Dispatcher: [dispatcher.lambda.metricInvocations(), dispatcher.lambda.metricErrors(), dispatcher.lambda.metricThrottles()],
      Age: [dispatcher.lambda.metric('IteratorAge', { statistic: 'Maximum' })],
      Undelivered: [undelivered.metricApproximateNumberOfMessagesVisible()],
    });
  }
}
