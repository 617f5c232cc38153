import type { Context } from 'aws-lambda';
import { systemClock as clock } from '../shared/clock.ts';
import { connectDatabase } from '../shared/dynamo.sdk.ts';
import { readEnvironment } from '../shared/environment.ts';
import { log } from '../shared/telemetry.ts';
import { eventBus } from './bus.ts';
import { type PollReport, poll } from './poll.ts';
import { unpublishedRows } from './unpublished.repository.ts';

const environment = readEnvironment(['OUTBOX_TABLE', 'OUTBOX_MODE', 'BUS_NAME']);
const ports = { rows: unpublishedRows(connectDatabase(), environment.OUTBOX_TABLE), bus: eventBus(environment.BUS_NAME), clock };

/** What a round and its last updates take at most, with what the bus and the database may make of them. */
const marginMs = 10_000;

/**
 * Runs every minute, and goes on until the next run has begun. Where the stream publishes, only rows are here that it could not, or that were
 * written while the poller did: one run over them is enough, and so it is for whoever asks for a run and waits for it.
 */
export async function handler(event: { readonly onDemand?: unknown } | undefined, context: Context): Promise<PollReport> {
  const untilIdle = event?.onDemand === true || environment.OUTBOX_MODE === 'stream';
  const report = await poll(ports, { untilIdle, remainingMs: () => context.getRemainingTimeInMillis() - marginMs });
  log.info('polled', { ...report });
  return report;
}
