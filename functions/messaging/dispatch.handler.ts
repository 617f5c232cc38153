import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { orderEventSource } from '../orders/order.events.ts';
import { OutboxRow } from '../orders/outbox.model.ts';
import { readEnvironment } from '../shared/environment.ts';
import { log } from '../shared/telemetry.ts';
import { eventBus } from './bus.ts';
import { type DispatchRecord, dispatch } from './dispatch.ts';

const bus = eventBus(readEnvironment(['BUS_NAME']).BUS_NAME);

/** The outbox table's stream: new rows become events on the bus; rows that failed are reported, so that the stream sends just those again. */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const records: DispatchRecord[] = [];
  const unreadable: string[] = [];
  for (const { eventName, dynamodb } of event.Records) {
    const recordId = dynamodb?.SequenceNumber;
    if (eventName !== 'INSERT' || recordId === undefined) continue;
    const row = OutboxRow.safeParse(unmarshall((dynamodb?.NewImage ?? {}) as Record<string, AttributeValue>));
    if (row.success) records.push({ recordId, row: row.data });
    else {
      log.error('an outbox row is unreadable', { recordId, error: row.error });
      unreadable.push(recordId);
    }
  }
  const failed = [...unreadable, ...(await dispatch(records, bus, orderEventSource))];
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
