import * as z from 'zod';
import poolLib from '../../lua/stock/lib/pool.lua';
import transitLib from '../../lua/stock/lib/transit.lua';
import shardDropLua from '../../lua/stock/shard-drop.lua';
import shardLendLua from '../../lua/stock/shard-lend.lua';
import shardReceiveLua from '../../lua/stock/shard-receive.lua';
import shardSettleLua from '../../lua/stock/shard-settle.lua';
import shardSupplyLua from '../../lua/stock/shard-supply.lua';
import { bare, defineScript, type Replies, whole } from '../shared/script.ts';
import { moves, records } from './script.pieces.ts';

// The scripts by which the shards of a sale give each other units. As elsewhere, each Lua file's header is its contract.

const count = z.tuple([whole]).transform(([count]) => ({ count }));

export const lend = defineScript({
  name: 'stock.shard-lend',
  lua: [...records, poolLib, transitLib, shardLendLua],
  keys: ['sale', 'free'],
  args: ['to', 'sku', 'missing'],
  replies: {
    LENT: z.tuple([whole, z.string(), z.string()]).transform(([seq, sku, units]) => ({ seq, sku, units })),
    DRY: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const receive = defineScript({
  name: 'stock.shard-receive',
  lua: [...records, ...moves, transitLib, shardReceiveLua],
  keys: ['sale', 'free', 'suspects'],
  args: ['from', 'seq', 'sku', 'units'],
  replies: { RECEIVED: count, ALREADY_RECEIVED: bare, NOT_YET: bare, NOT_LOADED: bare } satisfies Replies,
});

export const settle = defineScript({
  name: 'stock.shard-settle',
  lua: [...records, transitLib, shardSettleLua],
  keys: ['sale'],
  args: ['to', 'seq'],
  replies: { SETTLED: bare, NOT_PENDING: bare, NOT_LOADED: bare } satisfies Replies,
});

export const supply = defineScript({
  name: 'stock.shard-supply',
  lua: [...records, poolLib, shardSupplyLua],
  keys: ['sale', 'free', 'suspects'],
  args: ['sku', 'after', 'total'],
  each: ['first', 'last'],
  replies: { SUPPLIED: count, CHANGED: bare, NOT_LOADED: bare } satisfies Replies,
});

export const dropUnits = defineScript({
  name: 'stock.shard-drop',
  lua: [...records, poolLib, shardDropLua],
  keys: ['sale', 'free', 'suspects'],
  args: [],
  each: ['sku', 'units'],
  replies: { DROPPED: count, NOT_LOADED: bare } satisfies Replies,
});
