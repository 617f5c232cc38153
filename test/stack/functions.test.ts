import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Environment } from '../../functions/shared/environment.ts';
import { type Resource, type Synthesised, synthesised } from './synthesised.ts';

let stacks: Synthesised;
let functions: Resource[];
beforeAll(() => {
  stacks = synthesised();
  functions = stacks.of('AWS::Lambda::Function');
});
afterAll(() => stacks?.remove());

/** What buyers wait for at a cold start grows by what is noticed: with the SDK it was 905 kB. */
const reserveBytesMax = 545_000;

const variablesOf = (lambda: Resource): string[] =>
  Object.keys(lambda.properties.Environment.Variables).filter((name) => name !== 'NODE_OPTIONS');

/** Starts the very code that would be deployed, with an environment of the right names and shapes, and reports what it reads from it. */
function coldStart(directory: string, variables: readonly string[]): Promise<{ handler: string; read: string[] }> {
  const shapes: Record<string, string> = {
    REDIS_URL: 'rediss://127.0.0.1:1',
    REDIS_MODE: 'cluster',
    OUTBOX_MODE: 'polling',
    DEAD_LETTER_QUEUES: '[]',
    PREWARM: JSON.stringify({
      ...{ concurrency: 0, concurrencyMax: 1, writeUnits: 0, writeUnitsMax: 1, leadMinutes: 15, graceMinutes: 5, hoursMax: 6 },
    }),
  };
  const values = { AWS_REGION: 'eu-west-1', ...Object.fromEntries(variables.map((name) => [name, shapes[name] ?? 'a-name'])) };
  const worker = new Worker(
    `const { parentPort, workerData } = require('node:worker_threads');
    const read = new Set();
    process.env = new Proxy(workerData.values, { get: (values, name) => { read.add(String(name)); return values[name]; } });
    import(workerData.url).then(({ handler }) => parentPort.postMessage({ handler: typeof handler, read: [...read] }));`,
    { eval: true, workerData: { values, url: pathToFileURL(join(directory, 'index.cjs')).href } },
  );
  return new Promise<{ handler: string; read: string[] }>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('it ended without a word')));
  }).finally(() => worker.terminate());
}

