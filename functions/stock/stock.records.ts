import type { Hold, HoldState, LineUnits, SeatPlace, UnitRange } from './stock.model.ts';

// How Lua packs holds, units and slots into text: see lua/stock/lib/records.lua, which says the same.

/** A record in Redis is not in the form that the scripts write. */
export class BadRecord extends Error {
  override readonly name = 'BadRecord';
}

/** `1-3,7` -> 1, 2, 3, 7. */
export function parseUnits(text: string): string[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const [first, last = first] = part.split('-').map(Number);
    if (first === undefined || last === undefined || !Number.isInteger(first) || !(last >= first)) throw new BadRecord(`units ${text}`);
    return Array.from({ length: last - first + 1 }, (_, index) => String(first + index));
  });
}

/** Units in any order, each once -> `1-3,7`. */
export function formatUnits(units: readonly string[]): string {
  const serials = [...new Set(units.map(Number))].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let index = 0; index < serials.length; ) {
    let end = index;
    while (serials[end + 1] === (serials[end] ?? 0) + 1) end++;
    parts.push(end === index ? `${serials[index]}` : `${serials[index]}-${serials[end]}`);
    index = end + 1;
  }
  return parts.join(',');
}

/** As an argument of a script: `1-3,7`, or seats in the order in which they are named, `@A-1,B-2`. */
export function formatLine({ units, seated }: Pick<LineUnits, 'units' | 'seated'>): string {
  return seated ? formatSeats(units) : formatUnits(units);
}

export const formatSeats = (seats: readonly string[]): string => `@${seats.join(',')}`;

/** `sku=1-3,7;other=4;hall:A-1,B-2`: after `=` serials, after `:` seats. */
export function parseLines(text: string): LineUnits[] {
  if (text === '') return [];
  return text.split(';').map((line) => {
    const [, sku, mark, units] = /^([^=:]+)([=:])(.*)$/.exec(line) ?? [];
    if (sku === undefined || units === undefined) throw new BadRecord(`lines ${text}`);
    return mark === '=' ? { sku, units: parseUnits(units) } : { sku, units: units === '' ? [] : units.split(','), seated: true };
  });
}

const slotsPerBuyerMax = 20;

/** Slot 1 is the lowest bit. */
export const parseSlots = (mask: number): number[] =>
  Array.from({ length: slotsPerBuyerMax }, (_, index) => index + 1).filter((slot) => mask & (1 << (slot - 1)));

export function formatSlots(slots: readonly number[]): number {
  return slots.reduce((mask, slot) => {
    if (!Number.isInteger(slot) || slot < 1 || slot > slotsPerBuyerMax) throw new RangeError(`allowance slot ${slot}`);
    return mask | (1 << (slot - 1));
  }, 0);
}

const states: Readonly<Record<string, HoldState>> = { H: 'held', A: 'acknowledged', C: 'confirmed', E: 'ended', K: 'cart' };

export function parseHold(holdId: string, record: string): Hold & { readonly state: HoldState } {
  const [letter = '', bornUs, expiresAtMs, payloadHash = '', buyerId = '', slots, lines = ''] = record.split('|');
  const state = states[letter];
  if (!state) throw new BadRecord(`hold ${record}`);
  return {
    holdId,
    buyerId,
    payloadHash,
    bornUs: Number(bornUs),
    expiresAtMs: Number(expiresAtMs),
    lines: parseLines(lines),
    slots: parseSlots(Number(slots)),
    state,
  };
}

/** `sku|0000017-0000020`, a member of a pool. */
export function parseRange(member: string): UnitRange {
  const match = /^([^|]+)\|(\d+)-(\d+)$/.exec(member);
  if (!match) throw new BadRecord(`range ${member}`);
  return { sku: match[1] ?? '', first: Number(match[2]), last: Number(match[3]) };
}

/** `sku|:A-1`, a seat in the pool of suspects; undefined for a range. */
export function parseSuspectSeat(member: string): { readonly sku: string; readonly seat: string } | undefined {
  const match = /^([^|]+)\|:(.+)$/.exec(member);
  return match ? { sku: match[1] ?? '', seat: match[2] ?? '' } : undefined;
}

/** `sku|A-1` and who has it: `''`, `?`, `-` or a hold's id. */
export function parseSeat(field: string, owner: string): SeatPlace {
  const at = field.indexOf('|');
  if (at < 1) throw new BadRecord(`seat ${field}`);
  const seat = { sku: field.slice(0, at), seat: field.slice(at + 1) };
  const state = seatMarks.get(owner);
  return state ? { ...seat, state } : { ...seat, state: 'held', holdId: owner };
}

const seatMarks = new Map<string, 'free' | 'suspect' | 'retired'>([
  ['', 'free'],
  ['?', 'suspect'],
  ['-', 'retired'],
]);

/** An item as its record has it: `next` is the lowest serial never given out, `free` counts the pool, or the free seats. */
export interface ItemCounters {
  readonly sku: string;
  readonly seated: boolean;
  readonly total: number;
  readonly next: number;
  readonly free: number;
}

export function parseItem(sku: string, record: string): ItemCounters {
  const match = /^([cs])\|(\d+)\|(\d+)\|(\d+)(?:\|#[\w-]+)?$/.exec(record);
  if (!match) throw new BadRecord(`item ${record}`);
  return { sku, seated: match[1] === 's', total: Number(match[2]), next: Number(match[3]), free: Number(match[4]) };
}

/** What of a sale's record decides whether it sells: all but the births that are over, which a hold that was let go of raises. */
export const termsOf = (record: string): string => record.replace(/\|\d+(?=\|\d+\|\d+$)/, '');

/** Units per buyer by the sale's record, 0 for no limit. */
export function limitOf(record: string): number {
  const limit = /^\w+\|\d+\|\d+\|(\d+)\|/.exec(record)?.[1];
  if (limit === undefined) throw new BadRecord(`sale ${record}`);
  return Number(limit);
}
