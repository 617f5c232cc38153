import * as z from 'zod';
import { orderEvents } from '../orders/order.events.ts';
import { saleEvents } from '../sales/sale.events.ts';
import type { StockMessage } from './stock-level.model.ts';

const ofOrder = orderEvents.OrderUpdated.transform(
  ({ eventId, saleId, data }): StockMessage => ({ kind: 'moved', eventId, saleId, moved: data.stock }),
);

const ofNewSale = saleEvents.SaleCreated.transform(
  ({ eventId, saleId, version, data }): StockMessage => ({
    kind: 'totals',
    eventId,
    saleId,
    saleVersion: version,
    totals: data.items.map(({ sku, total }) => ({ sku, total })),
  }),
);

const ofRestock = saleEvents.StockAdjusted.transform(
  ({ eventId, saleId, version, data: { sku, total } }): StockMessage => ({
    kind: 'totals',
    eventId,
    saleId,
    saleVersion: version,
    totals: [{ sku, total }],
  }),
);

/** What the events that speak of stock mean for the figures of a sale. */
export const StockEvent = z.union([ofOrder, ofNewSale, ofRestock]);
