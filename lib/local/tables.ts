import {
  type AttributeDefinition,
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  DynamoDBClient,
  type GlobalSecondaryIndexDescription,
  type KeySchemaElement,
  type Projection,
  ResourceInUseException,
  type TableDescription,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import type { Placed } from './assembly.ts';
import { credentials } from './aws-json.ts';
import { CannotStart } from './child.ts';
import { region } from './intrinsics.ts';
import type { Hosted } from './resources.ts';

const readySecondsMax = 30;

/**
 * Makes the template's tables; those that are there already are left as they are. Answers the stream of each table that has one, by the
 * table's name. Throws `CannotStart` for a table of another form: an earlier or later version of the template made it. `place` is what the
 * user knows the database by.
 */
export async function createTables(
  endpoint: string,
  tables: readonly Placed<'AWS::DynamoDB::Table'>[],
  place = endpoint,
): Promise<ReadonlyMap<string, string>> {
  const client = new DynamoDBClient({ endpoint, region, credentials, maxAttempts: 3 });
  const streams = new Map<string, string>();
  try {
    for (const { name, properties } of tables) {
      const wanted = inputOf(name, properties);
      await client.send(new CreateTableCommand(wanted)).catch(ignoreExisting);
      await waitUntilTableExists({ client, maxWaitTime: readySecondsMax, minDelay: 1, maxDelay: 1 }, { TableName: name });
      const { Table = {} } = await client.send(new DescribeTableCommand({ TableName: name }));
      const difference = differenceIn(Table, wanted);
      if (difference) {
        const advice = 'Start the version that made it, or give another place: data is not carried over from one version to another.';
        throw new CannotStart(`${place} was made by another version of Stampede: its table ${name} has other ${difference}. ${advice}`);
      }
      if (!properties.StreamSpecification) continue;
      if (!Table.LatestStreamArn) throw new Error(`the database gave the table ${name} no stream`);
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

/** What a table that exists has other than the template wants: a word for people, or undefined. */
function differenceIn(existing: TableDescription, wanted: CreateTableCommandInput): string | undefined {
  const ofIndexes = (indexes: readonly IndexForm[] = []) =>
    indexes.map(({ IndexName, KeySchema, Projection }) => `${IndexName} ${keysOf(KeySchema)} ${projectionOf(Projection)}`).sort();
  const typesOf = (definitions: readonly AttributeDefinition[] = []) =>
    definitions.map(({ AttributeName, AttributeType }) => `${AttributeName} ${AttributeType}`).sort();
  const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  if (!isSame(keysOf(existing.KeySchema), keysOf(wanted.KeySchema))) return 'keys';
  if (!isSame(ofIndexes(existing.GlobalSecondaryIndexes), ofIndexes(wanted.GlobalSecondaryIndexes))) return 'indexes';
  if (!isSame(typesOf(existing.AttributeDefinitions), typesOf(wanted.AttributeDefinitions))) return 'types of keys';
  if (existing.StreamSpecification?.StreamViewType !== wanted.StreamSpecification?.StreamViewType) return 'records in its stream';
  return undefined;
}

type IndexForm = Pick<GlobalSecondaryIndexDescription, 'IndexName' | 'KeySchema' | 'Projection'>;

const keysOf = (schema: readonly KeySchemaElement[] = []): string =>
  schema
    .map(({ AttributeName, KeyType }) => `${KeyType} ${AttributeName}`)
    .sort()
    .join();

const projectionOf = ({ ProjectionType, NonKeyAttributes = [] }: Projection = {}): string =>
  [ProjectionType, ...[...NonKeyAttributes].sort()].join();

function ignoreExisting(error: unknown): void {
  if (!(error instanceof ResourceInUseException)) throw error;
}
