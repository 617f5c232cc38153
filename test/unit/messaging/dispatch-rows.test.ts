import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { dispatchRows, type StreamedRow } from '../../../functions/messaging/dispatch-rows.ts';
import type { UnpublishedRows } from '../../../functions/messaging/unpublished.ports.ts';
import { outboxRow } from '../../../functions/orders/outbox.model.ts';
import { anOrder, freshHoldId } from '../../support/orders.ts';
import { KeepingBus } from '../../support/outbox.ts';

const nowMs = 1_700_000_000_000;
let bus: KeepingBus;
let handed: [subject: string, attempts: number, why: string][];
const handOver: UnpublishedRows['handOver'] = async ({ subject }, { attempts, why }) => {
  handed.push([subject, attempts, why]);
  return true;
};
beforeEach(() => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  bus = new KeepingBus();
  handed = [];
});
afterEach(() => vi.restoreAllMocks());

let records = 0;
const row = (changes: Partial<StreamedRow> = {}): StreamedRow => {
  const item = { ...outboxRow({ next: anOrder({ holdId: freshHoldId() }), events: ['OrderPlaced'] }) };
  return { recordId: String(++records), atMs: nowMs, item, ...changes };
};
const subjectOf = ({ item }: StreamedRow) => String(item.subject);
const placed = (each: StreamedRow) => `${subjectOf(each)}#1#OrderPlaced`;
const run = (rows: readonly StreamedRow[], hand: UnpublishedRows['handOver'] = handOver) =>
  dispatchRows(rows, { bus, rows: { handOver: hand }, clock: { nowMs: () => nowMs } });

describe('rows that the stream brings', () => {
  it('are published, and neither reported nor handed over', async () => {
    const rows = Array.from({ length: 30 }, () => row());
    expect(await run(rows)).toEqual([]);
    for (const each of rows) expect(bus.times(placed(each))).toBe(1);
    expect(handed).toEqual([]);
  });

  it('that the bus refuses, or that nobody can read, are left to the poller with the reason, and hold up no other', async () => {
    const [good, refused, unreadable] = [row(), row(), row({ item: { subject: 'ord', version: 3, events: 'no list' } })];
    bus.verdict = (eventId) => (eventId === placed(refused) ? { refused: 'InternalFailure' } : 'taken');
    expect(await run([unreadable, refused, good])).toEqual([]);
    expect(bus.times(placed(good))).toBe(1);
    expect(handed.toSorted()).toEqual(
      [
        ['ord', 1, expect.stringContaining('cannot be read')],
        [subjectOf(refused), 1, 'InternalFailure'],
      ].toSorted(),
    );
  });

  it('are never forgotten when they can be neither published nor handed over: the stream brings exactly those again', async () => {
    const [good, refused, nameless] = [row(), row(), row({ item: { events: [] } })];
    bus.verdict = (eventId) => (eventId === placed(refused) ? { refused: 'InternalFailure' } : 'taken');
    const away = () => Promise.reject(new Error('the database is away'));
    expect((await run([good, refused, nameless], away)).toSorted()).toEqual([refused.recordId, nameless.recordId].toSorted());
    expect((await run([refused], async () => false)).toSorted()).toEqual([refused.recordId]);
  });

  it('stay with the stream while the bus is away for seconds, and are the poller’s after that, with nothing counted against them', async () => {
    bus.isAway = true;
    const [young, old] = [row(), row({ atMs: nowMs - 10_000 })];
    expect(await run([young])).toEqual([young.recordId]);
    expect(await run([old])).toEqual([]);
    expect(handed).toEqual([[subjectOf(old), 0, 'Error: nobody answers']]);
  });
});
