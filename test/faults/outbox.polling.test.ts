import { QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { attemptsMax, type PollPorts, poll, pollOnce } from '../../functions/messaging/poll.ts';
import type { UnpublishedRows } from '../../functions/messaging/unpublished.ports.ts';
import { unpublishedRows } from '../../functions/messaging/unpublished.repository.ts';
import { pollShardNames } from '../../functions/shared/outbox.ts';
import { startTables } from '../support/database.ts';
import { indexed, KeepingBus, storedRow, writeRow } from '../support/outbox.ts';

let tables: Awaited<ReturnType<typeof startTables>>;
let rows: UnpublishedRows;
let bus: KeepingBus;
let nowMs: number;
beforeAll(async () => {
  tables = await startTables();
  rows = unpublishedRows(tables.database, 'outbox');
});
afterAll(() => tables?.stop());
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  bus = new KeepingBus();
  nowMs = Date.now();
});
afterEach(async () => {
  // Rows that a test has left would be the next one's.
  await pollOnce({ rows, bus: new KeepingBus(), clock: { nowMs: () => Number.MAX_SAFE_INTEGER } });
  vi.restoreAllMocks();
});

const ports = (changes: Partial<PollPorts> = {}): PollPorts => ({ rows, bus, clock: { nowMs: () => nowMs }, ...changes });
const write = (changes: Record<string, unknown> = {}) => writeRow(tables.database, 'polling', changes);
/** Rounds until every wait between attempts has passed. */
async function pollThroughAttempts() {
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    await pollOnce(ports());
    nowMs += 60_000;
  }
}

