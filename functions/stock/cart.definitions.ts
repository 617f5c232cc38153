import * as z from 'zod';
import cartCheckoutLua from '../../lua/stock/cart-checkout.lua';
import cartDropLua from '../../lua/stock/cart-drop.lua';
import cartExpireLua from '../../lua/stock/cart-expire.lua';
import cartReadLua from '../../lua/stock/cart-read.lua';
import cartReturnLua from '../../lua/stock/cart-return.lua';
import cartSetLua from '../../lua/stock/cart-set.lua';
import cartTrackLua from '../../lua/stock/cart-track.lua';
import cartsLib from '../../lua/stock/lib/carts.lua';
import recordsLib from '../../lua/stock/lib/records.lua';
import slotsLib from '../../lua/stock/lib/slots.lua';
import { bare, defineScript, type Replies, whole } from '../shared/script.ts';
import { lines, moves, records, slots } from './script.pieces.ts';

// The scripts of carts. As elsewhere, each Lua file's header is its contract.

const carts = [...records, ...moves, slotsLib, cartsLib];
const cartKeys = ['sale', 'free', 'suspects', 'seats', 'carts'] as const;
const cart = z.tuple([whole, lines]).transform(([expiresAtMs, lines]) => ({ expiresAtMs, lines }));
const ofSku = z.tuple([z.string()]).transform(([sku]) => ({ sku }));
const notOpen = z.tuple([z.enum(['scheduled', 'closed'])]).transform(([state]) => ({ state }));
const buyerLimit = z.tuple([whole, whole]).transform(([limit, used]) => ({ limit, used }));
const seatTaken = z.tuple([z.string(), z.string()]).transform(([sku, seats]) => ({ sku, seats: seats.split(',') }));
const gone = z.tuple([lines]).transform(([lines]) => ({ lines }));

export const setLine = defineScript({
  name: 'stock.cart-set',
  lua: [...carts, cartSetLua],
  keys: cartKeys,
  args: ['cartId', 'buyerId', 'sku', 'wanted'],
  replies: {
    CART: cart,
    NOT_LOADED: bare,
    UNKNOWN_SKU: ofSku,
    WRONG_KIND: z.tuple([z.string(), z.enum(['counted', 'seated'])]).transform(([sku, kind]) => ({ sku, kind })),
    UNKNOWN_SEAT: z.tuple([z.string(), z.string()]).transform(([sku, seat]) => ({ sku, seat })),
    NOT_OPEN: notOpen,
    PAUSED: bare,
    BUYER_LIMIT: buyerLimit,
    CART_FULL: bare,
    SOLD_OUT: z.tuple([z.string(), whole]).transform(([sku, available]) => ({ sku, available })),
    SEAT_TAKEN: seatTaken,
  } satisfies Replies,
});

export const drop = defineScript({
  name: 'stock.cart-drop',
  lua: [...carts, cartDropLua],
  keys: cartKeys,
  args: ['cartId', 'sku'],
  replies: { CART: cart, NOT_LOADED: bare } satisfies Replies,
});

export const read = defineScript({
  name: 'stock.cart-read',
  lua: [...carts, cartReadLua],
  keys: cartKeys,
  args: ['cartId'],
  replies: { CART: cart, NOT_LOADED: bare } satisfies Replies,
});

export const checkout = defineScript({
  name: 'stock.cart-checkout',
  lua: [...carts, cartCheckoutLua],
  keys: [...cartKeys, 'expiry'],
  args: ['holdId', 'buyerId', 'payloadHash', 'cartId'],
  replies: {
    RESERVED: z
      .tuple([whole, whole, slots, lines, z.enum(['', 'H', 'A', 'C']), lines])
      .transform(([bornUs, expiresAtMs, slots, lines, state, wanted]) => ({ bornUs, expiresAtMs, slots, lines, state, wanted })),
    NOT_LOADED: bare,
    KEY_REUSED: bare,
    ENDED: bare,
    BUYER_LIMIT: buyerLimit,
    NOT_OPEN: notOpen,
    PAUSED: bare,
    CART_EMPTY: bare,
    CART_EXPIRED: bare,
    SEAT_TAKEN: seatTaken,
  } satisfies Replies,
});

export const giveBack = defineScript({
  name: 'stock.cart-return',
  lua: [...carts, cartReturnLua],
  keys: cartKeys,
  args: ['holdId', 'bornUs', 'cartId'],
  replies: {
    RETURNED: gone,
    RELEASED: gone,
    ALREADY_ENDED: bare,
    ORDER_EXISTS: bare,
    UNKNOWN_HOLD: bare,
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const expire = defineScript({
  name: 'stock.cart-expire',
  lua: [...carts, cartExpireLua],
  keys: cartKeys,
  args: ['limit'],
  replies: {
    EXPIRED: z.tuple([whole, whole]).transform(([count, more]) => ({ count, more: more === 1 })),
    NOT_LOADED: bare,
  } satisfies Replies,
});

export const track = defineScript({
  name: 'stock.cart-track',
  lua: [recordsLib, cartTrackLua],
  keys: ['sale', 'carts'],
  args: ['cartId'],
  replies: { TRACKED: bare, ALREADY_TRACKED: bare, NO_CART: bare, NOT_LOADED: bare } satisfies Replies,
});
