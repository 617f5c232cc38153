import * as z from 'zod';
import acknowledgeLua from '../../lua/stock/acknowledge.lua';
import addSeatsLua from '../../lua/stock/add-seats.lua';
import closedSinceLua from '../../lua/stock/closed-since.lua';
import confirmLua from '../../lua/stock/confirm.lua';
import followedLib from '../../lua/stock/lib/followed.lua';
import plainHoldLib from '../../lua/stock/lib/plain-hold.lua';
import poolLib from '../../lua/stock/lib/pool.lua';
import recordsLib from '../../lua/stock/lib/records.lua';
import seatMovesLib from '../../lua/stock/lib/seat-moves.lua';
import seatsLib from '../../lua/stock/lib/seats.lua';
import slotsLib from '../../lua/stock/lib/slots.lua';
import unitsLib from '../../lua/stock/lib/units.lua';
import mendAllowanceLua from '../../lua/stock/mend-allowance.lua';
import peekLua from '../../lua/stock/peek.lua';
import readLua from '../../lua/stock/read.lua';
import releaseLua from '../../lua/stock/release.lua';
import reserveLua from '../../lua/stock/reserve.lua';
import returnSuspectsLua from '../../lua/stock/return-suspects.lua';
import seatStatesLua from '../../lua/stock/seat-states.lua';
import suspectsLua from '../../lua/stock/suspects.lua';
import swapLua from '../../lua/stock/swap.lua';
import takeExpiredLua from '../../lua/stock/take-expired.lua';
import updateLua from '../../lua/stock/update.lua';
import { bare, defineScript, type Replies, whole } from '../shared/script.ts';
import { lines, moves, records, seldom, slots } from './script.pieces.ts';
import { parseHold } from './stock.records.ts';

// One typed wrapper per script of lua/stock: the header of each Lua file is its contract, this is the same in types.

const flag = whole.transform((value) => value === 1);
const seats = z.string().transform((text) => text.split(','));
const itemKinds = ['counted', 'seated'] as const;
const seatStatesOf = ['free', 'held', 'sold', 'unknown'] as const;
const soldOut = z.tuple([z.string(), whole]).transform(([sku, available]) => ({ sku, available }));
const buyerLimit = z.tuple([whole, whole]).transform(([limit, used]) => ({ limit, used }));

/** The first `size` elements, then the rest in groups of `groupSize`. */
const grouped = (size: number, groupSize: number) =>
  z.array(z.unknown()).transform((values) => ({
    head: values.slice(0, size),
    groups: Array.from({ length: Math.ceil((values.length - size) / groupSize) }, (_, index) =>
      values.slice(size + index * groupSize, size + (index + 1) * groupSize),
    ),
  }));

const dueHold = z.tuple([z.string(), z.string()]).transform(([holdId, record]) => parseHold(holdId, record));
const readSale = z.tuple([whole, z.enum(['open', 'paused', 'closed', 'cancelled']), whole, whole, whole, whole, whole, whole]);
const readItem = z
  .tuple([z.string(), z.enum(itemKinds), whole, whole, whole])
  .transform(([sku, kind, total, available, given]) => ({ sku, kind, total, available, given }));

