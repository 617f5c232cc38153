import * as z from 'zod';
import acknowledgeLua from '../../lua/stock/acknowledge.lua';
import fenceLib from '../../lua/stock/lib/fence.lua';
import followedLib from '../../lua/stock/lib/followed.lua';
import poolLib from '../../lua/stock/lib/pool.lua';
import seatMovesLib from '../../lua/stock/lib/seat-moves.lua';
import slotsLib from '../../lua/stock/lib/slots.lua';
import mendBehindLua from '../../lua/stock/mend-behind.lua';
import mendCountLua from '../../lua/stock/mend-count.lua';
import mendCountBeginLua from '../../lua/stock/mend-count-begin.lua';
import mendEndLua from '../../lua/stock/mend-end.lua';
import mendExpiryLua from '../../lua/stock/mend-expiry.lua';
import mendFreeLua from '../../lua/stock/mend-free.lua';
import mendKeepLua from '../../lua/stock/mend-keep.lua';
import mendLookLua from '../../lua/stock/mend-look.lua';
import mendMarkLua from '../../lua/stock/mend-mark.lua';
import mendSaleLua from '../../lua/stock/mend-sale.lua';
import mendSeatLua from '../../lua/stock/mend-seat.lua';
import mendUnwatchLua from '../../lua/stock/mend-unwatch.lua';
import mendWatchLua from '../../lua/stock/mend-watch.lua';
import { bare, defineScript, type Replies, whole } from '../shared/script.ts';
import { lines, moves, records, slots } from './script.pieces.ts';

// The scripts of a reconciliation: each puts one thing right, if it still is what the comparison saw. Each begins with the fence, which takes the epoch.

const fenced = { NOT_LOADED: bare, STALE_EPOCH: bare, CHANGED: bare } satisfies Replies;
/** The fence of a script with so many keys: it looks at the first before the script itself has counted them. */
const fence = (keys: number): string => `local FENCED_KEYS = ${keys}\n${fenceLib}`;
const count = z.tuple([whole]).transform(([count]) => ({ count }));

export const look = defineScript({
  name: 'stock.mend-look',
  lua: [...records, poolLib, fence(4), mendLookLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['epoch', 'holdId', 'buyerId'],
  each: ['sku', 'units'],
  replies: {
    SEEN: z
      .tuple([z.string(), slots])
      .rest(z.string())
      .transform(([record, slots, ...places]) => ({ record, slots, places })),
    NOT_LOADED: bare,
    STALE_EPOCH: bare,
  } satisfies Replies,
});

/** `acknowledge`, behind the fence. */
export const follow = defineScript({
  name: 'stock.mend-follow',
  lua: [...records, ...moves, fence(4), followedLib, acknowledgeLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['epoch', 'holdId', 'buyerId', 'payloadHash', 'bornUs', 'expiresAtMs', 'slots', 'orderState'],
  each: ['sku', 'units'],
  replies: { ACKNOWLEDGED: bare, RELEASED: bare, ALREADY_ENDED: bare, NOT_LOADED: bare, STALE_EPOCH: bare } satisfies Replies,
});

export const keep = defineScript({
  name: 'stock.mend-keep',
  lua: [...records, ...moves, fence(4), mendKeepLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['epoch', 'holdId'],
  each: ['sku', 'units'],
  replies: { KEPT: count, ...fenced } satisfies Replies,
});

export const end = defineScript({
  name: 'stock.mend-end',
  lua: [...records, ...moves, fence(4), mendEndLua],
  keys: ['sale', 'free', 'suspects', 'seats'],
  args: ['epoch', 'holdId', 'bornUs', 'slots'],
  each: ['sku', 'units'],
  replies: { ENDED: count, ...fenced } satisfies Replies,
});

export const mark = defineScript({
  name: 'stock.mend-mark',
  lua: [...records, fence(1), mendMarkLua],
  keys: ['sale'],
  args: ['epoch', 'holdId', 'buyerId', 'payloadHash', 'bornUs', 'expiresAtMs'],
  replies: { MARKED: bare, ...fenced } satisfies Replies,
});

export const expiry = defineScript({
  name: 'stock.mend-expiry',
  lua: [...records, fence(3), mendExpiryLua],
  keys: ['sale', 'expiry', 'undecided'],
  args: ['epoch', 'holdId', 'bornUs', 'state'],
  replies: { LISTED: bare, ...fenced } satisfies Replies,
});

export const watch = defineScript({
  name: 'stock.mend-watch',
  lua: [...records, poolLib, fence(3), mendWatchLua],
  keys: ['sale', 'free', 'suspects'],
  args: ['epoch', 'token'],
  each: ['subject', 'what'],
  replies: { WATCHED: bare, NOT_LOADED: bare, STALE_EPOCH: bare } satisfies Replies,
});

export const unwatch = defineScript({
  name: 'stock.mend-unwatch',
  lua: [...records, fence(1), mendUnwatchLua],
  keys: ['sale'],
  args: ['epoch', 'token'],
  each: ['sku'],
  replies: { LEFT: z.tuple([lines]).transform(([lines]) => ({ lines })), NOT_LOADED: bare, STALE_EPOCH: bare } satisfies Replies,
});

export const free = defineScript({
  name: 'stock.mend-free',
  lua: [...records, slotsLib, ...moves, fence(3), mendFreeLua],
  keys: ['sale', 'free', 'suspects'],
  args: ['epoch', 'token'],
  each: ['subject', 'what'],
  replies: {
    FREED: z.tuple([whole, whole]).transform(([units, slots]) => ({ units, slots })),
    NOT_LOADED: bare,
    STALE_EPOCH: bare,
  } satisfies Replies,
});

export const seat = defineScript({
  name: 'stock.mend-seat',
  lua: [...records, seatMovesLib, fence(3), mendSeatLua],
  keys: ['sale', 'suspects', 'seats'],
  args: ['epoch', 'sku', 'seat', 'owner'],
  replies: { FREED: bare, LISTED: bare, ...fenced } satisfies Replies,
});

export const beginCount = defineScript({
  name: 'stock.mend-count-begin',
  lua: [...records, fence(1), mendCountBeginLua],
  keys: ['sale'],
  args: ['epoch', 'sku', 'token'],
  replies: {
    COUNTING: z
      .tuple([z.enum(['counted', 'seated']), whole, whole])
      .transform(([kind, total, free]) => ({ seated: kind === 'seated', total, free })),
    NOT_LOADED: bare,
    STALE_EPOCH: bare,
  } satisfies Replies,
});

export const endCount = defineScript({
  name: 'stock.mend-count',
  lua: [...records, fence(1), mendCountLua],
  keys: ['sale'],
  args: ['epoch', 'sku', 'token', 'total', 'free'],
  replies: { COUNTED: z.tuple([whole, whole]).transform(([before, after]) => ({ before, after })), ...fenced } satisfies Replies,
});

export const behind = defineScript({
  name: 'stock.mend-behind',
  lua: [...records, fence(1), mendBehindLua],
  keys: ['sale'],
  args: ['epoch', 'verb', 'token'],
  replies: { DONE: bare, ...fenced } satisfies Replies,
});

export const saleFields = defineScript({
  name: 'stock.mend-sale',
  lua: [...records, fence(1), mendSaleLua],
  keys: ['sale'],
  args: ['epoch', 'version', 'control', 'opensAtMs', 'closesAtMs', 'limit', 'holdMs'],
  each: ['sku', 'total'],
  replies: { MENDED: bare, ...fenced } satisfies Replies,
});
