import * as z from 'zod';
import { OrderId, SaleId, UserId } from '../shared/ids.ts';
import { orderEventNames, UnitsMovedData } from './order.events.ts';

/** A transition as the outbox keeps it: what a dispatcher publishes, and the order's timeline. The envelope of its events stands once. */
export const OutboxRow = z.object({
  /** The partition of the outbox: the order's id. Sales have rows there too, under another form of name. */
  subject: z.string(),
  orderId: OrderId,
  version: z.int().positive(),
  saleId: SaleId,
  buyerId: UserId,
  strategy: z.enum(['reserve-first', 'charge-first']),
  status: z.string(),
  paymentState: z.string(),
  events: z.array(z.object({ name: z.enum(orderEventNames), data: z.record(z.string(), z.unknown()) })),
  /** What the transition changes in the figures of its sale. */
  stock: z.array(UnitsMovedData).default([]),
  atMs: z.number(),
});
export type OutboxRow = z.infer<typeof OutboxRow>;