export const reserve = defineScript({
  name: 'stock.reserve',
  lua: [
    plainHoldLib,
    recordsLib,
    seldom('seat_names', [seatsLib], ['named_seats', 'seat_owners', 'put_seats', 'can_own_seats']),
    seldom('allowance', [unitsLib, slotsLib], ['count_slots', 'grant_slots', 'lacks_slots']),
    seldom('returned_units', [unitsLib, poolLib], ['find_lowest', 'take_found', 'compact']),
    reserveLua,
  ],
  keys: ['sale', 'free', 'expiry', 'seats'],
  args: ['holdId', 'buyerId', 'payloadHash'],
  each: ['sku', 'wanted'],
  replies: {
    RESERVED: z
      .tuple([whole, whole, slots, lines, z.enum(['', 'H', 'A', 'C'])])
      .transform(([bornUs, expiresAtMs, slots, lines, state]) => ({ bornUs, expiresAtMs, slots, lines, state })),
    NOT_LOADED: bare,
    KEY_REUSED: bare,
    ENDED: bare,
    UNKNOWN_SKU: z.tuple([z.string()]).transform(([sku]) => ({ sku })),
    WRONG_KIND: z.tuple([z.string(), z.enum(itemKinds)]).transform(([sku, kind]) => ({ sku, kind })),
    UNKNOWN_SEAT: z.tuple([z.string(), z.string()]).transform(([sku, seat]) => ({ sku, seat })),
    NOT_OPEN: z.tuple([z.enum(['scheduled', 'closed']), flag]).transform(([state, behind]) => ({ state, behind })),
    PAUSED: bare,
    BUYER_LIMIT: z.tuple([whole, whole, flag]).transform(([limit, used, behind]) => ({ limit, used, behind })),
    SOLD_OUT: z.tuple([z.string(), whole, flag]).transform(([sku, available, behind]) => ({ sku, available, behind })),
    SEAT_TAKEN: z.tuple([z.string(), seats, flag]).transform(([sku, seats, behind]) => ({ sku, seats, behind })),
  } satisfies Replies,
});

export const peek = defineScript({
  name: 'stock.peek',
  lua: [...records, slotsLib, seatsLib, peekLua],
  keys: ['sale', 'seats'],
  args: ['buyerId'],
  each: ['sku', 'wanted'],
  replies: {
    AVAILABLE: z.tuple([whole, whole]).transform(([nowUs, expiresAtMs]) => ({ nowUs, expiresAtMs })),
    NOT_LOADED: bare,
    UNKNOWN_SKU: z.tuple([z.string()]).transform(([sku]) => ({ sku })),
    WRONG_KIND: z.tuple([z.string(), z.enum(itemKinds)]).transform(([sku, kind]) => ({ sku, kind })),
    UNKNOWN_SEAT: z.tuple([z.string(), z.string()]).transform(([sku, seat]) => ({ sku, seat })),
    NOT_OPEN: z.tuple([z.enum(['scheduled', 'closed'])]).transform(([state]) => ({ state })),
    PAUSED: bare,
    BUYER_LIMIT: buyerLimit,
    SOLD_OUT: soldOut,
    SEAT_TAKEN: z.tuple([z.string(), seats]).transform(([sku, seats]) => ({ sku, seats })),
  } satisfies Replies,
});