describe('the poller of the outbox', () => {
  it('publishes every row that was written in polling mode, and then leaves nothing in the index', async () => {
    const written = await Promise.all(Array.from({ length: 120 }, () => write()));
    expect(await indexed(tables.database)).toHaveLength(120);
    expect(await pollOnce(ports())).toEqual({ published: 120, failed: 0, setAside: 0, isBusAway: false });
    for (const { eventId } of written) expect(bus.times(eventId)).toBe(1);
    expect(await indexed(tables.database)).toEqual([]);
    expect(await pollOnce(ports())).toMatchObject({ published: 0 });
  });

  it('leaves to the stream what was written for the stream', async () => {
    const row = await writeRow(tables.database, 'stream');
    expect(await pollOnce(ports())).toMatchObject({ published: 0 });
    expect(await storedRow(tables.database, row)).not.toHaveProperty('pollShard');
  });

  it('never marks a row as done when publishing it failed, by refusal or by silence', async () => {
    const row = await write();
    bus.isAway = true;
    expect(await pollOnce(ports())).toEqual({ published: 0, failed: 0, setAside: 0, isBusAway: true });
    expect(await storedRow(tables.database, row)).toHaveProperty('pollShard');
    bus.isAway = false;
    bus.verdict = () => ({ refused: 'InternalFailure' });
    expect(await pollOnce(ports())).toMatchObject({ published: 0, failed: 1 });
    expect(await storedRow(tables.database, row)).toMatchObject({ pollAttempts: 1, pollFailure: 'InternalFailure' });
    bus.verdict = () => 'taken';
    nowMs += 1_000;
    expect(await pollOnce(ports())).toMatchObject({ published: 1 });
    expect(bus.times(row.eventId)).toBe(1);
  });

  it('counts nothing against a row while the bus is away, however long', async () => {
    const row = await write();
    bus.isAway = true;
    await pollThroughAttempts();
    await pollThroughAttempts();
    bus.isAway = false;
    expect(await storedRow(tables.database, row)).not.toHaveProperty('pollAttempts');
    expect(await pollOnce(ports())).toMatchObject({ published: 1 });
  });

  it('publishes again after a crash between publishing and marking, and once more is all', async () => {
    const row = await write();
    const crash = async () => {
      throw new Error('killed');
    };
    await expect(pollOnce(ports({ rows: { ...rows, published: crash } }))).rejects.toThrow('killed');
    expect(await pollOnce(ports())).toMatchObject({ published: 1 });
    expect(await pollOnce(ports())).toMatchObject({ published: 0 });
    expect(bus.times(row.eventId)).toBe(2);
  });

  it('loses nothing and leaves nothing when several run at once', async () => {
    const written = await Promise.all(Array.from({ length: 40 }, () => write()));
    await Promise.all([pollOnce(ports()), pollOnce(ports()), pollOnce(ports())]);
    for (const { eventId } of written) expect(bus.times(eventId)).toBeGreaterThanOrEqual(1);
    expect(await indexed(tables.database)).toEqual([]);
  });

  it('sets a poison row aside after its attempts, with its reason, and publishes every other row meanwhile', async () => {
    const [poison, unreadable] = [await write(), await write({ events: 'not a list' })];
    bus.verdict = (eventId) => (eventId === poison.eventId ? { refused: 'ValidationException: too large' } : 'taken');
    const good = [];
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      good.push(await write({ atMs: nowMs }));
      await pollOnce(ports());
      nowMs += 60_000;
    }
    for (const { eventId } of good) expect(bus.times(eventId)).toBe(1);
    const aside = await rows.setAside(10);
    expect(aside.map(({ subject, attempts }) => [subject, attempts]).sort()).toEqual(
      [poison, unreadable].map(({ subject }) => [subject, attemptsMax]).sort(),
    );
    expect(aside.find(({ subject }) => subject === poison.subject)?.failure).toBe('ValidationException: too large');
    expect(aside.find(({ subject }) => subject === unreadable.subject)?.failure).toContain('cannot be read');
    expect(await pollOnce(ports())).toEqual({ published: 0, failed: 0, setAside: 0, isBusAway: false });

    bus.verdict = () => 'taken';
    for (const row of aside) expect(await rows.giveBack(row, nowMs)).toBe(true);
    expect(await pollOnce(ports())).toMatchObject({ published: 1, failed: 1 });
    expect(bus.times(poison.eventId)).toBe(1);
    await pollThroughAttempts();
  });

  it('does not let one bad entry of a call use up the attempts of the rows beside it', async () => {
    // One partition, so that they are published in one call.
    const subject = 'sale:drop';
    const written = await Promise.all(
      Array.from({ length: 5 }, (_, index) =>
        write({
          subject,
          version: index + 1,
          saleId: 'drop',
          by: 'olga',
          changes: {},
          events: [{ name: 'SaleOpened', data: { by: 'olga' } }],
        }),
      ),
    ).then((keys) => keys.map((key) => ({ ...key, eventId: `drop#${key.version}#SaleOpened` })));
    const [bad] = written;
    // As EventBridge does with a call that has an entry it cannot read: all of it is refused.
    const whole: PollPorts['bus'] = {
      publish: async (entries) => {
        const isSpoilt = entries.some(({ detail }) => (detail as { eventId: string }).eventId === bad?.eventId);
        return isSpoilt ? entries.map(() => ({ refused: 'ValidationException' })) : bus.publish(entries);
      },
    };
    await pollOnce(ports({ bus: whole }));
    nowMs += 1_000;
    await pollOnce(ports({ bus: whole }));
    for (const { eventId } of written.slice(1)) expect(bus.times(eventId)).toBe(1);
    expect((await indexed(tables.database)).filter((key) => key.startsWith(subject))).toEqual([`${subject}#1`]);
  });

  it('believes the table and not its index, which lags', async () => {
    const row = await write();
    const [seen] = (await Promise.all(pollShardNames.map((shard) => rows.due(shard, nowMs, 10)))).flat();
    if (!seen) throw new Error('the row is not in the index');
    await pollOnce(ports());
    // Somebody who read the index before: neither failure nor success of a row that is done changes it.
    await rows.failed(seen, { why: 'late', attempts: 1, againAtMs: nowMs });
    await rows.published(seen);
    expect(await storedRow(tables.database, row)).not.toHaveProperty('pollShard');
    expect(await storedRow(tables.database, row)).not.toHaveProperty('pollAttempts');
  });

  it('publishes no row again that the index still shows and the table has as done', async () => {
    const row = await write();
    // An index that goes on showing what it showed at first.
    const shown = new Map<string, unknown>();
    const { database } = tables;
    const lagging = Object.create(database) as typeof database;
    lagging.send = (async (command: QueryCommand) => {
      if (!(command instanceof QueryCommand)) return database.send(command);
      const asked = JSON.stringify(command.input.ExpressionAttributeValues?.[':shard']);
      if (!shown.has(asked)) shown.set(asked, await database.send(command));
      return shown.get(asked);
    }) as typeof database.send;
    const laggingRows = unpublishedRows(lagging, 'outbox');
    await pollOnce(ports({ rows: laggingRows }));
    expect(bus.times(row.eventId)).toBe(1);
    expect(await pollOnce(ports({ rows: laggingRows }))).toMatchObject({ published: 0, failed: 0 });
    expect(bus.times(row.eventId)).toBe(1);
  });

  it('goes on after a round that failed, and says so when its time is up', async () => {
    const row = await write();
    let rounds = 0;
    const due: UnpublishedRows['due'] = async (...args) => {
      if (rounds++ < 1) throw new Error('busy');
      return rows.due(...args);
    };
    let leftMs = 3_000;
    const remainingMs = () => (leftMs -= 900);
    await poll(ports({ rows: { ...rows, due } }), { untilIdle: false, remainingMs });
    expect(bus.times(row.eventId)).toBe(1);
    const broken = { ...rows, due: () => Promise.reject(new Error('gone')) };
    await expect(poll(ports({ rows: broken }), { untilIdle: false, remainingMs: () => 0 })).rejects.toThrow('gone');
  });
});
