import { globSync, readFileSync } from 'node:fs';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TableShape, tables } from '../../../functions/shared/tables.ts';
import { jsonClient } from '../../../lib/local/aws-json.ts';
import { startTables } from '../../support/database.ts';
import { callsOf } from './calls.ts';
import { type DynamoModel, dynamoModel } from './model.ts';
import { reservedWords } from './reserved-words.ts';
import { type Call, makeStreamedTable, type Outcome, twin } from './twin.ts';

const streamed: TableShape = { environment: '', partitionKey: 'subject', sortKey: 'version', stream: true };
const shapes: Record<string, TableShape> = { ...tables, streamed };

let server: Awaited<ReturnType<typeof startTables>>;
let model: DynamoModel;
let streamArn: string;
let both: (call: Call) => Promise<{ server: Outcome; model: Outcome }>;
beforeAll(async () => {
  server = await startTables();
  streamArn = await makeStreamedTable(server.endpoint, 'streamed');
  model = dynamoModel({ tables: shapes, nowMs: Date.now, random: Math.random, indexLagMsMax: 0 });
  both = twin(server.database, model).both;
});
afterAll(() => server?.stop());

let run = 0;
const callsMax = 40;

/** All items of a table, from pages of three. */
async function scanned(table: string): Promise<{ server: unknown[]; model: unknown[] }> {
  const all: { server: unknown[]; model: unknown[] } = { server: [], model: [] };
  let start: unknown;
  do {
    const input = { TableName: table, Limit: 3, ConsistentRead: true, ...(start ? { ExclusiveStartKey: start } : {}) };
    const page = model.call('Scan', input) as { Items: unknown[]; LastEvaluatedKey?: unknown };
    all.model.push(...page.Items);
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  const whole = await both({ operation: 'Scan', input: { TableName: table, ConsistentRead: true } });
  if ('answer' in whole.server) all.server.push(...(whole.server.answer.Items as unknown[]));
  return all;
}

const byText = (items: readonly unknown[]): string[] =>
  items.map((item) => JSON.stringify(Object.entries(item as object).sort(([one], [other]) => (one < other ? -1 : 1)))).sort();

describe('the model of DynamoDB', () => {
  it.each(['orders', 'accounts', 'units', 'sales', 'allowances', 'streamed'])(
    'answers, refuses and keeps what a server does, whatever is asked of the table %s',
    async (table) => {
      const shape = shapes[table] as TableShape;
      await fc.assert(
        fc.asyncProperty(fc.array(callsOf({ table, shape, prefix: '~' }), { minLength: 10, maxLength: callsMax }), async (calls) => {
          const prefix = `run${run++}-`;
          for (const call of JSON.parse(JSON.stringify(calls).replaceAll('~', prefix)) as Call[]) {
            const done = await both(call);
            expect({ call, outcome: done.model }).toEqual({ call, outcome: done.server });
          }
        }),
        { numRuns: 20 },
      );
      const items = await scanned(table);
      expect(items.model.length).toBeGreaterThan(5);
      expect(new Set(byText(items.model)).size).toBe(items.model.length);
      expect(items.model).toEqual(expect.arrayContaining(items.server));
      expect(items.model).toHaveLength(items.server.length);
    },
  );

  it('puts into the stream what a server does, except for writes that change nothing', async () => {
    const client = jsonClient(server.endpoint, 'DynamoDBStreams_20120810');
    type Change = { eventName?: string; dynamodb?: { Keys?: object; NewImage?: object } };
    const found: Change[] = [];
    try {
      const { StreamDescription } = (await client.call('DescribeStream', { StreamArn: streamArn })) as {
        StreamDescription: { Shards: { ShardId: string }[] };
      };
      const [shard] = StreamDescription.Shards;
      const at = { StreamArn: streamArn, ShardId: shard?.ShardId, ShardIteratorType: 'TRIM_HORIZON' };
      let next = ((await client.call('GetShardIterator', at)) as { ShardIterator?: string }).ShardIterator;
      for (let page: { Records: Change[]; NextShardIterator?: string }; next !== undefined; next = page.NextShardIterator) {
        page = (await client.call('GetRecords', { ShardIterator: next, Limit: 1_000 })) as typeof page;
        if (page.Records.length === 0) break;
        found.push(...page.Records);
      }
    } finally {
      client.close();
    }
    const last = new Map<string, string>();
    const plain = ({ eventName, dynamodb }: Change) => ({
      eventName,
      keys: unmarshall((dynamodb?.Keys ?? {}) as never),
      image: dynamodb?.NewImage && unmarshall(dynamodb.NewImage as never),
    });
    // The server has records of identical puts; DynamoDB has none.
    const changes = found.map(plain).filter(({ keys, image }) => {
      const [key, now] = [byText([keys])[0] ?? '', image ? (byText([deepSorted(image)])[0] ?? '') : ''];
      const isChange = (last.get(key) ?? '') !== now;
      last.set(key, now);
      return isChange;
    });
    const { position, records } = model.stream('streamed', 0);
    expect(records.map((record) => plain(record as Change))).toEqual(changes);
    expect(changes.length).toBeGreaterThan(5);
    const numbers = records.map(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? 0));
    expect(numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0n))).toBe(true);
    expect(model.stream('streamed', position)).toEqual({ position, records: [] });
  });

  it('knows which words of the code no expression may have as they are', async () => {
    const code = globSync('functions/**/*.ts').flatMap((file) => readFileSync(file, 'utf8').match(/\b[A-Za-z]\w*\b/g) ?? []);
    const words = [...new Set(code.map((word) => word.toUpperCase()))];
    const isRefused = async (paths: readonly string[]) => {
      const call = {
        operation: 'Get',
        input: { TableName: 'sales', Key: { saleId: 'any' }, ProjectionExpression: paths.join(', ') },
      } as const;
      return 'error' in (await both(call)).server;
    };
    const free = words.filter((word) => !reservedWords.has(word));
    const chunks = Array.from({ length: Math.ceil(free.length / 50) }, (_, chunk) => free.slice(chunk * 50, (chunk + 1) * 50));
    for (const chunk of chunks) expect(await isRefused(chunk), chunk.join()).toBe(false);
    const wrong = [];
    for (const word of reservedWords) if (!(await isRefused([word]))) wrong.push(word);
    expect(wrong).toEqual([]);
  });
});

const deepSorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(deepSorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([name, member]) => [name, deepSorted(member)]),
  );
};
