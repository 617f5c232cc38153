import type { OrderBody } from '../../lib/client/contract.ts';
import type { Window } from './window.ts';

/** An order whose units nobody else may have. */
const ownsUnits: ReadonlySet<OrderBody['status']> = new Set(['RESERVED', 'CONFIRMED', 'FULFILLED', 'REFUNDING']);

/** Whether the units of a refunded order are for sale again, by what the operator asked for. */
const areRetired = (window: Window, { orderId, status }: OrderBody): boolean =>
  status === 'REFUNDED' &&
  window.calls.some(({ asked, answer }) => asked.kind === 'refund' && asked.orderId === orderId && !asked.returnUnits && answer?.ok);

/** What does not add up at the end of a window, by the orders, carts and figures that anybody may read, and by the audit; nothing when all is well. */
export function notConserved(window: Window): string[] {
  const wrong: string[] = [];
  for (const { sku, total: opening } of window.sale.items) {
    const grown = window.calls.reduce(
      (sum, { asked, answer }) => sum + (asked.kind === 'restock' && asked.sku === sku && answer?.ok ? asked.units : 0),
      0,
    );
    const units = (orders: readonly OrderBody[]) =>
      orders.flatMap(({ items }) => items.filter((line) => line.sku === sku).flatMap((line) => line.units));
    const owned = units(window.orders.filter(({ status }) => ownsUnits.has(status)));
    const retired = units(window.orders.filter((order) => areRetired(window, order)));
    const inCarts = window.carts
      .flatMap(({ items }) => items.filter((line) => line.sku === sku))
      .reduce((sum, { quantity }) => sum + quantity, 0);
    const after = window.after.items.find((item) => item.sku === sku);
    const sum = (after?.available ?? Number.NaN) + owned.length + retired.length + inCarts;
    if (after?.total !== opening + grown) wrong.push(`${sku}: the total is ${after?.total}, not ${opening} and ${grown} more`);
    if (sum !== after?.total)
      wrong.push(
        `${sku}: ${after?.available} free, ${owned.length} of orders, ${retired.length} retired and ${inCarts} in carts are not ${after?.total}`,
      );
    const kept = [...owned, ...retired];
    if (new Set(kept).size !== kept.length) wrong.push(`${sku}: a unit is in two orders: ${kept.toSorted().join(' ')}`);
    const chart = window.seats.get(sku);
    const isOnSale = (unit: string) => (chart ? chart.includes(unit) : /^[1-9]\d*$/.test(unit) && Number(unit) <= opening + grown);
    for (const unit of kept) if (!isOnSale(unit)) wrong.push(`${sku}: ${unit} was never on sale`);
  }
  for (const item of window.audit.items) if (!item.conserved) wrong.push(`the audit finds ${JSON.stringify(item)}`);
  if (!window.audit.money.balanced) wrong.push(`the audit finds ${JSON.stringify(window.audit.money)}`);
  if (!window.audit.redis.agrees) wrong.push(`the audit finds in Redis ${JSON.stringify(window.audit.redis.drift)}`);
  return wrong;
}
