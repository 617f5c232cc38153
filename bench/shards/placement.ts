import type { Redis } from 'ioredis';
import { stockIdsOf } from '../../functions/stock/shards.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import type { Random } from '../../test/simulation/random.ts';

// Where the shards of a sale are: each at the slot of its own hash tag, and the slots in runs of neighbours, one a master. Nobody deals shards to masters.

export interface SlotRun {
  readonly first: number;
  readonly last: number;
}

/** How many shards each master serves, by the slots of the shards. */
export function loadsOf(slots: readonly number[], masters: readonly SlotRun[]): number[] {
  return masters.map(({ first, last }) => slots.filter((slot) => slot >= first && slot <= last).length);
}

/** The slots of a sale's shards, as the server computes them. */
export const slotsOf = (node: Redis, saleId: string, shards: number): Promise<number[]> =>
  Promise.all(stockIdsOf({ saleId, shards }).map(async (stockId) => Number(await node.cluster('KEYSLOT', stockKeys(stockId).sale))));

export interface Slots {
  /** Any of its nodes: it answers what is asked of all. */
  readonly node: Redis;
  readonly masters: readonly SlotRun[];
}

/** More than it takes where one id in a hundred is as it is wanted. */
const idsMax = 10_000;

/** An id whose shards fall so on the masters, whichever has how many: an operator who wants that tries ids, as this does. */
export async function saleIdWith({ node, masters }: Slots, loads: readonly number[], random: Random): Promise<string> {
  const wanted = String(loads.toSorted((a, b) => b - a));
  const shards = loads.reduce((sum, load) => sum + load, 0);
  for (let tried = 0; tried < idsMax; tried++) {
    const saleId = aSaleId(random);
    const found = loadsOf(await slotsOf(node, saleId, shards), masters);
    if (String(found.sort((a, b) => b - a)) === wanted) return saleId;
  }
  throw new Error(`none of ${idsMax} ids has its shards on the masters as ${wanted}`);
}

const aSaleId = (random: Random): string => `sale-${random.hex(16)}`;

export interface Fall {
  readonly shards: number;
  /** Of the ids, percent: the busiest master has as few shards as can be. */
  readonly evenPercent: number;
  /** Of the shards, percent: what the busiest master has, the mean over the ids. */
  readonly busiestPercent: number;
}

/** How the shards of sales fall whose ids nobody chose. */
export async function fallOf({ node, masters }: Slots, shards: number, ids: number, random: Random): Promise<Fall> {
  const busiest: number[] = [];
  for (let id = 0; id < ids; id++) busiest.push(Math.max(...loadsOf(await slotsOf(node, aSaleId(random), shards), masters)));
  return fallBy(busiest, shards, masters.length);
}

/** `busiest`: sale by sale, how many of its shards are on the master that has most of them. */
export function fallBy(busiest: readonly number[], shards: number, masters: number): Fall {
  const fewest = Math.ceil(shards / masters);
  const mean = busiest.reduce((sum, load) => sum + load, 0) / busiest.length;
  return {
    shards,
    evenPercent: (100 * busiest.filter((load) => load === fewest).length) / busiest.length,
    busiestPercent: (100 * mean) / shards,
  };
}
