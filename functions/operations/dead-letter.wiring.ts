import { SQSClient } from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { unpublishedRows } from '../messaging/unpublished.repository.ts';
import { clientDefaults } from '../shared/aws.ts';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { failureNotes } from '../shared/failures.ts';
import { deadLetterQueues } from './dead-letter.queues.ts';
import type { DeadLetterPorts } from './dead-letters.ts';

const environment = readEnvironment(['OUTBOX_TABLE', 'FAILURES_TABLE', 'DEAD_LETTER_QUEUES']);
const Queues = z.array(z.strictObject({ name: z.string(), deadUrl: z.string(), sourceUrl: z.string().optional() }));
const database = connectDatabase();

export const deadLetterPorts: DeadLetterPorts = {
  queues: Queues.parse(JSON.parse(environment.DEAD_LETTER_QUEUES)),
  messages: deadLetterQueues(new SQSClient(clientDefaults)),
  outbox: unpublishedRows(database, environment.OUTBOX_TABLE),
  failures: failureNotes(database, environment.FAILURES_TABLE, clock),
  clock,
};
