import { batchGet, type Database, isConditionFailed, itemInTheWay, transact } from '../shared/dynamo.ts';
import { type Hold, type LineUnits, unitBucket } from '../stock/stock.model.ts';
import { type Collision, collisionOf } from './collision.model.ts';
import type { Order, Transition } from './order.model.ts';
import { isTombstone, readStored, storedFrom } from './order.repository.ts';
import { allowanceKeyOf, claimWrites, type OrderTables } from './order.writes.ts';

export type ClaimOutcome =
  | { outcome: 'claimed' }
  /** An order under this id is there already: this key's first attempt, or its twin. */
  | { outcome: 'order-exists'; order: Order }
  /** The hold was ended before its order could be written. */
  | { outcome: 'tombstoned'; bornUs: number }
  /** Other orders own some of the units, or the buyer's slots. */
  | ({ outcome: 'collided' } & Collision);

export type TombstoneOutcome = { outcome: 'tombstoned' } | { outcome: 'order-exists'; order: Order };

/** Who owns a unit, by its row. */
export interface UnitOwner {
  readonly sku: string;
  readonly unit: string;
  readonly orderId: string;
  /** The unit is a seat. */
  readonly seated?: true;
}

export interface ClaimRepository {
  /** Writes the order with its units and allowance, or says what stood in the way. */
  claim(placement: Transition): Promise<ClaimOutcome>;
  /** Ends a hold that has no order: a late order write of this birth, or an earlier one, will fail. */
  tombstone(hold: Pick<Hold, 'holdId' | 'bornUs'>, orderId: string, nowMs: number): Promise<TombstoneOutcome>;
  /** Those of the units that have a row, read with strong consistency. */
  owners(saleId: string, lines: readonly LineUnits[]): Promise<UnitOwner[]>;
  /** The buyer's used slots, read with strong consistency. */
  usedSlots(saleId: string, buyerId: string): Promise<number[]>;
}

/** Long enough that no function can still be about to write: a tombstone is needed for minutes. */
const tombstoneSeconds = 24 * 3600;

export function claimRepository(database: Database, tables: OrderTables): ClaimRepository {
  return {
    async claim(placement) {
      const order = placement.next;
      const { writes, about } = claimWrites(order, placement, tables);
      const result = await transact(database, writes);
      if (result.outcome === 'committed') return { outcome: 'claimed' };

      // The order first: if it is there, then the units that refuse are its own and nothing collided.
      const ours = result.refusals.some(({ item }) => item?.orderId === order.orderId);
      const orderRefused = result.refusals.find(({ index }) => about[index]?.kind === 'order');
      if (ours || orderRefused) {
        const stored = orderRefused?.item ? storedFrom(orderRefused.item) : await readStored(database, tables.orders, order.orderId);
        if (stored && !isTombstone(stored)) return { outcome: 'order-exists', order: stored };
        if (stored) return { outcome: 'tombstoned', bornUs: stored.bornUs };
      }
      // What is its own will be found by the next attempt.
      return { outcome: 'collided', ...collisionOf(order.orderId, result.refusals, about) };
    },

    async tombstone(hold, orderId, nowMs) {
      const isNew = 'attribute_not_exists(orderId)';
      const isTombstoneToo = 'tombstone = :true';
      try {
        await database.put({
          TableName: tables.orders,
          Item: { orderId, tombstone: true, bornUs: hold.bornUs, expiresAtSeconds: Math.floor(nowMs / 1000) + tombstoneSeconds },
          ConditionExpression: `${isNew} OR (${isTombstoneToo} AND bornUs < :born)`,
          ExpressionAttributeValues: { ':true': true, ':born': hold.bornUs },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        });
        return { outcome: 'tombstoned' };
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
        const item = itemInTheWay(error);
        const stored = item ? storedFrom(item) : await readStored(database, tables.orders, orderId);
        if (stored && !isTombstone(stored)) return { outcome: 'order-exists', order: stored };
        // A tombstone of this birth or a younger one ends this birth too.
        return { outcome: 'tombstoned' };
      }
    },

    async owners(saleId, lines) {
      const keys = lines.flatMap(({ sku, units }) => units.map((unit) => ({ bucket: unitBucket(saleId, sku, unit), unit })));
      const rows = await batchGet(database, tables.units, keys);
      return rows.map((row) => ({
        sku: String(row.sku),
        unit: String(row.unit),
        orderId: String(row.orderId),
        ...(row.seated === true ? { seated: true } : {}),
      }));
    },

    async usedSlots(saleId, buyerId) {
      const { Items = [] } = await database.query({
        TableName: tables.allowances,
        KeyConditionExpression: 'saleBuyer = :saleBuyer',
        ExpressionAttributeValues: { ':saleBuyer': allowanceKeyOf({ saleId, buyerId }) },
        ConsistentRead: true,
      });
      return Items.map((item) => Number(item.slot));
    },
  };
}
