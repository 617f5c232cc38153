import type { End } from '../scenario.ts';

/** Each order that was placed is one order, its buyer was told of it, and it has ended in one of these; there is no other. */
export function* endsAs({ rows, stage }: End, wanted: Readonly<Record<string, readonly string[]>>): Generator<string> {
  const mine = new Set<string>();
  for (const [id, statuses] of Object.entries(wanted)) {
    const order = stage.orderOf(id);
    const status = order?.status ?? 'not there';
    if (order) mine.add(order.orderId);
    if (!statuses.includes(status))
      yield `${id} is ${status}${order?.failure ? ` (${order.failure})` : ''}, and must be ${statuses.join(' or ')}`;
    if (!stage.isAnswered(id) && !statuses.includes('not there')) yield `whoever placed ${id} was never told of an order`;
  }
  for (const { orderId, buyerId, status } of rows.orders)
    if (!mine.has(orderId)) yield `${buyerId} has ${orderId} (${status}), which nobody placed`;
}

/** So many units of an item are somebody's at the end. */
export function* sells({ rows }: End, sku: string, wanted: number): Generator<string> {
  const sold = rows.units.filter((row) => row.sku === sku && row.state === 'SOLD').length;
  if (sold !== wanted) yield `${sold} of ${sku} are sold, and must be ${wanted}`;
}
