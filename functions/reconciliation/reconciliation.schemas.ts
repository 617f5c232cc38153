import * as z from 'zod';
import { SaleId } from '../shared/ids.ts';
import { pageOf, pageQuery } from '../shared/page.ts';
import { driftKinds } from './drift.model.ts';

export const ReconciliationRequest = z
  .strictObject({
    saleId: SaleId.optional().meta({ description: 'One sale alone, also one that is over. Every live sale when left out.' }),
  })
  .meta({ id: 'ReconciliationRequest' });

const DriftKind = z.enum(driftKinds).meta({
  description:
    '`order-not-followed`: an order’s units or hold are not as its rows say. `allowance-too-low`, `allowance-too-high`: a slot that an order ' +
    'uses is not used in Redis, or one is used by nothing. `unit-leaked`: a unit is in no place at all. `hold-of-ended-order`, `hold-without-order`, ' +
    '`hold-not-listed`, `cart-not-listed`: it would keep its units. `mark-missing`: an ended order is not known. `seat-wrong`, `counter-wrong`, ' +
    '`sale-behind`, `view-stale`: as they say.',
});
const counts = (description: string) =>
  z.partialRecord(z.enum(driftKinds), z.int().positive()).meta({ description, example: { 'unit-leaked': 2 } });
const count = (description: string) => z.int().nonnegative().meta({ description });

const SaleReport = z
  .strictObject({
    saleId: SaleId,
    scope: z.enum(['all', 'changed']).meta({ description: '`changed`: what may have changed since the last run.' }),
    outcome: z.enum(['compared', 'unfinished', 'busy', 'not-loaded', 'failed']).meta({
      description:
        '`unfinished`: the time ended first, and the next run goes on. `busy`: somebody else is at it. `not-loaded`: Redis does not have the ' +
        'sale, and was asked to be given it again.',
    }),
    passes: count('How often it was looked at: until nothing was left to mend.'),
    compared: z.strictObject({
      units: count('Rows of units.'),
      holds: count('Holds and carts in Redis.'),
      orders: count('Orders.'),
    }),
    drift: counts('What two looks agreed on, by its kind. Of leaked units and slots each counts.'),
    mended: counts('What of it was mended.'),
    repairs: z.array(
      z
        .strictObject({
          kind: DriftKind,
          subject: z.string().meta({ description: 'The order, hold, item, seat or buyer.' }),
          detail: z.string(),
          outcome: z.enum(['mended', 'left']),
        })
        .meta({ id: 'Repair' }),
    ),
    behind: z.boolean().meta({
      description: 'Whether Redis may still have forgotten orders. Nobody notices: before a refusal the caller’s order is looked for.',
    }),
    tookMs: count('Milliseconds.'),
  })
  .meta({ id: 'SaleReconciliation' });

export const ReconciliationAnswer = z
  .strictObject({
    reconciliationId: z.string(),
    trigger: z.enum(['schedule', 'request']),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    salesCount: count('How many sales there were to look at. `sales` shows 100 at most, those with drift first.'),
    sales: z.array(SaleReport),
  })
  .meta({ id: 'Reconciliation' });
export type ReconciliationAnswer = z.output<typeof ReconciliationAnswer>;

export const reconciliationList = 'reconciliations';
export const ReconciliationListQuery = z.strictObject(pageQuery(reconciliationList));
export const ReconciliationPage = pageOf(ReconciliationAnswer).meta({ id: 'ReconciliationPage' });
