import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Code, type CodeConfig } from 'aws-cdk-lib/aws-lambda';
import { App } from 'aws-cdk-lib/core';
import recommended from 'aws-cdk-lib/recommended-feature-flags.json' with { type: 'json' };
import { type TableName, tables } from '../../functions/shared/tables.ts';
import type { Bundles } from '../../lib/constructs/bundles.ts';
import { outboxPublishers } from '../../lib/constructs/outbox-publishers.ts';
import { type Assembly, assemble } from '../../lib/local/assembly.ts';
import { type Stack, Template } from '../../lib/local/intrinsics.ts';
import { compilePattern, type Matcher } from '../../lib/local/pattern.ts';
import { RouteTable } from '../../lib/local/routing.ts';
import { rateMs } from '../../lib/local/scheduler.ts';
import { NetworkStack } from '../../lib/network-stack.ts';
import { StampedeStack } from '../../lib/stampede-stack.ts';

/** A queue of the template and what happens to its messages. */
export interface QueueSpec {
  readonly name: string;
  readonly arn: string;
  readonly url: string;
  readonly visibilityMs: number;
  readonly deadLetterName?: string;
  readonly receivesMax: number;
}

/** A rule of the bus: what it takes and the queues that get it. */
export interface RuleSpec {
  readonly matches: Matcher;
  readonly queueNames: readonly string[];
}

/** A queue's consumer. */
export interface ConsumerSpec {
  readonly queueName: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly windowMs: number;
  readonly concurrencyMax: number;
  readonly timeoutMs: number;
}

/** A table's stream and who is told of it. */
export interface StreamSpec {
  readonly table: TableName;
  readonly functionName: string;
  readonly batchSize: number;
  readonly retriesMax: number;
  readonly ageMsMax: number;
  readonly bisects: boolean;
  readonly lanes: number;
  readonly deadLetterName?: string;
  readonly timeoutMs: number;
}

export interface ScheduleSpec {
  readonly name: string;
  readonly functionName: string;
  readonly everyMs: number;
  readonly timeoutMs: number;
  readonly input: unknown;
}

export interface RouteSpec {
  readonly functionName: string;
  readonly timeoutMs: number;
}

/** All that AWS does between the functions, as the synthesised template says it. */
export interface Deployment {
  readonly queues: readonly QueueSpec[];
  readonly rules: readonly RuleSpec[];
  readonly consumers: readonly ConsumerSpec[];
  readonly streams: readonly StreamSpec[];
  readonly schedules: readonly ScheduleSpec[];
  readonly routes: RouteTable<RouteSpec>;
  /** The variables of each function, tables by the names of `tables.ts`. */
  readonly environments: ReadonlyMap<string, Readonly<Record<string, string>>>;
  readonly timeoutMsOf: (functionName: string) => number;
  /** The function of an ARN, as the simulation calls it. Throws for one that the template does not have. */
  readonly functionNameOfArn: (arn: string) => string;
}

/** The address of a queue, as functions are told it. */
export const queueUrlOf = (name: string): string => `https://sqs.simulated/${name}`;
export const queueNameOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);

