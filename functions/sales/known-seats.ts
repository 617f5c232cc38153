import type { Sale, SeatList } from './sale.model.ts';

type SaleWithSeats = Pick<Sale, 'saleId' | 'seatChunks'>;

interface Known {
  readonly chunks: number;
  readonly seats: SeatList;
  readonly count: number;
  names?: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Names that a container remembers, over all sales. */
const namesMax = 1_000_000;

/**
 * Seats as a container remembers them: a sale's rows are never changed, so only rows that a copy of the sale has and memory has not are a
 * reason to read. What is remembered may be newer than the copy that is asked with, never older.
 */
export function knownSeats(read: (sale: SaleWithSeats) => Promise<SeatList>) {
  const known = new Map<string, Known>();

  async function of(sale: SaleWithSeats): Promise<Known> {
    const { saleId, seatChunks = 0 } = sale;
    const before = known.get(saleId);
    if (before && before.chunks >= seatChunks) return before;
    const seats = await read(sale);
    const fresh: Known = { chunks: seatChunks, seats, count: [...seats.values()].reduce((sum, names) => sum + names.length, 0) };
    known.delete(saleId);
    known.set(saleId, fresh);
    let names = [...known.values()].reduce((sum, { count }) => sum + count, 0);
    // The oldest goes first, and the one that was asked for stays whatever its size.
    for (const [oldest, { count }] of known) {
      if (names <= namesMax || oldest === saleId) break;
      known.delete(oldest);
      names -= count;
    }
    return fresh;
  }

  return {
    /** By item, in the order in which they were put on sale. */
    list: async (sale: SaleWithSeats): Promise<SeatList> => (await of(sale)).seats,

    /** By item, to ask whether a seat is for sale. */
    async names(sale: SaleWithSeats): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
      const found = await of(sale);
      found.names ??= new Map([...found.seats].map(([sku, names]) => [sku, new Set(names)]));
      return found.names;
    },
  };
}

export type KnownSeats = ReturnType<typeof knownSeats>;
