import { CreateTableCommand, DeleteTableCommand, DynamoDBClient as OwnClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { connectRedis } from '../../functions/shared/redis.ts';
import { type Database, startDatabase as startOwnDatabase } from '../../lib/local/dynamodb.ts';
import { type Redis, startRedis as startOwnRedis } from '../../lib/local/redis.ts';

// The servers of test files that are run over and over in one process: always at the same address, because a handler reads its environment
// once, and emptied for whoever starts them anew.

interface Started {
  redis?: Promise<Redis>;
  database?: Promise<Database>;
  /** Tables that are there, and empty since their server was given out. */
  readonly tables: Set<string>;
}
const shared = globalThis as { mutationServers?: Started };
shared.mutationServers ??= { tables: new Set() };
const started = shared.mutationServers;

const stop = async () => {};

export async function startRedis(): Promise<Redis> {
  started.redis ??= startOwnRedis();
  const redis = await started.redis;
  const client = connectRedis({ url: redis.url, mode: 'single' });
  await client.flushall();
  client.disconnect();
  return { ...redis, stop };
}

export async function startDatabase(): Promise<Database> {
  started.database ??= startOwnDatabase();
  const database = await started.database;
  const client = new OwnClient({
    endpoint: database.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  // To make all tables anew would be most of what a mutant costs.
  const emptied = [...started.tables].map(async (TableName) => {
    const { Count } = await client.send(new ScanCommand({ TableName, Limit: 1 }));
    if (Count === 0) return;
    started.tables.delete(TableName);
    await client.send(new DeleteTableCommand({ TableName }));
  });
  await Promise.all(emptied);
  client.destroy();
  return { ...database, stop };
}

/** What `startTables` makes its tables with: those that are there are not made again. */
export class DynamoDBClient extends OwnClient {
  override readonly send = (async (command: unknown, ...rest: unknown[]) => {
    const name = command instanceof CreateTableCommand ? String(command.input.TableName) : undefined;
    if (name !== undefined && started.tables.has(name)) return {};
    const answer: unknown = await Reflect.apply(OwnClient.prototype.send, this, [command, ...rest]);
    if (name !== undefined) started.tables.add(name);
    return answer;
  }) as OwnClient['send'];
}
export { CreateTableCommand };

/** Ends what was started. */
export async function stopServers(): Promise<void> {
  await Promise.all([started.redis, started.database].map(async (server) => (await server)?.stop()));
}
