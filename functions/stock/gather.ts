import { log } from '../shared/telemetry.ts';
import { homeShardOf, type Sharded, type Transit } from './shards.model.ts';
import type { ShardScripts, ShardSeen } from './shards.scripts.ts';

export interface GatherPorts {
  readonly shards: Pick<ShardScripts, 'visit' | 'lend' | 'receive' | 'settle' | 'replicated'>;
  readonly pause: (ms: number) => Promise<unknown>;
  /** At least 0, below 1. */
  readonly random: () => number;
  /** Milliseconds that only ever grow, while this process runs. */
  readonly nowMs: () => number;
  /** Milliseconds of the wall clock, which goes on while a container is frozen. */
  readonly dateMs: () => number;
}

/** Units that are wanted of an item where a buyer is at home: how many are missing there, and how many were for sale there when it was refused. */
export interface Wanted {
  readonly buyerId: string;
  readonly sku: string;
  readonly missing: number;
  readonly had: number;
}

/**
 * `brought`: the home has more than it had, so it is worth asking again. `dry`: at one moment no other shard had a unit, and none was on its way.
 * `in-transit`: others move the last units about, and whether one is left could not be told.
 */
export type Gathered = 'brought' | 'dry' | 'in-transit' | 'not-loaded';

/** Looks at all shards before it is said that others have what is left. Two that gather the last units from each other need a few. */
const looksMax = 12;
const pauseMsMax = 8;
/** No look begins later than this. */
const gatherMsMax = 2_000;
/** So long a container believes that all shards are dry: what comes back meanwhile in another shard than the buyer's is refused. */
const dryMs = 500;
const dryItemsMax = 1_000;

/** Brings the units of other shards to those who ask at a dry one. */
export function gatherer({ shards, pause, random, nowMs, dateMs }: GatherPorts) {
  /** By sale and item, when all shards were last seen to be dry. */
  const dryAt = new Map<string, number>();

  /** Puts a run that is on its way where it is to go. May be repeated, by anybody. -> how many units are for sale there that were not before */
  async function complete(sale: Sharded, transit: Transit): Promise<number> {
    const received = await shards.receive(sale, transit);
    if (received.outcome === 'NOT_LOADED' || received.outcome === 'NOT_YET') return 0;
    try {
      // Not before a replica has it: what a failover of the receiver forgets, the donor must still know.
      await shards.replicated(sale, transit.to);
      // Should the receiver have failed over before that, another node was waited for, which never had the run: it has it now, and is waited for next time.
      const isThere = (await shards.receive(sale, transit)).outcome === 'ALREADY_RECEIVED';
      if (isThere) await shards.settle(sale, transit);
    } catch (error) {
      // The receiver can sell them all the same; whoever meets the run next settles it.
      log.warn('units that have come to a shard are not settled yet', { saleId: sale.saleId, ...transit, error });
    }
    return received.outcome === 'RECEIVED' ? received.count : 0;
  }

  /** All shards, as far as they answer: one whose node is away keeps nobody from what the others have. */
  async function look(sale: Sharded, sku: string): Promise<{ seen: ShardSeen[]; isWhole: boolean; failure: unknown }> {
    const visits = Array.from({ length: sale.shards ?? 1 }, (_, shard) => shards.visit(sale, shard, sku));
    const answers = await Promise.allSettled(visits);
    const seen = answers.flatMap((answer) => (answer.status === 'fulfilled' && answer.value ? [answer.value] : []));
    return { seen, isWhole: seen.length === answers.length, failure: answers.find(({ status }) => status === 'rejected') };
  }

  /** Takes what is missing from the shards that have some, one after the other, beginning at any. -> whether anything was brought */
  async function borrow(sale: Sharded, home: number, { sku, missing }: Wanted, seen: readonly ShardSeen[]): Promise<boolean> {
    const donors = seen.filter(({ shard, free }) => shard !== home && free > 0);
    const first = Math.floor(random() * donors.length);
    let brought = 0;
    for (let at = 0; at < donors.length && brought < missing; at++) {
      const from = donors[(first + at) % donors.length]?.shard ?? home;
      const lent = await shards.lend(sale, { from, to: home, sku, missing: missing - brought });
      if (lent.outcome !== 'LENT') continue;
      const count = await complete(sale, lent.transit);
      if (lent.transit.sku === sku) brought += count;
    }
    return brought > 0;
  }

  async function gather(sale: Sharded, wanted: Wanted, untilMs = nowMs() + gatherMsMax): Promise<Gathered> {
    const key = `${sale.saleId} ${wanted.sku}`;
    const agoMs = dateMs() - (dryAt.get(key) ?? Number.NEGATIVE_INFINITY);
    if (agoMs >= 0 && agoMs < dryMs) return 'dry';
    const home = homeShardOf(sale, wanted.buyerId);
    let before: string | undefined;
    for (let count = 1; count <= looksMax && nowMs() < untilMs; count++) {
      const { seen, isWhole, failure } = await look(sale, wanted.sku);
      const atHome = seen.find(({ shard }) => shard === home)?.free ?? 0;
      if (atHome > wanted.had) return 'brought';
      const pending = seen.flatMap(({ lent }) => lent);
      const isThere = new Set(seen.map(({ shard }) => shard));
      for (const transit of pending) if (isThere.has(transit.to)) await complete(sale, transit);
      const isDry = pending.length === 0 && seen.every(({ shard, free }) => shard === home || free === 0);
      if (!isDry) {
        before = undefined;
        if (await borrow(sale, home, wanted, seen)) return 'brought';
        if (!isWhole) return absent(failure);
        // Somebody else was quicker: not at the same moments as that one again.
        await pause(random() * Math.min(count, pauseMsMax));
        continue;
      }
      if (!isWhole) return absent(failure);
      const now = [atHome, ...seen.map(({ received }) => received)].join(' ');
      if (before === now) {
        if (atHome === 0) noteDry(key);
        return 'dry';
      }
      before = now;
    }
    return 'in-transit';
  }

  /** Whether there are units is for shards to say that are not there: one that Redis has lost, or one that does not answer. */
  function absent(failure: unknown): Gathered {
    if (failure) throw (failure as PromiseRejectedResult).reason;
    return 'not-loaded';
  }

  function noteDry(key: string): void {
    if (dryAt.size >= dryItemsMax) dryAt.clear();
    dryAt.set(key, dateMs());
  }

  return { gather, complete };
}

export type Gatherer = ReturnType<typeof gatherer>;
