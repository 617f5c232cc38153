import { type Order, type OrderStatus, ownsUnits } from '../orders/order.model.ts';
import type { SaleItem } from '../sales/sale.model.ts';

/** A unit that an order has, as its row says. */
export interface UnitRow {
  readonly sku: string;
  readonly unit: string;
  readonly orderId: string;
  readonly state: 'HELD' | 'SOLD';
}

/** Something that must not be, in words; for the log. */
export type Finding = string;

export interface ItemAudit {
  readonly sku: string;
  readonly total: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly retired: number;
  readonly findings: readonly Finding[];
}

/** What the row of a unit must say while its order has this status; undefined where it must not be there. */
function rowStateOf(status: OrderStatus): UnitRow['state'] | undefined {
  if (!ownsUnits({ status })) return undefined;
  return status === 'RESERVED' ? 'HELD' : 'SOLD';
}

/**
 * Counts an item by its rows, and holds each row against its order and each order against its rows: a unit's owner lists it and may have
 * it, an order that may have units has their rows, and no serial lies beyond what was ever put on sale.
 */
export function auditItem(item: SaleItem, rows: readonly UnitRow[], orders: ReadonlyMap<string, Order>): ItemAudit {
  const owned = rows.filter(({ sku }) => sku === item.sku);
  const count = (state: UnitRow['state']) => owned.filter((row) => row.state === state).length;
  return {
    sku: item.sku,
    total: item.total,
    available: item.total - owned.length,
    held: count('HELD'),
    sold: count('SOLD'),
    retired: 0,
    findings: [
      ...owned.flatMap((row) => findingsOfRow(row, item, orders.get(row.orderId))),
      ...findingsOfOrders(item, owned, [...orders.values()]),
    ],
  };
}

function findingsOfRow(row: UnitRow, item: SaleItem, order: Order | undefined): Finding[] {
  const name = `${row.sku} ${row.unit}`;
  const serial = Number(row.unit);
  const isOnSale = Number.isInteger(serial) && serial >= 1 && serial <= item.total;
  const beyond = isOnSale ? [] : [`${name} was never put on sale`];
  if (!order) return [...beyond, `${name} belongs to ${row.orderId}, which is not an order of this sale`];
  const lists = order.items.some(({ sku, units }) => sku === row.sku && units.includes(row.unit));
  if (!lists) return [...beyond, `${name} belongs to ${row.orderId}, which does not list it`];
  const wanted = rowStateOf(order.status);
  return wanted === row.state ? beyond : [...beyond, `${name} is ${row.state}, and its order ${row.orderId} is ${order.status}`];
}

function findingsOfOrders(item: SaleItem, rows: readonly UnitRow[], orders: readonly Order[]): Finding[] {
  const owners = new Map(rows.map((row) => [row.unit, row.orderId]));
  return orders.filter(ownsUnits).flatMap((order) =>
    order.items
      .filter(({ sku }) => sku === item.sku)
      .flatMap(({ units }) => units)
      .filter((unit) => owners.get(unit) !== order.orderId)
      .map((unit) => `${order.orderId} is ${order.status} and lists ${item.sku} ${unit}, whose row it does not have`),
  );
}
