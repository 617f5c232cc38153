import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { PlacePorts } from '../../functions/orders/place.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { rebuildAsker } from '../../functions/stock/rebuild.request.ts';
import type { RebuildPorts } from '../../functions/stock/rebuild.ts';
import { rebuildKeys } from '../../functions/stock/stock.keys.ts';
import { orderOf } from '../support/orders.ts';
import { gate, rebuildBench } from '../support/rebuilding.ts';

const bench = rebuildBench();

describe('a rebuilder that dies', () => {
  class Killed extends Error {}

  /** The ports of a process that ends before its nth step, or right after the step was done and before it hears so; its lease is never released. */
  function mortal(n: number, after: boolean): { ports: RebuildPorts } {
    let steps = 0;
    let isDead = false;
    const step =
      <Args extends readonly unknown[], Result>(run: (...args: Args) => Promise<Result>) =>
      async (...args: Args) => {
        if (isDead || (++steps >= n && !after)) {
          isDead = true;
          throw new Killed();
        }
        const result = await run(...args);
        if (steps >= n) {
          isDead = true;
          throw new Killed();
        }
        return result;
      };
    const { sales, seats, stock } = bench.work.ports;
    const ports: RebuildPorts = {
      ...bench.work.ports,
      sales: { get: step(sales.get), bumpEpoch: step(sales.bumpEpoch), markLoaded: step(sales.markLoaded) },
      seats: { list: step(seats.list) },
      rows: bench.rowsWith(step(async () => {})),
      stock: {
        ...stock,
        read: step(stock.read),
        beginLoad: step(stock.beginLoad),
        loadUnits: step(stock.loadUnits),
        loadSeats: step(stock.loadSeats),
        loadFree: step(stock.loadFree),
        publishLoad: step(stock.publishLoad),
      },
      async lease(saleId) {
        const lease = await bench.work.lease(150)(saleId);
        return lease && { stillOurs: lease.stillOurs, release: async () => (isDead ? undefined : lease.release()) };
      },
    };
    return { ports };
  }

  it.each([
    ['before', false],
    ['after', true],
  ])('leaves a sale that the next one brings back, wherever it died: %s each of its steps', { timeout: 300_000 }, async (_, after) => {
    let steps = 0;
    for (let outcome = ''; outcome !== 'rebuilt'; ) {
      const { saleId } = await bench.lostSale();
      const first = mortal(steps + 1, after);
      outcome = await bench.work.rebuild(saleId, first.ports).then(
        (ended) => ended.outcome,
        (error: unknown) => {
          if (error instanceof Killed) return 'died';
          throw error;
        },
      );
      // On a slow machine a lease as short as this one may be lost before the step is reached; then that step is tried again.
      if (outcome === 'died') steps += 1;
      // Half a load sells nothing.
      const isPublished = (await bench.engine.stock.read(saleId)).outcome === 'READ';
      if (!isPublished) expect(await bench.place(saleId, 'eve')).toEqual({ outcome: 'stock-not-ready' });
      // The dead one's lease runs out.
      await expect.poll(async () => (await bench.work.rebuild(saleId)).outcome, { interval: 20, timeout: 60_000 }).not.toBe('busy');
      await bench.work.expectStateOfRows(saleId);
      expect((await bench.sellOut(saleId)).length).toBe(6);
    }
    expect(steps).toBeGreaterThan(10);
  });

  it('for want of time says so, and sells nothing', async () => {
    const { saleId } = await bench.lostSale();
    let left = 3;
    await expect(bench.work.rebuild(saleId, { hasTime: () => left-- > 0 })).rejects.toThrow('no time is left');
    expect(await bench.engine.stock.read(saleId)).toEqual({ outcome: 'NOT_LOADED' });
    expect(await bench.engine.redis.exists(rebuildKeys(saleId).lease)).toBe(0);
    await bench.work.rebuild(saleId);
    await bench.work.expectStateOfRows(saleId);
  });

  it('with Redis is no harm either: a load whose chunks Redis lost is never published', async () => {
    const { saleId } = await bench.lostSale();
    let chunks = 0;
    const { stock } = bench.work.ports;
    const losing = {
      ...stock,
      async loadUnits(...args: Parameters<typeof stock.loadUnits>) {
        if (++chunks === 3) await bench.lose();
        return stock.loadUnits(...args);
      },
    };
    expect(await bench.work.rebuild(saleId, { stock: losing })).toEqual({ outcome: 'overtaken' });
    expect(await bench.engine.stock.read(saleId)).toEqual({ outcome: 'NOT_LOADED' });
    await bench.work.rebuild(saleId);
    await bench.work.expectStateOfRows(saleId);
  });
});

