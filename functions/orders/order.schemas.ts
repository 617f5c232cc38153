import * as z from 'zod';
import { OrderId, SaleId, Sku, UserId } from '../shared/ids.ts';
import { Currency, PriceMinor } from '../shared/money.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import { unitsPerOrderMax } from '../stock/stock.model.ts';
import { displayStatuses, orderFailures, orderStatuses, paymentMethods, paymentStates } from './order.model.ts';

const OrderLineRequest = z
  .strictObject({ sku: Sku, quantity: z.int().min(1).max(unitsPerOrderMax).meta({ example: 2 }) })
  .meta({ id: 'OrderLineRequest' });

const unitsIn = (lines: readonly { quantity: number }[]) => lines.reduce((sum, line) => sum + line.quantity, 0);

export const PlaceOrder = z
  .strictObject({
    items: z
      .array(OrderLineRequest)
      .min(1)
      .max(unitsPerOrderMax)
      .refine((lines) => unitsIn(lines) <= unitsPerOrderMax, `must ask for ${unitsPerOrderMax} units at most, counting all lines`)
      .meta({ description: 'What to buy, 1 to 20 units in all. Lines of the same sku are merged. Prices are the sale’s.' }),
    payment: z
      .strictObject({ method: z.enum(paymentMethods).default('balance') })
      .default({ method: 'balance' })
      .meta({ description: '`balance` charges the buyer’s account at once, `external` waits for a payment until the hold expires.' }),
  })
  .meta({ id: 'PlaceOrder' });
export type PlaceOrder = z.output<typeof PlaceOrder>;

const time = z.iso.datetime().meta({ example: '2026-11-27T09:00:01.250Z' });
const Unit = z.string().meta({ description: 'A serial number of the item’s stock, or a seat.', example: '17' });

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
    holdExpiresAt: time.optional().meta({ description: 'Until when an unpaid order keeps its units.' }),
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
export const orderList = 'orders';

export const OrderListQuery = z.strictObject({
  saleId: SaleId.optional().meta({ description: 'Only orders of this sale.' }),
  status: z.enum(orderStatuses).optional().meta({ description: 'Only orders with this status.' }),
  buyerId: UserId.optional().meta({ description: 'Only orders of this buyer. For operators; refused with `FORBIDDEN` from a buyer.' }),
  ...pageQuery(orderList),
});
export type OrderListQuery = z.output<typeof OrderListQuery>;
export const OrderPage = pageOf(OrderAnswer).meta({ id: 'OrderPage' });
