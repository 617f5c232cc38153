import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as lease from '../../functions/shared/lease.ts';
import * as cart from '../../functions/stock/cart.definitions.ts';
import * as load from '../../functions/stock/load.definitions.ts';
import * as mend from '../../functions/stock/mend.definitions.ts';
import * as shards from '../../functions/stock/shards.definitions.ts';
import * as stock from '../../functions/stock/stock.definitions.ts';
import type { stockKeys } from '../../functions/stock/stock.keys.ts';

// Every script there is, and the kinds of what it is called with, so that calls of any can be made up: right ones, and wrong ones.

type KeyName = keyof ReturnType<typeof stockKeys> | 'lease';
export type Kind =
  | 'holdId'
  | 'cartId'
  | 'buyerId'
  | 'hash'
  | 'bornUs'
  | 'timeMs'
  | 'slots'
  | 'orderState'
  | 'sku'
  | 'units'
  | 'wanted'
  | 'seatNames'
  | 'seat'
  | 'limit'
  | 'ms'
  | 'epoch'
  | 'version'
  | 'control'
  | 'count'
  | 'word'
  | 'kind'
  | 'serial'
  | 'cause'
  | 'holdState'
  | 'verb'
  | 'owner'
  | 'watched'
  | 'unit'
  | 'unitState'
  | 'flag'
  | 'rowKind'
  | 'next'
  | 'fewer'
  | 'shard'
  | 'more'
  | 'newFirst'
  | 'newLast';

export interface ScriptUnderTest {
  readonly text: string;
  readonly keys: readonly KeyName[];
  readonly args: readonly Kind[];
  /** A group of arguments that follows once or more often. */
  readonly each?: readonly Kind[];
  /** Changes nothing, whatever it answers. */
  readonly reads?: true;
  /** Believes what it is told of rows and orders: told wrongly, it may put units where they are not. */
  readonly believes?: true;
  /** Answers second whether it stopped at its bound; then a second run does what the first one left. No other script may change anything when it runs again. */
  readonly goesOn?: true;
}

const pools = ['sale', 'free', 'suspects', 'seats'] as const;
const carts = [...pools, 'carts'] as const;
const orderArgs = ['holdId', 'buyerId', 'hash', 'bornUs', 'timeMs', 'slots', 'orderState'] as const;
const saleArgs = ['version', 'control', 'timeMs', 'timeMs', 'limit', 'ms'] as const;