describe('a reserve in flight during a rebuild', () => {
  it.each(['before the rebuild publishes', 'after it'])(
    'costs nobody a unit: its order is claimed after its partition was read, and %s',
    async (when) => {
      const { saleId } = await bench.openSale(6);
      orderOf(await bench.place(saleId, 'ada', { quantity: 2 }));
      const claiming = gate();
      const { claims } = bench.work.placePorts;
      const slowClaim = {
        ...bench.work.placePorts,
        claims: {
          ...claims,
          async claim(...args: Parameters<typeof claims.claim>) {
            await claiming.pass();
            return claims.claim(...args);
          },
        },
      };
      const inFlight = bench.place(saleId, 'bob', { quantity: 2, ports: slowClaim });
      await claiming.arrived;
      await bench.lose();
      const { stock } = bench.work.ports;
      const early = when.startsWith('before');
      await bench.work.rebuild(saleId, {
        stock: {
          ...stock,
          async publishLoad(...args) {
            if (early) {
              claiming.open();
              await inFlight;
            }
            return stock.publishLoad(...args);
          },
        },
      });
      claiming.open();
      const order = orderOf(await inFlight);
      expect(order.items).toMatchObject([{ units: ['3', '4'] }]);

      // The others get what is left and never what bob has.
      const sold = await bench.sellOut(saleId);
      expect(sold.sort()).toEqual(['5', '6']);
      expect(orderOf(await bench.place(saleId, 'bob', { quantity: 2 })).orderId).toBe(order.orderId);
      await bench.sweep(saleId);
      await bench.work.expectStateOfRows(saleId);
    },
  );
});

describe('a Redis that loses everything in the middle of a crowd', () => {
  it('refuses for as long as the rebuild takes, which somebody of the crowd asks for; then all is sold, each unit once, and replays answer', async () => {
    const units = 150;
    const { saleId } = await bench.openSale(units);
    const rebuilds: Promise<unknown>[] = [];
    const ask = rebuildAsker({
      isFirst: async (id, askedMs) => (await bench.engine.redis.set(rebuildKeys(id).asked, '1', 'PX', askedMs, 'NX')) === 'OK',
      send: async ({ saleId: id }) => void rebuilds.push(bench.work.rebuild(id)),
      clock,
    });
    const ports: PlacePorts = { ...bench.work.placePorts, askForRebuild: ask };
    const orders = new Map<string, Order>();
    let refusedNotReady = 0;
    async function buy(buyer: string): Promise<string> {
      for (let attempt = 0; attempt < 400; attempt++) {
        const outcome = await bench.place(saleId, buyer, { ports });
        if (outcome.outcome === 'placed' || outcome.outcome === 'replayed') {
          orders.set(buyer, outcome.order);
          return 'won';
        }
        if (outcome.outcome !== 'stock-not-ready' && outcome.outcome !== 'try-again') return outcome.outcome;
        refusedNotReady += 1;
        await pause(10);
      }
      return 'gave up';
    }
    const buyers = Array.from({ length: 220 }, (_, n) => `buyer-${n}`);
    const crowd = buyers.map(async (buyer, n) => {
      await pause(n * 4);
      return buy(buyer);
    });
    await expect.poll(() => orders.size, { interval: 2, timeout: 30_000 }).toBeGreaterThan(30);
    await bench.lose();
    const outcomes = await Promise.all(crowd);

    expect(rebuilds).toHaveLength(1);
    expect(await rebuilds[0]).toMatchObject({ outcome: 'rebuilt' });
    expect(refusedNotReady).toBeGreaterThan(0);
    expect(new Set(outcomes)).toEqual(new Set(['won', 'sold-out']));
    // Whoever lost a race to a claim in flight may have been told so early; what came back of that is bought now.
    await bench.sweep(saleId);
    await bench.sellOut(saleId);
    expect((await bench.engine.unitRows(saleId)).size).toBe(units);
    for (const [buyer, order] of orders) expect(orderOf(await bench.place(saleId, buyer)).orderId).toBe(order.orderId);
    const sold = [...orders.values()].flatMap(({ items }) => items.flatMap(({ units: taken }) => taken));
    expect(new Set(sold).size).toBe(sold.length);
    await bench.sweep(saleId);
    await bench.work.expectStateOfRows(saleId);
  });
});
