import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

// The same runtime, answering a constant: beside the function that places orders stands a copy of it, with the same memory, environment, route shape and
// authorizer, whose code is one object. What a request costs until it reaches a function, and back, is then the same.

interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DependsOn?: unknown;
}
type Resources = Record<string, Resource>;

export const placeRoute = 'POST /v1/sales/{saleId}/orders';
export const constantPath = (saleId: string): string => `/v1/sales/${saleId}/constant`;
const constantRoute = 'POST /v1/sales/{saleId}/constant';

/** As large as the refusal that it stands for. */
const body = {
  type: '/problems/sold-out',
  title: 'Sold out',
  status: 409,
  detail: 'Of seat-free there are 0 left.',
  instance: '/v1/sales/bench-sold-out/constant',
  code: 'SOLD_OUT',
  retryable: false,
  sku: 'seat-free',
  available: 0,
};
const result = {
  statusCode: 409,
  headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
};
const source = `const result = ${JSON.stringify(result)};\nexport const handler = async () => result;\n`;

const stackName = 'Stampede';
const codeHash = 'constant';

/**
 * Adds the constant's function and route to a synthesised assembly. With `isProfiled`, the containers of the function that places orders have a
 * profiler in them (profiled.ts), which is off until it is asked for.
 */
export async function addConstant(directory: string, { isProfiled = false } = {}): Promise<void> {
  const codeDirectory = join(directory, `asset.${codeHash}`);
  await mkdir(codeDirectory, { recursive: true });
  await writeFile(join(codeDirectory, 'index.mjs'), source);
  await editJson(join(directory, `${stackName}.assets.json`), ({ files }: { files: Record<string, unknown> }) => {
    files[codeHash] = {
      source: { path: `asset.${codeHash}`, packaging: 'zip' },
      destinations: { current: { bucketName: 'local', objectKey: `${codeHash}.zip` } },
    };
  });
  await editJson(join(directory, `${stackName}.template.json`), ({ Resources }: { Resources: Resources }) => {
    const { route, integration, lambda } = placingIn(Resources);
    Resources.ConstantFunction = copyOf(Resources, lambda);
    Object.assign(Resources.ConstantFunction.Properties, { Code: { S3Bucket: 'local', S3Key: `${codeHash}.zip` } });
    Resources.ConstantIntegration = copyOf(Resources, integration);
    Object.assign(Resources.ConstantIntegration.Properties, { IntegrationUri: { 'Fn::GetAtt': ['ConstantFunction', 'Arn'] } });
    Resources.ConstantRoute = copyOf(Resources, route);
    const Target = { 'Fn::Join': ['', ['integrations/', { Ref: 'ConstantIntegration' }]] };
    Object.assign(Resources.ConstantRoute.Properties, { RouteKey: constantRoute, Target });
    if (isProfiled && Resources[lambda]) profile(Resources[lambda]);
  });
}

async function editJson<Content>(path: string, edit: (content: Content) => void): Promise<void> {
  const content = JSON.parse(await readFile(path, 'utf8')) as Content;
  edit(content);
  await writeFile(path, JSON.stringify(content));
}

/** The route that places orders, and what stands behind it, by their logical ids. Throws when the template has another shape. */
function placingIn(resources: Resources): { route: string; integration: string; lambda: string } {
  const idsIn = (value: unknown, type: string) => {
    const text = JSON.stringify(value);
    return Object.keys(resources).filter((id) => resources[id]?.Type === type && text.includes(`"${id}"`));
  };
  const [route] = Object.keys(resources).filter((id) => resources[id]?.Properties?.RouteKey === placeRoute);
  const [integration] = idsIn(resources[route ?? '']?.Properties?.Target, 'AWS::ApiGatewayV2::Integration');
  const uri = resources[integration ?? '']?.Properties?.IntegrationUri;
  // Where the route leads to an alias, the alias leads to the function.
  const [alias] = idsIn(uri, 'AWS::Lambda::Alias');
  const [lambda] = idsIn(alias === undefined ? uri : resources[alias]?.Properties.FunctionName, 'AWS::Lambda::Function');
  if (!route || !integration || !lambda) throw new Error(`the template has no function behind ${placeRoute}`);
  return { route, integration, lambda };
}

const copyOf = (resources: Resources, id: string): Resource => structuredClone(resources[id] ?? { Type: '', Properties: {} });

function profile(lambda: Resource): void {
  const { Variables } = lambda.Properties.Environment as { Variables: Record<string, string> };
  const preload = new URL('profiled.ts', import.meta.url);
  const option = /\s/.test(fileURLToPath(preload)) ? `"${preload.href}"` : preload.href;
  Variables.NODE_OPTIONS = [Variables.NODE_OPTIONS, `--import=${option}`].filter(Boolean).join(' ');
}
