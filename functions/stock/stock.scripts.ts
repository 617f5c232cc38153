import { clusterIsKnown, type RedisClient } from '../shared/redis.ts';
import { runTwiceAtMost } from '../shared/script.ts';
import { cartScripts } from './cart.scripts.ts';
import { soldOutGlance } from './glance.ts';
import { loadScripts, pagesOf } from './load.scripts.ts';
import { type SaleToLoad, saleArgs } from './sale-copy.ts';
import { saleStock } from './sale-stock.ts';
import * as scripts from './stock.definitions.ts';
import { stockKeys } from './stock.keys.ts';
import type { Hold, HoldState, LineUnits, SeatPlace, SeatState, StockLine, UnitRange } from './stock.model.ts';
import type { OrderStanding } from './stock.ports.ts';
import { formatLine, formatSeats, formatSlots, parseHold, parseRange, parseSeat, parseSuspectSeat } from './stock.records.ts';

export type { SaleToLoad } from './sale-copy.ts';
export { stockKeys } from './stock.keys.ts';

export interface ReserveRequest {
  readonly saleId: string;
  readonly holdId: string;
  readonly buyerId: string;
  readonly payloadHash: string;
  /** Merged: each item once, together 1 to 20 units. */
  readonly lines: readonly StockLine[];
}

/** Which hold, and of which birth. */
export type HoldRef = Pick<Hold, 'holdId' | 'bornUs'>;

const pageSize = 500;
/** More than the largest sale that the contract allows can have: 50 items of a million units each. */
const pagesMax = 200_000;
/** Seats in one call of a script. */
const seatsPerCall = 1_000;

/** Redis holds more of a sale than a sale can have. */
export class StockTooLarge extends Error {
  override readonly name = 'StockTooLarge';
}
/** Calls of `takeExpired` that find nothing to answer with, in a row: some 200,000 entries. */
const callsMax = 100;

/**
 * The stock of sales in Redis, as one object. Each verb is one Lua script, atomic and safe to repeat; refusals are outcomes, never errors.
 * They may all answer `NOT_LOADED`: Redis does not have the sale, and says nothing about its stock. All throw what `defineScript` says.
 *
 * Where a sale has several shards (see docs/shards.md), the verbs that take a sale, or an id and the number of shards, are about all of it. The others take
 * the id of one of its stocks.
 */
export function stockScripts(redis: RedisClient) {
  const one = oneStock(redis);
  return { ...one, ...saleStock(one, redis) };
}

