import * as z from 'zod';
import { rfc3339 } from '../shared/clock.ts';
import { SaleId } from '../shared/ids.ts';
import { type SaleEventName, saleEventNames } from './sale.events.ts';

const prefix = 'sale:';

/** The partition of a sale's rows in the outbox; an order's is the order's id, which never begins so. */
export const saleSubject = (saleId: string): string => `${prefix}${saleId}`;
export const saleIdOfSubject = (subject: string): string => subject.slice(prefix.length);
export const isSaleSubject = (subject: unknown): boolean => typeof subject === 'string' && subject.startsWith(prefix);

/** A change of a sale as the outbox keeps it: who changed what and why, and the event to publish if buyers see a difference. */
export const SaleOutboxRow = z.object({
  subject: z.string(),
  version: z.int().positive(),
  saleId: SaleId,
  by: z.string(),
  /** What the change set: attributes of the sale by name, of a restock what came. */
  changes: z.record(z.string(), z.unknown()),
  events: z.array(z.object({ name: z.enum(saleEventNames), data: z.record(z.string(), z.unknown()) })),
  atMs: z.number(),
});
export type SaleOutboxRow = z.infer<typeof SaleOutboxRow>;

/** The row's events as they travel on the bus. The same row gives the same events, however often it is published. */
export function saleEventsOf({ saleId, version, events, atMs }: SaleOutboxRow): { name: SaleEventName; detail: Record<string, unknown> }[] {
  return events.map(({ name, data }) => ({
    name,
    detail: { eventId: `${saleId}#${version}#${name}`, saleId, version, occurredAt: rfc3339(atMs), data },
  }));
}
