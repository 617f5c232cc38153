import { allowanceKeyOf, saleShardNames } from '../orders/order.writes.ts';
import type { Sale, SeatList } from '../sales/sale.model.ts';
import { batchGet, type Database, projection } from '../shared/dynamo.ts';
import { inParallel } from '../shared/parallel.ts';
import { readPages } from '../shared/reads.ts';
import { type LineUnits, serialBuckets, unitBucket, unitBuckets } from '../stock/stock.model.ts';
import type { ComparedRow } from './sale-picture.model.ts';

/** An order as the index by sale has it. */
export interface IndexedOrder {
  readonly orderId: string;
  readonly createdAtMs: number;
}

/** What DynamoDB says of a sale's units and orders. Unit rows are read with strong consistency; the index of orders may lag behind. */
export interface Evidence {
  /**
   * Shows the rows of all units that an order has, page by page, while `goesOn`. `seats`: those of the sale, as far as they are known; of an item with few
   * only their partitions are read.
   */
  rows(sale: Sale, seats: SeatList, see: (row: ComparedRow) => void, goesOn: () => Promise<void>): Promise<void>;
  /** Shows the sale's orders, or those that were created at `fromMs` or later, page by page. */
  orders(saleId: string, fromMs: number, see: (orders: readonly IndexedOrder[]) => Promise<void>): Promise<void>;
  /** The rows of these units, those that there are. */
  rowsOf(saleId: string, lines: readonly LineUnits[]): Promise<Pick<ComparedRow, 'sku' | 'unit' | 'orderId' | 'state'>[]>;
  /** The buyer's slots that orders use. */
  usedSlots(saleId: string, buyerId: string): Promise<number[]>;
}

const lanes = 8;
const rowAttributes = [
  'sku',
  'unit',
  'orderId',
  'holdId',
  'buyerId',
  'state',
  'slot',
  'atMs',
  'seated',
] as const satisfies readonly (keyof ComparedRow)[];
const listKeyDigits = 14;

export function evidenceOf(
  database: Database,
  tables: { readonly orders: string; readonly units: string; readonly allowances: string },
): Evidence {
  async function seeBucket(bucket: string, see: (row: ComparedRow) => void, goesOn: () => Promise<void>): Promise<void> {
    const { ExpressionAttributeNames: names, ...projected } = projection(rowAttributes);
    const pages = readPages(database, {
      TableName: tables.units,
      KeyConditionExpression: '#bucket = :bucket',
      ...projected,
      ExpressionAttributeNames: { ...names, '#bucket': 'bucket' },
      ExpressionAttributeValues: { ':bucket': bucket },
      ConsistentRead: true,
    });
    for await (const rows of pages) {
      for (const row of rows) see(row as unknown as ComparedRow);
      await goesOn();
    }
  }

  return {
    async rows({ saleId, items }, seats, see, goesOn) {
      const buckets = items.flatMap(({ sku, total, seated }) => {
        if (!seated) return serialBuckets(saleId, sku, total);
        const names = seats.get(sku);
        return names ? [...new Set(names.map((seat) => unitBucket(saleId, sku, seat)))] : unitBuckets(saleId, sku);
      });
      await inParallel(buckets, lanes, (bucket) => seeBucket(bucket, see, goesOn));
    },

    async orders(saleId, fromMs, see) {
      await inParallel(saleShardNames(saleId), lanes, async (shard) => {
        const pages = readPages(database, {
          TableName: tables.orders,
          IndexName: 'bySale',
          KeyConditionExpression: 'saleShard = :shard AND listKey >= :from',
          ProjectionExpression: 'orderId, listKey',
          ExpressionAttributeValues: { ':shard': shard, ':from': String(Math.max(0, Math.floor(fromMs))).padStart(listKeyDigits, '0') },
        });
        for await (const entries of pages) {
          await see(
            entries.map(({ orderId, listKey }) => ({
              orderId: String(orderId),
              createdAtMs: Number(String(listKey).slice(0, listKeyDigits)),
            })),
          );
        }
      });
    },

    async rowsOf(saleId, lines) {
      const keys = lines.flatMap(({ sku, units }) => units.map((unit) => ({ bucket: unitBucket(saleId, sku, unit), unit })));
      const found = await batchGet(database, tables.units, keys, ['sku', 'unit', 'orderId', 'state']);
      return found as unknown as Pick<ComparedRow, 'sku' | 'unit' | 'orderId' | 'state'>[];
    },

    async usedSlots(saleId, buyerId) {
      const { Items = [] } = await database.query({
        TableName: tables.allowances,
        KeyConditionExpression: 'saleBuyer = :saleBuyer',
        ExpressionAttributeValues: { ':saleBuyer': allowanceKeyOf({ saleId, buyerId }) },
        ConsistentRead: true,
      });
      return Items.map(({ slot }) => Number(slot));
    },
  };
}
