/** Where the prices and regional quotas below are from, and when they were looked up. */
export const region = 'us-east-1';
export const lookedUpOn = '2026-11-21';

/**
 * How a figure was checked. `page`: a stored copy of AWS' own page says it. `price list`: a row of AWS' price list, as others quote it. `not verified`:
 * no copy of the page was found, and the figure is what is remembered of it.
 */
export type Check = 'page' | 'price list' | 'not verified';

/** A figure of somebody else's: what it is of, and where it stands. */
export interface Figure {
  readonly of: string;
  readonly value: number;
  readonly unit: string;
  readonly url: string;
  readonly check: Check;
}

const docs = 'https://docs.aws.amazon.com';
const dynamo = `${docs}/amazondynamodb/latest/developerguide`;
const lambda = `${docs}/lambda/latest/dg`;
const eventBridge = `${docs}/eventbridge/latest/userguide/eb-quota.html`;
const prices = 'https://aws.amazon.com';

export const quotas = {
  httpRequests: {
    of: 'API Gateway, all APIs of an account and region together; can be raised',
    value: 10_000,
    unit: 'requests/s',
    url: `${docs}/apigateway/latest/developerguide/limits.html`,
    check: 'page',
  },
  lambdaConcurrency: {
    of: 'Lambda, all functions of an account and region together; can be raised',
    value: 1_000,
    unit: 'environments',
    url: `${lambda}/lambda-concurrency.html`,
    check: 'page',
  },
  lambdaRequestsPerEnvironment: {
    of: 'Lambda, synchronous calls, however short they are',
    value: 10,
    unit: 'requests/s per environment',
    url: `${lambda}/gettingstarted-limits.html`,
    check: 'page',
  },
  lambdaScaling: {
    of: 'Lambda, more for each function every 10 seconds; not raised',
    value: 1_000,
    unit: 'environments per 10 s',
    url: `${lambda}/scaling-behavior.html`,
    check: 'page',
  },
  redisConnections: {
    of: 'ElastiCache; AWS advises not to live near it',
    value: 65_000,
    unit: 'connections per node',
    url: `${docs}/AmazonElastiCache/latest/dg/BestPractices.Clients.Redis.Connections.html`,
    check: 'page',
  },
  redisNodeRequests: {
    of: 'ElastiCache for Redis 7.1 on r7g.4xlarge, plain commands of many connections',
    value: 1_000_000,
    unit: 'requests/s per node',
    url: `${prices}/blogs/database/achieve-over-500-million-requests-per-second-per-cluster-with-amazon-elasticache-for-redis-7-1/`,
    check: 'page',
  },
  partitionWrites: {
    of: 'DynamoDB, one partition, so also one key; not raised',
    value: 1_000,
    unit: 'write units/s',
    url: `${dynamo}/warm-throughput-scenarios.html`,
    check: 'page',
  },
  partitionReads: {
    of: 'DynamoDB, one partition, so also one key, with strong consistency; not raised',
    value: 3_000,
    unit: 'read units/s',
    url: `${dynamo}/warm-throughput-scenarios.html`,
    check: 'page',
  },
  secretReads: {
    of: 'Secrets Manager, GetSecretValue; not raised',
    value: 10_000,
    unit: 'requests/s',
    url: `${docs}/secretsmanager/latest/userguide/reference_limits.html`,
    check: 'page',
  },
  newTableWrites: {
    of: 'DynamoDB, a new table on demand, and each new index',
    value: 4_000,
    unit: 'write units/s',
    url: `${dynamo}/warm-throughput.html`,
    check: 'page',
  },
  tableWrites: {
    of: 'DynamoDB, a table on demand with all its indexes; can be raised',
    value: 40_000,
    unit: 'write units/s',
    url: `${dynamo}/ServiceQuotas.html`,
    check: 'page',
  },
  putEventsRequests: {
    of: 'EventBridge, PutEvents; can be raised',
    value: 10_000,
    unit: 'requests/s',
    url: eventBridge,
    check: 'page',
  },
  putEventsEntries: {
    of: 'EventBridge, entries of one PutEvents',
    value: 10,
    unit: 'events',
    url: `${docs}/eventbridge/latest/APIReference/API_PutEvents.html`,
    check: 'page',
  },
  busInvocations: {
    of: 'EventBridge, events sent on to targets; what is over it is late, not lost; can be raised',
    value: 18_750,
    unit: 'invocations/s',
    url: eventBridge,
    check: 'page',
  },
  customBusEvents: {
    of: 'EventBridge, the newer Custom Event Bus (ours is what AWS now calls Classic)',
    value: 500_000,
    unit: 'events/s per bus',
    url: eventBridge,
    check: 'page',
  },
  queueInFlight: {
    of: 'SQS, messages of a standard queue that were received and not yet deleted; there is no limit of requests',
    value: 120_000,
    unit: 'messages per queue',
    url: `${docs}/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html`,
    check: 'page',
  },
} as const satisfies Record<string, Figure>;

