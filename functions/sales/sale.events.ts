import * as z from 'zod';
import { SaleId, Sku } from '../shared/ids.ts';

export const saleEventSource = 'stampede.sales';

export const saleEventNames = ['SaleCreated', 'SaleRescheduled', 'SaleOpened', 'SalePaused', 'SaleClosed', 'StockAdjusted'] as const;
export type SaleEventName = (typeof saleEventNames)[number];

const envelope = <Data extends z.ZodType>(data: Data) =>
  z.object({
    /** `saleId#version#name`: the same however often it is delivered. */
    eventId: z.string(),
    saleId: SaleId,
    /** The sale's version that the change made. */
    version: z.int().positive(),
    occurredAt: z.iso.datetime(),
    data,
  });

/** Who did it, by the `sub` of the token. */
const by = z.string();

/**
 * One schema per event, by name: the `detail` that travels on the bus. They tell what operators have done. A sale that opens or closes because
 * its time has come has no event: its window is known.
 */
export const saleEvents = {
  SaleCreated: envelope(z.object({ by, items: z.array(z.object({ sku: Sku, total: z.int().positive(), seated: z.boolean() })) })),
  /** Its window is another one; beside this, what buyers see of it may change at once. */
  SaleRescheduled: envelope(z.object({ by, opensAt: z.iso.datetime(), closesAt: z.iso.datetime() })),
  SaleOpened: envelope(z.object({ by })),
  SalePaused: envelope(z.object({ by })),
  /** With a reason, and `cancelled`, when the sale was called off and its orders are ended. */
  SaleClosed: envelope(z.object({ by, reason: z.string().optional(), cancelled: z.literal(true).optional() })),
  StockAdjusted: envelope(
    z.object({ by, reason: z.string(), sku: Sku, delta: z.int().positive(), total: z.int().positive(), seated: z.boolean() }),
  ),
} satisfies Record<SaleEventName, z.ZodType>;

export type SaleEvent<Name extends SaleEventName = SaleEventName> = z.infer<(typeof saleEvents)[Name]>;
