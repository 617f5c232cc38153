import { randomUUID } from 'node:crypto';
import type { Bus, BusEntry, Verdict } from '../../functions/messaging/dispatch.ts';
import { outboxRow } from '../../functions/orders/outbox.model.ts';
import type { Database } from '../../functions/shared/dynamo.ts';
import { type OutboxKey, type OutboxMode, outboxWrite } from '../../functions/shared/outbox.ts';
import { anOrder, freshHoldId } from './orders.ts';

const eventIdOf = ({ detail }: BusEntry) => (detail as { eventId: string }).eventId;

/** A bus that keeps what it has taken. What it does instead can be set, and taken back. */
export class KeepingBus implements Bus {
  /** Ids of the events that were taken, as often as they were. */
  readonly taken: string[] = [];
  /** What it says of each entry, by its event's id; it takes all of them at first. */
  verdict: (eventId: string) => Verdict = () => 'taken';
  /** Whether it answers at all. */
  isAway = false;

  async publish(entries: readonly BusEntry[]): Promise<Verdict[]> {
    if (this.isAway) throw new Error('nobody answers');
    const verdicts = entries.map((entry) => this.verdict(eventIdOf(entry)));
    for (const [index, entry] of entries.entries()) if (verdicts[index] === 'taken') this.taken.push(eventIdOf(entry));
    return verdicts;
  }

  times(eventId: string): number {
    return this.taken.filter((each) => each === eventId).length;
  }
}

/** Writes the outbox row of an order's first transition, as a transaction does, and answers its key and the id of its one event. */
export async function writeRow(
  database: Database,
  mode: OutboxMode,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<OutboxKey & { readonly eventId: string }> {
  const row = { ...outboxRow({ next: anOrder({ holdId: freshHoldId() }), events: ['OrderPlaced'] }), ...changes };
  await database.transactWrite({ TransactItems: [outboxWrite(row, { table: 'outbox', mode })], ClientRequestToken: randomUUID() });
  return { subject: row.subject, version: row.version, eventId: `${row.subject}#1#OrderPlaced` };
}

/** A row of the outbox as it is stored. */
export async function storedRow(database: Database, { subject, version }: OutboxKey): Promise<Record<string, unknown>> {
  const { Item } = await database.get({ TableName: 'outbox', Key: { subject, version }, ConsistentRead: true });
  if (!Item) throw new Error(`${subject}#${version} is gone`);
  return Item;
}

/** Keys of all rows that the index of unpublished rows has. */
export async function indexed(database: Database): Promise<string[]> {
  const { Items = [] } = await database.scan({ TableName: 'outbox', IndexName: 'unpublished' });
  return Items.map(({ subject, version }) => `${subject}#${version}`);
}
