import * as z from 'zod';
import { SaleId, Seat, Sku } from '../shared/ids.ts';
import { unitsPerOrderMax } from '../stock/stock.model.ts';

export const CartItemPath = z.strictObject({ saleId: SaleId, sku: Sku });

const seatsDiffer = (seats: readonly string[]) => new Set(seats).size === seats.length;

export const CartItem = z
  .strictObject({
    quantity: z.int().min(1).max(unitsPerOrderMax).optional().meta({ description: 'Of a counted item: how many.', example: 2 }),
    seats: z
      .array(Seat)
      .min(1)
      .max(unitsPerOrderMax)
      .refine(seatsDiffer, 'must name each seat once')
      .optional()
      .meta({ description: 'Of a seated item: which seats, each once.', example: ['A-1', 'A-2'] }),
  })
  .refine(({ quantity, seats }) => (quantity === undefined) !== (seats === undefined), 'must have either a quantity or seats')
  .meta({
    id: 'CartItemRequest',
    oneOf: [{ required: ['quantity'] }, { required: ['seats'] }],
    description: 'What the cart has of the item from now on, whatever it had before.',
    example: { quantity: 2 },
  });
export type CartItem = z.output<typeof CartItem>;

export const CartAnswer = z
  .strictObject({
    saleId: SaleId,
    items: z.array(
      z
        .strictObject({
          sku: Sku,
          quantity: z.int().min(1).max(unitsPerOrderMax).meta({ example: 2 }),
          seats: z.array(Seat).optional().meta({ description: 'Of a seated item: the seats.' }),
        })
        .meta({ id: 'CartItem' }),
    ),
    expiresAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'Until when the units are held; null while the cart is empty.', example: '2026-11-27T09:05:00.000Z' }),
  })
  .meta({ id: 'Cart' });
export type CartAnswer = z.output<typeof CartAnswer>;
