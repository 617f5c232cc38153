import { createHash } from 'node:crypto';
import type { DynamoDBRecord } from 'aws-lambda';
import type { TableShape } from '../../../functions/shared/tables.ts';
import { noSuchTable, unknownToModel } from './errors.ts';
import { query } from './query.ts';
import { batchGet, get, scan } from './reads.ts';
import type { Database } from './requests.ts';
import { Table } from './table.ts';
import { put, remove, Tokens, transactWrite, update } from './writes.ts';

/** DynamoDB in this process, on a clock and a random of the caller's: every call is done at one moment, and only what Stampede sends is known. */
export interface DynamoModel {
  /**
   * Runs one call of lib-dynamodb (native values in and out; `operation` is the command's name without `Command`) at this moment, or throws the SDK's own
   * error classes with the fields that they really have. What Stampede does not use is thrown as "the model does not know ...".
   */
  call(operation: string, input: unknown): unknown;
  /** The records of a table's stream after a position (0: from the beginning), as Lambda hands them over, and the position after them. */
  stream(table: string, after: number): { position: number; records: DynamoDBRecord[] };
  /** All items of a table as they stand, in no order that means anything. They are frozen. */
  items(table: string): readonly Readonly<Record<string, unknown>>[];
  /** Deletes what has expired by now, as the database does some day: how many items that were. */
  sweepExpired(table: string): number;
  /** Everything that a table holds, as one short text: two models with the same items have the same. */
  digest(): string;
}

export interface DynamoModelOptions {
  readonly tables: Readonly<Record<string, TableShape>>;
  readonly nowMs: () => number;
  /** From 0 up to 1, as `Math.random` gives it. */
  readonly random: () => number;
  /** An index shows a change at a moment drawn between 0 and so many milliseconds after it; 0: at once. Changes of one item in their order. */
  readonly indexLagMsMax: number;
  /** A read without `ConsistentRead` may show an item as it was up to so many milliseconds ago; 0: as it is. */
  readonly staleReadMsMax?: number;
  /** How many items a page holds at most, where 1 MB would hold more. */
  readonly pageItemsMax?: number;
  /** How likely it is that a key of a BatchGet is left over; 0: never. One key of a call is always read. */
  readonly unprocessedShare?: number;
}

/** A database with these tables, and nothing in them. */
export function dynamoModel(options: DynamoModelOptions): DynamoModel {
  const { nowMs, random, indexLagMsMax, staleReadMsMax = 0, pageItemsMax = Number.POSITIVE_INFINITY, unprocessedShare = 0 } = options;
  const tableOptions = { nowMs, random, indexLagMsMax, staleReadMsMax };
  const tables = new Map(Object.entries(options.tables).map(([name, shape]) => [name, new Table(name, shape, tableOptions)]));
  const table = (name: unknown): Table => {
    const found = tables.get(String(name));
    if (!found) throw noSuchTable(String(name));
    return found;
  };
  const database: Database = { table, nowMs, random, pageItemsMax, unprocessedShare };
  const tokens = new Tokens();
  const operations = new Map<string, (input: unknown) => object>([
    ['Get', (input) => get(input, database)],
    ['BatchGet', (input) => batchGet(input, database)],
    ['Query', (input) => query(input, database)],
    ['Scan', (input) => scan(input, database)],
    ['Put', (input) => put(input, database)],
    ['Update', (input) => update(input, database)],
    ['Delete', (input) => remove(input, database)],
    ['TransactWrite', (input) => transactWrite(input, database, tokens)],
  ]);

  return {
    call(operation, input) {
      const run = operations.get(operation);
      if (!run) throw unknownToModel(`the operation ${operation}`);
      return run(input);
    },
    stream(name, after) {
      const { stream } = table(name);
      if (!stream) throw new Error(`the table ${name} has no stream`);
      return stream.after(after);
    },
    items: (name) => table(name).rows.items(),
    sweepExpired: (name) => table(name).sweepExpired(),
    digest() {
      const digest = createHash('sha256');
      for (const each of tables.values())
        digest.update(JSON.stringify([each.name, [...each.rows.all()].flatMap(({ item }) => item ?? [])]));
      return digest.digest('hex');
    },
  };
}