/** `functions/orders/place.handler.ts` -> `orders/place`. */
const functionNameOf = (entry: string): string => entry.replace(/^functions\//, '').replace(/\.handler\.ts$/, '');

const milliseconds = (seconds: number): number => seconds * 1_000;

/** Capacity is asked for, so that what looks after it has something to do. */
const parameters = { PrewarmConcurrency: '10', PrewarmWriteUnits: '8000' };

/** What the embedded runtime calls the one node that stands in for the cache. */
const redisVariables = { REDIS_URL: 'redis://simulated:6379', REDIS_MODE: 'single', REDIS_AUTH_SECRET: '' };

/**
 * Synthesises the CDK app in this process, without bundling: a function's code is named after its entry, which is all that the simulation needs of
 * it. The templates are the ones that deploy, so a new queue, rule, consumer or schedule joins by itself.
 */
export function synthesiseDeployment(outboxMode: 'stream' | 'polling'): Deployment {
  const directory = mkdtempSync(join(tmpdir(), 'stampede-simulation-'));
  const validation = process.env.CDK_VALIDATION;
  process.env.CDK_VALIDATION = 'false';
  try {
    return deploymentOf(
      assemble({ stacks: stacksOf(directory, outboxMode), codeDirectory: (_, key) => key }, { parameters, queueUrl: queueUrlOf }),
    );
  } finally {
    if (validation === undefined) delete process.env.CDK_VALIDATION;
    else process.env.CDK_VALIDATION = validation;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Code that nobody has bundled, under its entry's name. */
class NamedCode extends Code {
  readonly isInline = false;
  readonly #entry: string;

  constructor(entry: string) {
    super();
    this.#entry = entry;
  }

  override bind(): CodeConfig {
    return { s3Location: { bucketName: 'code', objectKey: this.#entry } };
  }
}

/** The templates themselves, written into a directory too. A function's code is its entry's name. */
export function stacksOf(outdir: string, outboxMode: string): Stack[] {
  const context = {
    ...recommended,
    '@aws-cdk/core:defaultCrossStackReferences': 'strong',
    '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': false,
  };
  const app = new App({ outdir, context, analyticsReporting: false });
  const networkStack = new NetworkStack(app, 'StampedeNetwork', {});
  const bundles: Bundles = { codeOf: (entry) => new NamedCode(entry), dispose: () => {} };
  const { network, cache: redis } = networkStack;
  new StampedeStack(app, 'Stampede', { network, redis, bundles, publishers: outboxPublishers(outboxMode), isWhole: true });
  return app.synth().stacks.map(({ stackName, template }) => ({ name: stackName, template: Template.parse(template) }));
}

function deploymentOf(assembly: Assembly): Deployment {
  const functionBy = (wanted: string) => {
    const found = assembly.functions.find(
      ({ arn, name }) => wanted === name || wanted === arn || wanted.includes(`${arn}/`) || wanted.startsWith(`${arn}:`),
    );
    if (!found) throw new Error(`the template has no function ${wanted}`);
    return { functionName: functionNameOf(found.codeDirectory), timeoutMs: milliseconds(found.properties.Timeout) };
  };
  const queueNameBy = (wanted: string | undefined) => assembly.queues.find(({ arn }) => arn === wanted)?.name;
  const optional = (deadLetterName: string | undefined) => (deadLetterName === undefined ? {} : { deadLetterName });
  const timeouts = new Map(assembly.functions.map((each) => [functionNameOf(each.codeDirectory), milliseconds(each.properties.Timeout)]));

  return {
    queues: assembly.queues.map(({ name, arn, properties }) => ({
      name,
      arn,
      url: queueUrlOf(name),
      visibilityMs: milliseconds(properties.VisibilityTimeout),
      receivesMax: properties.RedrivePolicy?.maxReceiveCount ?? Number.POSITIVE_INFINITY,
      ...optional(queueNameBy(properties.RedrivePolicy?.deadLetterTargetArn)),
    })),
    rules: assembly.rules
      .filter(({ properties }) => properties.State === 'ENABLED' && properties.EventPattern !== undefined)
      .map(({ logicalId, properties }) => ({
        matches: compilePattern(properties.EventPattern, logicalId),
        queueNames: properties.Targets.map(({ Arn }) => queueNameBy(Arn)).filter((name) => name !== undefined),
      })),
    consumers: assembly.mappings.flatMap(({ properties }) => {
      const queueName = queueNameBy(properties.EventSourceArn);
      if (queueName === undefined || !properties.Enabled) return [];
      return [
        {
          queueName,
          ...functionBy(properties.FunctionName),
          batchSize: properties.BatchSize ?? 10,
          windowMs: milliseconds(properties.MaximumBatchingWindowInSeconds),
          concurrencyMax: properties.ScalingConfig?.MaximumConcurrency ?? 5,
        },
      ];
    }),
    streams: assembly.mappings.flatMap(({ properties }) => {
      const table = assembly.tables.find(({ arn }) => properties.EventSourceArn.startsWith(`${arn}/stream/`));
      if (!table || !properties.Enabled) return [];
      return [
        {
          table: tableNameOf(table.name, assembly),
          ...functionBy(properties.FunctionName),
          batchSize: properties.BatchSize ?? 100,
          retriesMax: properties.MaximumRetryAttempts,
          ageMsMax: milliseconds(properties.MaximumRecordAgeInSeconds),
          bisects: properties.BisectBatchOnFunctionError,
          lanes: properties.ParallelizationFactor,
          ...optional(queueNameBy(properties.DestinationConfig?.OnFailure.Destination)),
        },
      ];
    }),
    schedules: assembly.schedules
      .filter(({ properties }) => properties.State === 'ENABLED')
      .map(({ logicalId, properties }) => {
        const input = JSON.parse(properties.Target.Input) as { readonly schedule?: string };
        return {
          name: input.schedule ?? logicalId,
          ...functionBy(properties.Target.Arn),
          everyMs: rateMs(properties.ScheduleExpression, logicalId),
          input,
        };
      }),
    routes: new RouteTable(
      assembly.routes.map(({ logicalId, properties }) => {
        const integration = assembly.integrations.find((each) => properties.Target === `integrations/${each.logicalId}`);
        if (!integration) throw new Error(`${logicalId}: no integration ${properties.Target}`);
        const { functionName } = functionBy(integration.properties.IntegrationUri);
        const timeoutMs = Math.min(integration.properties.TimeoutInMillis, timeouts.get(functionName) ?? 30_000);
        return { routeKey: properties.RouteKey, target: { functionName, timeoutMs } };
      }),
    ),
    environments: new Map(
      assembly.functions.map((each) => [functionNameOf(each.codeDirectory), environmentOf(each.properties.Environment.Variables)]),
    ),
    functionNameOfArn: (arn) => functionBy(arn).functionName,
    timeoutMsOf: (functionName) => timeouts.get(functionName) ?? 30_000,
  };
}

/** Which of our tables a table of the template is: the functions' own variables tell. */
function tableNameOf(physicalName: string, assembly: Assembly): TableName {
  for (const { properties } of assembly.functions) {
    for (const [name, { environment }] of Object.entries(tables)) {
      if (properties.Environment.Variables[environment] === physicalName) return name as TableName;
    }
  }
  throw new Error(`no function uses the table ${physicalName}`);
}

function environmentOf(variables: Readonly<Record<string, string>>): Record<string, string> {
  const ours = Object.entries(tables).map(([name, { environment }]): [string, string] => [environment, name]);
  const named = Object.fromEntries(ours.filter(([environment]) => environment in variables));
  return { ...variables, ...named, ...('REDIS_URL' in variables ? redisVariables : {}) };
}
