import { orderEventSource } from '../orders/order.events.ts';
import { eventsOf } from '../orders/outbox.model.ts';
import { OutboxRow } from '../orders/outbox.schemas.ts';
import { saleEventSource } from '../sales/sale.events.ts';
import { isSaleSubject, SaleOutboxRow, saleEventsOf } from '../sales/sale-outbox.model.ts';
import type { BusEntry } from './dispatch.ts';

/** The events that a row of the outbox asks for, an order's or a sale's. Throws on what is neither. */
export function busEntriesOf(item: Record<string, unknown>): BusEntry[] {
  if (isSaleSubject(item.subject)) {
    const row = SaleOutboxRow.parse(item);
    return saleEventsOf(row).map((event) => ({ source: saleEventSource, ...event, atMs: row.atMs }));
  }
  const row = OutboxRow.parse(item);
  return eventsOf(row).map((event) => ({ source: orderEventSource, ...event, atMs: row.atMs }));
}
