import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import { AnyOrderEvent } from '../orders/order.events.ts';
import type { OrderRepository, Step } from '../orders/order.ports.ts';
import { log } from '../shared/telemetry.ts';

/** What EventBridge puts into a queue: of its envelope only the name and the detail matter here. */
const BusMessage = z.object({ 'detail-type': z.string(), detail: AnyOrderEvent });

/** An event speaks of an order that the table does not have. It is written before its events, so somebody else's message came in. */
export class UnknownOrder extends Error {
  override readonly name = 'UnknownOrder';
}

/**
 * The handler of a queue of order events: each message re-reads its order and takes the step if it is its turn, so duplicates, reordering
 * and lateness change nothing. A message that fails is reported by itself and comes again, until its dead-letter queue takes it.
 */
export function orderConsumer(step: Step, orders: Pick<OrderRepository, 'get'>) {
  const consume = async (record: SQSRecord): Promise<void> => {
    const message = BusMessage.parse(JSON.parse(record.body));
    const { orderId, eventId } = message.detail;
    try {
      const order = await orders.get(orderId);
      if (!order) throw new UnknownOrder(orderId);
      await step(order);
    } catch (error) {
      log.warn('a message failed', { eventId, error });
      throw error;
    }
  };
  return (event: SQSEvent, context: Context): Promise<SQSBatchResponse> =>
    processPartialResponse(event, consume, new BatchProcessor(EventType.SQS), { context, throwOnFullBatchFailure: false });
}
