import { Broken, type Hold, type Item, type Line, type State } from './state.ts';

// How units, seats and slots move, for all models: the rules of lua/stock/lib, over sets.

export type Value = string | number;
export type Reply = readonly Value[];
/** A script as a rule: what it answers to these arguments, and what there is afterwards, which it makes of the state that it is given. */
export type Rule = (state: State, args: readonly string[], nowUs: number) => Reply;

export const unitsMax = 20;
export const msOf = (us: number): number => Math.floor(us / 1_000);
export const at = (args: readonly string[], index: number): string => args[index] ?? '';

/** What follows the first arguments, in groups. */
export function groupsOf(args: readonly string[], from: number, size: number): string[][] {
  const groups: string[][] = [];
  for (let index = from; index + size <= args.length; index += size) groups.push(args.slice(index, index + size));
  return groups;
}

export const expand = (text: string): number[] =>
  text.split(',').flatMap((part) => {
    if (part === '') return [];
    const [first = 0, last = first] = part.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });

/** Units as an argument names them: `1-3,7` or `@A-1,B-2`. */
export const lineOf = (sku: string, text: string): Line =>
  text.startsWith('@') ? { sku, seats: text.slice(1).split(',') } : { sku, serials: expand(text) };
export const sizeOf = ({ serials, seats }: Line): number => (seats ?? serials ?? []).length;
export const countUnits = (lines: readonly Line[]): number => lines.reduce((sum, line) => sum + sizeOf(line), 0);

export function countSlots(mask: number): number {
  let count = 0;
  for (let left = mask; left > 0; left >>= 1) count += left & 1;
  return count;
}
/** The lowest slots that the mask leaves free. */
export function grantSlots(mask: number, quantity: number): number {
  let granted = 0;
  for (let slot = 1, left = quantity; left > 0; slot *= 2) {
    if ((mask & slot) > 0) continue;
    granted |= slot;
    left--;
  }
  return granted;
}
/** The lowest of these slots. */
export function keepSlots(slots: number, quantity: number): number {
  let kept = 0;
  for (let slot = 1, left = quantity; slot <= slots && left > 0; slot *= 2) {
    if ((slots & slot) === 0) continue;
    kept |= slot;
    left--;
  }
  return kept;
}

export function changeSlots(state: State, buyerId: string, out: number, into: number): void {
  const mask = state.masks.get(buyerId) ?? 0;
  const changed = (mask & ~out) | into;
  if (changed === mask) return;
  state.watchedSlots.delete(buyerId);
  if (changed === 0) state.masks.delete(buyerId);
  else state.masks.set(buyerId, changed);
}

export function itemOf(state: State, sku: string): Item {
  const item = state.items.get(sku);
  if (!item) throw new Broken(`unknown item ${sku}`);
  return item;
}
export const availableOf = ({ total, next, free }: Item): number => free + Math.max(0, total - next + 1);

/** The items' records are written: a count of any of them has come to nothing. */
export function touch(state: State, skus: Iterable<string>): void {
  for (const sku of skus) {
    const item = state.items.get(sku);
    if (item) item.mark = undefined;
  }
}
export const skusOf = (lines: readonly Line[]): string[] => lines.map(({ sku }) => sku);

export function poolOf(pool: Map<string, Set<number>>, sku: string): Set<number> {
  const found = pool.get(sku) ?? new Set<number>();
  pool.set(sku, found);
  return found;
}
export function unwatch(state: State, sku: string, serials: Iterable<number>): void {
  const watched = state.watchedUnits.get(sku);
  for (const serial of serials) watched?.serials.delete(serial);
}

/** Back for sale, and cleared of suspicion. */
export function giveBack(state: State, sku: string, serials: readonly number[]): void {
  const [item, free, suspects] = [itemOf(state, sku), poolOf(state.free, sku), poolOf(state.suspects, sku)];
  for (const serial of serials) {
    suspects.delete(serial);
    if (!free.has(serial)) item.free++;
    free.add(serial);
  }
  unwatch(state, sku, serials);
}

