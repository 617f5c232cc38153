import type { Clock } from '../shared/clock.ts';
import { measure } from '../shared/metrics.ts';
import { inParallel } from '../shared/parallel.ts';
import { log } from '../shared/telemetry.ts';
import { type Bus, type DispatchRecord, dispatch, type Undelivered } from './dispatch.ts';
import { busEntriesOf } from './outbox.ts';
import { waitMsAfter } from './poll.ts';
import type { UnpublishedRows } from './unpublished.ports.ts';

/** A new row of the outbox as its table's stream tells it. */
export interface StreamedRow {
  readonly recordId: string;
  /** When the stream got it. */
  readonly atMs: number;
  readonly item: Readonly<Record<string, unknown>>;
}

export interface DispatchRowsPorts {
  readonly bus: Bus;
  readonly rows: Pick<UnpublishedRows, 'handOver'>;
  readonly clock: Clock;
}

const handOversAtOnce = 8;
/** So long the stream's own attempts are left to make good that the bus did not answer. They end after a few seconds, and an outage may not. */
const awayMsMax = 3_000;

/**
 * Publishes new rows, at least once, and returns the records of which an event is neither on the bus nor left to the poller: the stream brings
 * those again. A row that the bus refuses, or that nobody can read, is the poller's, which tries it again at longer and longer intervals and
 * in the end sets it aside with its reason: so it neither holds up the rows behind it nor gets lost with the stream's last attempt. A bus that
 * does not answer says nothing against any row; the stream tries again, and after some seconds the rows are the poller's all the same.
 */
export async function dispatchRows(rows: readonly StreamedRow[], { bus, rows: poller, clock }: DispatchRowsPorts): Promise<string[]> {
  const undelivered: Undelivered[] = [];
  const records = rows.flatMap(({ recordId, item }): DispatchRecord[] => {
    try {
      return [{ recordId, entries: busEntriesOf(item) }];
    } catch (error) {
      log.error('an outbox row is unreadable', { recordId, error });
      undelivered.push({ recordId, why: `it cannot be read: ${String(error)}`, isBusAway: false });
      return [];
    }
  });
  undelivered.push(...(await dispatch(records, bus)));

  const byId = new Map(rows.map((row) => [row.recordId, row]));
  const nowMs = clock.nowMs();
  const failed = await inParallel(undelivered, handOversAtOnce, async (each) => {
    const row = byId.get(each.recordId);
    const isYoung = row !== undefined && nowMs - row.atMs < awayMsMax;
    if (!row || (each.isBusAway && isYoung)) return [each.recordId];
    return (await isHandedOver(row, each, poller, nowMs)) ? [] : [each.recordId];
  });

  for (const { recordId } of undelivered) byId.delete(recordId);
  const lagsMs = [...byId.values()].map(({ atMs, item }) => Math.max(0, nowMs - Number(item.atMs ?? atMs)));
  measure('OutboxLag', 'stream', lagsMs, { clock });
  if (undelivered.length > 0) measure('OutboxFailures', 'stream', undelivered.length, { clock });
  return failed.flat();
}

async function isHandedOver(
  { item: { subject, version } }: StreamedRow,
  { why, isBusAway }: Undelivered,
  poller: DispatchRowsPorts['rows'],
  nowMs: number,
): Promise<boolean> {
  if (typeof subject !== 'string' || typeof version !== 'number') return false;
  const attempts = isBusAway ? 0 : 1;
  return poller.handOver({ subject, version }, { why, attempts, atMs: nowMs + waitMsAfter(1) }).catch((error: unknown) => {
    log.error('an outbox row could not be handed over', { subject, version, error });
    return false;
  });
}
