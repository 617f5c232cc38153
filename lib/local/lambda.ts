import * as z from 'zod';
import type { Assembly } from './assembly.ts';
import { type JsonServer, ServiceError } from './aws-json.ts';
import { type RestAction, type RestCall, serveRest } from './aws-rest.ts';
import type { HostedFunction } from './containers.ts';
import { unqualified } from './intrinsics.ts';

export interface LambdaService extends JsonServer {
  /** Provisioned concurrency as it is asked for, by the alias' ARN; none that is not there. */
  readonly provisioned: ReadonlyMap<string, number>;
}

export interface LambdaOptions {
  readonly byName: (name: string, place: string) => Pick<HostedFunction, 'invoke' | 'arn'>;
  /** Starts the containers that a function may have and does not: a laptop has as many as its cores carry, whatever is asked for. */
  readonly warm: (functionArn: string) => Promise<void>;
  readonly onLog: (line: string) => void;
}

const Asked = z.strictObject({ ProvisionedConcurrentExecutions: z.int().min(1) });

/** Lambda's `Invoke`, and provisioned concurrency of the template's aliases, which is noted, shown, and has every container started. */
export async function startLambda({ aliases }: Pick<Assembly, 'aliases'>, options: LambdaOptions): Promise<LambdaService> {
  const { byName, warm, onLog } = options;
  const provisioned = new Map<string, number>();

  const aliasIn = ({ path: [name = ''], query }: RestCall): string => {
    const alias = aliases.find(({ arn }) => arn === `${byName(unqualified(name), 'Lambda').arn}:${query.get('Qualifier')}`);
    if (!alias) throw new ServiceError('ResourceNotFoundException', `No alias ${name}:${query.get('Qualifier')}`);
    return alias.arn;
  };
  const config = (count: number) => ({
    RequestedProvisionedConcurrentExecutions: count,
    AvailableProvisionedConcurrentExecutions: count,
    AllocatedProvisionedConcurrentExecutions: count,
    Status: 'READY',
  });
  const provisioning = /^\/2019-09-30\/functions\/([^/]+)\/provisioned-concurrency$/;
  const actions: RestAction[] = [
    {
      // Invoke
      method: 'POST',
      path: /^\/2015-03-31\/functions\/([^/]+)\/invocations$/,
      async run({ path: [name = ''], headers, body }) {
        const running = byName(unqualified(name), 'Lambda').invoke(body);
        if (headers['x-amz-invocation-type'] !== 'Event') return { status: 200, body: await running };
        // Whoever calls so does not wait.
        running.catch((error: unknown) => onLog(`${name}: ${error instanceof Error ? error.message : String(error)}`));
        return { status: 202 };
      },
    },
    {
      // PutProvisionedConcurrencyConfig
      method: 'PUT',
      path: provisioning,
      async run(call) {
        const alias = aliasIn(call);
        const asked = Asked.safeParse(call.body);
        if (!asked.success) throw new ServiceError('InvalidParameterValueException', z.prettifyError(asked.error));
        const count = asked.data.ProvisionedConcurrentExecutions;
        provisioned.set(alias, count);
        await warm(unqualified(alias));
        onLog(`provisioned concurrency of ${alias} is ${count} now`);
        return { status: 202, body: config(count) };
      },
    },
    {
      // GetProvisionedConcurrencyConfig
      method: 'GET',
      path: provisioning,
      async run(call) {
        const count = provisioned.get(aliasIn(call));
        if (count === undefined)
          throw new ServiceError(
            'ProvisionedConcurrencyConfigNotFoundException',
            'No Provisioned Concurrency Config found for this function',
          );
        return { status: 200, body: config(count) };
      },
    },
    {
      // DeleteProvisionedConcurrencyConfig
      method: 'DELETE',
      path: provisioning,
      async run(call) {
        const alias = aliasIn(call);
        if (provisioned.delete(alias)) onLog(`provisioned concurrency of ${alias} is none now`);
        return { status: 204 };
      },
    },
  ];
  return { ...(await serveRest(actions)), provisioned };
}