/** These very units, wherever they are. What is passed over becomes a suspect. */
export function adopt(state: State, sku: string, serials: readonly number[]): void {
  const [item, free, suspects] = [itemOf(state, sku), poolOf(state.free, sku), poolOf(state.suspects, sku)];
  for (const serial of serials) {
    for (; item.next < serial; item.next++) suspects.add(item.next);
    if (free.delete(serial)) item.free--;
    suspects.delete(serial);
    item.next = Math.max(item.next, serial + 1);
  }
  unwatch(state, sku, serials);
}

/** What a hold has is not for sale, though another that had it too gave it back. -> whether any of it was */
export function keepOwn(state: State, sku: string, serials: readonly number[]): boolean {
  const [item, free] = [itemOf(state, sku), poolOf(state.free, sku)];
  const found = serials.filter((serial) => free.delete(serial));
  item.free -= found.length;
  return found.length > 0;
}

/** The lowest free units; fewer than wanted where there are not so many. */
export const lowestFree = (state: State, sku: string, quantity: number): number[] =>
  [...poolOf(state.free, sku)].sort((one, other) => one - other).slice(0, quantity);

export const ownerOf = (state: State, sku: string, seat: string): string | undefined => state.seats.get(`${sku}|${seat}`);
export const seatsWith = (state: State, sku: string, seats: readonly string[], owner: string): string[] =>
  seats.filter((seat) => ownerOf(state, sku, seat) === owner);
export function putSeats(state: State, sku: string, seats: readonly string[], owner: string): void {
  for (const seat of seats) state.seats.set(`${sku}|${seat}`, owner);
}

/** Back for sale, those that this owner still has. -> how many */
export function freeSeats(state: State, sku: string, seats: readonly string[], owner: string): number {
  const having = seatsWith(state, sku, seats, owner);
  putSeats(state, sku, having, '');
  itemOf(state, sku).free += having.length;
  return having.length;
}

/** To this owner, wherever they are; a retired one stays retired. */
export function takeSeats(state: State, sku: string, seats: readonly string[], owner: string): void {
  const item = itemOf(state, sku);
  for (const seat of seats) {
    const was = ownerOf(state, sku, seat);
    if (was === '-') continue;
    if (was === undefined) {
      item.total++;
      item.next++;
    }
    if (was === '') item.free--;
    if (was === '?') state.suspectSeats.delete(`${sku}|${seat}`);
    putSeats(state, sku, [seat], owner);
  }
}

/** All units and slots of a hold go back. */
export function giveAllBack(state: State, holdId: string, { lines, buyerId, slots }: Pick<Hold, 'lines' | 'buyerId' | 'slots'>): void {
  for (const { sku, serials, seats } of lines) {
    if (seats) freeSeats(state, sku, seats, holdId);
    else giveBack(state, sku, serials ?? []);
  }
  touch(state, skusOf(lines));
  changeSlots(state, buyerId, slots, 0);
}

export const ended = (hold: Omit<Hold, 'slots' | 'lines'>): Hold => ({ ...hold, state: 'E', slots: 0, lines: [] });

export function raiseBornFloor(state: State, bornUs: number): void {
  if (state.sale && state.sale.bornFloorUs < bornUs) state.sale.bornFloorUs = bornUs;
}

/** Why a sale sells nothing at this moment, or nothing. */
export function closedDoor(state: State, nowUs: number): Reply | undefined {
  const { control = '', opensAtMs = 0, closesAtMs = 0 } = state.sale ?? {};
  const nowMs = msOf(nowUs);
  if (control === 'closed' || control === 'cancelled' || nowMs >= Number(closesAtMs)) return ['NOT_OPEN', 'closed'];
  if (nowMs < Number(opensAtMs)) return ['NOT_OPEN', 'scheduled'];
  return control === 'paused' ? ['PAUSED'] : undefined;
}

/** A rule for a sale that is loaded. */
export const loaded =
  (rule: Rule): Rule =>
  (state, args, nowUs) =>
    state.sale ? rule(state, args, nowUs) : ['NOT_LOADED'];
