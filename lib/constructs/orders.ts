import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { claimsUnits, freesUnits, movesMoney, movesOrders, sellsUnits, watchesRedis } from './access.ts';
import { Consumer } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import { type Platform, redis } from './platform.ts';

/** Placing orders, confirming and compensating them, and sweeping up what was left behind. */
export class Orders extends Construct {
  readonly reserve: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.reserve = new StampedeFunction(this, 'Reserve', {
      platform,
      entry: 'functions/orders/place.handler.ts',
      description: 'Reserves stock and places the order: the hot path',
      access: { ...movesOrders, ...claimsUnits, ...watchesRedis },
      settings: [...redis, 'HOLD_SECRET'],
      // Redis and one transaction answer, or say that they did not, in less.
      timeoutSeconds: 15,
      // One whole core: the first request of a fresh environment is the one that a crowd waits for.
      memoryMegabytes: 1769,
      startsLean: true,
      runbook: 'Buyers cannot order. Units that were held come back by themselves; a retry with the same key is safe.',
    });
    platform.operations.show('Reserve', {
      Calls: [this.reserve.lambda.metricInvocations(), this.reserve.lambda.metricErrors(), this.reserve.lambda.metricThrottles()],
      Duration: ['p50', 'p99'].map((statistic) => this.reserve.lambda.metricDuration({ statistic })),
    });

    new Consumer(this, 'Allocation', {
      platform,
      entry: 'functions/orders/allocate.handler.ts',
      description: 'Gets the units of orders that were charged first',
      on: [
        { event: 'PaymentAuthorised', strategy: 'charge-first' },
        { event: 'PaymentCaptured', strategy: 'charge-first', data: { paymentMethod: ['external'] } },
      ],
      // With no unit left, what was set aside returns in the same transaction.
      access: { ...movesOrders, ...claimsUnits, ...movesMoney },
      settings: redis,
      memoryMegabytes: 512,
      runbook: 'Buyers have paid and wait for their units.',
    });
    new Consumer(this, 'Confirmation', {
      platform,
      entry: 'functions/orders/confirm.handler.ts',
      description: 'Confirms paid orders',
      on: [
        { event: 'PaymentAuthorised', strategy: 'reserve-first' },
        { event: 'StockReserved', strategy: 'charge-first', data: { paymentMethod: ['balance'] } },
      ],
      access: { ...movesOrders, ...sellsUnits },
      settings: redis,
      memoryMegabytes: 512,
      runbook: 'Orders are paid and not yet confirmed.',
    });
    new Consumer(this, 'Compensation', {
      platform,
      entry: 'functions/orders/compensate.handler.ts',
      description: 'Gives units and money back, once',
      on: [
        { event: 'OrderFailed' },
        { event: 'OrderExpired' },
        { event: 'OrderCancelled' },
        { event: 'RefundRequested' },
        { event: 'PaymentRefunded' },
      ],
      // Units of an order that was taken back retire: their rows stay.
      access: {
        ...movesOrders,
        ...freesUnits,
        ...movesMoney,
        units: { actions: [...freesUnits.units.actions, ...sellsUnits.units.actions] },
      },
      settings: redis,
      memoryMegabytes: 512,
      runbook: 'Units or money of ended orders are not back yet.',
    });
    new Sweeper(this, 'Sweeper', { platform });
  }
}

/** Every minute, whatever the events do: drives each order and each hold that is due. */
class Sweeper extends Construct {
  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    const sweeper = new StampedeFunction(this, 'Sweep', {
      platform,
      entry: 'functions/orders/sweep.handler.ts',
      description: 'Drives orders and holds that are due',
      access: {
        ...movesOrders,
        ...freesUnits,
        ...movesMoney,
        orders: { actions: [...movesOrders.orders.actions, 'BatchGetItem'], indexes: { due: ['Query'], bySale: ['Query'] } },
        units: { actions: [...sellsUnits.units.actions, ...freesUnits.units.actions, ...claimsUnits.units.actions] },
        allowances: { actions: [...freesUnits.allowances.actions, ...claimsUnits.allowances.actions] },
        sales: { actions: ['Scan', 'GetItem', 'UpdateItem'] },
        seats: { actions: ['Query'] },
        fulfilments: { actions: ['PutItem'] },
        ...watchesRedis,
      },
      settings: [...redis, 'TICKET_SECRET'],
      // Over before the next one starts. Two at once would be safe, so no concurrency is reserved: that would take it from buyers.
      timeoutSeconds: 55,
      memoryMegabytes: 1024,
      runbook: 'Holds do not expire and lost events are not made good. The next run starts within a minute.',
    });
    // Whoever starts it again is the next minute.
    sweeper.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(1) });

    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
      inlinePolicies: {
        Invoke: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [sweeper.lambda.functionArn] })],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      description: 'Runs the sweeper',
      scheduleExpression: 'rate(1 minute)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: sweeper.lambda.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ schedule: 'sweeper' }),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
      },
    });

    platform.operations.alarm(this, 'Absent', {
      metric: sweeper.lambda.metricInvocations({ period: Duration.minutes(5), statistic: 'Sum' }),
      mustHappen: true,
      runbook:
        'The sweeper has not run for five minutes: holds do not expire. See whether its schedule is enabled and its role may invoke it.',
    });
    platform.operations.show('Sweeper', {
      Runs: [sweeper.lambda.metricInvocations(), sweeper.lambda.metricErrors()],
      Duration: [sweeper.lambda.metricDuration({ statistic: 'Maximum' })],
    });
  }
}
