import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import type { SeatList } from '../../functions/sales/sale.model.ts';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import type { Hold, HoldState, LineUnits, SeatPlace, StockLine } from '../../functions/stock/stock.model.ts';
import { parseSuspectSeat } from '../../functions/stock/stock.records.ts';
import { type SaleToLoad, type Stock, stockKeys, stockScripts } from '../../functions/stock/stock.scripts.ts';
import { type Redis, startRedis } from '../../lib/local/redis.ts';

export interface Bench {
  readonly redis: RedisClient;
  readonly stock: Stock;
  readonly url: string;
}

/** A Redis of the test file's own, from its first test to its last. */
export function redisBench(): Bench {
  let server: Redis | undefined;
  let redis: RedisClient | undefined;
  beforeAll(async () => {
    server = await startRedis();
    redis = connectRedis({ url: server.url, mode: 'single' });
  });
  afterAll(async () => {
    redis?.disconnect();
    await server?.stop();
  });
  const started = <T>(value: T | undefined): T => {
    if (value === undefined) throw new Error('used before the tests began');
    return value;
  };
  return {
    get redis() {
      return started(redis);
    },
    get stock() {
      return stockScripts(started(redis));
    },
    get url() {
      return started(server).url;
    },
  };
}

const hourMs = 3_600_000;

/** Loads a sale of its own for the test, open, without a limit, 10 units of `tee` unless said otherwise. */
export async function openSale({ stock }: Bench, changes: Partial<SaleToLoad> = {}, seats: SeatList = new Map()): Promise<SaleToLoad> {
  const nowMs = await stock.nowMs();
  const sale: SaleToLoad = {
    saleId: `sale-${randomUUID()}`,
    epoch: 1,
    version: 1,
    control: 'open',
    opensAtMs: nowMs - hourMs,
    closesAtMs: nowMs + hourMs,
    holdSeconds: 300,
    items: [{ sku: 'tee', total: 10 }],
    ...changes,
  };
  expect(await stock.load(sale, seats)).toEqual({ outcome: 'LOADED' });
  return sale;
}

/** Loads a sale of these seats as item `hall`, beside what `changes` has as its other items. */
export const openHall = (bench: Bench, seats: readonly string[], changes: Partial<SaleToLoad> = {}): Promise<SaleToLoad> =>
  openSale(
    bench,
    { ...changes, items: [{ sku: 'hall', total: seats.length, seated: true }, ...(changes.items ?? [])] },
    new Map([['hall', seats]]),
  );

export const aRequest = (
  saleId: string,
  changes: { holdId?: string; buyerId?: string; payloadHash?: string; lines?: StockLine[] } = {},
) => ({
  saleId,
  holdId: `hold-${randomUUID()}`,
  buyerId: 'ada',
  payloadHash: 'payload',
  lines: [{ sku: 'tee', quantity: 1 }],
  ...changes,
});

/** Reserves, and expects to get it. */
export async function held({ stock }: Bench, saleId: string, changes: Parameters<typeof aRequest>[1] = {}): Promise<Hold> {
  const reply = await stock.reserve(aRequest(saleId, changes));
  if (reply.outcome !== 'RESERVED') throw new Error(`not reserved: ${JSON.stringify(reply)}`);
  return reply.hold;
}

export const tees = (...units: (number | string)[]): LineUnits => ({ sku: 'tee', units: units.map(String) });
/** Seats as a hold has them, and as a request names them. */
export const hall = (...units: string[]): LineUnits => ({ sku: 'hall', units, seated: true });
export const wantingSeats = (...seats: string[]) => ({ lines: [{ sku: 'hall', quantity: seats.length, seats }] });
export const serials = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index));

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const expand = (ranges: readonly { sku: string; first: number; last: number }[], sku: string) =>
  ranges.filter((range) => range.sku === sku).flatMap(({ first, last }) => serials(first, last));

interface Place {
  readonly free: string[];
  readonly suspect: string[];
  readonly held: string[];
  /** Seats that are out of sale for good. Of serials nothing tells: they are in no place at all. */
  readonly retired: string[];
  readonly ahead: string[];
  readonly available: number;
  readonly total: number;
}

export interface Census {
  readonly holds: (Hold & { readonly state: HoldState })[];
  readonly items: Readonly<Record<string, Place>>;
  readonly seats: readonly SeatPlace[];
}

const unitsOf = (holds: readonly Hold[], sku: string) =>
  holds.flatMap(({ lines }) => lines.filter((line) => line.sku === sku).flatMap(({ units }) => units));

