import { createHash, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as lease from '../../functions/shared/lease.ts';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import * as cartScriptsOf from '../../functions/stock/cart.definitions.ts';
import * as loadScripts from '../../functions/stock/load.definitions.ts';
import type { OwnedUnit } from '../../functions/stock/load.scripts.ts';
import * as stockScriptsOf from '../../functions/stock/stock.definitions.ts';
import { rebuildKeys, stockKeys } from '../../functions/stock/stock.keys.ts';
import { type SaleToLoad, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { findProgram } from '../../lib/local/redis.ts';
import { buyerAt, checkedOut, lapse, linesOf, seatsOf, some } from './cart.harness.ts';
import { type RedisCluster, startCluster } from './redis-cluster.ts';
import { type Bench, census, expectConserved, hall, held, openHall, openSale, tees, wantingSeats } from './stock.harness.ts';
import { callFor, history, items, limit, nothingTold, seats } from './stock.histories.ts';

const hasServer = findProgram() !== undefined;
const where = hasServer ? 'a cluster of three masters' : 'a cluster (left out: no redis-server or valkey-server on the PATH)';
const salesPerMaster = 3;
const leaseScripts = [lease.acquire, lease.renew, lease.release];
const allScripts = [...[stockScriptsOf, loadScripts, cartScriptsOf].flatMap((module) => Object.values(module)), ...leaseScripts];
const digestOf = (text: string) => createHash('sha1').update(text).digest('hex');

describe.skipIf(!hasServer)(where, () => {
  let cluster: RedisCluster;
  let redis: RedisClient;
  let bench: Bench;
  /** Sales of which every master serves some. */
  let saleIds: string[];

  beforeAll(async () => {
    const started = await startCluster(3);
    if (!started) throw new Error('the server that was there is gone');
    cluster = started;
    redis = connectRedis({ url: cluster.url, mode: 'cluster' });
    bench = { redis, stock: stockScripts(redis), url: cluster.url };
    saleIds = (await Promise.all(cluster.masters.map(({ slots }) => idsIn(slots)))).flat();
  }, 180_000);
  afterAll(async () => {
    redis?.disconnect();
    await cluster?.stop();
  });

  async function idsIn({ first, last }: { first: number; last: number }): Promise<string[]> {
    const ids: string[] = [];
    while (ids.length < salesPerMaster) {
      const saleId = `sale-${randomUUID()}`;
      const slot = Number(await cluster.masters[0]?.node.cluster('KEYSLOT', stockKeys(saleId).sale));
      if (slot >= first && slot <= last) ids.push(saleId);
    }
    return ids;
  }

  it('refuses a script whose keys are of two sales, so that the others’ success says something', async () => {
    const [one = '', other = ''] = [saleIds[0], saleIds.at(-1)];
    const keys = { ...stockKeys(one), seats: stockKeys(other).seats };
    const call = { keys, args: { sku: 'hall', seats: 'A-1' } };
    await expect(stockScriptsOf.seatStates(redis, call)).rejects.toThrow(/CROSSSLOT/);
  });

  it('runs every script of the stock and of leases on each of its masters, with the right results', async () => {
    await Promise.all(saleIds.map(async (saleId) => liveThrough(await openHall(bench, ['A-1', 'A-2', 'B-1'], saleOf(saleId)))));
    for (const { node } of cluster.masters) {
      const known = (await node.script('EXISTS', ...allScripts.map(({ text }) => digestOf(text)))) as number[];
      expect(known).toEqual(allScripts.map(() => 1));
      expect(await node.dbsize()).toBeGreaterThanOrEqual(salesPerMaster);
    }
  });

  it('keeps the stock of its sales through any history', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(history(16), async (steps) => {
        const saleId = saleIds[run++ % saleIds.length] ?? '';
        await redis.del(...Object.values(stockKeys(saleId)));
        await openSale(bench, { saleId, items, perBuyerLimit: limit, holdSeconds: 0.001 }, new Map([['hall', seats]]));
        const told = nothingTold();
        for (const [index, step] of steps.entries()) {
          const call = callFor(bench, saleId, await census(bench, saleId), told, step, `hold-${index}`);
          await call?.();
          await call?.();
        }
        await expectConserved(bench, saleId, limit, told.gone);
      }),
      { numRuns: 18 },
    );
  });

  const saleOf = (saleId: string): Partial<SaleToLoad> => ({ saleId, perBuyerLimit: 6, items: [{ sku: 'tee', total: 8 }] });

  /** A cart's life, to the last script: nothing of it is left. */
  async function shop(saleId: string): Promise<void> {
    const eve = buyerAt(bench, saleId, 'eve');
    await eve.set(some(1));
    await eve.set(seatsOf('B-1'));
    expect(linesOf(await eve.drop('tee'))).toEqual([hall('B-1')]);
    expect(linesOf(await eve.read())).toEqual([hall('B-1')]);
    expect(await bench.stock.trackCart(saleId, eve.cartId)).toEqual({ outcome: 'ALREADY_TRACKED' });
    expect(await eve.returned((await checkedOut(eve.checkout())).hold)).toMatchObject({ outcome: 'RETURNED' });
    await lapse(bench, saleId, eve.cartId);
    expect(await bench.stock.expireCarts(saleId)).toEqual({ outcome: 'EXPIRED', count: 1 });
    await eve.clear();
  }

  /** The life of a sale that meets every script, to its rebuild. */
  async function liveThrough(sale: SaleToLoad): Promise<void> {
    const { stock } = bench;
    const { saleId } = sale;
    const lines = [{ sku: 'tee', quantity: 2 }, ...wantingSeats('A-1').lines];
    const paid = await held(bench, saleId, { lines });
    expect(await stock.acknowledge(saleId, paid, 'live')).toEqual({ outcome: 'ACKNOWLEDGED' });
    expect(await stock.confirm(saleId, paid.holdId)).toEqual({ outcome: 'CONFIRMED' });

    const loser = await held(bench, saleId, { buyerId: 'bob', lines: [{ sku: 'tee', quantity: 1 }, ...wantingSeats('A-2').lines] });
    const wanted = { ...loser, lines: [{ sku: 'tee', quantity: 1 }, ...wantingSeats('A-2').lines] };
    const refused = await stock.swap(saleId, { ...wanted, owned: [tees(3), hall('A-2')] });
    expect(refused).toEqual({ outcome: 'SEAT_TAKEN', sku: 'hall', seats: ['A-2'] });
    expect(await stock.mendAllowance(saleId, { ...loser, usedSlots: [] })).toMatchObject({ outcome: 'MENDED' });
    const underSuspicion = [hall('A-2'), tees(3)];
    expect(await stock.suspects(saleId, { limit: 10 })).toEqual({ outcome: 'PAGE', lines: underSuspicion });
    await shop(saleId);
    expect(await stock.peek({ saleId, buyerId: 'eve', lines: [some(1)] })).toMatchObject({ outcome: 'AVAILABLE' });
    expect(await stock.takeExpired(saleId, { limit: 10, retryMs: 1_000 })).toMatchObject({ outcome: 'DUE', holds: [] });
    expect(await stock.release(saleId, { ...loser, cause: 'tombstone' })).toMatchObject({ outcome: 'RELEASED' });
    expect(await stock.returnSuspects(saleId, underSuspicion)).toEqual({ outcome: 'RETURNED', count: 2 });

    const newer = {
      ...sale,
      version: 2,
      items: [
        { sku: 'hall', total: 4, seated: true },
        { sku: 'tee', total: 9 },
      ],
    };
    expect(await stock.update(newer)).toEqual({ outcome: 'UPDATED' });
    expect(await stock.addSeats(saleId, 'hall', ['C-1'])).toEqual({ outcome: 'ADDED', count: 1 });
    const states = { outcome: 'STATES', states: ['sold', 'free', 'free'] };
    expect(await stock.seatStates(saleId, 'hall', ['A-1', 'A-2', 'C-1'])).toEqual(states);
    const left = [
      { sku: 'hall', kind: 'seated', total: 4, available: 3, given: 1 },
      { sku: 'tee', kind: 'counted', total: 9, available: 7, given: 2 },
    ];
    expect(await stock.read(saleId)).toMatchObject({ outcome: 'READ', items: left });
    await expectConserved(bench, saleId, 6);
    await rebuild({ ...newer, epoch: 2 }, paid);
    expect(await stock.read(saleId)).toMatchObject({ outcome: 'READ', items: left });
    await expectConserved(bench, saleId, 6);
    expect(await stock.closedSince(saleId)).toEqual({ outcome: 'SELLING' });
  }

  /** Loads the sale anew from rows of its one order, which has units 1 and 3 of what it had; 2 is free. */
  async function rebuild(sale: SaleToLoad, { holdId, buyerId }: { holdId: string; buyerId: string }): Promise<void> {
    const { stock } = bench;
    const { saleId, epoch, holdSeconds } = sale;
    await redis.del(...Object.values(stockKeys(saleId)));
    const owned = { owner: 'rebuilder', leaseMs: 1_000 };
    const keys = { lease: rebuildKeys(saleId).lease };
    expect(await lease.acquire(redis, { keys, args: owned })).toEqual({ outcome: 'ACQUIRED' });
    expect(await lease.renew(redis, { keys, args: owned })).toEqual({ outcome: 'RENEWED' });
    const order = { holdId, buyerId, state: 'SOLD' as const, atMs: 1_700_000_000_000 };
    const rows: OwnedUnit[] = [
      { ...order, sku: 'tee', unit: '1', seated: false, slot: 1 },
      { ...order, sku: 'tee', unit: '3', seated: false, slot: 2 },
      { ...order, sku: 'hall', unit: 'A-1', seated: true, slot: 3 },
    ];
    expect(await stock.beginLoad(saleId, epoch)).toEqual({ outcome: 'BEGUN' });
    const taken = { outcome: 'TAKEN' };
    expect(await stock.loadUnits(saleId, { epoch, chunk: 1, rows, holdSeconds })).toEqual(taken);
    expect(await stock.loadSeats(saleId, { epoch, chunk: 2, sku: 'hall', seats: ['A-1', 'A-2', 'B-1', 'C-1'] })).toEqual(taken);
    expect(await stock.loadFree(saleId, { epoch, chunk: 3, ranges: [{ sku: 'tee', first: 2, last: 2 }] })).toEqual(taken);
    const published = [
      { sku: 'hall', kind: 'seated' as const, total: 4 },
      { sku: 'tee', kind: 'counted' as const, total: 9, next: 4, free: 1 },
    ];
    expect(await stock.publishLoad(sale, { epoch, chunks: 3, items: published, behind: true })).toEqual({ outcome: 'LOADED' });
    expect(await lease.release(redis, { keys, args: { owner: owned.owner } })).toEqual({ outcome: 'RELEASED' });
  }
});
