import { randomUUID } from 'node:crypto';
import { PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Order } from '../../functions/orders/order.model.ts';
import type { PlaceOutcome, PlacePorts } from '../../functions/orders/place.ts';
import { knownSales } from '../../functions/sales/known-sales.ts';
import { knownSeats } from '../../functions/sales/known-seats.ts';
import type { Sale, SeatList } from '../../functions/sales/sale.model.ts';
import { saleRepository } from '../../functions/sales/sale.repository.ts';
import { packSeats } from '../../functions/sales/seat.model.ts';
import { seatRepository } from '../../functions/sales/seat.repository.ts';
import { systemClock as clock } from '../../functions/shared/clock.ts';
import { acquireLease } from '../../functions/shared/lease.ts';
import { type UnitRows, unitRows } from '../../functions/stock/rebuild.repository.ts';
import { type RebuildPorts, rebuild } from '../../functions/stock/rebuild.ts';
import { rebuildKeys, stockKeys } from '../../functions/stock/stock.keys.ts';
import { tableNames } from './database.ts';
import { type Engine, startEngine } from './engine.ts';
import { orderOf } from './orders.ts';

/** Rebuilds over a test's engine: sales and their seats are rows in the database, as they are outside of tests. */
export function rebuilding(engine: Engine) {
  const { database, redis, stock } = engine;
  const sales = saleRepository(database, tableNames.sales);
  const seats = seatRepository(database, tableNames.seats);
  const rows = unitRows(database, tableNames.units);
  const lease = (leaseMs: number) => (saleId: string) =>
    acquireLease(redis, { purpose: 'rebuild', key: rebuildKeys(saleId).lease, leaseMs, waitMsMax: 0, clock });
  const ports: RebuildPorts = { sales, seats, rows, stock, lease: lease(5_000), hasTime: () => true };

  return {
    sales,
    ports,
    lease,
    /** Placing orders by what the database says of the sale. */
    placePorts: {
      ...engine.placePorts,
      sales: knownSales((saleId) => sales.get(saleId, { consistent: true })),
      seats: knownSeats(seats.list),
    } satisfies PlacePorts,

    rebuild: (saleId: string, changes: Partial<RebuildPorts> = {}) => rebuild(saleId, { ...ports, ...changes }),

    /** Writes the sale as its creator does. */
    async store(sale: Sale, names: SeatList = new Map()): Promise<Sale> {
      const chunks = packSeats(sale.saleId, names);
      const stored = { ...sale, ...(chunks.length > 0 ? { seatChunks: chunks.length } : {}) };
      for (const Item of chunks) await database.send(new PutCommand({ TableName: 'seats', Item }));
      await database.send(new PutCommand({ TableName: 'sales', Item: { ...stored, stockLoaded: true } }));
      return stored;
    },

    /** What an operator's change does in the database; telling Redis is another step. */
    async change(saleId: string, changes: Partial<Sale>, more: SeatList = new Map()): Promise<Sale> {
      const before = await sales.get(saleId, { consistent: true });
      if (!before) throw new Error(`no sale ${saleId}`);
      const chunks = packSeats(saleId, more, before.seatChunks ?? 0);
      for (const Item of chunks) await database.send(new PutCommand({ TableName: 'seats', Item }));
      const set = Object.entries({
        ...changes,
        version: before.version + 1,
        ...(chunks.length > 0 ? { seatChunks: (before.seatChunks ?? 0) + chunks.length } : {}),
      });
      await database.send(
        new UpdateCommand({
          TableName: 'sales',
          Key: { saleId },
          UpdateExpression: `SET ${set.map((_, n) => `#n${n} = :v${n}`).join(', ')}`,
          ExpressionAttributeNames: Object.fromEntries(set.map(([name], n) => [`#n${n}`, name])),
          ExpressionAttributeValues: Object.fromEntries(set.map(([, value], n) => [`:v${n}`, value])),
        }),
      );
      return (await sales.get(saleId, { consistent: true })) ?? before;
    },

    expectStateOfRows: async (saleId: string) => {
      const sale = await sales.get(saleId, { consistent: true });
      if (!sale) throw new Error(`no sale ${saleId}`);
      await expectStateOfRows(engine, sale, rows, await seats.list(sale));
    },
  };
}

type Owned = { unit: string; holdId: string; buyerId: string; state: string };

