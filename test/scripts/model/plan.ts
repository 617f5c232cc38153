import type { Random } from '../../fuzz/random.ts';
import { runsOf } from './state.ts';

// A load as a sequence makes one up: unit rows of a sale, spread over chunks, and what is published in the end.

export const counted = [
  { sku: 'tee', total: 14 },
  { sku: 'tee-2', total: 6 },
];
export const seats = ['A-1', 'A-2', 'A-3', 'B-1', '17', '3-5'];
export const moreSeats = ['C-1', 'C-2', 'C-3'];
export const buyers = ['ada', 'bob', 'eve'];
export const skus = ['tee', 'tee-2', 'hall'];

export interface Call {
  readonly name: string;
  readonly args: readonly string[];
}

export interface Plan {
  readonly epoch: number;
  readonly chunks: readonly Call[];
  /** What ends it, after the version and the state of the sale. */
  readonly items: readonly string[];
}

interface Row {
  readonly sku: string;
  readonly kind: 'serial' | 'seat';
  readonly unit: string;
}

function rowsOf(random: Random): Row[] {
  const serials = counted.flatMap(({ sku, total }) => {
    const highest = random.int(total + 1);
    return Array.from({ length: highest }, (_, index): Row => ({ sku, kind: 'serial', unit: String(index + 1) }));
  });
  const places = seats.map((unit): Row => ({ sku: 'hall', kind: 'seat', unit }));
  return [...serials, ...places].filter(() => random.chance(0.3));
}

/** Rows of at most four orders, each of one buyer and under one state, though some rows of an order are read before it is confirmed. */
function argumentsOf(rows: readonly Row[], random: Random, nowMs: number, limit: number): string[][] {
  const used = new Map<string, number>();
  const atMs = String(nowMs - 600_000 + random.int(600_000));
  return rows.flatMap(({ sku, kind, unit }) => {
    const order = random.int(4);
    const buyerId = buyers[order % buyers.length] ?? 'ada';
    const slot = limit === 0 ? 0 : (used.get(buyerId) ?? 0) + 1;
    if (slot > 20) return [];
    used.set(buyerId, slot);
    const standing = random.chance(0.1) ? 'RETIRED' : random.pick(order % 2 === 0 ? ['HELD', 'SOLD'] : ['HELD']);
    return [[sku, kind, unit, standing, `row-${order}`, buyerId, String(slot), atMs]];
  });
}

const shuffled = <T>(all: readonly T[], random: Random): T[] =>
  all
    .map((each) => ({ each, rank: random.next() }))
    .sort((one, other) => one.rank - other.rank)
    .map(({ each }) => each);

function groupsBy<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size));
}

export function planOf(random: Random, epoch: number, nowMs: number, limit: number): Plan {
  const rows = rowsOf(random);
  const args = argumentsOf(rows, random, nowMs, limit);
  const ofSku = (sku: string) => args.filter((row) => row[0] === sku).map(([, , unit]) => Number(unit));
  const free = counted.map(({ sku, total }) => {
    const owned = ofSku(sku);
    const next = Math.max(0, ...owned) + 1;
    const serials = Array.from({ length: next - 1 }, (_, index) => index + 1).filter((serial) => !owned.includes(serial));
    return { sku, total, next, serials };
  });
  const ranges = free.flatMap(({ sku, serials }) => runsOf(serials).map(([first, last]) => [sku, String(first), String(last)]));
  const chunks = shuffled(
    [
      ...groupsBy(shuffled(args, random), 1 + random.int(6)).map((group) => ({
        name: 'stock/load-units',
        rest: ['300000', ...group.flat()],
      })),
      ...groupsBy(seats, 1 + random.int(6)).map((group) => ({ name: 'stock/load-seats', rest: ['hall', ...group] })),
      ...groupsBy(shuffled(ranges, random), 1 + random.int(4)).map((group) => ({ name: 'stock/load-free', rest: group.flat() })),
    ],
    random,
  ).map(({ name, rest }, index) => ({ name, args: [String(epoch), String(index + 1), ...rest] }));
  const items = free.flatMap(({ sku, total, next, serials }) => [sku, 'counted', String(total), String(next), String(serials.length)]);
  return { epoch, chunks, items: [...items, 'hall', 'seated', String(seats.length), '0', '0'] };
}
