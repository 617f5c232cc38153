import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { attemptsMax, queueDefaults } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import { type Platform, redisAlone } from './platform.ts';

/** As long as Lambda lets a function run: a sale of some millions of owned units takes minutes, and half a rebuild is none. */
const timeoutSeconds = 900;
/** Rebuilds at once. One sale is rebuilt by one; more only read the database and write to Redis at the same time, while others still sell. */
const concurrencyMax = 2;

/**
 * Where whoever misses a sale in Redis asks for it. Apart from what consumes it, because every function that uses the stock is told of this queue,
 * and the platform must know it before the first of them is made.
 */
export class RebuildQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.deadLetters = new Queue(this, 'DeadLetters', queueDefaults);
    this.queue = new Queue(this, 'Queue', {
      ...queueDefaults,
      // A rebuild that failed is asked for again within a minute by whoever misses the sale, so it matters little how late its own message comes back.
      visibilityTimeout: Duration.seconds(timeoutSeconds * 6),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: attemptsMax },
    });
  }
}

/** Brings back what Redis has lost: rebuilds a sale's stock from the rows of its units. */
export class Stock extends Construct {
  constructor(scope: Construct, id: string, { platform, rebuilds }: { readonly platform: Platform; readonly rebuilds: RebuildQueue }) {
    super(scope, id);
    const { queue, deadLetters } = rebuilds;
    platform.operations.deadLetters('rebuilds', { dead: deadLetters, source: queue });
    const rebuild = new StampedeFunction(this, 'Rebuild', {
      platform,
      entry: 'functions/stock/rebuild.handler.ts',
      description: 'Rebuilds the stock of sales that Redis has lost',
      access: {
        sales: { actions: ['GetItem', 'UpdateItem'] },
        seats: { actions: ['Query'] },
        units: { actions: ['Query'] },
        failures: { actions: ['PutItem'] },
      },
      settings: redisAlone,
      timeoutSeconds,
      // One whole core: the time goes into turning rows into calls of scripts, and a sale stands still meanwhile. What it holds at once fits in 256.
      memoryMegabytes: 1769,
      runbook:
        'A sale that Redis has lost does not come back, and its buyers hear STOCK_NOT_READY. The log names the sale and the error. It is asked for again within a minute by whoever misses it.',
    });
    // One message at a time: several sales in one batch would share the time of one function.
    rebuild.lambda.addEventSource(
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: concurrencyMax }),
    );

    platform.operations.alarm(this, 'Stuck', {
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1), statistic: 'Maximum' }),
      runbook: `A rebuild failed ${attemptsMax} times; its message names the sale. See in the function's log why. The sweeper asks for every live sale that Redis does not have, so the message itself can be deleted once the cause is gone.`,
    });
    platform.operations.alarm(this, 'Late', {
      metric: queue.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1), statistic: 'Maximum' }),
      threshold: 300,
      periods: 3,
      runbook:
        'A rebuild has waited for over five minutes: others take all the time, or the function fails. See its log for the sales it is at.',
    });
    platform.operations.show('Rebuild', {
      Queue: [queue.metricApproximateNumberOfMessagesVisible(), deadLetters.metricApproximateNumberOfMessagesVisible()],
      Function: [rebuild.lambda.metricInvocations(), rebuild.lambda.metricErrors()],
      Duration: [rebuild.lambda.metricDuration({ statistic: 'Maximum' })],
    });
  }
}
