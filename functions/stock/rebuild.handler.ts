import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { connectFailures } from '../shared/failures.ts';
import { log } from '../shared/telemetry.ts';
import { RebuildRequest } from './rebuild.request.ts';
import { rebuild } from './rebuild.ts';
import { rebuildPorts } from './rebuild.wiring.ts';

/** Left for the lease and the answer once no further step is begun. */
const reserveMs = 10_000;
const failures = connectFailures();

/** Rebuilds the sales that somebody found missing in Redis. */
export function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const hasTime = () => context.getRemainingTimeInMillis() > reserveMs;
  const consume = async (record: SQSRecord): Promise<void> => {
    let saleId: string | undefined;
    try {
      ({ saleId } = RebuildRequest.parse(JSON.parse(record.body)));
      const startMs = performance.now();
      const outcome = await rebuild(saleId, { ...(await rebuildPorts()), hasTime });
      log.info('rebuild', { saleId, ...outcome, tookMs: Math.round(performance.now() - startMs) });
    } catch (error) {
      log.error('a sale could not be rebuilt', { saleId, error });
      await failures.note(record, error);
      throw error;
    }
  };
  return processPartialResponse(event, consume, new BatchProcessor(EventType.SQS), { context, throwOnFullBatchFailure: false });
}