/** The verbs on one stock. */
export function oneStock(redis: RedisClient) {
  const glance = soldOutGlance(redis);
  return {
    ...loadScripts(redis),
    ...cartScripts(redis),

    /**
     * Brings a newer copy of a sale that is loaded; a copy that is not newer is `UP_TO_DATE`. Totals of counted items only grow; seats come by
     * `addSeats`. `NOT_LOADED` notes the version, so that no load from an older copy is published.
     */
    update: (sale: SaleToLoad) =>
      scripts.update(redis, {
        keys: stockKeys(sale.saleId),
        args: saleArgs(sale),
        each: sale.items.map(({ sku, total }) => ({ sku, total })),
      }),

    /** Since when Redis has a sale closed that was called off. Another moment than before: it may have forgotten that, and sold meanwhile. */
    closedSince: (saleId: string) => scripts.closedSince(redis, { keys: stockKeys(saleId), args: {} }),

    /** Puts seats on sale, any number, each once. Those that are there already stay as they are; `count` are the others. */
    async addSeats(saleId: string, sku: string, seats: readonly string[]) {
      let count = 0;
      for (const page of pagesOf(seats, seatsPerCall)) {
        const added = await scripts.addSeats(redis, { keys: stockKeys(saleId), args: { sku, seats: page.join(',') } });
        if (added.outcome === 'NOT_LOADED') return added;
        count += added.count;
      }
      return { outcome: 'ADDED' as const, count };
    },

    /** What buyers see of these seats, in their order. One page of up to 1,000 is of one moment. */
    async seatStates(saleId: string, sku: string, seats: readonly string[]) {
      const states: SeatState[] = [];
      for (const page of pagesOf(seats, seatsPerCall)) {
        const read = await scripts.seatStates(redis, { keys: stockKeys(saleId), args: { sku, seats: page.join(',') } });
        if (read.outcome === 'NOT_LOADED') return read;
        states.push(...read.states);
      }
      return { outcome: 'STATES' as const, states };
    },

    /**
     * Holds units, all lines or none. `replayed`: this hold was there already, and `hold` is what it has now, which may be fewer units than asked
     * for after a swap that was refused. `hasOrder`: an order has acknowledged it. `behind` in a refusal: Redis has been caught not knowing an order
     * that DynamoDB had, so it may have forgotten the caller's too. `SEAT_TAKEN` names the seats of the line that others have.
     */
    async reserve(request: ReserveRequest) {
      const { refused, terms } = await glance.look(request);
      if (refused) return refused;
      const { saleId, holdId, buyerId, payloadHash, lines } = request;
      const reply = await scripts.reserve(redis, {
        keys: stockKeys(saleId),
        args: { holdId, buyerId, payloadHash },
        each: lines.map(wantedOf),
      });
      if (reply.outcome === 'SOLD_OUT') glance.note(request, terms);
      if (reply.outcome !== 'RESERVED') return reply;
      const { outcome, state, ...found } = reply;
      if (state === '') glance.forget(request);
      const hold: Hold = { holdId, buyerId, payloadHash, ...found };
      return { outcome, hold, replayed: state !== '', hasOrder: state === 'A' || state === 'C' };
    },

    /**
     * Whether a buyer could hold these lines at this moment, in the words of `reserve`; nothing is held. `AVAILABLE` with Redis' time, and when a hold
     * made now would end.
     */
    peek: ({ saleId, buyerId, lines }: Pick<ReserveRequest, 'saleId' | 'buyerId' | 'lines'>) =>
      scripts.peek(redis, { keys: stockKeys(saleId), args: { buyerId }, each: lines.map(wantedOf) }),

    /**
     * Brings a hold in line with its order: for a live one exactly the order's units and slots, for an ended one none. For a retired one the hold
     * ends, also one that is not there; the order's units are out of sale from then on, and its slots stay used, however often that is said.
     */
    acknowledge: async (saleId: string, hold: Hold, orderState: OrderStanding) =>
      scripts.acknowledge(redis, {
        keys: stockKeys(saleId),
        args: { ...hold, slots: formatSlots(hold.slots), orderState },
        each: hold.lines.map(unitsArgument),
      }),

    /** Marks an acknowledged hold as confirmed. One that was never compared with its order is `NOT_ACKNOWLEDGED`, and as it was. */
    confirm: (saleId: string, holdId: string) => scripts.confirm(redis, { keys: stockKeys(saleId), args: { holdId } }),

    /** Gives a hold back, once. `order`: its order has ended. `tombstone`: there will be none for a hold of this birth or an earlier one. */
    release: (saleId: string, { holdId, bornUs, cause }: HoldRef & { readonly cause: 'order' | 'tombstone' }) =>
      scripts.release(redis, { keys: stockKeys(saleId), args: { holdId, bornUs, cause } }),

    /**
     * Exchanges units that other orders own (at most 2,000 named) for others, up to the quantities of `lines`. Naming any marks Redis as `behind`.
     * A seat can't be exchanged: the hold loses those that others own, `SEAT_TAKEN` names them, and the caller ends the hold.
     */
    swap: (
      saleId: string,
      { holdId, bornUs, lines, owned }: HoldRef & { readonly lines: readonly StockLine[]; readonly owned: readonly LineUnits[] },
    ) =>
      scripts.swap(redis, {
        keys: stockKeys(saleId),
        args: { holdId, bornUs },
        each: lines.map((line) => ({ ...wantedOf(line), owned: ownedOf(owned, line) })),
      }),

    /**
     * Holds without an order whose time is up, at most `limit` (1,000); they come again after `retryMs` unless they end. None means that none is due,
     * unless `more` says that the search stopped at its bound.
     */
    async takeExpired(saleId: string, bounds: { readonly limit: number; readonly retryMs: number }) {
      // Entries that were only to be dropped are no answer to "which holds are due?".
      for (let call = 1; ; call++) {
        const taken = await scripts.takeExpired(redis, { keys: stockKeys(saleId), args: bounds });
        if (taken.outcome === 'NOT_LOADED' || taken.holds.length > 0 || !taken.more || call === callsMax) return taken;
      }
    },

    /** A page of the units under suspicion, at most `limit` (1,000), in order, beginning after `after`, a unit of a page before. */
    suspects: (
      saleId: string,
      { limit, after }: { readonly limit: number; readonly after?: { readonly sku: string; readonly unit: string } },
    ) => scripts.suspects(redis, { keys: stockKeys(saleId), args: { limit, afterSku: after?.sku ?? '', afterUnit: after?.unit ?? '' } }),

    /** Puts those of these units (at most 1,000) that are still under suspicion back on sale, and counts them. They had no row a moment ago. */
    returnSuspects: (saleId: string, lines: readonly LineUnits[]) =>
      scripts.returnSuspects(redis, {
        keys: stockKeys(saleId),
        args: {},
        each: lines.map(unitsArgument),
      }),

    /** Teaches Redis the slots that the buyer's other orders use, and gives the hold others where they collide. Marks Redis as `behind`. */
    mendAllowance: async (saleId: string, { holdId, bornUs, usedSlots }: HoldRef & { readonly usedSlots: readonly number[] }) =>
      scripts.mendAllowance(redis, { keys: stockKeys(saleId), args: { holdId, bornUs, usedSlots: formatSlots(usedSlots) } }),

    read: (saleId: string) => scripts.read(redis, { keys: stockKeys(saleId), args: {} }),

    /**
     * Redis' clock, which alone decides about holds. In a cluster some node's: `takeExpired` and `read` give that of the sale's own. Asked once more
     * when the connection breaks; throws `ScriptUnanswered`.
     */
    async nowMs(): Promise<number> {
      const [seconds, microseconds] = await runTwiceAtMost('stock.now', async () => {
        if (redis.isCluster) await clusterIsKnown(redis);
        return redis.time();
      });
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },

    /** Every hold, ended ones and carts included, each once. Those made or ended meanwhile may or may not be among them. */
    holds: (saleId: string) => holdsOf(redis, stockKeys(saleId).sale),
    /** The units that were given out and came back. */
    freeRanges: (saleId: string) => rangesOf(redis, stockKeys(saleId).free),
    suspectRanges: (saleId: string) => rangesOf(redis, stockKeys(saleId).suspects),
    /** Every seat that Redis knows, each once, with who has it. Those that move meanwhile are shown before or after. */
    seats: (saleId: string) => seatsOf(redis, stockKeys(saleId).seats),
  };
}

