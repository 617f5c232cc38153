import { DeleteCommand, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Unpublished } from '../../../functions/messaging/unpublished.ports.ts';
import { setAsideShard, unpublishedRows } from '../../../functions/messaging/unpublished.repository.ts';
import { pollShardOf } from '../../../functions/shared/outbox.ts';
import { startTables } from '../../support/database.ts';
import { watchReads } from '../shared/strong-reads.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let reads: ReturnType<typeof watchReads>;
beforeAll(async () => {
  tables = await startTables();
  reads = watchReads(tables.database);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await tables.stop();
});
afterEach(() => expect(reads.weak()).toStrictEqual([]));

const rows = () => unpublishedRows(tables.database, 'outbox');
const put = (subject: string, changes: object = {}) =>
  tables.database.send(
    new PutCommand({
      TableName: 'outbox',
      Item: { subject, version: 1, pollShard: 'poll#x', pollAtMs: 10, atMs: 5, more: 'kept', ...changes },
    }),
  );
const stored = async (subject: string) =>
  (await tables.database.send(new GetCommand({ TableName: 'outbox', Key: { subject, version: 1 }, ConsistentRead: true }))).Item;
async function one(shard: string): Promise<Unpublished> {
  const [row] = await rows().due(shard, 1_000_000, 10);
  if (!row) throw new Error(`nothing in ${shard}`);
  return row;
}

describe('rows that nobody has published', () => {
  it('are those of the partition whose time has come, with what was met so far', async () => {
    await put('a1', { pollShard: 'poll#a' });
    await put('a2', { pollShard: 'poll#a', pollAtMs: 11, pollAttempts: 3, pollFailure: 'no bus', atMs: undefined });
    await put('a3', { pollShard: 'poll#a', pollAtMs: 12 });
    await put('a4', { pollShard: 'poll#other' });
    const found = (await rows().due('poll#a', 11, 10)).toSorted((a, b) => (a.subject < b.subject ? -1 : 1));
    const base = { version: 1, pollShard: 'poll#a', pollAtMs: 10, atMs: 5 };
    expect(found).toStrictEqual([
      { ...base, subject: 'a1', attempts: 0, failure: '', item: { ...base, subject: 'a1', more: 'kept' } },
      {
        ...base,
        subject: 'a2',
        pollAtMs: 11,
        attempts: 3,
        failure: 'no bus',
        atMs: 11,
        item: { subject: 'a2', version: 1, pollShard: 'poll#a', pollAtMs: 11, pollAttempts: 3, pollFailure: 'no bus', more: 'kept' },
      },
    ]);
    expect(await rows().due('poll#a', 1_000, 1)).toHaveLength(1);
    expect(await rows().due('poll#nothing', 1_000, 10)).toStrictEqual([]);
  });

  it('are read from the table itself, whatever the index still says of them', async () => {
    const isNow = { g1: {}, g2: { pollShard: 'poll#else' }, g3: { pollAtMs: 60 }, g4: { pollAtMs: 60, pollShard: 'poll#else' } };
    for (const [subject, changes] of Object.entries(isNow)) await put(subject, { pollShard: 'poll#g', ...changes });
    const { send } = tables.database;
    const late = vi.spyOn(tables.database, 'send');
    late.mockImplementationOnce((async () => ({ Items: Object.keys(isNow).map((subject) => ({ subject, version: 1 })) })) as typeof send);
    expect((await rows().due('poll#g', 50, 10)).map(({ subject }) => subject)).toStrictEqual(['g1']);
    late.mockImplementationOnce((async () => ({ Items: [] })) as typeof send);
    late.mockClear();
    expect(await rows().due('poll#g', 50, 10)).toStrictEqual([]);
    // Nothing is asked for by no key at all.
    expect(late).toHaveBeenCalledTimes(1);
  });

  it('leave the index when they are published, and lose what was met', async () => {
    await put('b1', { pollShard: 'poll#b', pollAttempts: 3, pollFailure: 'no bus' });
    await rows().published(await one('poll#b'));
    expect(await stored('b1')).toStrictEqual({ subject: 'b1', version: 1, atMs: 5, more: 'kept' });
    expect(await rows().due('poll#b', 1_000, 10)).toStrictEqual([]);
  });

  it('are left alone by whoever saw them elsewhere', async () => {
    await put('c1', { pollShard: 'poll#c' });
    const row = await one('poll#c');
    await rows().published({ ...row, pollShard: 'poll#d' });
    await rows().failed({ ...row, pollShard: 'poll#d' }, { why: 'x', attempts: 1, againAtMs: 20 });
    await rows().failed({ ...row, pollAtMs: 9 }, { why: 'x', attempts: 1, againAtMs: 20 });
    expect(await rows().giveBack(row, 30)).toBe(false);
    expect(await stored('c1')).toMatchObject({ pollShard: 'poll#c', pollAtMs: 10 });
    expect(await stored('c1')).not.toHaveProperty('pollAttempts');
  });

  it('come again later after a failure, of which the first words are kept', async () => {
    await put('d1', { pollShard: 'poll#e' });
    const row = await one('poll#e');
    await rows().failed(row, { why: 'w'.repeat(600), attempts: 2, againAtMs: 50 });
    expect(await stored('d1')).toMatchObject({ pollShard: 'poll#e', pollAtMs: 50, pollAttempts: 2, pollFailure: 'w'.repeat(500) });
  });

  it('are set aside when they are given up, and come back when somebody says so', async () => {
    await put('e1', { pollShard: 'poll#f' });
    await rows().failed(await one('poll#f'), { why: 'too large', attempts: 9, againAtMs: 'never' });
    expect(await stored('e1')).toMatchObject({ pollShard: setAsideShard, pollAtMs: 10, pollAttempts: 9 });
    const [aside] = await rows().setAside(10);
    expect(aside).toMatchObject({ subject: 'e1', failure: 'too large', attempts: 9 });
    if (!aside) throw new Error('nothing set aside');
    expect(await rows().giveBack(aside, 70)).toBe(true);
    expect(await stored('e1')).toMatchObject({ pollShard: pollShardOf('e1'), pollAtMs: 70, pollFailure: 'too large' });
    expect(await stored('e1')).not.toHaveProperty('pollAttempts');
    expect(await rows().giveBack(aside, 80)).toBe(false);
  });

  it('are handed over by the stream, those that there are', async () => {
    await tables.database.send(new PutCommand({ TableName: 'outbox', Item: { subject: 'f1', version: 1, atMs: 5 } }));
    const failed = { why: 'no bus', attempts: 4, atMs: 60 };
    expect(await rows().handOver({ subject: 'f1', version: 1 }, failed)).toBe(true);
    expect(await stored('f1')).toMatchObject({ pollShard: pollShardOf('f1'), pollAtMs: 60, pollAttempts: 4, pollFailure: 'no bus' });
    expect(await rows().handOver({ subject: 'f1', version: 2 }, failed)).toBe(false);
    await tables.database.send(new DeleteCommand({ TableName: 'outbox', Key: { subject: 'f1', version: 1 } }));
  });

  it('are not said to be gone by a database that fails', async () => {
    await expect(
      unpublishedRows(tables.database, 'no-such-table').handOver({ subject: 'x', version: 1 }, { why: '', attempts: 1, atMs: 1 }),
    ).rejects.toThrow();
  });
});