describe('functions', () => {
  it('deploys each handler exactly once', () => {
    const handlers = globSync('functions/**/*.handler.ts', { cwd: new URL('../../', import.meta.url) });
    expect(functions).toHaveLength(handlers.length);
    expect(new Set(functions.map(({ properties }) => properties.Code.S3Key)).size).toBe(handlers.length);
  });

  it('runs every function on Node 24 and arm64', () => {
    for (const { path, properties } of functions) {
      expect(properties.Runtime, path).toBe('nodejs24.x');
      expect(properties.Architectures, path).toEqual(['arm64']);
    }
  });

  it('starts each function with exactly the environment that its code reads', async () => {
    const known = new Set(Object.keys(Environment.shape));
    for (const lambda of functions) {
      const given = variablesOf(lambda);
      const { handler, read } = await coldStart(stacks.codeOf(lambda), given);
      expect(handler, lambda.path).toBe('function');
      expect(read.filter((name) => known.has(name)).sort(), lambda.path).toEqual(given.sort());
    }
  });

  it('refuses to start without its environment', async () => {
    const [reserve] = functions.filter(({ path }) => path.startsWith('Orders/Reserve/'));
    if (!reserve) throw new Error('no reserve function');
    await expect(coldStart(stacks.codeOf(reserve), [])).rejects.toThrow('HOLD_SECRET');
  });

  it('gives every function logs of its own that end after a month, as JSON', () => {
    const groups = new Map(stacks.of('AWS::Logs::LogGroup').map((group) => [group.id, group]));
    expect(new Set(functions.map(({ properties }) => properties.LoggingConfig.LogGroup.Ref)).size).toBe(functions.length);
    for (const { path, properties } of functions) {
      expect(properties.LoggingConfig.LogFormat, path).toBe('JSON');
      expect(groups.get(properties.LoggingConfig.LogGroup.Ref)?.properties.RetentionInDays, path).toBe(30);
    }
    for (const { path, properties } of groups.values()) expect(properties.RetentionInDays, path).toBeGreaterThan(0);
  });

  it('bounds the time of every function, and answers before the gateway gives up', () => {
    for (const { path, properties } of functions) {
      // A rebuild is asked for and not waited for, and half of it would be none.
      // A poller goes on until the next one has begun.
      const secondsMax = /^(Stock\/Rebuild|Reconciliation\/Reconcile)\//.test(path) ? 900 : path.startsWith('Messaging/Poller/') ? 90 : 60;
      expect(properties.Timeout, path).toBeLessThanOrEqual(secondsMax);
      expect(properties.Timeout, path).toBeGreaterThanOrEqual(10);
    }
    const behindGateway = functions.filter(({ path }) =>
      /^(Api\/Functions|Audit\/Sale|Cart\/Items|DeadLetters\/Operations|Graphql\/Api|Orders\/Reserve|Payments\/Webhook)\//.test(path),
    );
    expect(behindGateway.map(({ properties }) => properties.Timeout < 30)).toEqual([true, true, true, true, true, true, true]);
  });

  it('carries GraphQL’s library in the one function that serves it, and no other is started with it', () => {
    const carriers = functions.filter((lambda) =>
      readFileSync(join(stacks.codeOf(lambda), 'index.cjs'), 'utf8').includes('Maximum introspection depth'),
    );
    expect(carriers.map(({ path }) => path)).toEqual(['Graphql/Api/Function']);
  });

  it('starts the reserve function without any client of the SDK, and small', () => {
    const reserve = functions.find(({ path }) => path === 'Orders/Reserve/Function') ?? expect.fail('there is no reserve function');
    const file = join(stacks.codeOf(reserve), 'index.cjs');
    const { sources }: { sources: string[] } = JSON.parse(readFileSync(`${file}.map`, 'utf8'));
    expect(sources.filter((source) => /node_modules\/(@aws-sdk|@smithy)\//.test(source))).toEqual([]);
    // A schema takes its time when its module is loaded: those that consumers, lists, operators and the API's document need were half of all.
    const forOthers =
      /functions\/(orders\/(order\.events|outbox\.schemas|order-list\.schemas)|sales\/sale\.schemas|shared\/(page|problem\.schemas))\.ts$/;
    expect(sources.filter((source) => forOthers.test(source))).toEqual([]);
    expect(readFileSync(file).length).toBeLessThan(reserveBytesMax);
  });

  it('has Node map the stacks of every function but the reserve function, which maps its own when it logs one', () => {
    for (const { path, properties } of functions) {
      const options = path === 'Orders/Reserve/Function' ? undefined : '--enable-source-maps';
      expect(properties.Environment.Variables.NODE_OPTIONS, path).toBe(options);
    }
  });

  it('puts into the network exactly the functions that use Redis', () => {
    for (const lambda of functions) {
      expect(lambda.properties.VpcConfig !== undefined, lambda.path).toBe(variablesOf(lambda).includes('REDIS_URL'));
    }
    expect(functions.filter(({ properties }) => properties.VpcConfig)).not.toHaveLength(0);
  });

  it('alarms on errors and throttles of every function', () => {
    const alarms = stacks.of('AWS::CloudWatch::Alarm').map(({ properties }) => properties);
    for (const { id, path } of functions) {
      const about = alarms.filter(({ Dimensions }) => Dimensions?.some(({ Value }: { Value: { Ref?: string } }) => Value.Ref === id));
      expect(
        about.map(({ MetricName }) => MetricName),
        path,
      ).toEqual(expect.arrayContaining(['Errors', 'Throttles']));
    }
  });
});
