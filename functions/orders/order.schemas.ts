import * as z from 'zod';
import { OrderId, SaleId, Seat, Sku, UserId } from '../shared/ids.ts';
import { Currency, PriceMinor } from '../shared/money.ts';
import { Line } from '../shared/text.ts';
import { unitsPerOrderMax } from '../stock/stock.model.ts';
import { displayStatuses } from './display-status.model.ts';
import { orderFailures, orderStatuses, paymentMethods, paymentStates } from './order.model.ts';

const OrderLineRequest = z
  .strictObject({
    sku: Sku,
    quantity: z.int().min(1).max(unitsPerOrderMax).optional().meta({ description: 'Of a counted item: how many.', example: 2 }),
    seats: z
      .array(Seat)
      .min(1)
      .max(unitsPerOrderMax)
      .optional()
      .meta({ description: 'Of a seated item: which seats, each once.', example: ['A-1', 'A-2'] }),
  })
  .refine(({ quantity, seats }) => (quantity === undefined) !== (seats === undefined), 'must have either a quantity or seats')
  .meta({
    id: 'OrderLineRequest',
    oneOf: [{ required: ['quantity'] }, { required: ['seats'] }],
    example: { sku: 'tee-black-m', quantity: 2 },
  });
type OrderLineRequest = z.output<typeof OrderLineRequest>;

const unitsIn = (lines: readonly OrderLineRequest[]) =>
  lines.reduce((sum, { quantity = 0, seats = [] }) => sum + quantity + seats.length, 0);

const seatsDiffer = (lines: readonly OrderLineRequest[]) => {
  const seats = lines.flatMap(({ sku, seats = [] }) => seats.map((seat) => `${sku}|${seat}`));
  return new Set(seats).size === seats.length;
};

/** An item is sold by number or by seat, never both. */
const kindsAreClear = (lines: readonly OrderLineRequest[]) => {
  const bySeat = new Set(lines.filter(({ seats }) => seats).map(({ sku }) => sku));
  return !lines.some(({ sku, quantity }) => quantity !== undefined && bySeat.has(sku));
};

export const PlaceOrder = z
  .strictObject({
    items: z
      .array(OrderLineRequest)
      .min(1)
      .max(unitsPerOrderMax)
      .refine((lines) => unitsIn(lines) <= unitsPerOrderMax, `must ask for ${unitsPerOrderMax} units at most, counting all lines`)
      .refine(seatsDiffer, 'must name each seat once')
      .refine(kindsAreClear, 'must not ask for the same sku both by quantity and by seats')
      .meta({
        description:
          'What to buy, 1 to 20 units in all: so many of a counted item, or these seats of a seated one, all lines or none. ' +
          'Lines of the same sku are merged. Prices are the sale’s.',
      })
      .optional(),
    fromCart: z.literal(true).optional().meta({ description: 'In place of `items`: what is in the buyer’s cart of this sale, all of it.' }),
    payment: z
      .strictObject({ method: z.enum(paymentMethods).default('balance') })
      .default({ method: 'balance' })
      .meta({ description: '`balance` charges the buyer’s account at once, `external` waits for a payment until the hold expires.' }),
  })
  .refine(({ items, fromCart }) => (items === undefined) !== (fromCart === undefined), {
    path: ['items'],
    message: 'must be there, or fromCart instead',
  })
  .meta({ id: 'PlaceOrder', oneOf: [{ required: ['items'] }, { required: ['fromCart'] }] });
export type PlaceOrder = z.output<typeof PlaceOrder>;

const time = z.iso.datetime().meta({ example: '2026-11-27T09:00:01.250Z' });
const Unit = z.string().meta({ description: 'A serial number of the item’s stock, or a seat.', example: '17' });

export const RefundOrder = z
  .strictObject({
    reason: Line(500).meta({ description: 'Why the order is taken back. Kept with the order.', example: 'The show was moved' }),
    returnUnits: z.boolean().default(false).meta({
      description:
        'Whether the units of a fulfilled order are for sale again; otherwise they retire. Those of a confirmed one always return.',
    }),
  })
  .meta({ id: 'RefundOrder' });
export type RefundOrder = z.output<typeof RefundOrder>;

export const OrderAnswer = z
  .strictObject({
    orderId: OrderId,
    saleId: SaleId,
    buyerId: UserId,
    status: z.enum(orderStatuses),
    displayStatus: z.enum(displayStatuses),
    failure: z.enum(orderFailures).optional(),
    version: z.int().min(1).meta({ description: 'Grows with every change of the order.', example: 3 }),
    items: z.array(
      z
        .strictObject({ sku: Sku, quantity: z.int().min(1).meta({ example: 1 }), units: z.array(Unit), priceMinor: PriceMinor })
        .meta({ id: 'OrderLine' }),
    ),
    totalMinor: z.int().min(0).meta({ example: 4999 }),
    currency: Currency,
    holdExpiresAt: time
      .optional()
      .meta({ description: 'Until when an unpaid order keeps its units, or a pending one waits for its payment.' }),
    payment: z.strictObject({ method: z.enum(paymentMethods), state: z.enum(paymentStates) }),
    tickets: z
      .array(z.strictObject({ sku: Sku, unit: Unit, code: z.string().meta({ description: 'For `GET /v1/tickets/{code}`.' }) }))
      .optional()
      .meta({ description: 'One per unit, once the order is fulfilled.' }),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Order' });
export type OrderAnswer = z.output<typeof OrderAnswer>;

/** An order id that could not be one is an order that does not exist. */
export const OrderPath = z.strictObject({ orderId: OrderId });
