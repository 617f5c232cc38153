import type { BusEntry } from '../../functions/messaging/dispatch.ts';
import { busEntriesOf } from '../../functions/messaging/outbox.ts';
import type { Database } from '../../functions/shared/dynamo.ts';
import { readAll } from '../../functions/shared/reads.ts';

/** What the read models hear of all that ever happened to an order: that it has changed. */
export async function outboxEventsOf(database: Database, orderId: string): Promise<BusEntry[]> {
  const rows = await readAll(database, {
    TableName: 'outbox',
    KeyConditionExpression: 'subject = :subject',
    ExpressionAttributeValues: { ':subject': orderId },
  });
  return rows.flatMap(busEntriesOf).filter(({ name }) => name === 'OrderUpdated');
}
