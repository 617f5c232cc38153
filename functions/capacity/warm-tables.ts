import {
  DescribeTableCommand,
  ResourceInUseException,
  type TableDescription,
  UpdateTableCommand,
  type UpdateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { WarmTable, WarmTables } from './capacity.ports.ts';

/** A table by its name, with those of its indexes that each new order is written to. */
export interface WrittenTable {
  readonly table: string;
  readonly indexes: readonly string[];
}

/** Warm throughput of DynamoDB tables and, apart from it, of their indexes: one that is too small holds up its table's writes. */
export function warmTables(database: Pick<DynamoDBDocumentClient, 'send'>, written: readonly WrittenTable[]): WarmTables {
  const look = async ({ table, indexes }: WrittenTable): Promise<WarmTable> => {
    const { Table = {} } = await database.send(new DescribeTableCommand({ TableName: table }));
    const written = [Table, ...(Table.GlobalSecondaryIndexes ?? []).filter(({ IndexName = '' }) => indexes.includes(IndexName))];
    const parts = written.map((part) => ({
      index: 'IndexName' in part ? part.IndexName : undefined,
      writeUnits: part.WarmThroughput?.WriteUnitsPerSecond ?? 0,
    }));
    return { table, parts, isRising: isChanging(Table, written) };
  };
  return {
    all: () => Promise.all(written.map(look)),
    async raise(table, parts, writeUnits) {
      const WarmThroughput = { WriteUnitsPerSecond: writeUnits };
      const indexes = parts.flatMap(({ index }) => (index === undefined ? [] : [{ Update: { IndexName: index, WarmThroughput } }]));
      const input: UpdateTableCommandInput = {
        TableName: table,
        ...(indexes.length < parts.length ? { WarmThroughput } : {}),
        ...(indexes.length > 0 ? { GlobalSecondaryIndexUpdates: indexes } : {}),
      };
      try {
        await database.send(new UpdateTableCommand(input));
        return 'asked';
      } catch (error) {
        // Somebody else was at the table first; the next run sees what came of it.
        if (error instanceof ResourceInUseException) return 'rising';
        throw error;
      }
    },
  };
}

type Part = Pick<TableDescription, 'WarmThroughput'>;

const isChanging = ({ TableStatus }: TableDescription, parts: readonly Part[]): boolean =>
  (TableStatus !== undefined && TableStatus !== 'ACTIVE') || parts.some(({ WarmThroughput }) => WarmThroughput?.Status === 'UPDATING');
