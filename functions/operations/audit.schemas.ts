import * as z from 'zod';
import { Sku } from '../shared/ids.ts';

const count = (description: string) => z.int().meta({ description });
const money = (description: string) => z.int().meta({ description });

export const AuditAnswer = z
  .strictObject({
    items: z.array(
      z
        .strictObject({
          sku: Sku,
          total: count('Units ever put on sale.'),
          available: count('`total` less the units that have a row.'),
          held: count('Units of orders that are not paid yet.'),
          sold: count('Units that are a buyer’s.'),
          retired: count('Units taken off sale.'),
          conserved: z.boolean().meta({
            description:
              'Whether every unit is accounted for, by its order and by Redis. False also as long as Redis does not have the sale, or ' +
              'can’t be read: the figures beside it are by the rows and stand, and `drift` says which of the two it is.',
          }),
        })
        .meta({ id: 'AuditItem' }),
    ),
    money: z.strictObject({
      authorisedMinor: money('Set aside and neither captured nor given back; also what came from outside too late and waits for units.'),
      capturedMinor: money('Ever captured.'),
      fulfilledMinor: money('Paid by orders that are now fulfilled.'),
      refundedMinor: money('Given back after it was captured.'),
      balanced: z.boolean().meta({
        description: 'Whether captured = fulfilled + refunded + paid and not yet fulfilled, and each account equals its entries.',
      }),
    }),
    redis: z.strictObject({
      agrees: z.boolean(),
      drift: z.array(z.string()).meta({
        description:
          'What Redis and the rows say differently, in words. `Redis does not have the sale` when it has lost it, `Redis could not be read` ' +
          'when it does not answer; the latter says nothing of what it has.',
      }),
    }),
    asOf: z.iso.datetime().meta({ example: '2026-11-27T09:05:00.000Z' }),
  })
  .meta({ id: 'Audit' });
export type AuditAnswer = z.output<typeof AuditAnswer>;
