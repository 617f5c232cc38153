import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type RuntimeOptions, startRuntime } from '../../lib/local/index.ts';

type Resources = Record<string, { Type: string; Properties?: Record<string, unknown> }>;

/** A function of the small app: the text of its module, which exports `handler`. */
export interface SmallFunction {
  readonly code: string;
  readonly timeoutSeconds?: number;
  readonly environment?: Record<string, unknown>;
}

export const getAtt = (logicalId: string, attribute: string) => ({ 'Fn::GetAtt': [logicalId, attribute] });
export const ref = (name: string) => ({ Ref: name });

/** Writes an assembly as the CDK would: one stack, its functions' code as assets. It is removed when the test ends. */
export async function writeAssembly(functions: Record<string, SmallFunction>, resources: Resources = {}): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const files: Record<string, object> = {};
  const all: Resources = { ...httpApi, ...resources };
  for (const [name, { code, timeoutSeconds = 5, environment = {} }] of Object.entries(functions)) {
    await mkdir(join(directory, `asset.${name}`));
    await writeFile(join(directory, `asset.${name}`, 'index.mjs'), code);
    files[name] = { source: { path: `asset.${name}`, packaging: 'zip' }, destinations: { here: { objectKey: `${name}.zip` } } };
    all[name] = {
      Type: 'AWS::Lambda::Function',
      Properties: {
        Code: { S3Bucket: 'assets', S3Key: `${name}.zip` },
        Handler: 'index.handler',
        Runtime: 'nodejs24.x',
        Timeout: timeoutSeconds,
        Environment: { Variables: environment },
      },
    };
  }
  const parameters = { Issuer: { Type: 'String' }, Audience: { Type: 'String' } };
  const json = (name: string, value: object) => writeFile(join(directory, name), JSON.stringify(value));
  await json('manifest.json', {
    artifacts: { Small: { type: 'aws:cloudformation:stack', properties: { templateFile: 'Small.template.json' } } },
  });
  await json('Small.assets.json', { files });
  await json('Small.template.json', { Parameters: parameters, Resources: all });
  return directory;
}

const httpApi: Resources = {
  Api: {
    Type: 'AWS::ApiGatewayV2::Api',
    Properties: {
      ProtocolType: 'HTTP',
      CorsConfiguration: {
        AllowOrigins: ['https://shop.example'],
        AllowMethods: ['*'],
        AllowHeaders: ['idempotency-key'],
        ExposeHeaders: ['x-request-id'],
        MaxAge: 600,
      },
    },
  },
  Authorizer: {
    Type: 'AWS::ApiGatewayV2::Authorizer',
    Properties: {
      ApiId: ref('Api'),
      AuthorizerType: 'JWT',
      IdentitySource: ['$request.header.Authorization'],
      JwtConfiguration: { Issuer: ref('Issuer'), Audience: [ref('Audience')] },
    },
  },
};

/** A route of the small app's API to one of its functions. */
export function route(
  key: string,
  functionName: string,
  { needsToken = false, timeoutMs = 30_000, scopes = [] as string[] } = {},
): Resources {
  const id = `${functionName}${key.replace(/\W/g, '')}`;
  return {
    [`${id}Integration`]: {
      Type: 'AWS::ApiGatewayV2::Integration',
      Properties: {
        ApiId: ref('Api'),
        IntegrationType: 'AWS_PROXY',
        IntegrationUri: getAtt(functionName, 'Arn'),
        PayloadFormatVersion: '2.0',
        TimeoutInMillis: timeoutMs,
      },
    },
    [`${id}Route`]: {
      Type: 'AWS::ApiGatewayV2::Route',
      Properties: {
        ApiId: ref('Api'),
        RouteKey: key,
        Target: { 'Fn::Join': ['/', ['integrations', ref(`${id}Integration`)]] },
        ...(needsToken ? { AuthorizationType: 'JWT', AuthorizerId: ref('Authorizer'), AuthorizationScopes: scopes } : {}),
      },
    },
  };
}

/** Starts the small app on a runtime of its own, stopped when the test ends. `logs` gathers what was said. */
export async function startSmallApp(
  functions: Record<string, SmallFunction>,
  resources: Resources = {},
  options: Partial<Pick<RuntimeOptions, 'port' | 'replicas'>> = {},
) {
  const cdkOut = await writeAssembly(functions, resources);
  const logs: string[] = [];
  const runtime = await startRuntime({ port: 0, ...options, cdkOut, onLog: (source, line) => logs.push(`${source} ${line}`) });
  onTestFinished(() => runtime.stop());
  return { ...runtime, logs };
}

/** A valid token of a runtime, unless told otherwise. */
export async function tokenOf(url: string, request: object = {}): Promise<string> {
  const response = await fetch(`${url}/local/token`, {
    method: 'POST',
    body: JSON.stringify({ sub: 'ada', scope: 'sale:buy', ...request }),
  });
  const { access_token } = (await response.json()) as { access_token: string };
  return access_token;
}
