import * as z from 'zod';
import { OrderId, SaleId, UserId } from '../shared/ids.ts';

export const orderEventSource = 'stampede.orders';

export const orderEventNames = [
  'OrderPlaced',
  'StockReserved',
  'PaymentAuthorised',
  'PaymentDeclined',
  'OrderConfirmed',
  'PaymentCaptured',
  'OrderFulfilled',
  'OrderExpired',
  'OrderCancelled',
  'OrderFailed',
  'StockReleased',
  'RefundRequested',
  'PaymentRefunded',
] as const;
export type OrderEventName = (typeof orderEventNames)[number];

const paymentMethod = z.enum(['balance', 'external']);

/** An operator gives a reason, a buyer none. */
const takenBack = z.object({ reason: z.string().optional(), units: z.enum(['free', 'retire']) });

const envelope = <Data extends z.ZodType>(data: Data) =>
  z.object({
    /** `orderId#version#name`: the same however often it is delivered. */
    eventId: z.string(),
    orderId: OrderId,
    saleId: SaleId,
    buyerId: UserId,
    version: z.int().positive(),
    occurredAt: z.iso.datetime(),
    strategy: z.enum(['reserve-first', 'charge-first']),
    data,
  });

/**
 * One schema per event, by name: the `detail` that travels on the bus. Consumers re-read the order before they act,
 * so what an event says beyond its envelope is small and for onlookers.
 */
export const orderEvents = {
  OrderPlaced: envelope(z.object({ totalMinor: z.int(), currency: z.string(), paymentMethod })),
  StockReserved: envelope(z.object({ units: z.int().positive(), paymentMethod })),
  PaymentAuthorised: envelope(z.object({ totalMinor: z.int(), currency: z.string() })),
  PaymentDeclined: envelope(z.object({ totalMinor: z.int(), currency: z.string() })),
  OrderConfirmed: envelope(z.object({})),
  PaymentCaptured: envelope(z.object({ totalMinor: z.int(), currency: z.string() })),
  OrderFulfilled: envelope(z.object({})),
  OrderExpired: envelope(z.object({})),
  OrderCancelled: envelope(takenBack),
  OrderFailed: envelope(z.object({ failure: z.string() })),
  StockReleased: envelope(z.object({ units: z.int().positive() })),
  RefundRequested: envelope(takenBack.extend({ totalMinor: z.int(), currency: z.string() })),
  PaymentRefunded: envelope(z.object({ totalMinor: z.int(), currency: z.string(), paymentState: z.string() })),
} satisfies Record<OrderEventName, z.ZodType>;

export type OrderEvent<Name extends OrderEventName = OrderEventName> = z.infer<(typeof orderEvents)[Name]>;

/** The envelope alone, which is all that a consumer needs: it re-reads the order. */
export const AnyOrderEvent = envelope(z.looseObject({}));
export type AnyOrderEvent = z.infer<typeof AnyOrderEvent>;
