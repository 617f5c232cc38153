import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { AnyOrderEvent } from '../orders/order.events.ts';
import type { OrderRepository, Step } from '../orders/order.ports.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import type { Failures } from '../shared/failures.ts';
import { measure } from '../shared/metrics.ts';
import { log } from '../shared/telemetry.ts';

/** What EventBridge puts into a queue: of its envelope only the name and the detail matter here. */
const BusMessage = z.object({ 'detail-type': z.string(), detail: AnyOrderEvent });

/** An event speaks of an order that the table does not have. It is written before its events, so somebody else's message came in. */
export class UnknownOrder extends Error {
  override readonly name = 'UnknownOrder';
}

/**
 * The handler of a queue of order events: each message re-reads its order and takes the step if it is its turn, so duplicates, reordering
 * and lateness change nothing. A message that fails is reported by itself and comes again, until its dead-letter queue takes it; why it
 * failed is noted for whoever finds it there, where `failures` keeps notes.
 */
export function orderConsumer(
  step: Step,
  orders: Pick<OrderRepository, 'get'>,
  failures?: Pick<Failures, 'note'>,
  clock: Clock = systemClock,
): (event: SQSEvent, context: Context) => Promise<SQSBatchResponse> {
  return async (event, context) => {
    const lagsMs: number[] = [];
    const consume = async (record: SQSRecord): Promise<void> => {
      let eventId: string | undefined;
      try {
        const { detail } = BusMessage.parse(JSON.parse(record.body));
        eventId = detail.eventId;
        const order = await orders.get(detail.orderId);
        if (!order) throw new UnknownOrder(detail.orderId);
        await step(order);
        lagsMs.push(Math.max(0, clock.nowMs() - Date.parse(detail.occurredAt)));
      } catch (error) {
        log.warn('a message failed', { messageId: record.messageId, eventId, error });
        await failures?.note(record, error);
        throw error;
      }
    };
    const processor = new BatchProcessor(EventType.SQS);
    const response = await processPartialResponse(event, consume, processor, { context, throwOnFullBatchFailure: false });
    measure('EventLag', context.functionName, lagsMs, { clock });
    return response;
  };
}
