import holdsLib from '../../lua/stock/lib/holds.lua';
import loadsLib from '../../lua/stock/lib/loads.lua';
import poolLib from '../../lua/stock/lib/pool.lua';
import recordsLib from '../../lua/stock/lib/records.lua';
import seatsLib from '../../lua/stock/lib/seats.lua';
import unitsLib from '../../lua/stock/lib/units.lua';
import loadBeginLua from '../../lua/stock/load-begin.lua';
import loadFreeLua from '../../lua/stock/load-free.lua';
import loadPublishLua from '../../lua/stock/load-publish.lua';
import loadSeatsLua from '../../lua/stock/load-seats.lua';
import loadUnitsLua from '../../lua/stock/load-units.lua';
import { bare, defineScript, type Replies } from '../shared/script.ts';

// The scripts that put a whole sale into Redis, chunk by chunk. As elsewhere, each Lua file's header is its contract.

const taken = { TAKEN: bare, STALE_EPOCH: bare } satisfies Replies;

export const loadBegin = defineScript({
  name: 'stock.load-begin',
  lua: [recordsLib, loadBeginLua],
  keys: ['sale', 'free', 'suspects', 'expiry', 'undecided', 'seats', 'carts', 'chunks'],
  args: ['epoch'],
  replies: { BEGUN: bare, ALREADY_LOADED: bare, STALE_EPOCH: bare } satisfies Replies,
});

export const loadUnits = defineScript({
  name: 'stock.load-units',
  lua: [recordsLib, unitsLib, seatsLib, holdsLib, loadsLib, loadUnitsLua],
  keys: ['sale', 'seats', 'chunks'],
  args: ['epoch', 'chunk', 'holdMs'],
  each: ['sku', 'kind', 'unit', 'state', 'holdId', 'buyerId', 'slot', 'atMs'],
  replies: taken,
});

export const loadSeats = defineScript({
  name: 'stock.load-seats',
  lua: [recordsLib, loadsLib, loadSeatsLua],
  keys: ['sale', 'seats', 'chunks'],
  args: ['epoch', 'chunk', 'sku'],
  each: ['seat'],
  replies: taken,
});

export const loadFree = defineScript({
  name: 'stock.load-free',
  lua: [recordsLib, poolLib, loadsLib, loadFreeLua],
  keys: ['sale', 'free', 'chunks'],
  args: ['epoch', 'chunk'],
  each: ['sku', 'first', 'last'],
  replies: taken,
});

export const loadPublish = defineScript({
  name: 'stock.load-publish',
  lua: [recordsLib, loadsLib, loadPublishLua],
  keys: ['sale', 'chunks'],
  args: ['epoch', 'version', 'control', 'opensAtMs', 'closesAtMs', 'limit', 'holdMs', 'chunks', 'behind'],
  each: ['sku', 'kind', 'total', 'next', 'free'],
  replies: { LOADED: bare, ALREADY_LOADED: bare, STALE_EPOCH: bare, INCOMPLETE: bare, STALE_VERSION: bare } satisfies Replies,
});
