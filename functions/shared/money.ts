import * as z from 'zod';

/**
 * The highest price of a unit. With 20 units in an order an order's total stays below 2 × 10^10, and the sum over a sale of any size
 * that can be sold in practice an exact integer.
 */
export const priceMinorMax = 1_000_000_000;

/** The codes that are in use, as the runtime's own data has them. */
export const Currency = z
  .enum(Intl.supportedValuesOf('currency'), 'must be the ISO 4217 code of a currency in use, such as EUR')
  .meta({ id: 'Currency', description: 'ISO 4217 code.', example: 'EUR' });

/** What others call their money, in use or not: it was taken, so it is kept and shown as they said. */
export const OutsideCurrency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be three capital letters')
  .meta({ description: 'ISO 4217 code.', example: 'EUR' });

export const PriceMinor = z
  .int()
  .min(0)
  .max(priceMinorMax)
  .meta({ id: 'PriceMinor', description: 'Price of one unit, in minor units of the currency (cents).', example: 4999 });
