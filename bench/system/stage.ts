import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { Sale } from '../../functions/sales/sale.model.ts';
import type { TableName } from '../../functions/shared/tables.ts';
import { stockScripts } from '../../functions/stock/stock.scripts.ts';
import { type Assembly, assemble, type FunctionSpec } from '../../lib/local/assembly.ts';
import { credentials } from '../../lib/local/aws-json.ts';
import { guardDirectories } from '../../lib/local/child.ts';
import { startDatabase } from '../../lib/local/dynamodb.ts';
import { account, region } from '../../lib/local/intrinsics.ts';
import { startSecrets } from '../../lib/local/secrets.ts';
import { readAssembly, synthesise } from '../../lib/local/synthesis.ts';
import { createTables } from '../../lib/local/tables.ts';
import { largeSale } from '../large-sale.rows.ts';
import type { BenchRedis } from '../lib/redis-server.ts';
import type { BenchContext } from '../lib/section.ts';

type Stopping = Pick<BenchContext, 'onStop' | 'signal'>;

/** A directory that goes at the section's end, or with this process. */
export async function scratchDirectory(context: Stopping): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'stampede-bench-'));
  const release = guardDirectories([directory]);
  context.onStop(async () => {
    await rm(directory, { recursive: true, force: true });
    release();
  });
  return directory;
}

/** The app, synthesised now: the very bundles that would be deployed. -> the assembly's directory */
export async function synthesised(context: Stopping): Promise<string> {
  const directory = await scratchDirectory(context);
  const assemblyDirectory = join(directory, 'cdk.out');
  await synthesise(assemblyDirectory, [directory], context.signal, { OUTBOX_MODE: 'stream' });
  return assemblyDirectory;
}

/** The file with a function's code: a module, or what `require` loads. */
export function bundleIn(codeDirectory: string): string {
  const found = ['index.mjs', 'index.js', 'index.cjs'].map((name) => join(codeDirectory, name)).find((path) => existsSync(path));
  if (found === undefined) throw new Error(`there is no bundle in ${codeDirectory}`);
  return found;
}

/** What functions find around them: the services that they call, and no runtime that calls them. */
export interface Stage {
  readonly assembly: Assembly;
  readonly redis: BenchRedis;
  readonly databaseEndpoint: string;
  /** The function that places orders. */
  readonly placing: FunctionSpec;
  /** The physical name of a table. */
  tableOf(name: TableName): string;
  /** What Lambda and the template put into a function's environment. */
  environmentOf(spec: FunctionSpec): Record<string, string>;
  /** A sale of one item that is open, in the table and in Redis. Each buyer may have 20 units of it. */
  openSale(saleId: string, units: number): Promise<Sale>;
}

export async function startStage(context: Pick<BenchContext, 'onStop' | 'signal' | 'redis'>, assemblyDirectory: string): Promise<Stage> {
  const redis = await context.redis();
  const database = await startDatabase();
  context.onStop(() => database.stop());
  const parameters = { Issuer: 'http://127.0.0.1:1', Audience: 'stampede' };
  // Nothing is asked to be rebuilt here: the queue's address is one that nobody listens at.
  const queueUrl = (name: string) => `http://127.0.0.1:1/${name}`;
  const assembly = assemble(await readAssembly(assemblyDirectory), { parameters, queueUrl });
  await createTables(database.endpoint, assembly.tables);
  const secrets = await startSecrets(assembly.secrets);
  context.onStop(() => secrets.stop());
  const client = new DynamoDBClient({ endpoint: database.endpoint, region, credentials });
  context.onStop(() => client.destroy());
  const documents = DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } });
  const placing = placingIn(assembly);

  return {
    ...{ assembly, redis, placing, databaseEndpoint: database.endpoint },
    tableOf(name) {
      const found = assembly.tables.find(({ logicalId }) => new RegExp(`^Tables${name}[0-9A-F]{8}$`).test(logicalId));
      if (!found) throw new Error(`the template has no table ${name}`);
      return found.name;
    },
    environmentOf: (spec) => ({
      ...spec.properties.Environment.Variables,
      ...(spec.properties.Environment.Variables.REDIS_URL === undefined ? {} : { REDIS_URL: redis.url }),
      ...{ REDIS_MODE: 'single', REDIS_AUTH_SECRET: '' },
      ...{ AWS_REGION: region, AWS_DEFAULT_REGION: region, AWS_ACCOUNT_ID: account, TZ: ':UTC' },
      ...{ AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey },
      ...{ AWS_LAMBDA_FUNCTION_NAME: spec.name, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x', LAMBDA_TASK_ROOT: spec.codeDirectory },
      ...{ AWS_ENDPOINT_URL_DYNAMODB: database.endpoint, AWS_ENDPOINT_URL_SECRETS_MANAGER: secrets.url },
      ...{ AWS_ENDPOINT_URL_SQS: queueUrl(''), AWS_ENDPOINT_URL_EVENTBRIDGE: queueUrl('') },
      // The SDK must not find somebody's real account.
      ...{ AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_EC2_METADATA_DISABLED: 'true' },
    }),
    async openSale(saleId, units) {
      const sale = largeSale({ saleId, units, sold: 0, unitsPerOrder: 1, nowMs: Date.now() });
      const TableName = placing.properties.Environment.Variables.SALES_TABLE;
      await documents.send(new PutCommand({ TableName, Item: { ...sale, stockLoaded: true } }));
      await stockScripts(redis.admin).load(sale);
      return sale;
    },
  };
}

function placingIn({ routes, integrations, functions }: Assembly): FunctionSpec {
  const route = routes.find(({ properties }) => properties.RouteKey === 'POST /v1/sales/{saleId}/orders');
  const integration = integrations.find(({ logicalId }) => route?.properties.Target === `integrations/${logicalId}`);
  const placing = functions.find(({ arn }) => integration?.properties.IntegrationUri.includes(arn));
  if (!placing) throw new Error('the template has no function that places orders');
  return placing;
}
