import type { Database } from '../shared/dynamo.ts';
import { firstHoldIdOf } from '../shared/ids.ts';
import { queryPages, ReadIncomplete } from '../shared/reads.ts';
import type { OwnedUnit } from './load.scripts.ts';
import { unitBuckets } from './stock.model.ts';

export interface UnitRows {
  /** The partitions that an item's units are spread over. */
  bucketsOf(saleId: string, sku: string): readonly string[];
  /** The rows of one partition, read with strong consistency, page by page. */
  pages(bucket: string): AsyncIterable<readonly OwnedUnit[]>;
}

/** A partition has one in 64 of an item's units, which is ten pages at most for any item that the contract allows; the rest is for the unforeseen. */
const pagesMax = 1_000;

/** The hold is named where it is not the one that the order's id is derived from. */
interface UnitOwner {
  readonly orderId: string;
  readonly holdId?: string;
}

function unitFrom(row: Record<string, unknown>): OwnedUnit {
  const { sku, unit, state, orderId, holdId, buyerId, slot, atMs, seated } = row as unknown as Omit<OwnedUnit, 'holdId'> & UnitOwner;
  return {
    sku,
    unit,
    state,
    buyerId,
    atMs,
    seated: seated === true,
    holdId: holdId ?? firstHoldIdOf(orderId),
    ...(slot === undefined ? {} : { slot }),
  };
}

export function unitRows(database: Database, tableName: string): UnitRows {
  return {
    bucketsOf: unitBuckets,

    async *pages(bucket) {
      const rows = queryPages(database, {
        TableName: tableName,
        KeyConditionExpression: '#bucket = :bucket',
        ProjectionExpression: 'sku, #unit, seated, #state, orderId, holdId, buyerId, slot, atMs',
        ExpressionAttributeNames: { '#bucket': 'bucket', '#unit': 'unit', '#state': 'state' },
        ExpressionAttributeValues: { ':bucket': bucket },
        ConsistentRead: true,
      });
      let pages = 0;
      for await (const { Items = [], LastEvaluatedKey } of rows) {
        yield Items.map(unitFrom);
        if (++pages >= pagesMax && LastEvaluatedKey) throw new ReadIncomplete(`more than ${pagesMax} pages of ${bucket}`);
      }
    },
  };
}
