import * as z from 'zod';
import { SaleId, Sku } from '../shared/ids.ts';

export const TicketCode = z
  .string()
  .regex(/^[A-Za-z0-9_-]{44}$/)
  .meta({ id: 'TicketCode', description: 'As issued with a fulfilled order. Signed; cannot be guessed.' });

export const TicketPath = z.strictObject({ code: TicketCode });

export const TicketAnswer = z
  .strictObject({
    valid: z.boolean().meta({ description: 'False once the order is refunded.' }),
    saleId: SaleId,
    sku: Sku,
    unit: z.string().meta({ description: 'The serial number or seat that the ticket stands for.', example: '17' }),
  })
  .meta({ id: 'TicketCheck' });
