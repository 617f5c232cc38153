import type { Random } from '../random.ts';
import type { Container } from './container.ts';
import type { Fault } from './contract.ts';
import { NotSimulated } from './globals.ts';
import type { Network } from './io.ts';
import type { Service } from './services.ts';

/** The packages of the SDK that functions use, as they are. */
export interface RealSdk {
  readonly dynamodb: typeof import('@aws-sdk/client-dynamodb');
  readonly document: typeof import('@aws-sdk/lib-dynamodb');
  readonly sqs: typeof import('@aws-sdk/client-sqs');
  readonly eventBridge: typeof import('@aws-sdk/client-eventbridge');
  readonly secrets: typeof import('@aws-sdk/client-secrets-manager');
  readonly scheduler: typeof import('@aws-sdk/client-scheduler');
  readonly lambda: typeof import('@aws-sdk/client-lambda');
}

export const realSdk = (require: NodeJS.Require): RealSdk => ({
  dynamodb: require('@aws-sdk/client-dynamodb'),
  document: require('@aws-sdk/lib-dynamodb'),
  sqs: require('@aws-sdk/client-sqs'),
  eventBridge: require('@aws-sdk/client-eventbridge'),
  secrets: require('@aws-sdk/client-secrets-manager'),
  scheduler: require('@aws-sdk/client-scheduler'),
  lambda: require('@aws-sdk/client-lambda'),
});

interface ClientOptions {
  readonly maxAttempts?: number;
  readonly requestHandler?: { readonly requestTimeout?: number };
}

interface Command {
  readonly input: object;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
}

/** What every client of a container needs. */
export interface SdkHost {
  readonly container: Container;
  readonly network: Network;
  readonly random: Random;
  readonly real: RealSdk;
}

// The SDK's standard mode of retries: which errors, and how long it waits (full jitter on 100 ms, 500 ms where throttled, doubling up to 20 s).
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
const throttlings = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
  'TransactionInProgressException',
];
const brokenConnections = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];
const waitMsMax = 20_000;

interface AwsError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const isThrottling = (error: AwsError) => throttlings.includes(error.name);
const isTransient = (error: AwsError) =>
  error.name === 'TimeoutError' || brokenConnections.includes(error.code ?? '') || (error.$metadata?.httpStatusCode ?? 0) >= 500;

/** Sends a command as the SDK does, attempts and pauses included, each attempt being a call to the outside. */
async function send(
  host: SdkHost,
  service: Service,
  options: ClientOptions,
  command: Command,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  const { container, network, random } = host;
  const operation = command.constructor.name.replace(/Command$/, '');
  const input = plainCopy(command.input) as Readonly<Record<string, unknown>>;
  const attemptsMax = options.maxAttempts ?? 3;
  for (let attempt = 0; ; attempt++) {
    try {
      return await network.exchange(container, {
        target: service.target,
        operation,
        input,
        attempt,
        apply: () => service.apply(operation, input),
        isAnswer: (error) => error instanceof Error && '$metadata' in error,
        timeoutMs: options.requestHandler?.requestTimeout ?? 120_000,
        errorOf: (fault) => errorOf(fault, service, operation, input, host),
        signal,
        extraMs: (answer) => service.extraMs?.(operation, input, answer) ?? 0,
      });
    } catch (error) {
      const isLast = attempt + 1 >= attemptsMax;
      const mayTryAgain = error instanceof Error && error.name !== 'AbortError' && (isThrottling(error) || isTransient(error));
      if (isLast || !mayTryAgain) throw error;
      const baseMs = isThrottling(error) ? 500 : 100;
      await pause(container, random.next() * Math.min(waitMsMax, baseMs * 2 ** attempt));
    }
  }
}

const pause = (container: Container, ms: number) => new Promise<void>((resolve) => container.after(ms * 1_000, resolve));

/** What is sent is what it is now: the SDK writes it down before anything else happens, and leaves out what is undefined. */
function plainCopy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(plainCopy);
  if (Object.getPrototypeOf(value) !== Object.prototype) return structuredClone(value);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .map(([name, member]) => [name, plainCopy(member)]),
  );
}

/** What a call meets when an attempt of it came to this, whoever makes it. */
export const faultOf =
  (host: SdkHost, service: Service, operation: string, input: Readonly<Record<string, unknown>>) =>
  (fault: Fault): Error =>
    errorOf(fault, service, operation, input, host);

/** What the SDK throws when an attempt came to this. */
function errorOf(fault: Fault, service: Service, operation: string, input: Readonly<Record<string, unknown>>, host: SdkHost): Error {
  if (fault === 'timeout') return Object.assign(new Error('Request timed out'), { name: 'TimeoutError', code: 'ETIMEDOUT', $metadata: {} });
  if (fault === 'reset') return Object.assign(new Error('socket hang up'), { name: 'TimeoutError', code: 'ECONNRESET', $metadata: {} });
  if (service.target === 'dynamodb') return databaseErrorOf(fault, operation, input, host);
  const { sqs, eventBridge, secrets, scheduler, lambda } = host.real;
  const Base = {
    queue: sqs.SQSServiceException,
    bus: eventBridge.EventBridgeServiceException,
    secrets: secrets.SecretsManagerServiceException,
    scheduler: scheduler.SchedulerServiceException,
    lambda: lambda.LambdaServiceException,
  }[service.target as 'queue' | 'bus' | 'secrets' | 'scheduler' | 'lambda'];
  return fault === 'unavailable'
    ? new Base({ name: 'ServiceUnavailable', $fault: 'server', message: 'The service is unavailable.', $metadata: { httpStatusCode: 503 } })
    : new Base({ name: 'ThrottlingException', $fault: 'client', message: 'Rate exceeded', $metadata: { httpStatusCode: 400 } });
}

