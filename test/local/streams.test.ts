import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Placed } from '../../lib/local/assembly.ts';
import { credentials } from '../../lib/local/aws-json.ts';
import type { Kept } from '../../lib/local/data-directory.ts';
import { startDatabase } from '../../lib/local/dynamodb.ts';
import { region } from '../../lib/local/intrinsics.ts';
import { hosted } from '../../lib/local/resources.ts';
import { startStreamPoller } from '../../lib/local/streams.ts';
import { createTables } from '../../lib/local/tables.ts';

interface Batch {
  readonly Records: readonly {
    readonly dynamodb: { readonly NewImage: { id: { S: string }; n: { N: string } }; readonly SequenceNumber: string };
  }[];
}

const table: Placed<'AWS::DynamoDB::Table'> = {
  ...{ stack: 'Small', logicalId: 'Rows', name: 'rows', arn: 'arn:rows' },
  properties: hosted['AWS::DynamoDB::Table'].parse({
    KeySchema: [
      { AttributeName: 'id', KeyType: 'HASH' },
      { AttributeName: 'n', KeyType: 'RANGE' },
    ],
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'n', AttributeType: 'N' },
    ],
    StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
  }),
};

/** A real table's stream, and a function behind it. */
async function streamWith(handle: (batch: Batch) => unknown, properties: object = {}) {
  const database = await startDatabase();
  onTestFinished(() => database.stop());
  const streamArn = (await createTables(database.endpoint, [table])).get('rows') ?? '';
  const givenUp: object[] = [];
  const startPoller = (handle: (batch: Batch) => unknown, kept?: Kept) =>
    startStreamPoller({
      kept,
      mapping: {
        ...{ stack: 'Small', logicalId: 'Mapping', name: 'mapping', arn: 'arn:mapping' },
        properties: hosted['AWS::Lambda::EventSourceMapping'].parse({
          ...{ EventSourceArn: streamArn, FunctionName: 'fn', StartingPosition: 'TRIM_HORIZON', ParallelizationFactor: 4 },
          ...{
            FunctionResponseTypes: ['ReportBatchItemFailures'],
            BisectBatchOnFunctionError: true,
            MaximumRetryAttempts: 1,
            ...properties,
          },
        }),
      },
      ...{ endpoint: database.endpoint, streamArn, partitionKey: 'id', nowMs: Date.now },
      target: { arn: 'arn:fn', invoke: async (event) => handle(event as Batch) },
      giveUpTo: async (notice) => void givenUp.push(notice),
      onLog: () => {},
    });
  const poller = startPoller(handle);
  onTestFinished(() => poller.stop());
  const client = new DynamoDBClient({ endpoint: database.endpoint, region, credentials });
  onTestFinished(() => client.destroy());
  const put = (id: string, n: number) =>
    client.send(new PutItemCommand({ TableName: 'rows', Item: { id: { S: id }, n: { N: String(n) } } }));
  return { put, givenUp, poller, startPoller };
}

const rowOf = ({ dynamodb: { NewImage } }: Batch['Records'][number]) => ({ id: NewImage.id.S, n: Number(NewImage.n.N) });

