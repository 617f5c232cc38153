import type { Assembly } from './assembly.ts';
import { credentials } from './aws-json.ts';
import type { ContainerKind } from './container.hosts.ts';
import { type Capacity, HostedFunction } from './containers.ts';
import { account, region, UnsupportedTemplate } from './intrinsics.ts';

/** Where a function finds the services around it. */
export interface Endpoints {
  readonly redisUrl: string;
  readonly dynamodb: string;
  readonly sqs: string;
  readonly eventBridge: string;
  readonly secretsManager: string;
  readonly scheduler: string;
  readonly lambda: string;
  /** The database with its tables' warm throughput, for who looks after it. */
  readonly warmDynamodb: string;
}

/** Behind the gateway: a crowd comes at one moment, and both cores are wanted; several front ends have them without a second container each. */
const forRequests = (replicas: number): Capacity => ({ containersMax: replicas === 1 ? 2 : 1, eventsMax: 64 });
/** Behind a queue, a stream or a schedule: an event is a batch already, and buyers go first. */
const forBatches: Capacity = { containersMax: 1, eventsMax: 8 };

const warmedAtOnce = 4;

export interface HostedFunctions {
  /**
   * Throws `UnsupportedTemplate`, naming the place that asks, when there is no such function. What stands behind the gateway is there once
   * for each replica, from 0 on, with containers and module state of its own; everything else once.
   */
  byArn(arn: string, place: string, replica?: number): HostedFunction;
  byName(name: string, place: string): HostedFunction;
  /** Loads every function once, so that one that can't be loaded is known at start. */
  warm(): Promise<void>;
  /** Starts every container that the function of this ARN may have, in all its replicas. */
  warmOne(arn: string): Promise<void>;
  stop(): Promise<void>;
}

export function hostFunctions(
  assembly: Assembly,
  endpoints: Endpoints,
  options: {
    readonly replicas: number;
    readonly containers?: ContainerKind | undefined;
    readonly blankTransactionTokens: boolean;
    readonly onLog: (functionName: string, line: string) => void;
  },
): HostedFunctions {
  const integrated = assembly.integrations.map(({ properties }) => properties.IntegrationUri);
  const copiesOf = assembly.functions.map((spec) => {
    const isRequested = integrated.some((uri) => uri.includes(spec.arn));
    const capacity = isRequested ? forRequests(options.replicas) : forBatches;
    const environment = { ...redisIn(spec.properties.Environment.Variables, endpoints.redisUrl), ...lambdaEnvironment(spec, endpoints) };
    const copies = isRequested ? options.replicas : 1;
    return Array.from({ length: copies }, () => new HostedFunction({ spec, capacity, environment, ...options }));
  });
  const functions = copiesOf.flat();
  const find = (place: string, wanted: string, replica: number, matches: (each: HostedFunction) => boolean) => {
    const copies = copiesOf.find(([first]) => first && matches(first));
    const found = copies?.[replica] ?? copies?.[0];
    if (!found) throw new UnsupportedTemplate(`${place}: there is no function ${wanted}`);
    return found;
  };
  return {
    byArn: (arn, place, replica = 0) => find(place, arn, replica, (each) => each.arn === arn),
    byName: (name, place) => find(place, name, 0, (each) => each.name === name || each.arn === name),
    async warm() {
      // A few at a time: dozens of threads that load at once on two cores are each as late as the last, and a container has a time to start in.
      for (let first = 0; first < functions.length; first += warmedAtOnce) {
        await Promise.all(functions.slice(first, first + warmedAtOnce).map((each) => each.warm()));
      }
    },
    async warmOne(arn) {
      await Promise.all(functions.filter((each) => each.arn === arn).map((each) => each.warm()));
    },
    async stop() {
      await Promise.all(functions.map((each) => each.stop()));
    },
  };
}

/** The cache of the template is not hosted: whoever uses it gets this runtime's Redis, which is one node without a password. */
function redisIn(variables: Readonly<Record<string, string>>, redisUrl: string): Record<string, string> {
  if (!('REDIS_URL' in variables)) return { ...variables };
  return { ...variables, REDIS_URL: redisUrl, REDIS_MODE: 'single', REDIS_AUTH_SECRET: '' };
}

/** What Lambda sets for a function, and where this runtime's services are. Nothing of the machine's own environment gets in. */
function lambdaEnvironment(
  { name, codeDirectory, properties }: Assembly['functions'][number],
  endpoints: Endpoints,
): Record<string, string> {
  return {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCOUNT_ID: account,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_LAMBDA_FUNCTION_NAME: name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(properties.MemorySize),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    LAMBDA_TASK_ROOT: codeDirectory,
    TZ: ':UTC',
    AWS_ENDPOINT_URL_DYNAMODB: 'PREWARM' in properties.Environment.Variables ? endpoints.warmDynamodb : endpoints.dynamodb,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_EVENTBRIDGE: endpoints.eventBridge,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    AWS_ENDPOINT_URL_SCHEDULER: endpoints.scheduler,
    AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
    // The SDK must not find somebody's real account.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
