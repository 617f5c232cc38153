import { type Database, isConditionFailed, transact, type Write } from '../shared/dynamo.ts';
import type { LevelChange, LevelTotal, StockLevel } from './stock-level.model.ts';

export interface StockLevels {
  /** Counts the changes and notes the messages they are of, in one transaction. `known`: these messages were counted before, and nothing was done. */
  count(changes: readonly LevelChange[], eventIds: readonly string[], nowMs: number): Promise<CountOutcome>;
  /** Sets a total, unless the one that stands is of this version of the sale or a newer one. */
  setTotal(total: LevelTotal): Promise<void>;
}

export interface LevelReader {
  /** The figures of a sale's items. They may lag behind. */
  of(saleId: string): Promise<StockLevel[]>;
}

export type CountOutcome = { outcome: 'counted' } | { outcome: 'known'; eventIds: string[] };

/** Whose messages they are, in a table that every consumer may use. */
const consumer = 'stock-levels';
/**
 * How long a message is known: longer than it can come back. It stays in its queue and the dead-letter queue for 14 days together, and in
 * either for 14 days more whenever somebody sends it back.
 */
const knownSeconds = 45 * 86_400;
const itemsPerSaleMax = 100;

export function stockLevels(database: Database, tables: { readonly levels: string; readonly inbox: string }): StockLevels {
  const inboxWrite = (eventId: string, nowMs: number): Write => ({
    Put: {
      TableName: tables.inbox,
      Item: { message: `${consumer}#${eventId}`, expiresAtSeconds: Math.floor(nowMs / 1_000) + knownSeconds },
      ConditionExpression: 'attribute_not_exists(#message)',
      ExpressionAttributeNames: { '#message': 'message' },
    },
  });
  const changeWrite = ({ saleId, sku, held, sold, retired }: LevelChange): Write => ({
    Update: {
      TableName: tables.levels,
      Key: { saleId, sku },
      UpdateExpression: 'ADD #held :held, #sold :sold, #retired :retired, #version :one',
      ExpressionAttributeNames: { '#held': 'held', '#sold': 'sold', '#retired': 'retired', '#version': 'version' },
      ExpressionAttributeValues: { ':held': held, ':sold': sold, ':retired': retired, ':one': 1 },
    },
  });

  return {
    async count(changes, eventIds, nowMs) {
      const result = await transact(database, [...eventIds.map((eventId) => inboxWrite(eventId, nowMs)), ...changes.map(changeWrite)]);
      if (result.outcome === 'committed') return { outcome: 'counted' };
      // Only a message that is known can refuse: a change has no condition.
      return { outcome: 'known', eventIds: result.refusals.flatMap(({ index }) => eventIds[index] ?? []) };
    },

    async setTotal({ saleId, sku, total, saleVersion }) {
      const isFirst = 'attribute_not_exists(#saleVersion)';
      const isNewer = '#saleVersion < :saleVersion';
      try {
        await database.update({
          TableName: tables.levels,
          Key: { saleId, sku },
          UpdateExpression: 'SET #total = :total, #saleVersion = :saleVersion ADD #version :one',
          ConditionExpression: [isFirst, isNewer].join(' OR '),
          ExpressionAttributeNames: { '#total': 'total', '#saleVersion': 'saleVersion', '#version': 'version' },
          ExpressionAttributeValues: { ':total': total, ':saleVersion': saleVersion, ':one': 1 },
        });
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
    },
  };
}

export const levelReader = (database: Database, levelsTable: string): LevelReader => ({
  async of(saleId) {
    const { Items = [] } = await database.query({
      TableName: levelsTable,
      KeyConditionExpression: 'saleId = :saleId',
      ExpressionAttributeValues: { ':saleId': saleId },
      Limit: itemsPerSaleMax,
    });
    // A row begins with whatever is heard first: a total, or a part of the figures.
    return Items.map((item) => ({ held: 0, sold: 0, retired: 0, ...item }) as unknown as StockLevel);
  },
});
