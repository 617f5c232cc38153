import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { setTimeout as pause } from 'node:timers/promises';
import { clientDefaults } from './aws.ts';
import { signer } from './signature.ts';

/** A service that speaks AWS' JSON protocol: a POST to `/` with the action's name in `x-amz-target`. */
export interface JsonService {
  /** Its name in hosts and signatures. */
  readonly name: string;
  /** Its name in the variable that says another endpoint, `AWS_ENDPOINT_URL_…`. */
  readonly variable: string;
  /** What stands before an action's name. */
  readonly target: string;
  readonly version: '1.0' | '1.1';
}

/** What Lambda sets for every function is not set. */
export class NotUnderLambda extends Error {
  override readonly name = 'NotUnderLambda';
}

/** A service refused, by the error's name there; its other members are those of the answer, as the SDK has them. */
export class AwsRefusal extends Error {
  readonly $metadata: { readonly httpStatusCode: number; readonly requestId: string | undefined };

  constructor(name: string, message: string, { statusCode = 0, headers }: IncomingMessage, members: object) {
    super(message);
    Object.assign(this, members, { name });
    this.$metadata = { httpStatusCode: statusCode, requestId: headers['x-amzn-requestid'] as string | undefined };
  }
}

/** Asks for an action, its input as JSON. Rejects with `AwsRefusal` for what the service refuses, and with whatever went wrong on the way. */
export type CallAws = (action: string, body: string, abortSignal?: AbortSignal) => Promise<unknown>;

// Which errors another attempt may get past, as the SDK's standard mode of retries has them, and how long it waits before it.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
export const throttlingNames: ReadonlySet<string> = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
/** What is no answer of the service: nobody knows what became of the call. */
export const unreadable = 'UnreadableAnswer';
export const transientNames: ReadonlySet<string> = new Set([
  ...['TimeoutError', 'RequestTimeout', 'RequestTimeoutException', unreadable],
  // Signed before a freeze and sent after it: nothing was done, and each attempt is signed anew.
  ...['InvalidSignatureException', 'RequestExpired', 'RequestTimeTooSkewed'],
]);
export const transientStatuses: ReadonlySet<number> = new Set([500, 502, 503, 504]);
export const brokenConnections: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const throttledWaitMs = 500;
const transientWaitMs = 100;

/** More than any answer of the services that are called has; a batch of items is 16 MB. */
const answerBytesMax = 64 * 1024 * 1024;

const { maxAttempts, requestHandler } = clientDefaults;
const agents = { 'http:': new HttpAgent(requestHandler.httpAgent), 'https:': new HttpsAgent(requestHandler.httpsAgent) };

/**
 * Signed calls to one service, with the credentials and the region that Lambda gives a function, at a fifth of what the SDK's cost. Times and attempts
 * are those of `aws.ts`: a call always ends, at the latest when its last attempt has been given up.
 */
export function awsCaller(service: JsonService): CallAws {
  // At the first call: a module that is loaded has called nobody yet, and whoever lacks the variables hears it from the call.
  let attempt: ReturnType<typeof attempter> | undefined;
  return async (action, body, abortSignal) => {
    attempt ??= attempter(service);
    for (let made = 1; ; made++) {
      try {
        return await attempt({ action, body, abortSignal, made });
      } catch (error) {
        const waitMs = waitMsAfter(error);
        if (made >= maxAttempts || waitMs === undefined) throw error;
        await pause(Math.random() * waitMs * 2 ** (made - 1), undefined, abortSignal && { signal: abortSignal });
      }
    }
  };
}

/** How long at most to wait before the second attempt; undefined where another one would meet the same. */
function waitMsAfter(error: unknown): number | undefined {
  if (!(error instanceof Error) || error.name === 'AbortError') return undefined;
  const { code, $metadata: { httpStatusCode = 0 } = {} } = error as { code?: string; $metadata?: { httpStatusCode?: number } };
  if (throttlingNames.has(error.name) || httpStatusCode === 429) return throttledWaitMs;
  const isTransient = transientNames.has(error.name) || transientStatuses.has(httpStatusCode) || brokenConnections.has(code ?? '');
  return isTransient ? transientWaitMs : undefined;
}

interface Attempt {
  readonly action: string;
  readonly body: string;
  readonly abortSignal: AbortSignal | undefined;
  /** From 1. */
  readonly made: number;
}

