import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { Duration } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { StampedeFunction } from './function.ts';
import { ourMetric } from './metrics.ts';
import { type Platform, redis } from './platform.ts';
import type { TableAccess } from './tables.ts';

/** It reads what there is, and writes nothing but views, reports, and what it remembers of a sale. */
const access: TableAccess = {
  sales: { actions: ['GetItem', 'Scan'] },
  seats: { actions: ['Query'] },
  orders: { actions: ['BatchGetItem'], indexes: { bySale: ['Query'] } },
  units: { actions: ['Query', 'BatchGetItem'] },
  allowances: { actions: ['Query'] },
  views: { actions: ['BatchGetItem', 'PutItem'] },
  reconciliations: { actions: ['GetItem', 'UpdateItem', 'PutItem', 'Query'] },
};

/** Compares Redis with the rows, every five minutes and on demand, and mends it. */
export class Reconciliation extends Construct {
  /** Serves those who ask for one, and for the reports. */
  readonly requests: StampedeFunction;

  constructor(scope: Construct, id: string, { platform }: { readonly platform: Platform }) {
    super(scope, id);
    this.requests = new StampedeFunction(this, 'Requests', {
      platform,
      entry: 'functions/reconciliation/reconciliations.handler.ts',
      description: 'Reconciles on demand, and lists reports',
      access,
      settings: redis,
      // Below the gateway's own 30 s, so that the caller gets our answer.
      timeoutSeconds: 29,
      memoryMegabytes: 1769,
      runbook: 'Operators can’t ask for reconciliations or see their reports. The one of every five minutes goes on.',
    });
    const reconciler = new StampedeFunction(this, 'Reconcile', {
      platform,
      entry: 'functions/reconciliation/reconcile.handler.ts',
      description: 'Compares Redis with the rows of live sales, and mends it',
      access,
      settings: redis,
      // As long as Lambda lets a function run: of a sale of a million units every row is read.
      timeoutSeconds: 900,
      // One whole core, which is what bounds a large comparison. What it keeps of a million units fits in a third of it.
      memoryMegabytes: 1769,
      runbook:
        'What Redis has wrong stays wrong, and a Redis that failed over stays marked as behind. Nothing is sold twice by it. The next run starts within five minutes.',
    });
    // Whoever starts it again is the next schedule.
    reconciler.lambda.configureAsyncInvoke({ retryAttempts: 0, maxEventAge: Duration.minutes(5) });

    const role = new Role(this, 'ScheduleRole', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
      inlinePolicies: {
        Invoke: new PolicyDocument({
          statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [reconciler.lambda.functionArn] })],
        }),
      },
    });
    new CfnSchedule(this, 'Schedule', {
      description: 'Runs the reconciler',
      scheduleExpression: 'rate(5 minutes)',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: reconciler.lambda.functionArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ schedule: 'reconciler' }),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 300 },
      },
    });

    platform.operations.alarm(this, 'Absent', {
      metric: reconciler.lambda.metricInvocations({ period: Duration.minutes(15), statistic: 'Sum' }),
      mustHappen: true,
      runbook: 'The reconciler has not run for fifteen minutes. See whether its schedule is enabled and its role may invoke it.',
    });
    platform.operations.alarm(this, 'Mended', {
      metric: ourMetric('Repairs', 'all', 'Sum'),
      runbook:
        'Redis had something wrong, and it was mended: GET /v1/reconciliations says what. After a failover that is what the reconciler is for. ' +
        'Without one, something writes to Redis what it should not, or fails to: find out what before the next sale.',
    });
    platform.operations.show('Reconciler', {
      Runs: [reconciler.lambda.metricInvocations(), reconciler.lambda.metricErrors()],
      Duration: [reconciler.lambda.metricDuration({ statistic: 'Maximum' })],
      Repairs: [ourMetric('Repairs', 'all', 'Sum')],
    });
  }
}
