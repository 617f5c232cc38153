import type { RedisClient } from '../shared/redis.ts';
import * as scripts from './mend.definitions.ts';
import { type SaleToLoad, saleArgs } from './sale-copy.ts';
import { stockKeys } from './stock.keys.ts';
import type { Hold, HoldState, LineUnits } from './stock.model.ts';
import type { OrderStanding } from './stock.ports.ts';
import {
  formatLine,
  formatSlots,
  formatUnits,
  type ItemCounters,
  parseHold,
  parseItem,
  parseRange,
  parseSlots,
  parseSuspectSeat,
} from './stock.records.ts';

/** Which load of which sale was looked at: a repair of another one is refused. */
export interface LoadRef {
  readonly saleId: string;
  readonly epoch: number;
}

/** Where a unit is by Redis: a counted one free, never given out (`ahead`), under suspicion or elsewhere; of a seat what its field has. */
export type UnitPlace = 'free' | 'ahead' | 'suspect' | 'elsewhere' | 'unknown' | { readonly owner: string };

/** What Redis has of an order, at one moment. */
export interface OrderSeen {
  readonly hold: (Hold & { readonly state: HoldState }) | undefined;
  /** All slots that the buyer uses. */
  readonly slots: readonly number[];
  /** By line of the order, its units in order. */
  readonly places: readonly { readonly line: LineUnits; readonly places: readonly UnitPlace[] }[];
}

/** What was counted of an item: its seats, which of a counted item are none, and what of it is free. */
export interface Counted {
  readonly total: number;
  readonly free: number;
}

/** Units of a counted item, or slots of a buyer, that nobody seems to have. */
export type Loose =
  | { readonly sku: string; readonly serials: readonly number[] }
  | { readonly buyerId: string; readonly slots: readonly number[] };

const stateLetters: Readonly<Record<HoldState, string>> = { held: 'H', acknowledged: 'A', confirmed: 'C', ended: 'E', cart: 'K' };
const subjectOf = (loose: Loose) =>
  'sku' in loose
    ? { subject: `u${loose.sku}`, what: formatUnits(loose.serials.map(String)) }
    : { subject: `b${loose.buyerId}`, what: formatSlots(loose.slots) };
const unitsArgument = ({ sku, ...line }: LineUnits) => ({ sku, units: formatLine(line) });

const pageSize = 500;
const pagesMax = 200_000;

/** A list or a hash of a sale is longer than a sale can make it. */
export class TooMuchToRead extends Error {
  override readonly name = 'TooMuchToRead';
}

/**
 * Looking closely at a sale in Redis, and putting single things right. Each repair is one script that checks again what the comparison saw, and the epoch of
 * the load; `CHANGED` says that it is not so any more, and nothing was done. Each may be repeated.
 */
