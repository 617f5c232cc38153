import type { BucketOf } from './profile.ts';
import { packageOf } from './sourced.ts';

// Which part of the way a frame belongs to. Two views, since Node's HTTP is the gateway's in the thread that listens, and the road to DynamoDB in a
// container.

type Rule = readonly [pattern: RegExp, bucket: string];

const firstOf =
  (rules: readonly Rule[]): BucketOf =>
  (source) =>
    rules.find(([pattern]) => pattern.test(source))?.[1];

export const buckets = {
  http: 'HTTP',
  jwt: 'JWT',
  hop: 'container hop',
  schema: 'schema',
  redis: 'Redis client',
  dynamodb: 'DynamoDB requests',
  sdk: 'SDK',
  useCase: 'use case',
} as const;

const common: readonly Rule[] = [
  [/node_modules\/zod\//, buckets.schema],
  [/^functions\/.*\.schemas\.ts$/, buckets.schema],
  [/node_modules\/(@smithy|@aws-sdk|@aws-crypto|@aws|bowser|fast-xml-parser)\//, buckets.sdk],
  [/node_modules\/(ioredis|@ioredis|redis-parser|redis-errors|denque|standard-as-callback|cluster-key-slot)\//, buckets.redis],
  [/^functions\/shared\/(redis|script)\.ts$/, buckets.redis],
  [/^functions\/stock\/.*\.(scripts|definitions|records|keys)\.ts$/, buckets.redis],
  [/^(functions\/shared\/dynamo\.ts|functions\/.*\.repository\.ts)$/, buckets.sdk],
  [/node_modules\/jose\//, buckets.jwt],
  [/^(lib\/local\/issuer|functions\/shared\/caller)\.ts$/, buckets.jwt],
  [/node_modules\/@middy\//, buckets.http],
  [/^functions\/shared\/(http|problems|route)\.ts$/, buckets.http],
  [/^lib\/local\/(gateway|gateways|wire|http-event|routing|cors|throttle|api|aws-json)\.ts$/, buckets.http],
  [/^lib\/local\/(container.*|functions)\.ts$/, buckets.hop],
  [/^node:(internal\/worker|internal\/per_context\/messageport|worker_threads)/, buckets.hop],
  [/^functions\//, buckets.useCase],
];

/** A container, or a handler called in process: it makes HTTP requests of DynamoDB alone, but for one to Secrets Manager at its start. */
export const ofContainer: BucketOf = firstOf([[/^node:(_http|https?$|internal\/http)/, buckets.dynamodb], ...common]);

/** The thread that listens. */
export const ofFrontEnd: BucketOf = firstOf([[/^node:(_http|https?$|internal\/http)/, buckets.http], ...common]);

/** By package, for whoever looks for what to make lighter; sources of our own by file. */
export const byPackage: BucketOf = (source) => packageOf(source) ?? (/^(functions|lib)\//.test(source) ? source : undefined);
