import type { Hold, HoldState, LineUnits, UnitRange } from './stock.model.ts';

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

/** `sku=1-3,7;other=4`. */
export function parseLines(text: string): LineUnits[] {
  if (text === '') return [];
  return text.split(';').map((line) => {
    const at = line.indexOf('=');
    if (at < 1) throw new BadRecord(`lines ${text}`);
    return { sku: line.slice(0, at), units: parseUnits(line.slice(at + 1)) };
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

const states: Readonly<Record<string, HoldState>> = { H: 'held', A: 'acknowledged', C: 'confirmed', E: 'ended' };

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
