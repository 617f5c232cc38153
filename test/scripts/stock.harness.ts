import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect } from 'vitest';
import { connectRedis, type RedisClient } from '../../functions/shared/redis.ts';
import type { Hold, HoldState, LineUnits, StockLine } from '../../functions/stock/stock.model.ts';
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
export async function openSale({ stock }: Bench, changes: Partial<SaleToLoad> = {}): Promise<SaleToLoad> {
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
  expect(await stock.load(sale)).toEqual({ outcome: 'LOADED' });
  return sale;
}

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
export const serials = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, index) => String(first + index));

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const expand = (ranges: readonly { sku: string; first: number; last: number }[], sku: string) =>
  ranges.filter((range) => range.sku === sku).flatMap(({ first, last }) => serials(first, last));

export interface Census {
  readonly holds: (Hold & { readonly state: HoldState })[];
  readonly items: Readonly<
    Record<string, { free: string[]; suspect: string[]; held: string[]; ahead: string[]; available: number; total: number }>
  >;
}

/** Where each unit of the sale is, by Redis. */
export async function census({ stock }: Bench, saleId: string): Promise<Census> {
  const state = await stock.read(saleId);
  if (state.outcome !== 'READ') throw new Error('not loaded');
  const [holds, free, suspect] = await Promise.all([
    all(stock.holds(saleId)),
    all(stock.freeRanges(saleId)),
    all(stock.suspectRanges(saleId)),
  ]);
  const items = state.items.map(({ sku, total, available, given }) => {
    const freeUnits = expand(free, sku);
    const next = given + freeUnits.length + 1;
    const heldUnits = holds.flatMap(({ lines }) => lines.filter((line) => line.sku === sku).flatMap(({ units }) => units));
    return [
      sku,
      { free: freeUnits, suspect: expand(suspect, sku), held: heldUnits, ahead: serials(next, total), available, total },
    ] as const;
  });
  return { holds, items: Object.fromEntries(items) };
}

/** Every unit of every item is in exactly one place, counters say what is there, and each buyer uses exactly the slots of their holds. */
export async function expectConserved(bench: Bench, saleId: string, limit = 0): Promise<Census> {
  const found = await census(bench, saleId);
  for (const [sku, { free, suspect, held, ahead, available, total }] of Object.entries(found.items)) {
    const everywhere = [...free, ...suspect, ...held, ...ahead].map(Number).sort((a, b) => a - b);
    expect(everywhere, `units of ${sku}`).toEqual(serials(1, total).map(Number));
    expect(available, `available of ${sku}`).toBe(free.length + ahead.length);
  }
  const used = new Map<string, number[]>();
  for (const { buyerId, slots } of found.holds) used.set(buyerId, [...(used.get(buyerId) ?? []), ...slots]);
  for (const [buyerId, slots] of used) {
    const mask = Number((await bench.redis.hget(stockKeys(saleId).sale, `b:${buyerId}`)) ?? 0);
    expect(new Set(slots).size, `slots of ${buyerId} are used once`).toBe(slots.length);
    expect(mask, `mask of ${buyerId}`).toBe(slots.reduce((bits, slot) => bits | (1 << (slot - 1)), 0));
    if (limit > 0) expect(slots.length).toBeLessThanOrEqual(limit);
  }
  return found;
}
