import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlaceOutcome } from '../../functions/orders/place.ts';
import type { Sale } from '../../functions/sales/sale.model.ts';
import { stockIdsOf } from '../../functions/stock/shards.model.ts';
import { stockKeys } from '../../functions/stock/stock.keys.ts';
import { findProgram } from '../../lib/local/redis.ts';
import { type RedisCluster, startCluster } from '../scripts/redis-cluster.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { rebuilding } from '../support/rebuilding.ts';
import { reconcilingOn } from '../support/reconciling.ts';
import { expectOnePlaceEach } from '../support/shards.ts';

const hasServer = findProgram() !== undefined;
const where = hasServer ? 'a cluster of three masters' : 'a cluster (left out: no redis-server or valkey-server on the PATH)';
const shards = 6;

describe.skipIf(!hasServer)(`a sale over several shards, on ${where}`, () => {
  let cluster: RedisCluster;
  let engine: Engine;
  let work: ReturnType<typeof rebuilding>;

  beforeAll(async () => {
    const started = await startCluster(3);
    if (!started) throw new Error('the server that was there is gone');
    cluster = started;
    engine = await startEngine(cluster);
    work = rebuilding(engine);
  });
  afterAll(async () => {
    await engine?.stop();
    await cluster?.stop();
  });

  /** By master, the stocks that it serves. */
  async function stocksByMaster(sale: Pick<Sale, 'saleId' | 'shards'>): Promise<string[][]> {
    const found: string[][] = cluster.masters.map(() => []);
    for (const stockId of stockIdsOf(sale)) {
      const slot = Number(await cluster.masters[0]?.node.cluster('KEYSLOT', stockKeys(stockId).sale));
      found[cluster.masters.findIndex(({ slots }) => slot >= slots.first && slot <= slots.last)]?.push(stockId);
    }
    return found;
  }

  /** A sale of which every master serves some shards. */
  async function openSharded(units: number, changes: Partial<Sale> = {}): Promise<Sale> {
    let saleId = randomUUID();
    while ((await stocksByMaster({ saleId, shards })).some((stocks) => stocks.length === 0)) saleId = randomUUID();
    return work.store(await engine.openSale(saleId, units, { shards, ...changes }));
  }

  async function buy({ saleId }: Sale, buyer: string, quantity = 1): Promise<PlaceOutcome> {
    for (let attempt = 0; attempt < 600; attempt++) {
      const outcome = await engine.place(saleId, buyer, { method: 'external', quantity, ports: work.placePorts });
      if (outcome.outcome !== 'try-again' && outcome.outcome !== 'stock-not-ready') return outcome;
      await pause(10);
    }
    throw new Error('600 attempts were not enough');
  }

  const unitsSold = (outcomes: readonly PlaceOutcome[]): number[] =>
    outcomes
      .flatMap((outcome) => ('order' in outcome ? outcome.order.items.flatMap(({ units }) => units.map(Number)) : []))
      .sort((a, b) => a - b);

  it('sells every unit once to a storm at all of its masters, and is sold out only then', { timeout: 120_000 }, async () => {
    const sale = await openSharded(60);
    const outcomes = await Promise.all(Array.from({ length: 120 }, (_, n) => buy(sale, `storm-${n}`)));
    expect(unitsSold(outcomes)).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    expect(outcomes.filter(({ outcome }) => outcome === 'sold-out')).toHaveLength(60);
    await expectOnePlaceEach(engine, sale);
  });

  it('gathers the last units from all masters for one buyer', async () => {
    const sale = await openSharded(shards);
    expect(unitsSold([await buy(sale, 'greedy', shards)])).toHaveLength(shards);
    await expectOnePlaceEach(engine, sale);
  });

  it.each([0, 1, 2])('sells every unit once when master %i loses everything in the middle of a storm', { timeout: 120_000 }, async (at) => {
    const sale = await openSharded(60);
    const storm = Array.from({ length: 110 }, async (_, n) => {
      await pause(n * 5);
      return buy(sale, `storm-${at}-${n}`);
    });
    await expect.poll(async () => (await engine.unitRows(sale.saleId)).size, { interval: 5, timeout: 30_000 }).toBeGreaterThan(15);
    await cluster.masters[at]?.node.flushall();
    const rebuilt = await work.rebuild(sale.saleId);
    expect(rebuilt.outcome).toBe('rebuilt');
    const outcomes = await Promise.all(storm);
    const sold = unitsSold(outcomes);
    expect(new Set(sold).size).toBe(sold.length);
    // Orders that were on their way meanwhile may have cost units that the next sweep or reconciliation gives back.
    await engine.sweep({ sales: { live: async () => [sale] } });
    await engine.stock.completeTransits(sale);
    const reconciling = reconcilingOn(engine);
    expect(await reconciling.reconcile(sale.saleId)).toMatchObject({ outcome: 'compared' });
    await engine.sweep({ sales: { live: async () => [sale] } });
    const late = await Promise.all(Array.from({ length: 60 - sold.length }, (_, n) => buy(sale, `late-${at}-${n}`)));
    expect(unitsSold([...outcomes, ...late])).toEqual(Array.from({ length: 60 }, (_, n) => n + 1));
    await expectOnePlaceEach(engine, sale);
  });
});