/** Redis says what the rows say: each unit in its order's hold, retired, or free; each buyer's slots those of their rows; counters that add up. */
async function expectStateOfRows({ stock, redis, database }: Engine, sale: Sale, rows: UnitRows, names: SeatList): Promise<void> {
  const { saleId } = sale;
  const state = await stock.read(saleId);
  if (state.outcome !== 'READ') throw new Error(`${saleId} is not loaded`);
  const holds: { holdId: string; state: string; sku: string; units: string[] }[] = [];
  for await (const hold of stock.holds(saleId)) {
    if (hold.state === 'ended') continue;
    for (const { sku, units } of hold.lines) holds.push({ holdId: hold.holdId, state: hold.state, sku, units: [...units].sort() });
  }
  const places = new Map<string, string>();
  for await (const { sku, seat, ...place } of stock.seats(saleId)) {
    places.set(`${sku} ${seat}`, place.state === 'held' ? place.holdId : place.state);
  }
  const buyers = new Set<string>();
  for (const item of sale.items) {
    const owned: Owned[] = [];
    for (const bucket of rows.bucketsOf(saleId, item.sku)) for await (const page of rows.pages(bucket)) owned.push(...page);
    for (const { buyerId } of owned) buyers.add(buyerId);
    const alive = owned.filter((row) => row.state !== 'RETIRED');
    const byHold = Map.groupBy(alive, ({ holdId }) => holdId);
    const expected = [...byHold].map(([holdId, of]) => ({
      ...{ holdId, state: of.some((row) => row.state === 'SOLD') ? 'confirmed' : 'acknowledged' },
      ...{ sku: item.sku, units: of.map(({ unit }) => unit).sort() },
    }));
    const byId = (list: { holdId: string }[]) => list.toSorted((a, b) => a.holdId.localeCompare(b.holdId));
    expect(byId(holds.filter(({ sku }) => sku === item.sku)), `holds of ${item.sku}`).toEqual(byId(expected));
    const copy = state.items.find(({ sku }) => sku === item.sku);
    expect(copy, item.sku).toMatchObject({
      ...{ kind: item.seated ? 'seated' : 'counted', total: item.total },
      ...{ available: item.total - owned.length, given: owned.length },
    });
    if (!item.seated) continue;
    const owners = new Map(owned.map(({ unit, holdId, state: row }) => [unit, row === 'RETIRED' ? 'retired' : holdId]));
    for (const name of names.get(item.sku) ?? []) expect(places.get(`${item.sku} ${name}`), name).toBe(owners.get(name) ?? 'free');
  }
  for (const buyerId of buyers) {
    const { Items = [] } = await database.send(
      new QueryCommand({
        TableName: 'allowances',
        KeyConditionExpression: 'saleBuyer = :key',
        ExpressionAttributeValues: { ':key': `${saleId}#${buyerId}` },
      }),
    );
    const mask = Number((await redis.hget(stockKeys(saleId).sale, `b:${buyerId}`)) ?? 0);
    expect(mask, `slots of ${buyerId}`).toBe(Items.reduce((bits, { slot }) => bits | (1 << (Number(slot) - 1)), 0));
  }
}

/** A step that waits until it is let go, and says when somebody has come to it. */
export function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  function pass(): Promise<void> {
    arrive();
    return opened;
  }
  return { open: () => open(), arrived, pass };
}

/** A lease that everybody gets and nobody loses: whatever it would have prevented happens. */
export const noLease: RebuildPorts['lease'] = async () => ({ stillOurs: async () => true, release: async () => {} });

/** What tests of rebuilds do over and over, on an engine of the test file's own, from its first test to its last. */
export function rebuildBench() {
  let engine: Engine | undefined;
  let work: ReturnType<typeof rebuilding> | undefined;
  beforeAll(async () => {
    engine = await startEngine();
    work = rebuilding(engine);
  });
  afterAll(() => engine?.stop());
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('used before the tests began');
    return value;
  };

  const bench = {
    get engine(): Engine {
      return started(engine);
    },
    get work(): ReturnType<typeof rebuilding> {
      return started(work);
    },

    openSale: async (units: number, changes: Partial<Sale> = {}): Promise<Sale> =>
      bench.work.store(await bench.engine.openSale(randomUUID(), units, changes)),

    lose: (): Promise<unknown> => bench.engine.redis.flushall(),

    place: (
      saleId: string,
      buyerId: string,
      { quantity = 1, ports }: { quantity?: number; ports?: PlacePorts } = {},
    ): Promise<PlaceOutcome> =>
      bench.engine.place(saleId, buyerId, { method: 'external', quantity, ports: ports ?? bench.work.placePorts }),

    /** A sale of which three orders have 6 units, the first of them ended, and that Redis has lost. */
    async lostSale(): Promise<Sale> {
      const sale = await bench.openSale(10);
      const orders: Order[] = [];
      for (const buyer of ['ada', 'bob', 'cleo']) orders.push(orderOf(await bench.place(sale.saleId, buyer, { quantity: 2 })));
      if (orders[0]) await bench.engine.cancel(orders[0]);
      await bench.lose();
      return sale;
    },

    /** Buys single units until none is left. */
    async sellOut(saleId: string): Promise<string[]> {
      const sold: string[] = [];
      for (let n = 0; ; n++) {
        const outcome = await bench.place(saleId, `last-${n}`);
        if (outcome.outcome === 'sold-out') return sold;
        sold.push(...orderOf(outcome).items.flatMap(({ units }) => units));
      }
    },

    /** One sweep over this sale, as the database has it. */
    sweep: (saleId: string): Promise<unknown> =>
      bench.engine.sweep({ sales: { live: async () => [await bench.work.sales.get(saleId)].filter((sale) => sale !== undefined) } }),

    /** The rows, with something done before each page that has some is given. */
    rowsWith: (before: () => Promise<void>): UnitRows => ({
      ...bench.work.ports.rows,
      async *pages(bucket) {
        for await (const page of bench.work.ports.rows.pages(bucket)) {
          if (page.length > 0) await before();
          yield page;
        }
      },
    }),
  };
  return bench;
}