export const acknowledge = defineScript({
  name: 'stock.acknowledge',
  lua: [followedLib, ...records, ...moves, acknowledgeLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['holdId', 'buyerId', 'payloadHash', 'bornUs', 'expiresAtMs', 'slots', 'orderState'],
  each: ['sku', 'units'],
  replies: { ACKNOWLEDGED: bare, RELEASED: bare, ALREADY_ENDED: bare, NOT_LOADED: bare } satisfies Replies,
});

export const confirm = defineScript({
  name: 'stock.confirm',
  lua: [recordsLib, confirmLua],
  keys: ['sale'],
  args: ['holdId'],
  replies: {
    CONFIRMED: bare,
    ALREADY_CONFIRMED: bare,
    NOT_ACKNOWLEDGED: bare,
    ALREADY_ENDED: bare,
    UNKNOWN_HOLD: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const release = defineScript({
  name: 'stock.release',
  lua: [...records, ...moves, releaseLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['holdId', 'cause', 'bornUs'],
  replies: {
    RELEASED: z.tuple([lines]).transform(([lines]) => ({ lines })),
    ALREADY_ENDED: bare,
    ORDER_EXISTS: bare,
    UNKNOWN_HOLD: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const swap = defineScript({
  name: 'stock.swap',
  lua: [...records, poolLib, seatMovesLib, swapLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['holdId', 'bornUs'],
  each: ['sku', 'wanted', 'owned'],
  replies: {
    SWAPPED: z
      .tuple([whole, whole, slots, lines])
      .transform(([bornUs, expiresAtMs, slots, lines]) => ({ bornUs, expiresAtMs, slots, lines })),
    SOLD_OUT: soldOut,
    SEAT_TAKEN: z.tuple([z.string(), seats]).transform(([sku, seats]) => ({ sku, seats })),
    UNKNOWN_HOLD: bare,
    ORDER_EXISTS: bare,
    ALREADY_ENDED: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const takeExpired = defineScript({
  name: 'stock.take-expired',
  lua: [recordsLib, takeExpiredLua],
  keys: ['sale', 'expiry', 'undecided'],
  args: ['limit', 'retryMs'],
  replies: {
    DUE: grouped(2, 2)
      .pipe(z.object({ head: z.tuple([whole, whole]), groups: z.array(dueHold) }))
      .transform(({ head: [nowMs, more], groups: holds }) => ({ nowMs, more: more === 1, holds })),
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const suspects = defineScript({
  name: 'stock.suspects',
  lua: [...records, poolLib, seatMovesLib, suspectsLua],
  keys: ['sale', 'suspects'],
  args: ['limit', 'afterSku', 'afterUnit'],
  replies: { PAGE: z.tuple([lines]).transform(([lines]) => ({ lines })), NOT_LOADED: bare } satisfies Replies,
});

export const returnSuspects = defineScript({
  name: 'stock.return-suspects',
  lua: [...records, poolLib, seatMovesLib, returnSuspectsLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: [],
  each: ['sku', 'units'],
  replies: { RETURNED: z.tuple([whole]).transform(([count]) => ({ count })), NOT_LOADED: bare } satisfies Replies,
});

export const mendAllowance = defineScript({
  name: 'stock.mend-allowance',
  lua: [...records, slotsLib, mendAllowanceLua],
  keys: ['sale'],
  args: ['holdId', 'bornUs', 'usedSlots'],
  replies: {
    MENDED: z.tuple([slots]).transform(([slots]) => ({ slots })),
    BUYER_LIMIT: buyerLimit,
    UNKNOWN_HOLD: bare,
    ORDER_EXISTS: bare,
    ALREADY_ENDED: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const read = defineScript({
  name: 'stock.read',
  lua: [...records, readLua],
  keys: ['sale'],
  args: [],
  replies: {
    READ: grouped(8, 5)
      .pipe(z.object({ head: readSale, groups: z.array(readItem) }))
      .transform(({ head: [nowMs, control, opensAtMs, closesAtMs, limit, holdMs, version, epoch], groups: items }) => {
        return { nowMs, control, opensAtMs, closesAtMs, limit, holdMs, version, epoch, items };
      }),
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const update = defineScript({
  name: 'stock.update',
  lua: [...records, updateLua],
  keys: ['sale'],
  args: ['version', 'control', 'opensAtMs', 'closesAtMs', 'limit', 'holdMs'],
  each: ['sku', 'total'],
  replies: { UPDATED: bare, UP_TO_DATE: bare, NOT_LOADED: bare } satisfies Replies,
});

export const closedSince = defineScript({
  name: 'stock.closed-since',
  lua: [recordsLib, closedSinceLua],
  keys: ['sale'],
  args: [],
  replies: { CLOSED: z.tuple([whole]).transform(([sinceMs]) => ({ sinceMs })), SELLING: bare, NOT_LOADED: bare } satisfies Replies,
});

export const addSeats = defineScript({
  name: 'stock.add-seats',
  lua: [...records, addSeatsLua],
  keys: ['sale', 'seats'],
  args: ['sku', 'seats'],
  replies: { ADDED: z.tuple([whole]).transform(([count]) => ({ count })), NOT_LOADED: bare } satisfies Replies,
});

export const seatStates = defineScript({
  name: 'stock.seat-states',
  lua: [recordsLib, seatsLib, seatStatesLua],
  keys: ['sale', 'seats'],
  args: ['sku', 'seats'],
  replies: {
    STATES: z.array(z.enum(seatStatesOf)).transform((states) => ({ states })),
    NOT_LOADED: bare,
  } satisfies Replies,
});
