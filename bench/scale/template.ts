import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Deployment, stacksOf, synthesiseDeployment } from '../../test/simulation/deployment.ts';

/** What the template says of capacity, with functions by the names of their entries. */
export interface TemplateFacts {
  readonly deployment: Deployment;
  readonly memoryMegabytes: Readonly<Record<string, number>>;
  readonly messagesPerBatch: Readonly<Record<string, number>>;
  readonly concurrencyMax: Readonly<Record<string, number>>;
  readonly streamLanes: number;
  readonly streamRowsPerBatch: number;
  readonly stageRequestsPerSecond: number;
  readonly accessLogBytes: number;
  /** Secrets that an environment of the function that places orders reads at its first request. */
  readonly placeSecrets: number;
}

type Properties = Record<string, unknown>;

/** Functions that an order which succeeds passes through. */
const ofOrders = [
  'orders/place',
  'messaging/dispatch',
  'payments/payment',
  'orders/confirm',
  'fulfilment/fulfil',
  'views/view',
  'views/stock-level',
];

/** Synthesises the app, as it deploys but for the bundles, and reads it. Throws when something of an order's way is not there. */
export function templateFacts(): TemplateFacts {
  const deployment = synthesiseDeployment('stream');
  const [stream, ...others] = deployment.streams;
  if (!stream || others.length > 0) throw new Error(`one stream is known here, not ${deployment.streams.length}`);
  const of = resources();
  const memories = of('AWS::Lambda::Function').map(({ Code, MemorySize }): [string, number] => [
    String((Code as Properties).S3Key).replace(/^functions\/(.*)\.handler\.ts$/, '$1'),
    Number(MemorySize),
  ]);
  const onTheWay = (facts: readonly (readonly [string, number])[]) => Object.fromEntries(facts.filter(([name]) => ofOrders.includes(name)));
  const [stage] = of('AWS::ApiGatewayV2::Stage');
  if (!stage) throw new Error('the template has no stage of the API');
  const { ThrottlingRateLimit } = stage.DefaultRouteSettings as Properties;
  const { Format } = stage.AccessLogSettings as Properties;
  return {
    deployment,
    memoryMegabytes: onTheWay(memories),
    messagesPerBatch: onTheWay(deployment.consumers.map(({ functionName, batchSize }) => [functionName, batchSize])),
    concurrencyMax: onTheWay(deployment.consumers.map(({ functionName, concurrencyMax }) => [functionName, concurrencyMax])),
    streamLanes: stream.lanes,
    streamRowsPerBatch: stream.batchSize,
    stageRequestsPerSecond: Number(ThrottlingRateLimit),
    accessLogBytes: accessLogBytesOf(String(Format)),
    placeSecrets: Object.keys(deployment.environments.get('orders/place') ?? {}).filter((name) => name.endsWith('_SECRET')).length,
  };
}

/** The properties of all resources of a type. */
function resources(): (type: string) => Properties[] {
  const directory = mkdtempSync(join(tmpdir(), 'stampede-scale-'));
  const validation = process.env.CDK_VALIDATION;
  process.env.CDK_VALIDATION = 'false';
  try {
    const all = stacksOf(directory, 'stream').flatMap(({ template }) => Object.values(template.Resources));
    return (type) => all.filter(({ Type }) => Type === type).map(({ Properties: properties }) => properties as Properties);
  } finally {
    if (validation === undefined) delete process.env.CDK_VALIDATION;
    else process.env.CDK_VALIDATION = validation;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** How long the values are that stand in a line of the access log for a refused order. */
const valueLengths: Readonly<Record<string, number>> = {
  requestId: 16,
  requestTime: 26,
  'identity.sourceIp': 13,
  routeKey: 32,
  path: 32,
  status: 3,
  'authorizer.claims.sub': 36,
  responseLength: 3,
  responseLatency: 1,
  integrationLatency: 1,
  integrationErrorMessage: 1,
  'authorizer.error': 1,
};

function accessLogBytesOf(format: string): number {
  return format.replaceAll(/\$context\.([A-Za-z.]+)/g, (_, name: string) => {
    const length = valueLengths[name];
    if (length === undefined) throw new Error(`how long is ${name} in the access log?`);
    return '-'.repeat(length);
  }).length;
}
