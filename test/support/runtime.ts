import { randomBytes } from 'node:crypto';
import type { TestProject } from 'vitest/node';
import { startRuntime } from '../../lib/local/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the endpoint that all acceptance tests share. */
    baseUrl: string;
    /** What payments from outside are signed with there, newest first: two, as while one takes the other's place. None where nobody says. */
    webhookSecrets: readonly string[];
    /**
     * What stands behind it, for whoever tests what must hold when a part is away or was tampered with. Undefined behind an endpoint that
     * was given: nobody but itself reaches its parts.
     */
    behind:
      | {
          readonly redisUrl: string;
          readonly dynamodbEndpoint: string;
          readonly sqsUrl: string;
          readonly tables: Readonly<Record<string, string>>;
          readonly queues: Readonly<Record<string, string>>;
        }
      | undefined;
  }
}

/**
 * One runtime for all acceptance tests, synthesised once, unless the variable STAMPEDE_URL names an endpoint to test instead.
 * `STAMPEDE_LOGS=1` shows what the runtime's functions write.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.STAMPEDE_URL;
  if (given) {
    project.provide('baseUrl', given);
    project.provide('webhookSecrets', (process.env.PAYMENT_WEBHOOK_SECRETS ?? '').split(/[\s,]+/).filter(Boolean));
    project.provide('behind', undefined);
    return async () => {};
  }
  const webhookSecrets = [1, 2].map(() => `whsec_${randomBytes(32).toString('base64')}`);
  const showLogs = Boolean(process.env.STAMPEDE_LOGS);
  const runtime = await startRuntime({
    port: 0,
    webhookSecrets,
    onLog: (source, line) => {
      if (showLogs) process.stderr.write(`[${source}] ${line}\n`);
    },
  });
  const { url, redisUrl, dynamodbEndpoint, sqsUrl, names } = runtime;
  project.provide('baseUrl', url);
  project.provide('webhookSecrets', webhookSecrets);
  project.provide('behind', { redisUrl, dynamodbEndpoint, sqsUrl, ...names });
  return () => runtime.stop();
}
