import type { SeatList } from './sale.model.ts';

export const seatsPerItemMax = 20_000;

/** A row of the table of seats: chunk `1..seatChunks` of the sale. It never changes once it is written. */
export interface SeatChunk {
  readonly saleId: string;
  readonly chunk: number;
  /** A list and not a map by sku: it keeps its order, and an item may be called anything. */
  readonly items: readonly { readonly sku: string; readonly seats: readonly string[] }[];
}

/** Names in one row, in bytes; the database takes items of 400 KB. */
const chunkBytesMax = 250 * 1024;
/** What is stored beside the letters of a name, and of an item, rounded up. */
const overheadBytes = 4;
/** Rows of one transaction: a request of a mebibyte cannot name more seats than go into these. */
export const chunksPerChangeMax = 8;

/** More seats in one change than a request can name: somebody let a larger request in. */
export class TooManySeats extends Error {
  override readonly name = 'TooManySeats';
}

/**
 * Packs names into rows of some 250 KB, numbered on from `after`. An item that does not fit goes on in the next row. Throws `TooManySeats`
 * beyond what one request can name.
 */
export function packSeats(saleId: string, seats: SeatList, after = 0): SeatChunk[] {
  const chunks: { sku: string; seats: string[] }[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [sku, names] of seats) {
    for (const name of names) {
      bytes += name.length + overheadBytes;
      if (bytes > chunkBytesMax) {
        chunks.push([]);
        bytes = name.length + overheadBytes;
      }
      const chunk = chunks.at(-1) ?? [];
      const last = chunk.at(-1);
      if (last?.sku === sku) last.seats.push(name);
      else {
        chunk.push({ sku, seats: [name] });
        bytes += sku.length + overheadBytes;
      }
    }
  }
  if (chunks.length > chunksPerChangeMax)
    throw new TooManySeats(`${chunks.length} rows of seats, where ${chunksPerChangeMax} are the most`);
  return chunks.map((items, index) => ({ saleId, chunk: after + index + 1, items }));
}

/** The seats of all chunks, which come in their order. */
export function unpackSeats(chunks: readonly Pick<SeatChunk, 'items'>[]): SeatList {
  const bySku = new Map<string, string[]>();
  for (const { sku, seats } of chunks.flatMap(({ items }) => items)) {
    const known = bySku.get(sku) ?? [];
    for (const seat of seats) known.push(seat);
    bySku.set(sku, known);
  }
  return bySku;
}
