import * as z from 'zod';
import { OrderId, SaleId, Sku, UserId } from '../shared/ids.ts';

export const orderEventSource = 'stampede.orders';

export const orderEventNames = [
  'OrderPlaced',
  'StockReserved',
  'StockRejected',
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
  'OrderUpdated',
] as const;
export type OrderEventName = (typeof orderEventNames)[number];

const paymentMethod = z.enum(['balance', 'external']);

/** What a transition changes in the figures of one item: units that came to a place, or left it. */
export const UnitsMovedData = z.object({ sku: Sku, held: z.int(), sold: z.int(), retired: z.int() });

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
  StockRejected: envelope(z.object({ failure: z.string() })),
  PaymentAuthorised: envelope(z.object({ totalMinor: z.int(), currency: z.string() })),
  PaymentDeclined: envelope(z.object({ totalMinor: z.int(), currency: z.string() })),
  OrderConfirmed: envelope(z.object({ paymentState: z.string() })),
  PaymentCaptured: envelope(z.object({ totalMinor: z.int(), currency: z.string(), paymentMethod })),
  OrderFulfilled: envelope(z.object({})),
  OrderExpired: envelope(z.object({})),
  OrderCancelled: envelope(takenBack),
  OrderFailed: envelope(z.object({ failure: z.string() })),
  StockReleased: envelope(z.object({ units: z.int().positive() })),
  RefundRequested: envelope(takenBack.extend({ totalMinor: z.int(), currency: z.string() })),
  // `outside` is the payment that a provider has to pay back: what it says is an instruction, once for each payment.
  PaymentRefunded: envelope(
    z.object({
      totalMinor: z.int(),
      currency: z.string(),
      paymentState: z.string(),
      outside: z.object({ paymentId: z.string(), amountMinor: z.int(), currency: z.string() }).optional(),
    }),
  ),
  /** Of every transition, whatever else it tells: for those who keep a copy of orders, or count their units. */
  OrderUpdated: envelope(
    z.object({ status: z.string(), paymentState: z.string(), movesStock: z.boolean(), stock: z.array(UnitsMovedData) }),
  ),
} satisfies Record<OrderEventName, z.ZodType>;

export type OrderEvent<Name extends OrderEventName = OrderEventName> = z.infer<(typeof orderEvents)[Name]>;

/** The envelope alone, which is all that a consumer needs: it re-reads the order. */
export const AnyOrderEvent = envelope(z.looseObject({}));
export type AnyOrderEvent = z.infer<typeof AnyOrderEvent>;
