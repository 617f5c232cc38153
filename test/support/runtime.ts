import type { TestProject } from 'vitest/node';
import { startRuntime } from '../../lib/local/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the endpoint that all acceptance tests share. */
    baseUrl: string;
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
    project.provide('behind', undefined);
    return async () => {};
  }
  const showLogs = Boolean(process.env.STAMPEDE_LOGS);
  const runtime = await startRuntime({
    port: 0,
    onLog: (source, line) => {
      if (showLogs) process.stderr.write(`[${source}] ${line}\n`);
    },
  });
  const { url, redisUrl, dynamodbEndpoint, sqsUrl, names } = runtime;
  project.provide('baseUrl', url);
  project.provide('behind', { redisUrl, dynamodbEndpoint, sqsUrl, ...names });
  return () => runtime.stop();
}
