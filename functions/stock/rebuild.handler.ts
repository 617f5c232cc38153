import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { log } from '../shared/telemetry.ts';
import { RebuildRequest } from './rebuild.request.ts';
import { rebuild } from './rebuild.ts';
import { rebuildPorts } from './rebuild.wiring.ts';

/** Left for the lease and the answer once no further step is begun. */
const reserveMs = 10_000;

/** Rebuilds the sales that somebody found missing in Redis. */
export function handler(event: SQSEvent, context: Context): Promise<SQSBatchResponse> {
  const hasTime = () => context.getRemainingTimeInMillis() > reserveMs;
  const consume = async ({ body }: SQSRecord): Promise<void> => {
    const { saleId } = RebuildRequest.parse(JSON.parse(body));
    try {
      const startMs = performance.now();
      const outcome = await rebuild(saleId, { ...(await rebuildPorts()), hasTime });
      log.info('rebuild', { saleId, ...outcome, tookMs: Math.round(performance.now() - startMs) });
    } catch (error) {
      log.error('a sale could not be rebuilt', { saleId, error });
      throw error;
    }
  };
  return processPartialResponse(event, consume, new BatchProcessor(EventType.SQS), { context, throwOnFullBatchFailure: false });
}