export function mendScripts(redis: RedisClient) {
  const keys = ({ saleId }: LoadRef) => stockKeys(saleId);

  return {
    /** The hold with the id that is given, the buyer's slots, and where these units are. */
    async look(load: LoadRef, { holdId, buyerId, lines }: Pick<Hold, 'holdId' | 'buyerId' | 'lines'>) {
      const seen = await scripts.look(redis, {
        keys: keys(load),
        args: { epoch: load.epoch, holdId, buyerId },
        each: lines.map(unitsArgument),
      });
      if (seen.outcome !== 'SEEN') return seen;
      const hold = seen.record === '' ? undefined : parseHold(holdId, seen.record);
      const places = lines.map((line, index) => ({ line, places: placesOf(line, seen.places[index] ?? '') }));
      return { outcome: 'SEEN' as const, order: { hold, slots: seen.slots, places } satisfies OrderSeen };
    },

    /** What `acknowledge` does: Redis follows the order. */
    follow: (load: LoadRef, hold: Hold, orderState: OrderStanding) => {
      const { holdId, buyerId, payloadHash, bornUs, expiresAtMs, slots } = hold;
      return scripts.follow(redis, {
        keys: keys(load),
        args: { epoch: load.epoch, holdId, buyerId, payloadHash, bornUs, expiresAtMs, slots: formatSlots(slots), orderState },
        each: hold.lines.map(unitsArgument),
      });
    },

    /** The units of an order's hold are for sale no more, wherever they were so as well. */
    keep: (load: LoadRef, { holdId, lines }: Pick<Hold, 'holdId' | 'lines'>) =>
      scripts.keep(redis, { keys: keys(load), args: { epoch: load.epoch, holdId }, each: lines.map(unitsArgument) }),

    /** Ends a hold of this birth whose order has ended. `others`: its units, and slots, that other orders have by their rows. */
    end: (
      load: LoadRef,
      { holdId, bornUs }: Pick<Hold, 'holdId' | 'bornUs'>,
      others: { readonly lines: readonly LineUnits[]; readonly slots: readonly number[] },
    ) =>
      scripts.end(redis, {
        keys: keys(load),
        args: { epoch: load.epoch, holdId, bornUs, slots: formatSlots(others.slots) },
        each: others.lines.filter(({ seated }) => !seated).map(unitsArgument),
      }),

    /** Leaves the mark of an ended order where there is no hold of it. */
    mark: (load: LoadRef, { holdId, buyerId, payloadHash, bornUs, expiresAtMs }: Hold) =>
      scripts.mark(redis, { keys: keys(load), args: { epoch: load.epoch, holdId, buyerId, payloadHash, bornUs, expiresAtMs } }),

    /** Puts a hold whose time is up in front of the sweeper, if nothing leads to it. */
    listExpired: (load: LoadRef, { holdId, bornUs, state }: Pick<Hold, 'holdId' | 'bornUs'> & { readonly state: HoldState }) =>
      scripts.expiry(redis, { keys: keys(load), args: { epoch: load.epoch, holdId, bornUs, state: stateLetters[state] } }),

    /** Begins to watch what nobody seems to have: at most 100 subjects, of each item at most 5,000 serials. */
    watch: (load: LoadRef, token: string, loose: readonly Loose[]) =>
      scripts.watch(redis, { keys: keys(load), args: { epoch: load.epoch, token }, each: loose.map(subjectOf) }),

    /** Frees what is still on the watch of this token, and counts it. */
    free: (load: LoadRef, token: string, loose: readonly Loose[]) =>
      scripts.free(redis, { keys: keys(load), args: { epoch: load.epoch, token }, each: loose.map(subjectOf) }),

    /** Ends the watch of this token, and tells which units of these items are still on it: those that nobody moved since it began. */
    unwatch: (load: LoadRef, token: string, skus: readonly string[]) =>
      scripts.unwatch(redis, { keys: keys(load), args: { epoch: load.epoch, token }, each: skus.map((sku) => ({ sku })) }),

    /** Puts a seat right whose field still has this owner, who does not have it. */
    seat: (load: LoadRef, place: { readonly sku: string; readonly seat: string; readonly owner: string }) =>
      scripts.seat(redis, { keys: keys(load), args: { epoch: load.epoch, ...place } }),

    /** Begins to count an item: from here on it is known whether anything of it moves. */
    beginCount: (load: LoadRef, sku: string, token: string) =>
      scripts.beginCount(redis, { keys: keys(load), args: { epoch: load.epoch, sku, token } }),

    /** What an item has, page by page: of one that moves meanwhile it is of no moment. `total` counts seats. */
    async count({ saleId }: LoadRef, { sku, seated }: Pick<ItemCounters, 'sku' | 'seated'>): Promise<Counted> {
      const { seats, free } = stockKeys(saleId);
      return seated ? countSeats(redis, seats, sku) : { total: 0, free: await countPool(redis, free, sku) };
    },

    /** Puts an item's counters right by what was counted since `beginCount` with this token. `CHANGED`: something of it has moved. */
    endCount: (load: LoadRef, { sku, token, total, free }: { readonly sku: string; readonly token: string } & Counted) =>
      scripts.endCount(redis, { keys: keys(load), args: { epoch: load.epoch, sku, token, total, free } }),

    /** `set` puts the mark `behind`, `begin` gives a mark that is there a token, and `end` takes off the one with the token. */
    behind: (load: LoadRef, verb: 'set' | 'begin' | 'end', token: string) =>
      scripts.behind(redis, { keys: keys(load), args: { epoch: load.epoch, verb, token } }),

    /** Puts a sale's fields right that differ from the copy of its version. */
    saleFields: (load: LoadRef, sale: SaleToLoad) =>
      scripts.saleFields(redis, {
        keys: keys(load),
        args: { epoch: load.epoch, ...saleArgs(sale) },
        each: sale.items.map(({ sku, total }) => ({ sku, total })),
      }),

    /** Whether Redis may have forgotten orders, as far as it knows itself. */
    isBehind: async (saleId: string) => (await redis.hexists(stockKeys(saleId).sale, 'behind')) === 1,

    async counters(saleId: string, skus: readonly string[]): Promise<ItemCounters[]> {
      if (skus.length === 0) return [];
      const found = await redis.hmget(stockKeys(saleId).sale, ...skus.map((sku) => `i:${sku}`));
      return skus.flatMap((sku, index) => {
        const record = found[index];
        return record ? [parseItem(sku, record)] : [];
      });
    },

    /** The slots of every buyer who uses any. Those that change meanwhile are shown before or after. */
    async *allowances(saleId: string): AsyncGenerator<{ readonly buyerId: string; readonly slots: readonly number[] }> {
      let cursor = '0';
      for (let page = 0; page < pagesMax; page++) {
        const [next, found] = await redis.hscan(stockKeys(saleId).sale, cursor, 'MATCH', 'b:*', 'COUNT', pageSize);
        for (let index = 0; index + 1 < found.length; index += 2) {
          yield { buyerId: (found[index] ?? '').slice(2), slots: parseSlots(Number(found[index + 1])) };
        }
        cursor = next;
        if (cursor === '0') return;
      }
      throw new TooMuchToRead(`the allowances of ${saleId}`);
    },

    /** The seats that are listed as being under suspicion. */
    async *suspectSeats(saleId: string): AsyncGenerator<{ readonly sku: string; readonly seat: string }> {
      let after = '-';
      for (let page = 0; page < pagesMax; page++) {
        const members = await redis.zrangebylex(stockKeys(saleId).suspects, after, '+', 'LIMIT', 0, pageSize);
        for (const member of members) {
          const found = parseSuspectSeat(member);
          if (found) yield found;
        }
        if (members.length < pageSize) return;
        after = `(${members.at(-1)}`;
      }
      throw new TooMuchToRead(`the suspects of ${saleId}`);
    },

    /** The holds that the lists of expiry lead to. Entries move while they are read, so one may be missed. */
    async *listed(saleId: string): AsyncGenerator<string> {
      const { expiry, undecided } = stockKeys(saleId);
      for (const list of [expiry, undecided]) {
        for (let page = 0; ; page++) {
          if (page === pagesMax) throw new TooMuchToRead(list);
          const entries = await redis.lrange(list, page * pageSize, (page + 1) * pageSize - 1);
          for (const entry of entries) yield entry.split('|', 1)[0] ?? '';
          if (entries.length < pageSize) break;
        }
      }
    },
  };
}