export const dollars = {
  httpRequest: {
    of: 'HTTP API, the first 300 million a month; then 0.90',
    value: 1,
    unit: '$ per million requests',
    url: `${prices}/api-gateway/pricing/`,
    check: 'price list',
  },
  lambdaRequest: { of: 'Lambda, calls', value: 0.2, unit: '$ per million calls', url: `${prices}/lambda/pricing/`, check: 'price list' },
  lambdaGigabyteSecond: {
    of: 'Lambda on arm64, time',
    value: 0.0000133334,
    unit: '$ per GB-second',
    url: `${prices}/lambda/pricing/`,
    check: 'price list',
  },
  provisionedGigabyteSecond: {
    of: 'Lambda on arm64, provisioned concurrency while it is there',
    value: 0.0000033334,
    unit: '$ per GB-second',
    url: `${prices}/lambda/pricing/`,
    check: 'price list',
  },
  writeUnit: {
    of: 'DynamoDB on demand',
    value: 0.625,
    unit: '$ per million write units',
    url: `${prices}/dynamodb/pricing/on-demand/`,
    check: 'price list',
  },
  readUnit: {
    of: 'DynamoDB on demand',
    value: 0.125,
    unit: '$ per million read units',
    url: `${prices}/dynamodb/pricing/on-demand/`,
    check: 'price list',
  },
  tableGigabyteMonth: {
    of: 'DynamoDB, storage with point-in-time recovery (0.25 + 0.20)',
    value: 0.45,
    unit: '$ per GB and month',
    url: `${prices}/dynamodb/pricing/on-demand/`,
    check: 'price list',
  },
  warmWriteUnit: {
    of: 'DynamoDB, pre-warming, once for each write unit/s above what is there; taken to be an hour of a provisioned unit',
    value: 0.00065,
    unit: '$ per write unit/s',
    url: `${prices}/dynamodb/pricing/on-demand/`,
    check: 'not verified',
  },
  event: {
    of: 'EventBridge, events of ours',
    value: 1,
    unit: '$ per million events',
    url: `${prices}/eventbridge/pricing/`,
    check: 'price list',
  },
  queueRequest: {
    of: 'SQS, standard queues, each action on up to ten messages',
    value: 0.4,
    unit: '$ per million requests',
    url: `${prices}/sqs/pricing/`,
    check: 'price list',
  },
  logGigabyte: { of: 'CloudWatch, logs taken in', value: 0.5, unit: '$ per GB', url: `${prices}/cloudwatch/pricing/`, check: 'price list' },
  trace: { of: 'X-Ray, traces recorded', value: 5, unit: '$ per million traces', url: `${prices}/xray/pricing/`, check: 'page' },
  tracedShare: {
    of: 'X-Ray, the share of calls to a function that Lambda traces, beyond the first of each second; not configurable',
    value: 0.05,
    unit: 'of calls',
    url: `${lambda}/services-xray.html`,
    check: 'page',
  },
  transferGigabyte: {
    of: 'Data out to the internet, the first 10 TB a month',
    value: 0.09,
    unit: '$ per GB',
    url: `${prices}/ec2/pricing/on-demand/`,
    check: 'price list',
  },
  cacheNodeHour: {
    of: 'ElastiCache for Redis, cache.m7g.2xlarge; four times cache.m7g.large, which is Valkey’s 0.1264 and a quarter more',
    value: 0.632,
    unit: '$ per node and hour',
    url: `${prices}/elasticache/pricing/`,
    check: 'not verified',
  },
} as const satisfies Record<string, Figure>;
