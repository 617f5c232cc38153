import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  ResourceInUseException,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Placed } from './assembly.ts';
import { credentials } from './aws-json.ts';
import { region } from './intrinsics.ts';
import type { Hosted } from './resources.ts';

const readySecondsMax = 30;

/**
 * Makes the template's tables; those that a given server has already are left as they are. Answers the stream of each table that has one,
 * by the table's name.
 */
export async function createTables(
  endpoint: string,
  tables: readonly Placed<'AWS::DynamoDB::Table'>[],
): Promise<ReadonlyMap<string, string>> {
  const client = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 3 });
  const streams = new Map<string, string>();
  try {
    for (const { name, properties } of tables) {
      await client.send(new CreateTableCommand(inputOf(name, properties))).catch(ignoreExisting);
      await waitUntilTableExists({ client, maxWaitTime: readySecondsMax, minDelay: 1, maxDelay: 1 }, { TableName: name });
      if (!properties.StreamSpecification) continue;
      const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
      if (!Table?.LatestStreamArn) throw new Error(`the database gave the table ${name} no stream`);
      streams.set(name, Table.LatestStreamArn);
    }
  } finally {
    client.destroy();
  }
  return streams;
}

function inputOf(TableName: string, properties: Hosted<'AWS::DynamoDB::Table'>): CreateTableCommandInput {
  const { KeySchema, AttributeDefinitions, GlobalSecondaryIndexes, StreamSpecification } = properties;
  const indexes = GlobalSecondaryIndexes.map(({ IndexName, KeySchema: keys, Projection: { ProjectionType, NonKeyAttributes } }) => ({
    IndexName,
    KeySchema: keys,
    Projection: { ProjectionType, ...(NonKeyAttributes ? { NonKeyAttributes } : {}) },
  }));
  return {
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema,
    AttributeDefinitions,
    ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
    ...(StreamSpecification ? { StreamSpecification: { StreamEnabled: true, StreamViewType: StreamSpecification.StreamViewType } } : {}),
  };
}

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ResourceInUseException)) throw error;
}