/** By file below `lua/`. A file without an entry fails, and so does an entry without a file. */
export const scripts: Readonly<Record<string, ScriptUnderTest>> = {
  'lease/acquire': { text: lease.acquire.text, keys: ['lease'], args: ['word', 'ms'] },
  'lease/renew': { text: lease.renew.text, keys: ['lease'], args: ['word', 'ms'] },
  'lease/release': { text: lease.release.text, keys: ['lease'], args: ['word'] },

  'stock/reserve': {
    text: stock.reserve.text,
    keys: ['sale', 'free', 'expiry', 'seats'],
    args: ['holdId', 'buyerId', 'hash'],
    each: ['sku', 'wanted'],
  },
  'stock/peek': { text: stock.peek.text, keys: ['sale', 'seats'], args: ['buyerId'], each: ['sku', 'wanted'], reads: true },
  'stock/acknowledge': { text: stock.acknowledge.text, keys: pools, args: orderArgs, each: ['sku', 'units'], believes: true },
  'stock/confirm': { text: stock.confirm.text, keys: ['sale'], args: ['holdId'] },
  'stock/release': { text: stock.release.text, keys: pools, args: ['holdId', 'cause', 'bornUs'] },
  'stock/swap': { text: stock.swap.text, keys: pools, args: ['holdId', 'bornUs'], each: ['sku', 'wanted', 'units'] },
  'stock/take-expired': { text: stock.takeExpired.text, keys: ['sale', 'expiry', 'undecided'], args: ['count', 'ms'], goesOn: true },
  'stock/suspects': { text: stock.suspects.text, keys: ['sale', 'suspects'], args: ['count', 'sku', 'unit'], reads: true },
  'stock/return-suspects': { text: stock.returnSuspects.text, keys: pools, args: [], each: ['sku', 'units'] },
  'stock/mend-allowance': { text: stock.mendAllowance.text, keys: ['sale'], args: ['holdId', 'bornUs', 'slots'], believes: true },
  'stock/read': { text: stock.read.text, keys: ['sale'], args: [], reads: true },
  'stock/update': { text: stock.update.text, keys: ['sale'], args: saleArgs, each: ['sku', 'count'], believes: true },
  'stock/closed-since': { text: stock.closedSince.text, keys: ['sale'], args: [] },
  'stock/add-seats': { text: stock.addSeats.text, keys: ['sale', 'seats'], args: ['sku', 'seatNames'] },
  'stock/seat-states': { text: stock.seatStates.text, keys: ['sale', 'seats'], args: ['sku', 'seatNames'], reads: true },

  'stock/cart-set': {
    text: cart.setLine.text,
    keys: carts,
    args: ['cartId', 'buyerId', 'sku', 'wanted'],
  },
  'stock/cart-drop': { text: cart.drop.text, keys: carts, args: ['cartId', 'sku'] },
  'stock/cart-read': { text: cart.read.text, keys: carts, args: ['cartId'] },
  'stock/cart-checkout': { text: cart.checkout.text, keys: [...carts, 'expiry'], args: ['holdId', 'buyerId', 'hash', 'cartId'] },
  'stock/cart-return': { text: cart.giveBack.text, keys: carts, args: ['holdId', 'bornUs', 'cartId'] },
  'stock/cart-expire': { text: cart.expire.text, keys: carts, args: ['count'], goesOn: true },
  'stock/cart-track': { text: cart.track.text, keys: ['sale', 'carts'], args: ['cartId'] },

  'stock/load-begin': {
    ...{ text: load.loadBegin.text, args: ['epoch'], believes: true },
    keys: ['sale', 'free', 'suspects', 'expiry', 'undecided', 'seats', 'carts', 'chunks'],
  },
  'stock/load-units': {
    ...{ text: load.loadUnits.text, keys: ['sale', 'seats', 'chunks'], args: ['epoch', 'count', 'ms'], believes: true },
    each: ['sku', 'rowKind', 'unit', 'unitState', 'holdId', 'buyerId', 'serial', 'timeMs'],
  },
  'stock/load-seats': {
    ...{ text: load.loadSeats.text, keys: ['sale', 'seats', 'chunks'], args: ['epoch', 'count', 'sku'], each: ['seat'], believes: true },
  },
  'stock/load-free': {
    ...{
      text: load.loadFree.text,
      keys: ['sale', 'free', 'chunks'],
      args: ['epoch', 'count'],
      each: ['sku', 'serial', 'serial'],
      believes: true,
    },
  },
  'stock/load-publish': {
    ...{ text: load.loadPublish.text, keys: ['sale', 'chunks'], args: ['epoch', ...saleArgs, 'count', 'flag'], believes: true },
    each: ['sku', 'kind', 'count', 'next', 'fewer'],
  },

  'stock/shard-lend': { text: shards.lend.text, keys: ['sale', 'free'], args: ['shard', 'sku', 'count'], believes: true },
  'stock/shard-receive': {
    ...{ text: shards.receive.text, keys: ['sale', 'free', 'suspects'], args: ['shard', 'bornUs', 'sku', 'units'], believes: true },
  },
  'stock/shard-settle': { text: shards.settle.text, keys: ['sale'], args: ['shard', 'bornUs'], believes: true },
  'stock/shard-supply': {
    ...{ text: shards.supply.text, keys: ['sale', 'free', 'suspects'], args: ['sku', 'count', 'more'], each: ['newFirst', 'newLast'] },
    believes: true,
  },
  'stock/shard-drop': { text: shards.dropUnits.text, keys: ['sale', 'free', 'suspects'], args: [], each: ['sku', 'units'], believes: true },

  'stock/mend-look': { text: mend.look.text, keys: pools, args: ['epoch', 'holdId', 'buyerId'], each: ['sku', 'units'], reads: true },
  'stock/mend-keep': { text: mend.keep.text, keys: pools, args: ['epoch', 'holdId'], each: ['sku', 'units'] },
  'stock/mend-end': {
    text: mend.end.text,
    keys: pools,
    args: ['epoch', 'holdId', 'bornUs', 'slots'],
    each: ['sku', 'units'],
    believes: true,
  },
  'stock/mend-mark': {
    text: mend.mark.text,
    keys: ['sale'],
    args: ['epoch', 'holdId', 'buyerId', 'hash', 'bornUs', 'timeMs'],
  },
  'stock/mend-expiry': { text: mend.expiry.text, keys: ['sale', 'expiry', 'undecided'], args: ['epoch', 'holdId', 'bornUs', 'holdState'] },
  'stock/mend-watch': { text: mend.watch.text, keys: ['sale', 'free', 'suspects'], args: ['epoch', 'word'], each: ['watched', 'units'] },
  'stock/mend-free': {
    ...{ text: mend.free.text, keys: ['sale', 'free', 'suspects'], args: ['epoch', 'word'], each: ['watched', 'units'], believes: true },
  },
  'stock/mend-unwatch': { text: mend.unwatch.text, keys: ['sale'], args: ['epoch', 'word'], each: ['sku'] },
  'stock/mend-seat': { text: mend.seat.text, keys: ['sale', 'suspects', 'seats'], args: ['epoch', 'sku', 'seat', 'owner'], believes: true },
  'stock/mend-count-begin': { text: mend.beginCount.text, keys: ['sale'], args: ['epoch', 'sku', 'word'] },
  'stock/mend-count': { text: mend.endCount.text, keys: ['sale'], args: ['epoch', 'sku', 'word', 'count', 'count'], believes: true },
  'stock/mend-behind': { text: mend.behind.text, keys: ['sale'], args: ['epoch', 'verb', 'word'] },
  'stock/mend-sale': { text: mend.saleFields.text, keys: ['sale'], args: ['epoch', ...saleArgs], each: ['sku', 'count'], believes: true },
};

const folder = fileURLToPath(new URL('../../lua/', import.meta.url));

/** The scripts of the project, as files; what they share stands in `lib`. */
export const scriptFiles = (): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.lua') && !path.includes('lib/'))
    .map((path) => path.replace(/\.lua$/, ''))
    .sort();

/** The outcomes that a script's header says it has: the words that follow `->` and each `|`. */
export function outcomesOf(file: string): Set<string> {
  const header = readFileSync(`${folder}${file}.lua`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('--'));
  const contract = header.filter((line) => /^-- {1,2}(->|\|)/.test(line)).join(' ');
  return new Set([...contract.matchAll(/(?:->|\|) ([A-Z][A-Z_]+)/g)].map(([, word = '']) => word));
}