/** One attempt at one call. */
function attempter({ name, variable, target, version }: JsonService) {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = process.env;
  if (!region || !accessKeyId || !secretAccessKey)
    throw new NotUnderLambda('AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY must be set, as Lambda sets them');
  const endpoint = endpointOf(name, variable, region);
  const { host, hostname, pathname: path, protocol } = endpoint;
  if (protocol !== 'http:' && protocol !== 'https:') throw new NotUnderLambda(`${endpoint.href} is no endpoint`);
  const sign = signer(name, region, { accessKeyId, secretAccessKey, sessionToken: process.env.AWS_SESSION_TOKEN });
  const options = {
    method: 'POST',
    protocol,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: endpoint.port,
    path,
    agent: agents[protocol],
  };
  // Who calls, for the service's own records; the variable is the SDK's.
  const { AWS_SDK_UA_APP_ID: application } = process.env;
  const userAgent = application ? `stampede app/${application}` : 'stampede';
  const send = protocol === 'http:' ? httpRequest : httpsRequest;

  return ({ action, body, abortSignal, made }: Attempt): Promise<unknown> => {
    if (abortSignal?.aborted) return Promise.reject(aborted(action));
    const headers = { 'content-type': `application/x-amz-json-${version}`, 'x-amz-target': `${target}.${action}` };
    const signed = sign({ path, headers, host, body, atMs: Date.now() });
    const unsigned = {
      'user-agent': userAgent,
      'content-length': Buffer.byteLength(body),
      'amz-sdk-request': `attempt=${made}; max=${maxAttempts}`,
    };
    return new Promise((resolve, reject) => {
      const outgoing = send({ ...options, headers: { ...headers, ...signed, ...unsigned, host } }, (response) =>
        readAnswer(response, resolve, reject),
      );
      const giveUp = (error: Error) => {
        reject(error);
        outgoing.destroy();
      };
      const abort = () => giveUp(aborted(action));
      abortSignal?.addEventListener('abort', abort);
      // For all of it, the answer's body too. A socket that died while the container was frozen says nothing.
      const timer = setTimeout(() => giveUp(timedOut(action)), requestHandler.requestTimeout);
      outgoing.once('error', reject);
      outgoing.once('close', () => {
        clearTimeout(timer);
        abortSignal?.removeEventListener('abort', abort);
        reject(Object.assign(new Error('the connection was closed before the answer'), { code: 'ECONNRESET' }));
      });
      outgoing.end(body);
    });
  };
}

const aborted = (action: string): Error => Object.assign(new Error(`${action} was called off`), { name: 'AbortError', code: 'ABORT_ERR' });

const timedOut = (action: string): Error =>
  Object.assign(new Error(`${action} was not answered within ${requestHandler.requestTimeout} ms`), {
    name: 'TimeoutError',
    code: 'ETIMEDOUT',
  });

/** Where a service is: at the endpoint that the environment gives, as for the SDK, or at its own in the region. */
export function endpointOf(name: string, variable: string, region: string): URL {
  const given = process.env[`AWS_ENDPOINT_URL_${variable}`] || process.env.AWS_ENDPOINT_URL;
  return new URL(given || `https://${name}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`);
}

/** Settles with the answer, at its very end: what comes after that is a close. */
function readAnswer(response: IncomingMessage, resolve: (answer: unknown) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > answerBytesMax) response.destroy(new Error(`an answer of more than ${answerBytesMax} bytes`));
    else chunks.push(chunk);
  });
  response.once('error', reject);
  response.once('end', () => {
    const answer = parsed(Buffer.concat(chunks).toString('utf8'));
    if (response.statusCode === 200 && answer) resolve(answer);
    else reject(refusalOf(response, answer ?? {}));
  });
}

function refusalOf(response: IncomingMessage, { __type, code, message, Message, ...members }: Record<string, unknown>): AwsRefusal {
  const named = response.headers['x-amzn-errortype'] ?? __type ?? code ?? unreadable;
  // `com.amazonaws.dynamodb.v20120810#ThrottlingException`, or with an address behind a colon.
  const name = String(named).replace(/:.*$/, '').replace(/^.*#/, '');
  return new AwsRefusal(name, String(message ?? Message ?? `HTTP ${response.statusCode}`), response, members);
}

/** The answer's JSON; undefined where it is none. */
function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return text === '' ? {} : JSON.parse(text);
  } catch {
    return undefined;
  }
}
