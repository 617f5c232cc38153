import type { EventBus } from 'aws-cdk-lib/aws-events';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import type { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Variable } from '../../functions/shared/environment.ts';
import type { TableVariable } from '../../functions/shared/tables.ts';
import type { Bundles } from './bundles.ts';
import type { Cache } from './cache.ts';
import type { Network } from './network.ts';
import type { Operations } from './operations.ts';
import type { Secrets } from './secrets.ts';
import type { Tables } from './tables.ts';

/** Variables beside the tables' names. */
export type Setting = Exclude<Variable, TableVariable>;

export const redis = ['REDIS_URL', 'REDIS_MODE', 'REDIS_AUTH_SECRET'] as const satisfies readonly Setting[];

interface Provision {
  readonly value: string;
  /** What the function needs in order to use it. */
  readonly grant?: (grantee: IGrantable) => void;
}

/** What capabilities build upon. */
export interface Platform {
  readonly network: Network;
  readonly tables: Tables;
  readonly bus: EventBus;
  readonly bundles: Bundles;
  readonly operations: Operations;
  /** Each setting's value, and the right that goes with it: a variable that nothing provides is a compile error. */
  readonly settings: Readonly<Record<Setting, Provision>>;
}

export function settingsFrom(parts: { cache: Cache; secrets: Secrets; bus: EventBus }): Platform['settings'] {
  const secretSetting = (secret: Secret): Provision => ({ value: secret.secretArn, grant: (grantee) => secret.grantRead(grantee) });
  return {
    BUS_NAME: { value: parts.bus.eventBusName, grant: (grantee) => parts.bus.grantPutEventsTo(grantee) },
    REDIS_URL: { value: parts.cache.url },
    REDIS_MODE: { value: 'cluster' },
    REDIS_AUTH_SECRET: secretSetting(parts.cache.authSecret),
    HOLD_SECRET: secretSetting(parts.secrets.hold),
    TICKET_SECRET: secretSetting(parts.secrets.ticket),
  };
}
