import { marshall } from '@aws-sdk/util-dynamodb';
import type { TableName } from '../functions/shared/tables.ts';
import { jsonClient } from '../lib/local/aws-json.ts';
import type { Row } from './large-sale.rows.ts';

const rowsPerCall = 25;
const lanes = 8;
const attemptsMax = 5;

/** Writes rows straight into a DynamoDB server, 25 a call. Throws when the server does not take some of them. */
export async function writeRows(endpoint: string, nameOf: (table: TableName) => string, rows: Iterator<Row>): Promise<number> {
  const client = jsonClient(endpoint, 'DynamoDB_20120810');
  let written = 0;
  async function lane(): Promise<void> {
    for (;;) {
      const batch = take(rows, rowsPerCall);
      if (batch.length === 0) return;
      let left: object = Object.fromEntries(
        [...Map.groupBy(batch, ({ table }) => nameOf(table))].map(([table, of]) => [
          table,
          of.map(({ item }) => ({ PutRequest: { Item: marshall(item, { removeUndefinedValues: true }) } })),
        ]),
      );
      for (let attempt = 1; Object.keys(left).length > 0; attempt++) {
        if (attempt > attemptsMax) throw new Error(`rows still unwritten after ${attemptsMax} attempts`);
        left = ((await client.call('BatchWriteItem', { RequestItems: left })) as { UnprocessedItems?: object }).UnprocessedItems ?? {};
      }
      written += batch.length;
    }
  }
  try {
    await Promise.all(Array.from({ length: lanes }, lane));
  } finally {
    client.close();
  }
  return written;
}

function take<T>(from: Iterator<T>, count: number): T[] {
  const taken: T[] = [];
  for (let next = from.next(); !next.done; next = from.next()) {
    taken.push(next.value);
    if (taken.length === count) break;
  }
  return taken;
}
