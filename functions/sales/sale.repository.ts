import { batchGet, type Database, isConditionFailed } from '../shared/dynamo.ts';
import { ReadIncomplete, scanPage, scanPages } from '../shared/reads.ts';
import type { Sale } from './sale.model.ts';

export interface SaleRepository {
  get(saleId: string, options?: { consistent?: boolean }): Promise<Sale | undefined>;
  /** Those that exist, read with strong consistency, in no particular order. */
  getMany(saleIds: readonly string[]): Promise<Sale[]>;
  list(page: { limit: number; after?: string | undefined }): Promise<{ sales: Sale[]; next: string | undefined }>;
  /**
   * The sales that somebody has to look after: those whose holds may still be alive, which is all that closed less than 2 days ago or have
   * not, and those that were called off and whose orders have not all ended.
   */
  liveSales(nowMs: number): Promise<Sale[]>;
  /** The sale, and whether its stock was ever loaded, read with strong consistency. */
  loading(saleId: string): Promise<{ sale: Sale; stockLoaded: boolean } | undefined>;
  markLoaded(saleId: string): Promise<void>;
  /** Marks a sale as loaded that never was, for the load of this epoch. -> the sale as it is now; undefined if another load has begun or come first */
  markFirstLoad(sale: Pick<Sale, 'saleId' | 'epoch'>): Promise<Sale | undefined>;
  /** Gives a load of the sale's stock an epoch of its own: the next one, if the sale still has the one that was read; otherwise undefined. */
  bumpEpoch(sale: Pick<Sale, 'saleId' | 'epoch'>): Promise<number | undefined>;
}

/** A hold lives an hour at most, and the sweeper may have been away. */
const holdsGoneAfterMs = 2 * 86_400_000;
const scanPagesMax = 1_000;

/** The sale as rules know it. */
function saleFrom(item: Record<string, unknown>): Sale {
  const { stockLoaded: _s, endingPass: _e, ...sale } = item;
  return sale as unknown as Sale;
}

export function saleRepository(database: Database, tableName: string): SaleRepository {
  async function read(saleId: string, consistent: boolean) {
    const { Item } = await database.get({ TableName: tableName, Key: { saleId }, ConsistentRead: consistent });
    return Item;
  }

  return {
    async get(saleId, { consistent = false } = {}) {
      const item = await read(saleId, consistent);
      return item && saleFrom(item);
    },

    async getMany(saleIds) {
      const items = await batchGet(
        database,
        tableName,
        saleIds.map((saleId) => ({ saleId })),
      );
      return items.map(saleFrom);
    },

    async list(page) {
      const { items, next } = await scanPage(database, tableName, 'saleId', page);
      return { sales: items.map(saleFrom), next };
    },

    // Sales are few, so the whole table is read: an index by closing time would have one partition, and would not make it cheaper.
    async liveSales(nowMs) {
      const mayHaveHolds = 'closesAtMs > :gone';
      const hasOrdersToEnd = '(attribute_exists(cancellation) AND attribute_not_exists(cancellation.doneAtMs))';
      const sales: Sale[] = [];
      let pages = 0;
      const scan = scanPages(database, {
        TableName: tableName,
        FilterExpression: [mayHaveHolds, hasOrdersToEnd].join(' OR '),
        ExpressionAttributeValues: { ':gone': nowMs - holdsGoneAfterMs },
        ConsistentRead: true,
      });
      for await (const page of scan) {
        sales.push(...(page.Items ?? []).map(saleFrom));
        if (++pages >= scanPagesMax && page.LastEvaluatedKey) throw new ReadIncomplete(`more than ${scanPagesMax} pages of sales`);
      }
      return sales;
    },

    async loading(saleId) {
      const item = await read(saleId, true);
      return item && { sale: saleFrom(item), stockLoaded: item.stockLoaded === true };
    },

    async markLoaded(saleId) {
      await database.update({
        TableName: tableName,
        Key: { saleId },
        UpdateExpression: 'SET stockLoaded = :true',
        ConditionExpression: 'attribute_exists(saleId)',
        ExpressionAttributeValues: { ':true': true },
      });
    },

    async markFirstLoad({ saleId, epoch }) {
      try {
        const { Attributes } = await database.update({
          TableName: tableName,
          Key: { saleId },
          UpdateExpression: 'SET stockLoaded = :true',
          ConditionExpression: 'epoch = :epoch AND stockLoaded = :false',
          ExpressionAttributeValues: { ':true': true, ':false': false, ':epoch': epoch },
          ReturnValues: 'ALL_NEW',
        });
        return Attributes && saleFrom(Attributes);
      } catch (error) {
        if (isConditionFailed(error)) return undefined;
        throw error;
      }
    },

    // That attribute alone, and not the version: an epoch is no change of the sale that copies of it must follow.
    async bumpEpoch({ saleId, epoch }) {
      const next = epoch + 1;
      try {
        await database.update({
          TableName: tableName,
          Key: { saleId },
          UpdateExpression: 'SET epoch = :next',
          ConditionExpression: 'epoch = :read',
          ExpressionAttributeValues: { ':next': next, ':read': epoch },
        });
        return next;
      } catch (error) {
        if (isConditionFailed(error)) return undefined;
        throw error;
      }
    },
  };
}
