import { Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type OrderEvent, type OrderEventName, orderEventSource } from '../../functions/orders/order.events.ts';
import { type SaleEventName, saleEventSource } from '../../functions/sales/sale.events.ts';
import type { Strategy } from '../../functions/sales/sale.model.ts';
import { type FunctionProps, StampedeFunction } from './function.ts';
import { ourMetric } from './metrics.ts';

/** An event that a consumer listens to, of which strategies, and what its data must be; in words that every matcher of event patterns knows. */
type Subscription = {
  [Name in OrderEventName]: {
    readonly event: Name;
    readonly strategy?: Strategy;
    readonly data?: { readonly [Field in keyof OrderEvent<Name>['data']]?: readonly OrderEvent<Name>['data'][Field][] };
  };
}[OrderEventName];

export interface ConsumerProps extends Omit<FunctionProps, 'timeoutSeconds'> {
  readonly on: readonly Subscription[];
  /** Events of sales that it listens to besides. */
  readonly onSales?: readonly SaleEventName[];
  /** How many messages it takes at once, and what for; ten as they come, when left out. */
  readonly batch?: Batch;
}

/** Messages wait up to `windowSeconds` for company. Of a consumer whose messages are about the same rows, few run at once. */
export interface Batch {
  readonly messagesMax: number;
  readonly windowSeconds: number;
  readonly concurrencyMax: number;
}

export const attemptsMax = 5;
export const timeoutSeconds = 30;
const messagesPerBatch = 10;
/** All consumers together stay far below the account's 1,000, so that a backlog never takes concurrency from buyers. */
const concurrencyMax = 40;

export const queueDefaults = { encryption: QueueEncryption.SQS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) };

/** As operators know a consumer's queue: `StockLevels` -> `stock-levels`. */
const queueNameOf = (id: string) => id.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();

/** One consumer of events: rules on the bus, a queue with its dead-letter queue, the function, and the alarms on them. */
export class Consumer extends Construct {
  readonly function: StampedeFunction;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { platform, on, onSales = [], batch } = props;

    const deadLetters = new Queue(this, 'DeadLetters', queueDefaults);
    const queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      // A message must not come back while the function may still be at it: six times its timeout, as Lambda asks for.
      visibilityTimeout: Duration.seconds(timeoutSeconds * 6),
      deadLetterQueue: { queue: deadLetters, maxReceiveCount: attemptsMax },
    });

    const anyDetail = on.filter(({ strategy, data }) => !strategy && !data).map(({ event }) => event);
    const target = new SqsQueue(queue, { deadLetterQueue: deadLetters });
    const rule = (name: string, detailType: string[], detail?: Record<string, unknown>, source = orderEventSource) =>
      new Rule(this, name, {
        eventBus: platform.bus,
        eventPattern: { source: [source], detailType, ...(detail ? { detail } : {}) },
        targets: [target],
      });
    if (anyDetail.length > 0) rule('On', anyDetail);
    for (const { event, strategy, data } of on) {
      if (strategy || data) rule(`On${event}`, [event], { ...(strategy ? { strategy: [strategy] } : {}), ...(data ? { data } : {}) });
    }
    if (onSales.length > 0) rule('OnSales', [...onSales], undefined, saleEventSource);

    platform.operations.deadLetters(queueNameOf(id), { dead: deadLetters, source: queue });
    const access = { ...props.access, failures: { actions: ['PutItem'] } } as const;
    this.function = new StampedeFunction(this, 'Consumer', { ...props, access, timeoutSeconds });
    this.function.lambda.addEventSource(
      new SqsEventSource(queue, {
        batchSize: batch?.messagesMax ?? messagesPerBatch,
        ...(batch ? { maxBatchingWindow: Duration.seconds(batch.windowSeconds) } : {}),
        reportBatchItemFailures: true,
        maxConcurrency: batch?.concurrencyMax ?? concurrencyMax,
      }),
    );

    platform.operations.alarm(this, 'Stuck', {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      runbook: `${id}: messages failed ${attemptsMax} times and wait in the dead-letter queue. Orders still end by the sweeper. GET /v1/dead-letters says which and why; mend it, then POST /v1/dead-letters/redrive: every consumer may run any number of times. ${props.runbook}`,
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
      Lag: [
        ourMetric('EventLag', this.function.lambda.functionName, 'p50'),
        ourMetric('EventLag', this.function.lambda.functionName, 'p99'),
      ],
      Function: [this.function.lambda.metricInvocations(), this.function.lambda.metricErrors(), this.function.lambda.metricThrottles()],
    });
  }
}