describe('a table’s stream and the function behind it', () => {
  it('delivers every write, those of one key in their order, while some of them fail at first', async () => {
    const done = new Map<string, number[]>();
    const failedOnce = new Set<string>();
    const { put } = await streamWith(({ Records }) => {
      for (const record of Records) {
        const { id, n } = rowOf(record);
        if (n % 3 === 0 && !failedOnce.has(`${id}${n}`)) {
          failedOnce.add(`${id}${n}`);
          return { batchItemFailures: [{ itemIdentifier: record.dynamodb.SequenceNumber }] };
        }
        done.set(id, [...(done.get(id) ?? []), n]);
      }
      return { batchItemFailures: [] };
    });
    const ids = ['a', 'b', 'c', 'd', 'e'];
    for (let n = 1; n <= 6; n++) await Promise.all(ids.map((id) => put(id, n)));
    await expect.poll(() => [...done.values()].flat().length, { timeout: 50_000 }).toBe(30);
    for (const id of ids) expect(done.get(id)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('ends a poison record alone, tells of it, and delivers what comes behind it', async () => {
    const done: number[] = [];
    const { put, givenUp } = await streamWith(({ Records }) => {
      if (Records.some((record) => rowOf(record).n === 2)) throw new Error('poison');
      done.push(...Records.map((record) => rowOf(record).n));
    });
    for (let n = 1; n <= 4; n++) await put('a', n);
    await expect.poll(() => done, { timeout: 50_000 }).toEqual([1, 3, 4]);
    expect(givenUp).toMatchObject([{ requestContext: { condition: 'RetryAttemptsExhausted' }, DDBStreamBatchInfo: { batchSize: 1 } }]);
  });

  it('passes over what its filter leaves out', async () => {
    const done: number[] = [];
    const { put } = await streamWith(({ Records }) => void done.push(...Records.map((record) => rowOf(record).n)), {
      FilterCriteria: {
        Filters: [{ Pattern: JSON.stringify({ eventName: ['INSERT'], dynamodb: { NewImage: { n: { N: ['2', '4'] } } } }) }],
      },
    });
    for (let n = 1; n <= 4; n++) await put('a', n);
    await expect.poll(() => done, { timeout: 50_000 }).toEqual([2, 4]);
  });

  it('goes on behind what an earlier run has handled, and hands what that one had under way over again', async () => {
    const { put, poller, startPoller } = await streamWith(() => {}, { MaximumRetryAttempts: -1 });
    await poller.stop();
    let content: unknown;
    const kept: Kept = {
      read: async () => content,
      async write(written) {
        content = structuredClone(written);
      },
    };
    /** Rows that one run was given; it stops once it has `count`, and never gets done with `stuck`. */
    const run = async (count: number, stuck?: string) => {
      const seen: string[] = [];
      const running = startPoller(({ Records }) => {
        const rows = Records.map(rowOf);
        seen.push(...rows.map(({ id, n }) => `${id}${n}`));
        const stuckAt = rows.findIndex(({ id }) => id === stuck);
        return { batchItemFailures: stuckAt < 0 ? [] : [{ itemIdentifier: Records[stuckAt]?.dynamodb.SequenceNumber }] };
      }, kept);
      await expect.poll(() => new Set(seen).size, { timeout: 50_000 }).toBe(count);
      await running.stop();
      return [...new Set(seen)].sort();
    };
    await put('a', 1);
    await put('b', 1);
    expect(await run(2)).toEqual(['a1', 'b1']);
    await put('a', 2);
    expect(await run(1)).toEqual(['a2']);
    // `c` holds up its lane; `e` and `h`, behind it in the stream, are in two others and done by then.
    for (const id of ['a', 'b', 'c', 'e', 'h']) await put(id, 3);
    expect(await run(5, 'c')).toEqual(['a3', 'b3', 'c3', 'e3', 'h3']);
    expect(await run(3)).toEqual(['c3', 'e3', 'h3']);
    // Another stream of the same name, of a database that was thrown away, is read whole.
    content = { ...(content as object), streamArn: 'arn:another' };
    expect(await run(8)).toHaveLength(8);
  });

  it('hands a write over within a tenth of a second once it is awake', async () => {
    let arrived = 0;
    const { put } = await streamWith(({ Records }) => {
      arrived += Records.filter((record) => rowOf(record).id === 'a').length;
    });
    // A tenth of a second is counted in pauses with a call of the same server between them, which a busy machine makes longer as well.
    const waits: number[] = [];
    for (let n = 1; n <= 10; n++) {
      await put('a', n);
      let waited = 0;
      for (; arrived < n; waited++) {
        await pause(15);
        await put('b', n);
      }
      waits.push(waited);
    }
    // The median: a busy machine may be late once.
    expect(waits.toSorted((one, other) => one - other)[5]).toBeLessThan(6);
  });
});
