import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { CfnResource, Stack } from 'aws-cdk-lib/core';
import { buildApp } from '../../lib/app.ts';

/** A resource of a template: what it is, what it says, and where in the app it was made. */
export interface Resource {
  readonly id: string;
  /** Such as `Orders/Reserve/Function`. */
  readonly path: string;
  readonly type: string;
  readonly properties: Properties;
  readonly deletionPolicy: unknown;
}

/** Template values as they are written, typed as the CDK types a template: intrinsics are not resolved. */
export type Properties = ReturnType<Template['toJSON']>;

export interface Synthesised {
  readonly directory: string;
  readonly application: Template;
  readonly network: Template;
  /** Resources of one type in the application and the network. */
  of(type: string): Resource[];
  /** The directory with a function's code. */
  codeOf(lambda: Resource): string;
  remove(): void;
}

/** The app, written into the directory; nothing is left there when that fails. */
function synthesisedApp(directory: string, outboxMode = 'stream'): ReturnType<typeof buildApp> {
  try {
    const app = buildApp({ outdir: directory, outboxMode });
    app.synth();
    return app;
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Synthesises the app once, into a directory of its own: as `cdk synth` does, without a command line. The CDK's check of the templates
 * takes longer than all the rest, so it is asked for where it is the point. `stream` publishes the outbox unless another mode is named.
 */
export function synthesised({ validated = false, outboxMode }: { validated?: boolean; outboxMode?: string } = {}): Synthesised {
  const directory = mkdtempSync(join(tmpdir(), 'stampede-stack-'));
  process.env.CDK_VALIDATION = String(validated);
  const app = synthesisedApp(directory, outboxMode);
  const stacks = app.node.children.filter(Stack.isStack);
  const [network, application] = ['StampedeNetwork', 'Stampede'].map((name) => {
    const stack = stacks.find(({ stackName }) => stackName === name);
    if (!stack) throw new Error(`no stack ${name}`);
    return stack;
  }) as [Stack, Stack];
  const templates = new Map([network, application].map((stack) => [stack, Template.fromStack(stack)]));
  const templateOf = (stack: Stack) => templates.get(stack) as Template;

  const resources: Resource[] = [...templates].flatMap(([stack, template]) => {
    const written: Record<string, Properties> = template.toJSON().Resources;
    return stack.node
      .findAll()
      .filter(CfnResource.isCfnResource)
      .map((resource) => {
        const id = String(stack.resolve(resource.logicalId));
        const { Type, Properties: properties = {}, DeletionPolicy } = written[id] ?? {};
        const path = resource.node.path
          .split('/')
          .slice(1)
          .join('/')
          .replace(/\/Resource$/, '');
        return { id, path, type: Type, properties, deletionPolicy: DeletionPolicy };
      });
  });
  const { files } = JSON.parse(readFileSync(join(directory, `${application.stackName}.assets.json`), 'utf8'));
  return {
    directory,
    application: templateOf(application),
    network: templateOf(network),
    of: (type) => resources.filter((resource) => resource.type === type),
    codeOf: ({ properties }) => join(directory, files[String(properties.Code.S3Key).replace(/\.zip$/, '')].source.path),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The logical id, or the exported name, that a `Ref`, `Fn::GetAtt` or `Fn::ImportValue` points at. */
export function target(value: Properties): string {
  const [id] = [value?.Ref, value?.['Fn::GetAtt']?.[0], value?.['Fn::ImportValue']].filter((each) => each !== undefined);
  if (typeof id !== 'string') throw new Error(`points at nothing: ${JSON.stringify(value)}`);
  return id;
}

export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly Properties[];
}

const list = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? (value as readonly T[]) : [value as T]);

/** What a role may do and may not do: its inline policies and those attached to it. */
export function statementsOf(role: Resource, stacks: Synthesised): Statement[] {
  const inline = (role.properties.Policies ?? []).map((policy: Properties) => policy.PolicyDocument);
  const attached = stacks
    .of('AWS::IAM::Policy')
    .filter(({ properties }) => properties.Roles.some((each: Properties) => target(each) === role.id))
    .map(({ properties }) => properties.PolicyDocument);
  return [...inline, ...attached]
    .flatMap(({ Statement }) => Statement)
    .map(({ Effect, Action, Resource }) => ({ effect: Effect, actions: list(Action), resources: list(Resource) }));
}

export function roleOf(lambda: Resource, stacks: Synthesised): Resource {
  const role = stacks.of('AWS::IAM::Role').find(({ id }) => id === target(lambda.properties.Role));
  if (!role) throw new Error(`${lambda.path} has no role of ours`);
  return role;
}
