import type { Database } from '../shared/dynamo.ts';
import { readAll } from '../shared/reads.ts';
import type { Sale, SeatList } from './sale.model.ts';
import { type SeatChunk, unpackSeats } from './seat.model.ts';

/** A sale says that it has rows of seats that are not there, though they are written in one transaction with it. */
export class SeatRowsMissing extends Error {
  override readonly name = 'SeatRowsMissing';
}

export interface SeatRepository {
  /**
   * The seats of a sale by item, in the order in which they were put on sale, read with strong consistency: those that this copy of the sale
   * has, and none that were put on sale after it. Nothing is read for a sale without seats. Throws `SeatRowsMissing`.
   */
  list(sale: Pick<Sale, 'saleId' | 'seatChunks'>): Promise<SeatList>;
}

export function seatRepository(database: Database, tableName: string): SeatRepository {
  return {
    async list({ saleId, seatChunks = 0 }) {
      if (seatChunks === 0) return new Map();
      const rows = await readAll(database, {
        TableName: tableName,
        KeyConditionExpression: 'saleId = :saleId AND #chunk <= :last',
        ExpressionAttributeNames: { '#chunk': 'chunk' },
        ExpressionAttributeValues: { ':saleId': saleId, ':last': seatChunks },
        ConsistentRead: true,
      });
      if (rows.length !== seatChunks) throw new SeatRowsMissing(`${saleId} has ${rows.length} of ${seatChunks} rows of seats`);
      return unpackSeats(rows as unknown as SeatChunk[]);
    },
  };
}
