import type { Clock } from '../shared/clock.ts';
import { log } from '../shared/telemetry.ts';
import { changesOf, groupsOf, type StockMessage, totalsOf } from './stock-level.model.ts';
import type { StockLevels } from './stock-level.repository.ts';
import type { Message, Projection } from './view.ports.ts';

/** A transaction takes a hundred writes. */
const writesMax = 100;

/** Messages of a group were refused as known again and again, though none of them was left to refuse. */
export class InboxBroken extends Error {
  override readonly name = 'InboxBroken';
}

type Counts = Pick<StockLevels, 'count' | 'setTotal'>;

/**
 * Counts what a batch says of the stock: each message once, ever, guarded by a row of the inbox in the transaction that counts it. A batch is counted
 * together, because the figures of an item are one row that all of its orders would otherwise fight for.
 */
export const countStock =
  ({ levels, clock }: { levels: Counts; clock: Clock }): Projection<StockMessage> =>
  async (messages) => {
    const failed = new Map<string, unknown>();
    const fails = (lost: readonly Message<StockMessage>[], error: unknown) => {
      log.warn('stock could not be counted', { eventIds: lost.map(({ detail }) => detail.eventId), error });
      for (const { messageId } of lost) failed.set(messageId, error);
    };
    const about = (kind: StockMessage['kind']) => messages.filter(({ detail }) => detail.kind === kind);

    const totals = about('totals');
    try {
      for (const total of totalsOf(totals.map(({ detail }) => detail))) await levels.setTotal(total);
    } catch (error) {
      fails(totals, error);
    }

    const moved = about('moved');
    // The same message twice in a batch would be one row twice in a transaction.
    const once = [...new Map(moved.map(({ detail }) => [detail.eventId, detail])).values()];
    for (const group of groupsOf(once, writesMax)) {
      try {
        await countOnce(group, levels, clock.nowMs());
      } catch (error) {
        const eventIds = new Set(group.map(({ eventId }) => eventId));
        const lost = moved.filter(({ detail }) => eventIds.has(detail.eventId));
        fails(lost, error);
      }
    }
    return failed;
  };

/** Counts those of the group that nobody has counted. Each refusal leaves some out, so it ends. */
async function countOnce(group: readonly StockMessage[], levels: Counts, nowMs: number): Promise<void> {
  let left = group;
  for (let attempt = 0; left.length > 0; attempt++) {
    if (attempt > group.length) throw new InboxBroken(`${left.length} messages after ${attempt} attempts`);
    const eventIds = left.map(({ eventId }) => eventId);
    const counted = await levels.count(changesOf(left), eventIds, nowMs);
    if (counted.outcome === 'counted') return;
    const known = new Set(counted.eventIds);
    left = left.filter(({ eventId }) => !known.has(eventId));
  }
}
