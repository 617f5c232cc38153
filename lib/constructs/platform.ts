import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Grant, type IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Variable } from '../../functions/shared/environment.ts';
import type { OutboxMode } from '../../functions/shared/outbox.ts';
import type { TableVariable } from '../../functions/shared/tables.ts';
import type { Bundles } from './bundles.ts';
import type { Network } from './network.ts';
import type { Operations } from './operations.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

/** What the construct of the capacity tells its own functions: it is about parts that are made after the platform. */
type CapacityVariable = 'PREWARM' | 'RESERVE_ALIAS_ARN' | 'CAPACITY_FUNCTION_ARN' | 'SCHEDULE_ROLE_ARN' | 'SCHEDULE_GROUP';

/** Variables beside the tables' names, and beside the list of dead letters, which is whole only when everything else is made. */
export type Setting = Exclude<Variable, TableVariable | CapacityVariable | 'DEAD_LETTER_QUEUES'>;

/** What reaching Redis takes, for what repairs it. */
export const redisAlone = ['REDIS_URL', 'REDIS_MODE', 'REDIS_AUTH_SECRET'] as const satisfies readonly Setting[];
/** What using the stock takes: whoever misses a sale in Redis asks for its rebuild. */
export const redis = [...redisAlone, 'REBUILD_QUEUE_URL'] as const satisfies readonly Setting[];

interface Provision {
  readonly value: string;
  /** What the function needs in order to use it. */
  readonly grant?: (grantee: IGrantable) => void;
}

/** Where Redis is, and the secret with its password; none for one without. */
export interface Redis {
  readonly url: string;
  readonly mode: 'cluster' | 'single';
  readonly authSecret?: Secret;
}

/** What capabilities build upon. */
export interface Platform {
  /** Where Redis can be reached only from inside. Functions stay outside where there is none. */
  readonly network: Network | undefined;
  readonly tables: Tables;
  readonly bus: EventBus;
  readonly bundles: Bundles;
  readonly operations: Operations;
  /** Each setting's value, and the right that goes with it: a variable that nothing provides is a compile error. */
  readonly settings: Readonly<Record<Setting, Provision>>;
}

export interface SettingParts {
  readonly redis: Redis;
  readonly secrets: Secrets;
  readonly bus: EventBus;
  readonly rebuilds: Queue;
  readonly outboxMode: OutboxMode;
}

export function settingsFrom(parts: SettingParts): Platform['settings'] {
  const secretSetting = (secret: Secret): Provision => ({ value: secret.secretArn, grant: (grantee) => secret.grantRead(grantee) });
  return {
    BUS_NAME: { value: parts.bus.eventBusName, grant: (grantee) => parts.bus.grantPutEventsTo(grantee) },
    OUTBOX_MODE: { value: parts.outboxMode },
    REDIS_URL: { value: parts.redis.url },
    REDIS_MODE: { value: parts.redis.mode },
    REDIS_AUTH_SECRET: parts.redis.authSecret ? secretSetting(parts.redis.authSecret) : { value: '' },
    // Sending alone: `grantSendMessages` would let it read the queue's attributes too.
    REBUILD_QUEUE_URL: {
      value: parts.rebuilds.queueUrl,
      grant: (grantee) => Grant.addToPrincipal({ grantee, actions: ['sqs:SendMessage'], resourceArns: [parts.rebuilds.queueArn] }),
    },
    HOLD_SECRET: secretSetting(parts.secrets.hold),
    TICKET_SECRET: secretSetting(parts.secrets.ticket),
    PAYMENT_WEBHOOK_SECRETS: secretSetting(parts.secrets.webhook),
  };
}
