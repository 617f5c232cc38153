import { setTimeout as pause } from 'node:timers/promises';
import type { SeatList } from '../sales/sale.model.ts';
import { inParallel } from '../shared/parallel.ts';
import type { RedisClient } from '../shared/redis.ts';
import type { CartLine } from './cart.scripts.ts';
import { gatherer, type Wanted } from './gather.ts';
import { LoadFailed } from './load.scripts.ts';
import type { SaleToLoad } from './sale-copy.ts';
import { dealtRun, isSharded, type Sharded, stockIdOf, stockIdsOf } from './shards.model.ts';
import { shardScripts } from './shards.scripts.ts';
import type { oneStock, ReserveRequest } from './stock.scripts.ts';

type OneStock = ReturnType<typeof oneStock>;

/** How often units are brought to one request. */
const attemptsMax = 8;
const lanes = 16;
/** A total that raises none: shards hear of new units by `supply` alone. */
const noNewTotal = 1;

/** How long units are brought to one request. */
const gatherMsMax = 3_000;
const nowMs = () => performance.now();

/** Whether units are left is not known: the last ones are being moved between shards. */
const inTransit = { outcome: 'IN_TRANSIT' as const };

/** The stock of whole sales, whatever the number of their shards. A sale of one is asked as ever. */
export function saleStock(one: OneStock, redis: RedisClient) {
  const shards = shardScripts(redis);
  const { gather, complete } = gatherer({
    shards,
    pause: (ms) => pause(ms),
    random: Math.random,
    nowMs,
    dateMs: Date.now,
  });

  /** Asks at the buyer's home, and again each time that other shards have given it units. */
  async function gathering<R extends { readonly outcome: string }>(
    sale: Sharded & { readonly buyerId: string },
    ask: (stockId: string) => Promise<R>,
    shortOf: (reply: R) => Omit<Wanted, 'buyerId'> | undefined,
  ): Promise<R | typeof inTransit | { outcome: 'NOT_LOADED' }> {
    const untilMs = nowMs() + gatherMsMax;
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      const reply = await ask(stockIdOf(sale));
      const short = shortOf(reply);
      if (!short) return reply;
      const gathered = await gather(sale, { buyerId: sale.buyerId, ...short }, untilMs);
      if (gathered === 'dry') return reply;
      if (gathered === 'not-loaded') return { outcome: 'NOT_LOADED' };
      if (gathered === 'in-transit') return inTransit;
    }
    return inTransit;
  }

  const shortOfLines =
    ({ lines }: Pick<ReserveRequest, 'lines'>) =>
    (reply: { readonly outcome: string; readonly sku?: string; readonly available?: number }) => {
      if (reply.outcome !== 'SOLD_OUT') return undefined;
      const { sku = '', available = 0 } = reply;
      const quantity = lines.find((line) => line.sku === sku)?.quantity ?? 0;
      return { sku, missing: quantity - available, had: available };
    };

  async function onAll<T>(sale: Sharded, work: (stockId: string, shard: number) => Promise<T>): Promise<T[]> {
    return inParallel(stockIdsOf(sale), lanes, work);
  }

  /** Tells a shard of all units that there are. Undefined where it is not loaded. */
  async function supplyShard(sale: Sharded & Pick<SaleToLoad, 'items'>, shard: number): Promise<void> {
    for (const { sku, total } of sale.items) if (!(await shards.supply(sale, shard, { sku, total }))) return;
  }

  async function updateAll(sale: SaleToLoad): ReturnType<OneStock['update']> {
    const told = await onAll(sale, async (saleId, shard) => {
      // The units first: a shard that has the copy has heard of all units that the copy knows.
      await supplyShard(sale, shard);
      return one.update({ ...sale, saleId, items: sale.items.map((item) => ({ ...item, total: noNewTotal })) });
    });
    const some = (outcome: 'NOT_LOADED' | 'UPDATED') => told.some((each) => each.outcome === outcome);
    return { outcome: some('NOT_LOADED') ? 'NOT_LOADED' : some('UPDATED') ? 'UPDATED' : 'UP_TO_DATE' };
  }

  async function loadAll(sale: SaleToLoad, current: () => Promise<SaleToLoad | undefined>): ReturnType<OneStock['load']> {
    const { epoch } = sale;
    const count = sale.shards ?? 1;
    const begun = await onAll(sale, (stockId) => one.beginLoad(stockId, epoch));
    if (begun.some(({ outcome }) => outcome !== 'BEGUN')) return { outcome: 'ALREADY_LOADED' };
    const sent = await onAll(sale, async (stockId, shard) => {
      const ranges = sale.items.flatMap(({ sku, total }) => {
        const run = dealtRun(total, shard, count);
        return run ? [{ sku, ...run }] : [];
      });
      return ranges.length === 0 ? 0 : (await one.loadFree(stockId, { epoch, chunk: 1, ranges })).outcome === 'TAKEN' ? 1 : undefined;
    });
    if (sent.includes(undefined)) return { outcome: 'ALREADY_LOADED' };
    const now = await current();
    if (!now) return { outcome: 'ALREADY_LOADED' };
    const published = await onAll(sale, (saleId, shard) => {
      const items = sale.items.map(({ sku, total }) => {
        const run = dealtRun(total, shard, count);
        return { sku, kind: 'counted' as const, total, next: total + 1, free: run ? run.last - run.first + 1 : 0 };
      });
      return one.publishLoad({ ...now, saleId }, { epoch, chunks: sent[shard] ?? 0, items, behind: false });
    });
    const failed = published.find(({ outcome }) => outcome === 'INCOMPLETE' || outcome === 'STALE_VERSION');
    if (failed) throw new LoadFailed(`${sale.saleId} is not loaded: ${failed.outcome}`);
    // What was put on sale since the deal.
    await onAll(now, (_, shard) => supplyShard(now, shard));
    return { outcome: published.every(({ outcome }) => outcome === 'LOADED') ? 'LOADED' : 'ALREADY_LOADED' };
  }

  /** All shards as one sale: what is left of them together, and the sale as the shard has it that is furthest behind. */
  async function readAll(sale: Sharded) {
    const reads = await onAll(sale, one.read);
    const loaded = reads.flatMap((read) => (read.outcome === 'READ' ? [read] : []));
    const [oldest] = loaded.toSorted((a, b) => a.version - b.version);
    if (!oldest || loaded.length < reads.length) return { outcome: 'NOT_LOADED' as const };
    const items = oldest.items.map((item) => {
      const of = loaded.flatMap((read) => read.items.filter(({ sku }) => sku === item.sku));
      const total = Math.min(...of.map((each) => each.total));
      // They are read one after the other, and units may move from one that was read to one that is yet to be.
      const available = Math.min(
        total,
        of.reduce((sum, each) => sum + each.available, 0),
      );
      return { ...item, total, available, given: Math.max(0, total - available) };
    });
    const latest = (of: (read: (typeof loaded)[number]) => number) => Math.max(...loaded.map(of));
    return { ...oldest, items, nowMs: latest(({ nowMs }) => nowMs), epoch: latest(({ epoch }) => epoch) };
  }

  async function closedSinceOfAll(sale: Sharded): ReturnType<OneStock['closedSince']> {
    const all = await onAll(sale, one.closedSince);
    let sinceMs = 0;
    for (const each of all) {
      if (each.outcome !== 'CLOSED') return each;
      sinceMs = Math.max(sinceMs, each.sinceMs);
    }
    return { outcome: 'CLOSED', sinceMs };
  }

  return {
    /** Holds units for a buyer, once per hold id. `IN_TRANSIT`: in a sale of several shards, ask again; the last units are being moved between them. */
    reserve: (request: ReserveRequest & Sharded) =>
      isSharded(request)
        ? gathering(request, (saleId) => one.reserve({ ...request, saleId }), shortOfLines(request))
        : one.reserve(request),

    /** What `reserve` would say; nothing is held. */
    peek: async (request: Pick<ReserveRequest, 'buyerId' | 'lines'> & Sharded) =>
      isSharded(request) ? gathering(request, (saleId) => one.peek({ ...request, saleId }), shortOfLines(request)) : one.peek(request),

    /** Makes a line of the buyer's cart exactly this, all of it or nothing. */
    setCartLine: async (request: CartLine & Sharded) => {
      if (!isSharded(request)) return one.setCartLine(request);
      const had = async (stockId: string) => one.readCart(stockId, request.cartId);
      return gathering(
        request,
        async (saleId) => {
          const reply = await one.setCartLine({ ...request, saleId });
          if (reply.outcome !== 'SOLD_OUT') return reply;
          const cart = await had(saleId);
          const own = cart.outcome === 'CART' ? (cart.lines.find(({ sku }) => sku === reply.sku)?.units.length ?? 0) : 0;
          return { ...reply, own };
        },
        (reply) =>
          reply.outcome === 'SOLD_OUT'
            ? {
                sku: reply.sku,
                missing: request.line.quantity - reply.available,
                had: reply.available - ('own' in reply ? reply.own : 0),
              }
            : undefined,
      );
    },

    update: async (sale: SaleToLoad) => (isSharded(sale) ? updateAll(sale) : one.update(sale)),

    /** The sale and what is left of it. */
    read: async (saleId: string, count = 1) => (count > 1 ? readAll({ saleId, shards: count }) : one.read(saleId)),

    /** Since when all of the sale is closed that was called off. */
    closedSince: async (saleId: string, count = 1) => (count > 1 ? closedSinceOfAll({ saleId, shards: count }) : one.closedSince(saleId)),

    load: async (sale: SaleToLoad, seats?: SeatList, current?: () => Promise<SaleToLoad | undefined>) =>
      isSharded(sale) ? loadAll(sale, current ?? (async () => sale)) : one.load(sale, seats, current),

    /** Brings units of other shards to a buyer's home, in a sale of several. */
    gather,

    /** Puts runs of units that are on their way between shards where they are to go, and counts them. */
    async completeTransits(sale: Sharded): Promise<number> {
      if (!isSharded(sale)) return 0;
      const pending = (await onAll(sale, (_, shard) => shards.transits(sale, shard))).flat();
      for (const transit of pending) await complete(sale, transit);
      return pending.length;
    },

    /** Puts on sale in each shard what is its own of the units that there are. */
    supply: async (sale: SaleToLoad) => void (await onAll(sale, (_, shard) => supplyShard(sale, shard))),

    /** The units that are on their way from one shard to others. */
    transits: shards.transits,

    /** Takes units out of a shard's pools that others have. */
    drop: shards.drop,
  };
}