/** Where each unit of the sale is, by Redis. */
export async function census({ stock }: Bench, saleId: string): Promise<Census> {
  const state = await stock.read(saleId);
  if (state.outcome !== 'READ') throw new Error('not loaded');
  const [holds, free, suspect, seats] = await Promise.all([
    all(stock.holds(saleId)),
    all(stock.freeRanges(saleId)),
    all(stock.suspectRanges(saleId)),
    all(stock.seats(saleId)),
  ]);
  const items = state.items.map(({ sku, kind, total, available, given }): readonly [string, Place] => {
    if (kind === 'seated') {
      const inState = (wanted: SeatPlace['state']) =>
        seats
          .filter((place) => place.sku === sku && place.state === wanted)
          .map(({ seat }) => seat)
          .sort();
      const places = { free: inState('free'), suspect: inState('suspect'), held: inState('held'), retired: inState('retired') };
      return [sku, { ...places, ahead: [], available, total }];
    }
    const freeUnits = expand(free, sku);
    const next = given + freeUnits.length + 1;
    const places = { free: freeUnits, suspect: expand(suspect, sku), held: unitsOf(holds, sku), ahead: serials(next, total) };
    return [sku, { ...places, retired: [], available, total }];
  });
  return { holds, items: Object.fromEntries(items), seats };
}

/** What orders that were retired took with them: units of counted items, and buyers' slots. */
export interface Gone {
  /** By item. */
  readonly units: ReadonlyMap<string, readonly string[]>;
  /** By buyer. */
  readonly slots: ReadonlyMap<string, readonly number[]>;
}

/** Every unit of every item is in exactly one place, counters say what is there, and each buyer uses exactly the slots of their holds. */
export async function expectConserved(
  bench: Bench,
  saleId: string,
  limit = 0,
  gone: Gone = { units: new Map(), slots: new Map() },
): Promise<Census> {
  const found = await census(bench, saleId);
  for (const [sku, { free, suspect, held, retired, ahead, available, total }] of Object.entries(found.items)) {
    expect(available, `available of ${sku}`).toBe(free.length + ahead.length);
    if (found.seats.some((seat) => seat.sku === sku)) {
      // A hash has each seat once: what may be wrong is how many there are.
      expect(free.length + suspect.length + held.length + retired.length, `seats of ${sku}`).toBe(total);
      continue;
    }
    const everywhere = [...free, ...suspect, ...held, ...ahead, ...(gone.units.get(sku) ?? [])].map(Number).sort((a, b) => a - b);
    expect(everywhere, `units of ${sku}`).toEqual(serials(1, total).map(Number));
  }
  await expectSeatsConsistent(bench, saleId, found);
  const used = new Map(gone.slots);
  for (const { buyerId, slots } of found.holds) used.set(buyerId, [...(used.get(buyerId) ?? []), ...slots]);
  for (const [buyerId, slots] of used) {
    const mask = Number((await bench.redis.hget(stockKeys(saleId).sale, `b:${buyerId}`)) ?? 0);
    expect(new Set(slots).size, `slots of ${buyerId} are used once`).toBe(slots.length);
    expect(mask, `mask of ${buyerId}`).toBe(slots.reduce((bits, slot) => bits | (1 << (slot - 1)), 0));
    if (limit > 0) expect(slots.length).toBeLessThanOrEqual(limit);
  }
  return found;
}

/** A seat is a hold's when both say so. A hold that no order has yet may have lost seats to orders; an order never loses any. */
async function expectSeatsConsistent({ redis }: Bench, saleId: string, { holds, seats }: Census): Promise<void> {
  const listed = holds.flatMap(({ holdId, lines }) =>
    lines.filter(({ seated }) => seated).flatMap(({ sku, units }) => units.map((unit) => `${sku} ${unit} ${holdId}`)),
  );
  const had = seats.flatMap((seat) => (seat.state === 'held' ? [`${seat.sku} ${seat.seat} ${seat.holdId}`] : []));
  expect(listed).toEqual(expect.arrayContaining(had));
  const ofOrders = new Set(holds.filter(({ state }) => state === 'acknowledged' || state === 'confirmed').map(({ holdId }) => holdId));
  expect(had).toEqual(expect.arrayContaining(listed.filter((entry) => ofOrders.has(entry.split(' ')[2] ?? ''))));
  const members = (await redis.zrangebylex(stockKeys(saleId).suspects, '-', '+')).flatMap((member) => parseSuspectSeat(member) ?? []);
  const suspect = seats.filter(({ state }) => state === 'suspect').map(({ sku, seat }) => ({ sku, seat }));
  const inOrder = (list: { sku: string; seat: string }[]) => list.map(({ sku, seat }) => `${sku} ${seat}`).sort();
  expect(inOrder(members)).toEqual(inOrder(suspect));
}
