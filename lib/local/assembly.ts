import * as z from 'zod';
import { account, Resolver, type Resource, region, type Stack, UnsupportedTemplate } from './intrinsics.ts';
import { type Hosted, type HostedType, hosted, isHosted, isPassedOver } from './resources.ts';
import type { CloudAssembly } from './synthesis.ts';

/** A resource with all references resolved. */
export interface Placed<Type extends HostedType> {
  readonly logicalId: string;
  /** The physical name, unique in this runtime. */
  readonly name: string;
  readonly arn: string;
  readonly stack: string;
  readonly properties: Hosted<Type>;
}

export interface FunctionSpec extends Placed<'AWS::Lambda::Function'> {
  readonly codeDirectory: string;
}

/** Everything that the runtime hosts, as the templates say it. */
export interface Assembly {
  readonly tables: readonly Placed<'AWS::DynamoDB::Table'>[];
  readonly queues: readonly Placed<'AWS::SQS::Queue'>[];
  readonly functions: readonly FunctionSpec[];
  readonly aliases: readonly Placed<'AWS::Lambda::Alias'>[];
  readonly mappings: readonly Placed<'AWS::Lambda::EventSourceMapping'>[];
  readonly buses: readonly Placed<'AWS::Events::EventBus'>[];
  readonly rules: readonly Placed<'AWS::Events::Rule'>[];
  readonly schedules: readonly Placed<'AWS::Scheduler::Schedule'>[];
  readonly scheduleGroups: readonly Placed<'AWS::Scheduler::ScheduleGroup'>[];
  readonly secrets: readonly Placed<'AWS::SecretsManager::Secret'>[];
  readonly apis: readonly Placed<'AWS::ApiGatewayV2::Api'>[];
  readonly stages: readonly Placed<'AWS::ApiGatewayV2::Stage'>[];
  readonly routes: readonly Placed<'AWS::ApiGatewayV2::Route'>[];
  readonly integrations: readonly Placed<'AWS::ApiGatewayV2::Integration'>[];
  readonly authorizers: readonly Placed<'AWS::ApiGatewayV2::Authorizer'>[];
}

export interface Surroundings {
  /** Values for parameters of the templates; a name that no template knows is an error. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The address of a queue, by its name. */
  readonly queueUrl: (name: string) => string;
}

/**
 * Turns synthesised templates into typed resources, with references resolved within and between stacks. Throws `UnsupportedTemplate`,
 * naming the resource, for a type or a property that this runtime does not know: nothing is skipped in silence.
 */
export function assemble({ stacks, codeDirectory }: CloudAssembly, surroundings: Surroundings): Assembly {
  checkParameters(stacks, surroundings.parameters);
  const resolvers = resolversFor(stacks, surroundings);
  const present = stacks.flatMap((stack) =>
    Object.entries(stack.template.Resources)
      .filter(([, { Condition }]) => Condition === undefined || resolvers.get(stack.name)?.holds(Condition))
      .map(([logicalId, resource]) => ({ stack, logicalId, resource })),
  );
  for (const { stack, logicalId, resource } of present) {
    if (isHosted(resource.Type) || isPassedOver(resource.Type)) continue;
    throw new UnsupportedTemplate(`${stack.name}/${logicalId}: this runtime does not know the type ${resource.Type}`);
  }

  const all = <Type extends HostedType>(type: Type): Placed<Type>[] =>
    present
      .filter(({ resource }) => resource.Type === type)
      .map(({ stack, logicalId, resource }) => {
        const place = `${stack.name}/${logicalId}`;
        const parsed = hosted[type].safeParse(resolvers.get(stack.name)?.resolve(resource.Properties, place));
        if (!parsed.success) throw new UnsupportedTemplate(`${place} (${type}):\n${z.prettifyError(parsed.error)}`);
        const { name, arn } = identityOf(stack, logicalId, resource, resolvers);
        return { logicalId, name, arn, stack: stack.name, properties: parsed.data as Hosted<Type> };
      });

  return {
    tables: all('AWS::DynamoDB::Table'),
    queues: all('AWS::SQS::Queue'),
    functions: all('AWS::Lambda::Function').map((each) => {
      const directory = codeDirectory(each.stack, each.properties.Code.S3Key);
      if (directory === undefined) throw new UnsupportedTemplate(`${each.stack}/${each.logicalId}: its code is not in the assembly`);
      return { ...each, codeDirectory: directory };
    }),
    aliases: all('AWS::Lambda::Alias'),
    mappings: all('AWS::Lambda::EventSourceMapping'),
    buses: all('AWS::Events::EventBus'),
    rules: all('AWS::Events::Rule'),
    schedules: all('AWS::Scheduler::Schedule'),
    scheduleGroups: all('AWS::Scheduler::ScheduleGroup'),
    secrets: all('AWS::SecretsManager::Secret'),
    apis: all('AWS::ApiGatewayV2::Api'),
    stages: all('AWS::ApiGatewayV2::Stage'),
    routes: all('AWS::ApiGatewayV2::Route'),
    integrations: all('AWS::ApiGatewayV2::Integration'),
    authorizers: all('AWS::ApiGatewayV2::Authorizer'),
  };
}

function checkParameters(stacks: readonly Stack[], parameters: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(parameters)) {
    if (!stacks.some((stack) => name in stack.template.Parameters)) throw new UnsupportedTemplate(`No template has the parameter ${name}`);
  }
}

