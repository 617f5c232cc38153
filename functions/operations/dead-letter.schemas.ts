import * as z from 'zod';
import { OrderId, SaleId } from '../shared/ids.ts';
import { Limit } from '../shared/page.ts';

const QueueName = z
  .string()
  .min(1)
  .max(64)
  .meta({ description: 'A consumer’s queue, `rebuilds`, or `outbox` for events that were never published.', example: 'payment' });
const count = (description: string) => z.int().nonnegative().meta({ description });

export const DeadLetter = z
  .strictObject({
    queue: QueueName,
    messageId: z.string().meta({ description: 'Of an outbox row: its order or sale, and the version whose events it has.' }),
    event: z.string().optional().meta({ example: 'PaymentAuthorised' }),
    eventId: z.string().optional(),
    // As the message says it, which may be why it is here.
    orderId: z.string().optional().meta({ example: OrderId.meta()?.example }),
    saleId: z.string().optional().meta({ example: SaleId.meta()?.example }),
    attempts: count('How often it was tried.'),
    firstSeenAt: z.iso.datetime(),
    lastFailedAt: z.iso.datetime().optional(),
    why: z.string().meta({ description: 'What the last attempt met, as far as it is known.', example: 'OrderContended: lost 5 races' }),
  })
  .meta({ id: 'DeadLetter' });
export type DeadLetter = z.output<typeof DeadLetter>;

export const DeadLettersQuery = z.strictObject({
  queue: QueueName.optional(),
  limit: Limit,
});
export type DeadLettersQuery = z.output<typeof DeadLettersQuery>;

export const DeadLettersAnswer = z
  .strictObject({
    items: z.array(DeadLetter),
    queues: z
      .array(z.strictObject({ queue: QueueName, waiting: count('Messages in all, approximately.') }))
      .meta({ description: 'Every queue that was looked into.' }),
  })
  .meta({ id: 'DeadLetters' });
export type DeadLettersAnswer = z.output<typeof DeadLettersAnswer>;

export const Redrive = z.strictObject({ queue: QueueName.optional() }).meta({ id: 'Redrive' });
export type Redrive = z.output<typeof Redrive>;

export const RedriveAnswer = z
  .strictObject({
    queues: z.array(
      z.strictObject({
        queue: QueueName,
        moved: count('Messages that are on their way again.'),
        left: count('Messages that are still here, approximately: more than one call moves, or can’t be sent back.'),
      }),
    ),
  })
  .meta({ id: 'RedriveCounts' });
export type RedriveAnswer = z.output<typeof RedriveAnswer>;
