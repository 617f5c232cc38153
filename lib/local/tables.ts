import { CreateTableCommand, DescribeTableCommand, DynamoDBClient, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import type { Placed } from './assembly.ts';
import { credentials } from './aws-json.ts';
import { region } from './intrinsics.ts';

const readySecondsMax = 30;

/** Makes the template's tables; the stream of each that has one, by the table's name. */
export async function createTables(endpoint: string, tables: readonly Placed<'AWS::DynamoDB::Table'>[]): Promise<ReadonlyMap<string, string>> {
  const client = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 3 });
  const streams = new Map<string, string>();
  try {
    for (const { name, properties } of tables) {
      const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, StreamSpecification } = properties;
      await client.send(
        new CreateTableCommand({
          TableName: name,
          BillingMode: 'PAY_PER_REQUEST',
          KeySchema,
          AttributeDefinitions,
          ...(GlobalSecondaryIndexes.length > 0
            ? {
                GlobalSecondaryIndexes: GlobalSecondaryIndexes.map(({ IndexName, KeySchema: keys, Projection }) => {
                  const { ProjectionType, NonKeyAttributes } = Projection;
                  return { IndexName, KeySchema: keys, Projection: { ProjectionType, ...(NonKeyAttributes ? { NonKeyAttributes } : {}) } };
                }),
              }
            : {}),
          ...(StreamSpecification ? { StreamSpecification: { StreamEnabled: true, StreamViewType: StreamSpecification.StreamViewType } } : {}),
        }),
      );
      await waitUntilTableExists({ client, maxWaitTime: readySecondsMax, minDelay: 1, maxDelay: 1 }, { TableName: name });
      if (!StreamSpecification) continue;
      const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
      if (!Table?.LatestStreamArn) throw new Error(`the database gave the table ${name} no stream`);
      streams.set(name, Table.LatestStreamArn);
    }
  } finally {
    client.destroy();
  }
  return streams;
}
