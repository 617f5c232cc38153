import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Alias, type IFunction, type IVersion } from 'aws-cdk-lib/aws-lambda';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { CfnParameter, Duration, Stack } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { Prewarm } from '../../functions/capacity/capacity.model.ts';
import { Consumer } from './consumer.ts';
import { StampedeFunction } from './function.ts';
import type { Platform } from './platform.ts';

interface CapacityProps {
  readonly platform: Platform;
  /** The hot path: the function that is to be there before the crowd. */
  readonly reserve: StampedeFunction;
}

interface Bounds {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly description: string;
}

/** What a deployment may ask for. It costs nothing until one of the first two is set. */
const parameters: Readonly<Record<keyof Prewarm, Bounds & { readonly name: string }>> = {
  concurrency: {
    name: 'PrewarmConcurrency',
    description: 'Environments of the reserve function (provisioned concurrency) that each sale has ready while it opens; 0 turns it off',
    default: 0,
    min: 0,
    max: 100_000,
  },
  writeUnits: {
    name: 'PrewarmWriteUnits',
    description:
      'Write units a second (warm throughput) that each sale wants of each table that orders are written to; 0 turns it off. A new table has 4000',
    default: 0,
    min: 0,
    max: 10_000_000,
  },
  concurrencyMax: {
    name: 'PrewarmConcurrencyMax',
    description: 'Provisioned concurrency of all sales together at most. The account needs as much, and 100 more',
    default: 500,
    min: 1,
    max: 100_000,
  },
  writeUnitsMax: {
    name: 'PrewarmWriteUnitsMax',
    description: 'Warm throughput of a table at most. An account’s tables have a quota of 40000 by default',
    default: 40_000,
    min: 1,
    max: 10_000_000,
  },
  leadMinutes: {
    name: 'PrewarmLeadMinutes',
    description: 'How long before a sale opens its provisioned concurrency is asked for',
    default: 15,
    min: 10,
    max: 1_440,
  },
  graceMinutes: {
    name: 'PrewarmGraceMinutes',
    description: 'How long provisioned concurrency stays after a sale has closed',
    default: 5,
    min: 0,
    max: 1_440,
  },
  hoursMax: {
    name: 'PrewarmHoursMax',
    description: 'How many hours after its opening a sale has provisioned concurrency at most, however long it goes on',
    default: 6,
    min: 1,
    max: 8_760,
  },
};

const aliasName = 'live';
/** Below the shortest lead: were every event and every schedule lost, capacity would still be asked for before a sale opens. */
const rateMinutes = 5;

/**
 * Capacity that is there before the crowd: schedules made with each sale call one function, which brings provisioned concurrency of the reserve
 * function, and warm throughput of the tables, to what all sales need at that moment.
 */
export class Capacity extends Construct {
  /** What the gateway calls instead of the reserve function itself: provisioned concurrency is an alias’. */
  readonly reserve: IFunction;

  constructor(scope: Construct, id: string, { platform, reserve }: CapacityProps) {
    super(scope, id);
    // The CDK writes the role of a version and of an alias another way than its interfaces do.
    const alias = new Alias(this, 'Reserve', { aliasName, version: reserve.lambda.currentVersion as IVersion }) as IFunction;
    this.reserve = alias;
    const prewarm = Stack.of(this).toJsonString(this.#wants());

    const level = new Level(this, 'Level', { platform, aliasArn: alias.functionArn, prewarm });
    const group = new CfnScheduleGroup(this, 'Schedules', { name: `${Stack.of(this).stackName}-Capacity` });
    const role = invokerOf(this, 'ScheduleRole', level.function);
    this.#plan({ platform, level: level.function, group, role, prewarm });

    platform.operations.show('Capacity', {
      Provisioned: [
        reserve.lambda.metric('ProvisionedConcurrencyUtilization', { statistic: 'Maximum', dimensionsMap: dimensionsOf(reserve) }),
        reserve.lambda.metric('ProvisionedConcurrencySpilloverInvocations', { statistic: 'Sum', dimensionsMap: dimensionsOf(reserve) }),
      ],
      Runs: [level.function.lambda.metricInvocations(), level.function.lambda.metricErrors()],
    });
  }

  #wants(): Record<string, number> {
    return Object.fromEntries(
      Object.entries(parameters).map(([want, { name, default: value, min, max, description }]) => {
        const parameter = new CfnParameter(this, name, { type: 'Number', default: value, minValue: min, maxValue: max, description });
        parameter.overrideLogicalId(name);
        return [want, parameter.valueAsNumber];
      }),
    );
  }

