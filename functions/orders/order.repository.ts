import { movementWrites } from '../accounts/account.writes.ts';
import { type Database, transact } from '../shared/dynamo.ts';
import { collisionOf } from './collision.model.ts';
import { OrderRowsBroken } from './order.errors.ts';
import { type Order, outsidePaymentOf } from './order.model.ts';
import type { OrderRepository } from './order.ports.ts';
import { claimedBy, type OrderTables, transitionWrites } from './order.writes.ts';

/** The mark that a hold was ended before any order of it was written. */
export interface Tombstone {
  readonly orderId: string;
  readonly tombstone: true;
  /** The youngest birth of the hold that it ends, in Redis microseconds. */
  readonly bornUs: number;
}

export type Stored = Order | Tombstone;

export const isTombstone = (stored: Stored): stored is Tombstone => 'tombstone' in stored;

/** The order as rules know it: without the keys of its indexes. */
export function orderFrom(item: Record<string, unknown>): Order {
  const { listKey: _l, saleShard: _s, dueShard: _d, ...order } = item;
  return order as unknown as Order;
}

export const storedFrom = (item: Record<string, unknown>): Stored =>
  item.tombstone === true ? (item as unknown as Tombstone) : orderFrom(item);

export async function readStored(database: Database, tableName: string, orderId: string): Promise<Stored | undefined> {
  const { Item } = await database.get({ TableName: tableName, Key: { orderId }, ConsistentRead: true });
  return Item && storedFrom(Item);
}

export function orderRepository(database: Database, tables: OrderTables & { readonly accounts: string }): OrderRepository {
  return {
    async get(orderId) {
      const stored = await readStored(database, tables.orders, orderId);
      return stored && !isTombstone(stored) ? stored : undefined;
    },

    async transition(order, transition, extra = []) {
      const moves = transitionWrites(order, transition, tables);
      const { next, movements = [] } = transition;
      const outside = outsidePaymentOf(transition);
      const money = movements.flatMap((movement) => movementWrites(movement, next, next.updatedAtMs, tables.accounts, outside));
      const result = await transact(database, [...moves, ...extra, ...money]);
      if (result.outcome === 'committed') return { outcome: 'moved', order: transition.next };

      const lost = result.refusals.find(({ index }) => index === 0);
      if (lost) {
        const current = lost.item ? storedFrom(lost.item) : await readStored(database, tables.orders, order.orderId);
        if (!current || isTombstone(current)) throw new OrderRowsBroken(`${order.orderId} is gone`);
        return { outcome: 'lost-race', current };
      }
      if (transition.units === 'claim') {
        const collision = collisionOf(order.orderId, result.refusals, claimedBy(transition, tables));
        if (collision.units.length + collision.slots.length > 0) return { outcome: 'collided', ...collision };
      }
      const byExtra = result.refusals.every(({ index }) => index >= moves.length && index < moves.length + extra.length);
      if (byExtra) return { outcome: 'refused-by-extra' };
      const accountIndex = moves.length + extra.length;
      const byAccount = movements.includes('authorise') && result.refusals.every(({ index }) => index === accountIndex);
      if (byAccount) return { outcome: 'refused-by-account' };
      throw new OrderRowsBroken(
        `${order.orderId} at version ${order.version}: refused at ${result.refusals.map(({ index }) => index).join(', ')} of its transaction`,
      );
    },
  };
}
