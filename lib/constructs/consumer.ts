import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type OrderEvent, type OrderEventName, orderEventSource } from '../../functions/orders/order.events.ts';
import { type FunctionProps, StampedeFunction } from './function.ts';

/** An event that a consumer listens to, and what its data must be; in words that every matcher of event patterns knows. */
type Subscription = {
  [Name in OrderEventName]: {
    readonly event: Name;
    readonly data?: { readonly [Field in keyof OrderEvent<Name>['data']]?: readonly OrderEvent<Name>['data'][Field][] };
  };
}[OrderEventName];

export interface ConsumerProps extends Omit<FunctionProps, 'timeoutSeconds'> {
  readonly on: readonly [Subscription, ...Subscription[]];
}

export const attemptsMax = 5;
export const timeoutSeconds = 30;
const messagesPerBatch = 10;
/** All consumers together stay far below the account's 1,000, so that a backlog never takes concurrency from buyers. */
const concurrencyMax = 50;

export const queueDefaults = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };

/** One consumer of order events: rules on the bus, a queue with its dead-letter queue, the function, and the alarms on them. */
export class Consumer extends Construct {
  readonly function: StampedeFunction;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { platform, on } = props;

    const deadLetters = new Queue(this, 'DeadLetters', queueDefaults);
    const queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      // A message must not come back while the function may still be at it: six times its timeout, as Lambda asks for.
      visibilityTimeout: Duration.seconds(timeoutSeconds * 6),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: attemptsMax },
    });

    const anyData = on.filter(({ data }) => !data).map(({ event }) => event);
    const target = new SqsQueue(queue, { deadLetterQueue: deadLetters });
    const rule = (name: string, detailType: string[], detail?: Record<string, unknown>) =>
      new Rule(this, name, {
        eventBus: platform.bus,
        eventPattern: { source: [orderEventSource], detailType, ...(detail ? { detail } : {}) },
        targets: [target],
      });
    if (anyData.length > 0) rule('On', anyData);
    for (const { event, data } of on) if (data) rule(`On${event}`, [event], { data });

    this.function = new StampedeFunction(this, 'Consumer', { ...props, timeoutSeconds });
    this.function.lambda.addEventSource(
      new SqsEventSource(queue, { batchSize: messagesPerBatch, reportBatchItemFailures: true, maxConcurrency: concurrencyMax }),
    );

    platform.operations.alarm(this, 'Stuck', {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      runbook: `${id}: messages failed ${attemptsMax} times and wait in the dead-letter queue. Orders still end by the sweeper. Find the error in the function's log by the message's orderId, mend it, then redrive the queue: every consumer may run any number of times. ${props.runbook}`,
    });
    platform.operations.alarm(this, 'Late', {
      metric: queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1), statistic: 'Maximum' }),
      threshold: 300,
      periods: 3,
      runbook: `${id}: a message has waited for over five minutes. See whether the function fails, is throttled, or cannot keep up.`,
    });
    platform.operations.show(id, {
      Queue: [queue.metricApproximateNumberOfMessagesVisible(), deadLetters.metricApproximateNumberOfMessagesVisible()],
      Age: [queue.metricApproximateAgeOfOldestMessage()],
      Function: [this.function.lambda.metricInvocations(), this.function.lambda.metricErrors(), this.function.lambda.metricThrottles()],
    });
  }
}