export type Stock = ReturnType<typeof stockScripts>;

const unitsArgument = ({ sku, ...line }: LineUnits) => ({ sku, units: formatLine(line) });
const wantedOf = ({ sku, quantity, seats }: StockLine) => ({ sku, wanted: seats ? formatSeats(seats) : quantity });

/** What others own of this line's item; nothing is `''`, of seats too. */
function ownedOf(owned: readonly LineUnits[], { sku, seats }: StockLine): string {
  const units = owned.filter((line) => line.sku === sku).flatMap((line) => line.units);
  if (units.length === 0) return '';
  return formatLine(seats ? { units: [...new Set(units)], seated: true } : { units });
}

async function* holdsOf(redis: RedisClient, key: string): AsyncGenerator<Hold & { readonly state: HoldState }> {
  for await (const [field, record] of fieldsOf(redis, key, 'h:*')) yield parseHold(field.slice(2), record);
}

async function* seatsOf(redis: RedisClient, key: string): AsyncGenerator<SeatPlace> {
  for await (const [field, owner] of fieldsOf(redis, key, '*')) yield parseSeat(field, owner);
}

/** Every field of a hash that matches, each once: a scan may name one twice while the hash is being resized. */
async function* fieldsOf(redis: RedisClient, key: string, pattern: string): AsyncGenerator<readonly [field: string, value: string]> {
  const seen = new Set<string>();
  let cursor = '0';
  for (let page = 0; page < pagesMax; page++) {
    const [next, found] = await redis.hscan(key, cursor, 'MATCH', pattern, 'COUNT', pageSize);
    for (let index = 0; index + 1 < found.length; index += 2) {
      const field = found[index] ?? '';
      if (seen.has(field)) continue;
      seen.add(field);
      yield [field, found[index + 1] ?? ''];
    }
    cursor = next;
    if (cursor === '0') return;
  }
  throw new StockTooLarge(`${key} has more than ${pagesMax} pages of ${pattern}`);
}

async function* rangesOf(redis: RedisClient, key: string): AsyncGenerator<UnitRange> {
  let after = '-';
  for (let page = 0; page < pagesMax; page++) {
    const members = await redis.zrangebylex(key, after, '+', 'LIMIT', 0, pageSize);
    // Seats stand among the suspects too; `seats` shows those.
    yield* members.filter((member) => !parseSuspectSeat(member)).map(parseRange);
    if (members.length < pageSize) return;
    after = `(${members.at(-1)}`;
  }
  throw new StockTooLarge(`${key} has more than ${pagesMax} pages of ranges`);
}