function databaseErrorOf(
  fault: Fault,
  operation: string,
  { TransactItems }: Readonly<Record<string, unknown>>,
  { real, random }: SdkHost,
): Error {
  const { InternalServerError, ProvisionedThroughputExceededException, TransactionCanceledException, TransactionConflictException } =
    real.dynamodb;
  const $metadata = { httpStatusCode: 400 };
  if (fault === 'unavailable') return new InternalServerError({ message: 'Internal server error', $metadata: { httpStatusCode: 500 } });
  if (fault === 'conflict' && Array.isArray(TransactItems)) {
    const met = random.int(TransactItems.length);
    const CancellationReasons = TransactItems.map((_, index) =>
      index === met ? { Code: 'TransactionConflict', Message: 'Transaction is ongoing for the item' } : { Code: 'None' },
    );
    const codes = CancellationReasons.map(({ Code }) => Code).join(', ');
    const message = `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`;
    return new TransactionCanceledException({ message, CancellationReasons, $metadata });
  }
  const isWrite = ['Put', 'Update', 'Delete'].includes(operation);
  // A read never meets a transaction in this way; one that is asked to is throttled instead.
  if (fault === 'conflict' && isWrite)
    return new TransactionConflictException({ message: 'Transaction is ongoing for the item', $metadata });
  return new ProvisionedThroughputExceededException({ message: 'The level of configured provisioned throughput was exceeded', $metadata });
}

/** A client's class, in place of the real one. */
const clientClass = (host: SdkHost, service: Service) =>
  class {
    readonly config: ClientOptions;
    constructor(options: ClientOptions = {}) {
      this.config = options;
    }
    send(command: Command, options: SendOptions = {}): Promise<unknown> {
      return send(host, service, this.config, command, options.abortSignal);
    }
    destroy(): void {}
  };

/** A package with some of its exports replaced. */
const replacing = (real: object, replaced: object): object => Object.assign(Object.create(real) as object, replaced);

export interface Services {
  readonly database: Service;
  readonly queue: Service;
  readonly bus: Service;
  readonly secrets: Service;
  readonly scheduler: Service;
  readonly lambda: Service;
}

/** The SDK's packages as one container gets them: the commands and errors are the real ones, the clients are not. */
export function sdkModules(host: SdkHost, services: Services): Readonly<Record<string, object>> {
  const { real } = host;
  const noAggregate = (name: string) =>
    class {
      constructor() {
        throw new NotSimulated(`${name}, the client with a method per command, is not in the simulation`);
      }
    };
  return {
    '@aws-sdk/client-dynamodb': replacing(real.dynamodb, {
      DynamoDBClient: class {
        readonly config: ClientOptions;
        constructor(options: ClientOptions = {}) {
          this.config = options;
        }
        send(command: Command): never {
          throw new NotSimulated(`${command.constructor.name} without the document client is not in the simulation`);
        }
        destroy(): void {}
      },
      DynamoDB: noAggregate('DynamoDB'),
    }),
    '@aws-sdk/lib-dynamodb': replacing(real.document, {
      DynamoDBDocumentClient: documentClient(host, services.database),
      DynamoDBDocument: noAggregate('DynamoDBDocument'),
    }),
    '@aws-sdk/client-sqs': replacing(real.sqs, { SQSClient: clientClass(host, services.queue), SQS: noAggregate('SQS') }),
    '@aws-sdk/client-eventbridge': replacing(real.eventBridge, {
      EventBridgeClient: clientClass(host, services.bus),
      EventBridge: noAggregate('EventBridge'),
    }),
    '@aws-sdk/client-secrets-manager': replacing(real.secrets, {
      SecretsManagerClient: clientClass(host, services.secrets),
      SecretsManager: noAggregate('SecretsManager'),
    }),
    '@aws-sdk/client-scheduler': replacing(real.scheduler, {
      SchedulerClient: clientClass(host, services.scheduler),
      Scheduler: noAggregate('Scheduler'),
    }),
    '@aws-sdk/client-lambda': replacing(real.lambda, { LambdaClient: clientClass(host, services.lambda), Lambda: noAggregate('Lambda') }),
  };
}

/** Instances are of the real class, because the real paginators ask for that. */
function documentClient(host: SdkHost, service: Service): object {
  const { DynamoDBDocumentClient } = host.real.document;
  const from = ({ config }: { readonly config: ClientOptions }) => {
    const sendOne = (command: Command, options: SendOptions = {}) => send(host, service, config, command, options.abortSignal);
    return Object.defineProperties(Object.create(DynamoDBDocumentClient.prototype) as object, {
      config: { value: config },
      send: { value: sendOne },
      destroy: { value: () => {} },
    });
  };
  return Object.assign(() => undefined, { from, prototype: DynamoDBDocumentClient.prototype });
}
