import * as z from 'zod';
import { orderMovements } from '../accounts/account.model.ts';
import { orderEventNames, UnitsMovedData } from '../orders/order.events.ts';
import { orderStatuses, paymentStates } from '../orders/order.model.ts';
import { OrderId } from '../shared/ids.ts';
import { OutsideCurrency } from '../shared/money.ts';

const at = z.iso.datetime().meta({ example: '2026-11-27T09:00:01.250Z' });
const version = z.int().min(1).meta({ description: 'The version of the order that it came about with.', example: 2 });
const paymentId = z.string().meta({ description: 'A payment from outside.', example: 'pay_1' });

const entry = <Shape extends z.core.$ZodLooseShape>(kind: string, description: string, shape: Shape) =>
  z.strictObject({ kind: z.literal(kind), at, ...shape }).meta({ description });

/** How many rows of each kind are read: some ten are usual, and only payments from outside could come without end. */
export const timelineRowsMax = 500;

export const TimelineEntryAnswer = z
  .union([
    entry('transition', 'The order changed.', { version, status: z.enum(orderStatuses), paymentState: z.enum(paymentStates) }),
    entry('stock', 'Units of the order came to a place, or left it; what leaves one place and comes to no other is for sale again.', {
      version,
      items: z.array(UnitsMovedData.meta({ id: 'UnitsMoved' })),
    }),
    entry('event', 'Others were told. `data` is the event’s own: of an end it has the reason.', {
      version,
      name: z.enum(orderEventNames),
      eventId: z.string(),
      data: z.record(z.string(), z.unknown()),
    }),
    entry('payment', 'A payment came from outside.', {
      paymentId,
      amountMinor: z.int(),
      currency: OutsideCurrency,
      state: z.string().meta({ description: '`kept`, `late` or `returned`: what became of it when it came.' }),
    }),
    entry('movement', 'Money moved in the ledger; the entries sum to zero.', {
      name: z.enum(orderMovements),
      paymentId: paymentId.optional(),
      currency: OutsideCurrency,
      entries: z.array(z.strictObject({ account: z.string(), amountMinor: z.int() }).meta({ id: 'LedgerEntry' })),
    }),
    entry('fulfilment', 'Tickets were handed over.', { tickets: z.int() }),
  ])
  .meta({ id: 'TimelineEntry' });

export const TimelineAnswer = z
  .strictObject({
    orderId: OrderId,
    items: z.array(TimelineEntryAnswer),
    complete: z.boolean().meta({ description: `False where there is more than the ${timelineRowsMax} rows of each kind that are read.` }),
  })
  .meta({ id: 'Timeline' });
