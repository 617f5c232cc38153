import type { TestProject } from 'vitest/node';
import { startRuntime } from '../../lib/local/index.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The address of the runtime that all acceptance tests share. */
    baseUrl: string;
    /** What stands behind it, for whoever tests what must hold when a part is away or was tampered with. */
    behind: {
      readonly redisUrl: string;
      readonly dynamodbEndpoint: string;
      readonly sqsUrl: string;
      readonly tables: Readonly<Record<string, string>>;
      readonly queues: Readonly<Record<string, string>>;
    };
  }
}

/** One runtime for all acceptance tests, synthesised once. `STAMPEDE_LOGS=1` shows what its functions write. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
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
