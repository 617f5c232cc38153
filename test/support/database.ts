import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { documentDatabase } from '../../functions/shared/dynamo.sdk.ts';
import type { Database } from '../../functions/shared/dynamo.ts';
import { inParallel } from '../../functions/shared/parallel.ts';
import { readAll } from '../../functions/shared/reads.ts';
import { numberKeys, type TableName, type TableShape, tables } from '../../functions/shared/tables.ts';
import { unitBuckets } from '../../functions/stock/stock.model.ts';
import { startDatabase } from '../../lib/local/dynamodb.ts';

/** Table names by what they hold; in a test each table bears its own name. */
export const tableNames = Object.fromEntries(Object.keys(tables).map((name) => [name, name])) as { readonly [Name in TableName]: Name };
/** The same, as whoever writes outbox rows is told of them. */
export const writtenTables = { ...tableNames, outbox: { table: tableNames.outbox, mode: 'stream' } } as const;

const keySchema = ({ partitionKey, sortKey }: { partitionKey: string; sortKey?: string }) => [
  { AttributeName: partitionKey, KeyType: 'HASH' as const },
  ...(sortKey === undefined ? [] : [{ AttributeName: sortKey, KeyType: 'RANGE' as const }]),
];

/**
 * A document client that is the database of repositories, too. They go by its own `send`, so that what a test spies upon or replaces there is what
 * they meet; also where that is another object made from this one.
 */
export function asDatabase(client: DynamoDBDocumentClient): DynamoDBDocumentClient & Database {
  const names = Object.keys(documentDatabase(client)) as (keyof Database)[];
  const method = (name: keyof Database) =>
    function (this: DynamoDBDocumentClient, ...args: readonly unknown[]): unknown {
      return Reflect.apply(documentDatabase(this)[name], undefined, args);
    };
  return Object.assign(client, Object.fromEntries(names.map((name) => [name, method(name)])) as unknown as Database);
}

/** A real DynamoDB server with all tables, for one test file. */
export async function startTables() {
  const server = await startDatabase();
  const client = new DynamoDBClient({
    endpoint: server.endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  });
  const shapes: [string, TableShape][] = Object.entries(tables);
  for (const [TableName, shape] of shapes) {
    const indexes = Object.entries(shape.indexes ?? {});
    const keys = new Set([shape, ...indexes.map(([, index]) => index)].flatMap(keySchema).map(({ AttributeName }) => AttributeName));
    await client.send(
      new CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: keySchema(shape),
        AttributeDefinitions: [...keys].map((AttributeName) => ({
          AttributeName,
          AttributeType: numberKeys.has(AttributeName) ? 'N' : 'S',
        })),
        ...(indexes.length === 0
          ? {}
          : {
              GlobalSecondaryIndexes: indexes.map(([IndexName, index]) => ({
                IndexName,
                KeySchema: keySchema(index),
                Projection: { ProjectionType: 'KEYS_ONLY' },
              })),
            }),
      }),
    );
  }
  return {
    endpoint: server.endpoint,
    database: asDatabase(DynamoDBDocumentClient.from(client, { marshallOptions: { removeUndefinedValues: true } })),
    async stop() {
      client.destroy();
      await server.stop();
    },
  };
}

/** Every unit row of the item `tee` of a sale. */
export const unitRows = (database: Database, saleId: string): Promise<Record<string, unknown>[]> =>
  inParallel(unitBuckets(saleId, 'tee'), 16, (bucket) =>
    readAll(database, {
      TableName: 'units',
      KeyConditionExpression: '#bucket = :bucket',
      ExpressionAttributeNames: { '#bucket': 'bucket' },
      ExpressionAttributeValues: { ':bucket': bucket },
      ConsistentRead: true,
    }),
  ).then((pages) => pages.flat());