export type MendStock = ReturnType<typeof mendScripts>;

async function countSeats(redis: RedisClient, key: string, sku: string): Promise<Counted> {
  // A scan may name a field twice while the hash is being resized.
  const seen = new Set<string>();
  let free = 0;
  let cursor = '0';
  for (let page = 0; page < pagesMax; page++) {
    const [next, found] = await redis.hscan(key, cursor, 'MATCH', `${sku}|*`, 'COUNT', pageSize);
    for (let index = 0; index + 1 < found.length; index += 2) {
      const field = found[index] ?? '';
      if (!seen.has(field) && found[index + 1] === '') free++;
      seen.add(field);
    }
    cursor = next;
    if (cursor === '0') return { total: seen.size, free };
  }
  throw new TooMuchToRead(`the seats of ${sku}`);
}

async function countPool(redis: RedisClient, key: string, sku: string): Promise<number> {
  let free = 0;
  let after = `[${sku}|`;
  for (let page = 0; page < pagesMax; page++) {
    const members = await redis.zrangebylex(key, after, `(${sku}}`, 'LIMIT', 0, pageSize);
    for (const { first, last } of members.map(parseRange)) free += last - first + 1;
    if (members.length < pageSize) return free;
    after = `(${members.at(-1)}`;
  }
  throw new TooMuchToRead(`the free units of ${sku}`);
}

const letters: Readonly<Record<string, UnitPlace>> = { f: 'free', a: 'ahead', s: 'suspect', '-': 'elsewhere' };

function placesOf({ units, seated }: LineUnits, text: string): UnitPlace[] {
  if (seated) return text.split(',').map((owner): UnitPlace => (owner === '!' ? 'unknown' : { owner }));
  // The script answers in the order in which it was asked, and serials are sent in ascending order.
  const bySerial = new Map(
    [...new Set(units.map(Number))].sort((a, b) => a - b).map((serial, index) => [serial, letters[text[index] ?? '']]),
  );
  return units.map((unit) => bySerial.get(Number(unit)) ?? 'elsewhere');
}
