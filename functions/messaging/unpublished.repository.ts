import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import { batchGet, type Database, isConditionFailed } from '../shared/dynamo.ts';
import { type OutboxKey, pollShardOf } from '../shared/outbox.ts';
import type { Failed, Unpublished, UnpublishedRows } from './unpublished.ports.ts';

/** The partition of rows that were given up. They stay rows of the outbox, and nobody polls them. */
export const setAsideShard = 'set-aside';

const failureCharactersMax = 500;

/** The index of rows that nobody has published. It lags behind the table, so what it names is read again from the table itself. */
export function unpublishedRows(database: Database, tableName: string): UnpublishedRows {
  async function page(shard: string, untilMs: number, limit: number): Promise<Unpublished[]> {
    const { Items = [] } = await database.query({
      TableName: tableName,
      IndexName: 'unpublished',
      KeyConditionExpression: 'pollShard = :shard AND pollAtMs <= :until',
      ExpressionAttributeValues: { ':shard': shard, ':until': untilMs },
      Limit: limit,
    });
    if (Items.length === 0) return [];
    const rows = await batchGet(
      database,
      tableName,
      Items.map(({ subject, version }) => ({ subject, version })),
    );
    const isStillThere = (row: Record<string, unknown>) => row.pollShard === shard && Number(row.pollAtMs) <= untilMs;
    return rows.filter(isStillThere).map(unpublishedFrom);
  }

  /** Whether the update was done: a row that somebody else has dealt with meanwhile is left alone. */
  async function update({ subject, version }: OutboxKey, change: Omit<UpdateCommandInput, 'TableName' | 'Key'>): Promise<boolean> {
    return database.update({ TableName: tableName, Key: { subject, version }, ...change }).then(
      () => true,
      (error: unknown) => {
        if (isConditionFailed(error)) return false;
        throw error;
      },
    );
  }

  const isWhereWeSawIt = 'pollShard = :shard';
  const isAsWeSawIt = 'pollAtMs = :seen';
  const keep = (failure: string) => failure.slice(0, failureCharactersMax);

  return {
    due: page,
    setAside: (limit) => page(setAsideShard, Number.MAX_SAFE_INTEGER, limit),
    async published(row) {
      await update(row, {
        UpdateExpression: 'REMOVE pollShard, pollAtMs, pollAttempts, pollFailure',
        ConditionExpression: isWhereWeSawIt,
        ExpressionAttributeValues: { ':shard': row.pollShard },
      });
    },
    async failed(row, { why, attempts, againAtMs }: Failed) {
      await update(row, {
        UpdateExpression: 'SET pollShard = :next, pollAtMs = :at, pollAttempts = :attempts, pollFailure = :why',
        // Of two pollers that failed at the same moment, one counts.
        ConditionExpression: [isWhereWeSawIt, isAsWeSawIt].join(' AND '),
        ExpressionAttributeValues: {
          ':shard': row.pollShard,
          ':seen': row.pollAtMs,
          ':next': againAtMs === 'never' ? setAsideShard : row.pollShard,
          ':at': againAtMs === 'never' ? row.pollAtMs : againAtMs,
          ':attempts': attempts,
          ':why': keep(why),
        },
      });
    },
    handOver: (key, { why, attempts, atMs }) =>
      update(key, {
        UpdateExpression: 'SET pollShard = :next, pollAtMs = :at, pollAttempts = :attempts, pollFailure = :why',
        ConditionExpression: 'attribute_exists(subject)',
        ExpressionAttributeValues: { ':next': pollShardOf(key.subject), ':at': atMs, ':attempts': attempts, ':why': keep(why) },
      }),
    giveBack: (row, nowMs) =>
      update(row, {
        UpdateExpression: 'SET pollShard = :next, pollAtMs = :now REMOVE pollAttempts',
        ConditionExpression: isWhereWeSawIt,
        ExpressionAttributeValues: { ':shard': setAsideShard, ':next': pollShardOf(row.subject), ':now': nowMs },
      }),
  };
}

function unpublishedFrom(item: Record<string, unknown>): Unpublished {
  const { subject, version, pollShard, pollAtMs, pollAttempts = 0, pollFailure = '', atMs } = item;
  return {
    subject: String(subject),
    version: Number(version),
    pollShard: String(pollShard),
    pollAtMs: Number(pollAtMs),
    attempts: Number(pollAttempts),
    failure: String(pollFailure),
    atMs: Number(atMs ?? pollAtMs),
    item,
  };
}