function resolversFor(stacks: readonly Stack[], { parameters, queueUrl }: Surroundings): ReadonlyMap<string, Resolver> {
  const importOf = (wanted: string): unknown => {
    for (const stack of stacks) {
      const resolver = resolvers.get(stack.name);
      for (const [output, { Value, Export }] of Object.entries(stack.template.Outputs)) {
        if (!Export || resolver?.resolve(Export.Name, `${stack.name}/${output}`) !== wanted) continue;
        return resolver.resolve(Value, `${stack.name}/${output}`);
      }
    }
    throw new UnsupportedTemplate(`No stack exports ${wanted}`);
  };
  const attributeOf = (stack: Stack, logicalId: string, attribute: string | undefined): unknown => {
    const resource = stack.template.Resources[logicalId];
    if (!resource) throw new UnsupportedTemplate(`${stack.name}: nothing is called ${logicalId}`);
    // What nobody hosts has no address. Whoever reads such a value at run time gets the runtime's own instead (`REDIS_URL`).
    if (!isHosted(resource.Type)) return attribute === undefined ? logicalId : `${logicalId}.${attribute}`;
    const value = attributesOf(identityOf(stack, logicalId, resource, resolvers), resource.Type, queueUrl)[attribute ?? 'Ref'];
    if (value === undefined)
      throw new UnsupportedTemplate(`${stack.name}/${logicalId} (${resource.Type}): this runtime does not know ${attribute}`);
    return value;
  };
  const resolvers: ReadonlyMap<string, Resolver> = new Map(
    stacks.map((stack) => [stack.name, new Resolver(stack, { parameters, importOf, attributeOf })]),
  );
  return resolvers;
}

interface Identity {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
}

const nameProperties: Readonly<Record<string, string>> = {
  'AWS::DynamoDB::Table': 'TableName',
  'AWS::SQS::Queue': 'QueueName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Events::EventBus': 'Name',
  'AWS::SecretsManager::Secret': 'Name',
  'AWS::Lambda::Alias': 'Name',
  'AWS::Scheduler::ScheduleGroup': 'Name',
};

const arnParts: Readonly<Record<string, readonly [service: string, prefix: string]>> = {
  'AWS::DynamoDB::Table': ['dynamodb', 'table/'],
  'AWS::SQS::Queue': ['sqs', ''],
  'AWS::Lambda::Function': ['lambda', 'function:'],
  'AWS::Lambda::Version': ['lambda', 'function:'],
  'AWS::Lambda::Alias': ['lambda', 'function:'],
  'AWS::Events::EventBus': ['events', 'event-bus/'],
  'AWS::Events::Rule': ['events', 'rule/'],
  'AWS::Scheduler::Schedule': ['scheduler', 'schedule/'],
  'AWS::Scheduler::ScheduleGroup': ['scheduler', 'schedule-group/'],
  'AWS::SecretsManager::Secret': ['secretsmanager', 'secret:'],
};

/** Names as CloudFormation makes them: the stack's and the resource's own, where the template gives none. */
function identityOf(stack: Stack, logicalId: string, { Type, Properties }: Resource, resolvers: ReadonlyMap<string, Resolver>): Identity {
  const given = Properties[nameProperties[Type] ?? ''];
  const name = typeof given === 'string' ? given : `${stack.name}-${logicalId}`.slice(0, 80);
  const [service, prefix] = arnParts[Type] ?? ['local', ''];
  const arnOf = (which: string) => `arn:aws:${service}:${region}:${account}:${prefix}${which}`;
  if (!isQualifier(Type)) return { logicalId, name, arn: arnOf(name) };
  // A version and an alias are named within their function.
  const owner = resolvers.get(stack.name)?.resolve(Properties.FunctionName, `${stack.name}/${logicalId}`);
  const qualifier = Type === 'AWS::Lambda::Alias' ? name : onlyVersion;
  return { logicalId, name: qualifier, arn: `${arnOf(String(owner))}:${qualifier}` };
}

const isQualifier = (type: string) => type === 'AWS::Lambda::Version' || type === 'AWS::Lambda::Alias';
const onlyVersion = '1';

function attributesOf({ logicalId, name, arn }: Identity, type: HostedType, queueUrl: (name: string) => string): Record<string, string> {
  switch (type) {
    case 'AWS::DynamoDB::Table':
      return { Ref: name, Arn: arn, StreamArn: `${arn}/stream/local` };
    case 'AWS::SQS::Queue':
      return { Ref: queueUrl(name), Arn: arn, QueueName: name, QueueUrl: queueUrl(name) };
    case 'AWS::Lambda::Function':
      return { Ref: name, Arn: arn };
    case 'AWS::Events::EventBus':
      return { Ref: name, Arn: arn, Name: name };
    case 'AWS::Events::Rule':
    case 'AWS::Scheduler::Schedule':
      return { Ref: name, Arn: arn };
    case 'AWS::SecretsManager::Secret':
      return { Ref: arn, Id: arn };
    case 'AWS::Lambda::Version':
      return { Ref: arn, Version: name };
    case 'AWS::Lambda::Alias':
      return { Ref: arn, AliasArn: arn };
    case 'AWS::Scheduler::ScheduleGroup':
      return { Ref: name, Arn: arn };
    case 'AWS::ApiGatewayV2::Api':
      return { Ref: logicalId, ApiId: logicalId, ApiEndpoint: `https://${logicalId}.local` };
    default:
      return { Ref: logicalId };
  }
}
