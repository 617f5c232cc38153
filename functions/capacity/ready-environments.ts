import {
  DeleteProvisionedConcurrencyConfigCommand,
  GetProvisionedConcurrencyConfigCommand,
  type LambdaClient,
  ProvisionedConcurrencyConfigNotFoundException,
  PutProvisionedConcurrencyConfigCommand,
} from '@aws-sdk/client-lambda';
import { log } from '../shared/telemetry.ts';
import type { ReadyEnvironments } from './capacity.ports.ts';

/** Provisioned concurrency of an alias, by the alias' ARN. */
export function readyEnvironments(client: LambdaClient, aliasArn: string): ReadyEnvironments {
  const end = aliasArn.lastIndexOf(':');
  const alias = { FunctionName: aliasArn.slice(0, end), Qualifier: aliasArn.slice(end + 1) };
  return {
    async asked() {
      try {
        const config = await client.send(new GetProvisionedConcurrencyConfigCommand(alias));
        if (config.Status !== 'FAILED') return config.RequestedProvisionedConcurrentExecutions;
        log.error('environments could not be made ready', { alias: aliasArn, reason: config.StatusReason });
        return undefined;
      } catch (error) {
        if (error instanceof ProvisionedConcurrencyConfigNotFoundException) return 0;
        throw error;
      }
    },
    async ask(count) {
      // None at all is not a number that Lambda takes. Deleting what is not there is no error.
      if (count === 0) await client.send(new DeleteProvisionedConcurrencyConfigCommand(alias));
      else await client.send(new PutProvisionedConcurrencyConfigCommand({ ...alias, ProvisionedConcurrentExecutions: count }));
    },
  };
}
