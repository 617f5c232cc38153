import { tables } from '../../../functions/shared/tables.ts';

const queueUrl = (name: string) => `https://sqs.simulated/${name}`;

/** Queues that the functions are told of where no other environment is given. */
export const simulatedQueues = { rebuild: queueUrl('rebuild') } as const;

/** Everything that a function may read from its environment; each table bears its own name. */
export const simulatedEnvironment: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(tables).map(([name, { environment }]) => [environment, name])),
  BUS_NAME: 'bus',
  OUTBOX_MODE: 'stream',
  REDIS_URL: 'redis://simulated:6379',
  REDIS_MODE: 'single',
  REDIS_AUTH_SECRET: '',
  REBUILD_QUEUE_URL: simulatedQueues.rebuild,
  DEAD_LETTER_QUEUES: '[]',
  PREWARM: JSON.stringify({
    ...{ concurrency: 0, concurrencyMax: 1, writeUnits: 0, writeUnitsMax: 1, leadMinutes: 15, graceMinutes: 5, hoursMax: 6 },
  }),
  RESERVE_ALIAS_ARN: 'reserve:live',
  CAPACITY_FUNCTION_ARN: 'capacity/level',
  SCHEDULE_ROLE_ARN: 'role',
  SCHEDULE_GROUP: 'capacity',
  HOLD_SECRET: 'hold',
  TICKET_SECRET: 'ticket',
  PAYMENT_WEBHOOK_SECRETS: 'webhook',
};

/** What Lambda sets for every function. */
export const lambdaEnvironment = (functionName: string): Readonly<Record<string, string>> => ({
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'simulated',
  AWS_SECRET_ACCESS_KEY: 'simulated',
  AWS_SESSION_TOKEN: 'simulated',
  AWS_LAMBDA_FUNCTION_NAME: functionName,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  TZ: ':UTC',
});
