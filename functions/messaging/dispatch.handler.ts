import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { eventBus } from './bus.ts';
import { dispatchRows, type StreamedRow } from './dispatch-rows.ts';
import { unpublishedRows } from './unpublished.repository.ts';

const environment = readEnvironment(['OUTBOX_TABLE', 'BUS_NAME']);
const ports = { rows: unpublishedRows(connectDatabase(), environment.OUTBOX_TABLE), bus: eventBus(environment.BUS_NAME), clock };

/** The outbox table's stream: new rows become events on the bus. */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const rows = event.Records.flatMap(({ eventName, dynamodb }): StreamedRow[] => {
    const recordId = dynamodb?.SequenceNumber;
    if (eventName !== 'INSERT' || recordId === undefined) return [];
    const atMs = (dynamodb?.ApproximateCreationDateTime ?? 0) * 1_000;
    return [{ recordId, atMs, item: unmarshall((dynamodb?.NewImage ?? {}) as Record<string, AttributeValue>) }];
  });
  const failed = await dispatchRows(rows, ports);
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
}
