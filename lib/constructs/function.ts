import { Effect, PolicyDocument, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Duration, RemovalPolicy } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { type TableName, tables } from '../../functions/shared/tables.ts';
import { type Entry, handlerName } from './bundles.ts';
import type { Platform, Setting } from './platform.ts';
import type { TableAccess } from './tables.ts';

export interface FunctionProps {
  readonly platform: Platform;
  readonly entry: Entry;
  readonly description: string;
  /** The tables it uses, each with what it does there. Their names come in the environment. */
  readonly access: TableAccess;
  /** The other variables it reads. Each brings the right that goes with it; `REDIS_URL` puts the function into the network. */
  readonly settings?: readonly Setting[];
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  /**
   * Whether somebody waits while it starts, and it logs its errors itself: then it reads its source map when the first error is logged, which readable
   * stacks elsewhere cost at each start.
   */
  readonly startsLean?: true;
  /** What its failure means and what to do, for whoever is woken. */
  readonly runbook: string;
}

const attachToNetwork = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/**
 * Lambda checks for these rights when the function is made, and EC2 knows no narrower resource for them.
 * The denial takes them from the code itself: the condition key exists only in calls that the code makes.
 */
const networkPolicy = () =>
  new PolicyDocument({
    statements: [
      new PolicyStatement({ sid: 'AttachToNetwork', actions: attachToNetwork, resources: ['*'] }),
      new PolicyStatement({
        sid: 'NotFromCode',
        effect: Effect.DENY,
        actions: attachToNetwork,
        resources: ['*'],
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    ],
  });

/**
 * One function as all of ours are made: its own role with named rights alone, its own log group that ends after a month, JSON logs,
 * tracing, alarms on errors and throttles, and exactly the environment that its code reads.
 */
export class StampedeFunction extends Construct {
  readonly lambda: LambdaFunction;

  constructor(scope: Construct, id: string, props: FunctionProps) {
    super(scope, id);
    const { platform, access } = props;
    // Whoever writes outbox rows must know who is to publish them, or nobody does.
    const writesOutbox = access.outbox?.actions.includes('PutItem') ?? false;
    const settings: readonly Setting[] = [...(props.settings ?? []), ...(writesOutbox ? (['OUTBOX_MODE'] as const) : [])];
    const network = settings.includes('REDIS_URL') ? platform.network : undefined;

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      inlinePolicies: network ? { Network: networkPolicy() } : {},
    });
    const logGroup = new LogGroup(this, 'Logs', { retention: RetentionDays.ONE_MONTH, removalPolicy: RemovalPolicy.DESTROY });
    logGroup.grantWrite(role);

    const tableNames = (Object.keys(tables) as TableName[]).filter((name) => access[name]);
    this.lambda = new LambdaFunction(this, 'Function', {
      description: props.description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      code: platform.bundles.codeOf(props.entry),
      handler: handlerName,
      role,
      timeout: Duration.seconds(props.timeoutSeconds),
      memorySize: props.memoryMegabytes,
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      tracing: Tracing.ACTIVE,
      environment: {
        ...(props.startsLean ? {} : { NODE_OPTIONS: '--enable-source-maps' }),
        ...Object.fromEntries(tableNames.map((name) => [tables[name].environment, platform.tables.of(name).tableName])),
        ...Object.fromEntries(settings.map((setting) => [setting, platform.settings[setting].value])),
      },
      ...(network ? { vpc: network.vpc, vpcSubnets: { subnets: network.vpc.isolatedSubnets }, securityGroups: [network.functions] } : {}),
    });
    platform.tables.grant(role, access);
    for (const setting of settings) platform.settings[setting].grant?.(role);

    platform.operations.alarm(this, 'Errors', { metric: this.lambda.metricErrors(), runbook: props.runbook });
    platform.operations.alarm(this, 'Throttles', {
      metric: this.lambda.metricThrottles(),
      runbook: 'Calls are refused for want of concurrency: raise the account’s limit for Lambda before the next sale.',
    });
  }
}
