import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { readEnvironment } from '../shared/environment.ts';
import { log } from '../shared/telemetry.ts';
import { eventBus } from './bus.ts';
import { type DispatchRecord, dispatch } from './dispatch.ts';
import { busEntriesOf } from './outbox.ts';

const bus = eventBus(readEnvironment(['BUS_NAME']).BUS_NAME);

/** The outbox table's stream: new rows become events on the bus; rows that failed are reported, so that the stream sends just those again. */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const records: DispatchRecord[] = [];
  const unreadable: string[] = [];
  for (const { eventName, dynamodb } of event.Records) {
    const recordId = dynamodb?.SequenceNumber;
    if (eventName !== 'INSERT' || recordId === undefined) continue;
    try {
      const entries = busEntriesOf(unmarshall((dynamodb?.NewImage ?? {}) as Record<string, AttributeValue>));
      records.push({ recordId, entries });
    } catch (error) {
      log.error('an outbox row is unreadable', { recordId, error });
      unreadable.push(recordId);
    }
  }
  const failed = [...unreadable, ...(await dispatch(records, bus))];
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