  #plan(parts: { platform: Platform; level: StampedeFunction; group: CfnScheduleGroup; role: Role; prewarm: string }): void {
    const { platform, level, group, role, prewarm } = parts;
    const planner = new Consumer(this, 'CapacityPlan', {
      platform,
      entry: 'functions/capacity/plan.handler.ts',
      description: 'Schedules the capacity of sales',
      on: [],
      onSales: ['SaleCreated', 'SaleRescheduled', 'SaleClosed'],
      access: { sales: { actions: ['GetItem'] } },
      memoryMegabytes: 256,
      // Operators are few, and one sale at a time is soon done.
      batch: { messagesMax: 10, windowSeconds: 0, concurrencyMax: 2 },
      runbook: `Sales have no schedules of their own: their capacity follows by the run of every ${rateMinutes} minutes, a little late.`,
    });
    const { lambda } = planner.function;
    const { partition, region, account } = Stack.of(this);
    lambda.addEnvironment('PREWARM', prewarm);
    lambda.addEnvironment('CAPACITY_FUNCTION_ARN', level.lambda.functionArn);
    lambda.addEnvironment('SCHEDULE_ROLE_ARN', role.roleArn);
    lambda.addEnvironment('SCHEDULE_GROUP', group.ref);
    const schedules = `arn:${partition}:scheduler:${region}:${account}:schedule/${group.ref}/*`;
    lambda.addToRolePolicy(
      new PolicyStatement({
        actions: ['scheduler:CreateSchedule', 'scheduler:UpdateSchedule', 'scheduler:DeleteSchedule'],
        resources: [schedules],
      }),
    );
    lambda.addToRolePolicy(
      new PolicyStatement({
        actions: ['iam:PassRole'],
        resources: [role.roleArn],
        conditions: { StringEquals: { 'iam:PassedToService': 'scheduler.amazonaws.com' } },
      }),
    );
    lambda.addToRolePolicy(new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [level.lambda.functionArn] }));
  }
}

const dimensionsOf = ({ lambda }: StampedeFunction) => ({
  FunctionName: lambda.functionName,
  Resource: `${lambda.functionName}:${aliasName}`,
});

/** A role by which EventBridge Scheduler may invoke the function, and nothing else. */
const invokerOf = (scope: Construct, id: string, { lambda }: StampedeFunction): Role =>
  new Role(scope, id, {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com'),
    inlinePolicies: {
      Invoke: new PolicyDocument({
        statements: [new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [lambda.functionArn] })],
      }),
    },
  });

/** Brings capacity to its level: whenever it is called, and every few minutes, whatever was lost. */
class Level extends Construct {
  readonly function: StampedeFunction;

  constructor(scope: Construct, id: string, props: { platform: Platform; aliasArn: string; prewarm: string }) {
    super(scope, id);
    const { platform, aliasArn, prewarm } = props;
    const warms = { actions: ['DescribeTable', 'UpdateTable'] } as const;
    this.function = new StampedeFunction(this, 'Level', {
      platform,
      entry: 'functions/capacity/level.handler.ts',
      description: 'Brings provisioned concurrency and warm throughput to what sales need now',
      access: { sales: { actions: ['Scan'] }, orders: warms, units: warms, allowances: warms, outbox: warms },
      settings: ['OUTBOX_MODE'],
      timeoutSeconds: 60,
      memoryMegabytes: 256,
      runbook: `Capacity is not what sales need: too little is slow at the opening, too much costs. The log says what was refused; mostly it is a quota (the account’s concurrency, a table’s write units). The next run starts within ${rateMinutes} minutes.`,
    });
    const { lambda } = this.function;
    lambda.addEnvironment('PREWARM', prewarm);
    lambda.addEnvironment('RESERVE_ALIAS_ARN', aliasArn);
    lambda.addToRolePolicy(
      new PolicyStatement({
        actions: ['Get', 'Put', 'Delete'].map((verb) => `lambda:${verb}ProvisionedConcurrencyConfig`),
        resources: [aliasArn],
      }),
    );
    lambda.configureAsyncInvoke({ retryAttempts: 2, maxEventAge: Duration.minutes(15) });

    new CfnSchedule(this, 'Schedule', {
      description: 'Brings capacity to its level, whatever was lost',
      scheduleExpression: `rate(${rateMinutes} minutes)`,
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: lambda.functionArn,
        roleArn: invokerOf(this, 'ScheduleRole', this.function).roleArn,
        input: JSON.stringify({ schedule: 'capacity' }),
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: rateMinutes * 60 },
      },
    });
    platform.operations.alarm(this, 'Absent', {
      metric: lambda.metricInvocations({ period: Duration.minutes(rateMinutes * 3), statistic: 'Sum' }),
      mustHappen: true,
      runbook: 'Capacity has not been looked at for a quarter of an hour. See whether its schedule is enabled and its role may invoke it.',
    });
  }
}
